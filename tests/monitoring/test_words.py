"""The words of monitoring are there in both languages, and are filled with the same facts."""

from string import Formatter

from churnml.monitoring.words import monitoring_words


def fields(text: str) -> set[str]:
    return {name for _text, name, _format, _how in Formatter().parse(text) if name}


def test_every_sentence_in_both_languages():
    every = [
        (section, name, entry)
        for section, words in monitoring_words().items()
        for name, entry in words.items()
    ]
    assert len(every) > 60
    for section, name, entry in every:
        assert set(entry) == {"en", "zh"}, (section, name)
        assert all(entry.values()), (section, name)
        # A plural or a joining word may be needed in English alone.
        assert fields(entry["zh"]) <= fields(entry["en"]), (section, name)
