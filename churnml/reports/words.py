"""Words for readers, in English and Chinese, from one file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from ruamel.yaml import YAML

from churnml.errors import UsageError

Language = Literal["en", "zh"]
LANGUAGES: tuple[str, ...] = get_args(Language)


def require_language(lang: str) -> Language:
    """The language of a name.

    Raises
    ------
    UsageError
        If it is neither ``en`` nor ``zh``.
    """
    if lang == "en":
        return "en"
    if lang == "zh":
        return "zh"
    raise UsageError(f"--lang {lang}: en or zh expected.", value=lang, expected="en or zh")


@cache
def all_words() -> dict[str, dict[Any, Any]]:
    """Every word by section and key."""
    text = files("churnml.reports").joinpath("words.yaml").read_text("utf-8")
    return dict(YAML(typ="safe").load(text))


def word(section: str, key: str, lang: Language) -> str:
    """A word; the key itself where the section has none, as for an operator's own codes.

    >>> word("bands", "critical", "zh"), word("categories", "family plan", "zh")
    ('极高', 'family plan')
    """
    entry = all_words()[section].get(key)
    return key if entry is None else str(entry[lang])


def meaning(text: str, lang: Language) -> str:
    """What a feature's 0 or missing value means.

    >>> meaning("never complained", "zh")
    '从未投诉'
    """
    return text if lang == "en" else str(all_words()["meanings"].get(text, text))
