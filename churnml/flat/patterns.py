"""Numbers as people write them, which are never read on a guess: ``1,234.5``, ``12%``, ``¥30``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from churnml.flat.values import BLANKS
from churnml.source.engine import literal

PATTERNS = {
    "numbers in brackets": r"\(\s*[¥￥$€£]?\s*[0-9][0-9,]*(\.[0-9]+)?\s*\)",
    "percent signs": r"[+-]?[0-9]+([.,][0-9]+)?\s*[%％]",
    "currency signs": (
        r"[+-]?\s*[¥￥$€£]\s*[+-]?[0-9][0-9,]*(\.[0-9]+)?|"
        r"[+-]?[0-9][0-9,]*(\.[0-9]+)?\s*(元|¥|￥|\$|€|£|RMB|CNY|USD|EUR)"
    ),
    "thousands separators": r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?|[+-]?[0-9]{1,3}( [0-9]{3})+",
    "decimal commas": r"[+-]?[0-9]+,[0-9]+|[+-]?[0-9]{1,3}(\.[0-9]{3})+,[0-9]+",
    "full-width digits": r"[+-]?[０-９]+([.．][０-９]+)?",
}
"""By name, in the order in which they are tried; each matches the whole value."""


def pattern_of(value: str) -> str | None:
    """What makes a text look like a number that is not plainly written.

    Examples
    --------
    >>> pattern_of("1,234.5"), pattern_of("12,5"), pattern_of("¥30"), pattern_of("12%")
    ('thousands separators', 'decimal commas', 'currency signs', 'percent signs')
    >>> pattern_of("12.5"), pattern_of("basic")
    (None, None)
    """
    text = value.strip(BLANKS)
    return next((name for name, one in PATTERNS.items() if re.fullmatch(one, text)), None)


def matches(text: str, names: Iterable[str] = PATTERNS) -> str:
    """SQL of whether a text matches one of the patterns."""
    every = "|".join(f"({PATTERNS[name]})" for name in names)
    return f"regexp_full_match({text}, {literal(every)})"
