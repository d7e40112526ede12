"""The notes of the verbs in the reader's language.

Verbs say in English what is absent and what would mislead; ``notes`` of the words has the
Chinese of every such sentence, with ``{…}`` for what differs.
"""

from __future__ import annotations

import re
from functools import cache

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
            return text.format(**found.groupdict())
    return note


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """What each sentence looks like, and its Chinese."""
    return [
        (re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(one["en"]))), one["zh"])
        for one in all_words()["notes"].values()
    ]
