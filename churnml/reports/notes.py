"""The notes of the verbs in the reader's language.

Verbs say in English what is absent and what would mislead; ``notes`` of the words has the
Chinese of every such sentence, with ``{…}`` for what differs.
"""

from __future__ import annotations

import re
from functools import cache

from churnml.config.quality import INDICATORS
from churnml.reports.words import Language, all_words


def translated(note: str, lang: Language) -> str:
    """A note in a language; as it is where nobody has translated it.

    >>> translated("surveys is absent, and so is the word of mouth.", "zh")
    '缺少满意度调查表（surveys），因此没有口碑曲线。'
    """
    if lang == "en":
        return note
    for pattern, text in _patterns():
        if found := pattern.fullmatch(note):
            return text.format(**{name: _named(one) for name, one in found.groupdict().items()})
    return note


def without_english(text: str) -> str:
    """A Chinese note without the English sentence that it ends with, as why there is nothing.

    >>> without_english("无法与上月比较：bills.month: no bill of a month.")
    '无法与上月比较。'
    """
    said, colon, why = text.rpartition("：")
    return f"{said}。" if colon and _ENGLISH.search(why) else text


_ENGLISH = re.compile(r"[A-Za-z]+ [A-Za-z]+ [A-Za-z]+")


def _named(value: str) -> str:
    """Indicators, stages and tasks by their Chinese names; anything else as it is."""
    names = {name: one.zh for name, one in INDICATORS.items()}
    names |= {name: one["zh"] for name, one in all_words()["stages"].items()}
    names |= {name: one["zh"] for name, one in all_words()["task_names"].items()}
    return "、".join(names.get(one, one) for one in value.split(", "))


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """What each sentence looks like, and its Chinese."""
    return [
        (re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(one["en"]))), one["zh"])
        for one in all_words()["notes"].values()
    ]
