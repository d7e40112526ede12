"""The checks by code: what each one finds, and what happens to the row.

>>> CODES["C06"].meaning
'two rows with one key'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Effect = Literal["refuse", "aside", "null", "warn"]
"""What a breach leads to: the source is refused; the row is set aside; the value becomes
null; or nothing but the mention."""

EFFECTS: Mapping[Effect, str] = MappingProxyType(
    {
        "refuse": "source refused",
        "aside": "rows set aside",
        "null": "values made null",
        "warn": "kept",
    }
)


@dataclass(frozen=True)
class Code:
    """One check.

    Attributes
    ----------
    code : str
    meaning : str
    effect : str
        For the reader; `Breach.effect` has what happened.
    """

    code: str
    meaning: str
    effect: str


_BY_COLUMN = "row set aside; in an optional column the value made null"

CODES: Mapping[str, Code] = MappingProxyType(
    {
        code.code: code
        for code in (
            Code("C01", "a required table is missing", "source refused"),
            Code(
                "C02",
                "a required column, or one that the mapping names, is missing",
                "source refused",
            ),
            Code("C03", "a value of the wrong type", _BY_COLUMN),
            Code("C04", "a value out of range", _BY_COLUMN),
            Code("C05", "an unknown code", _BY_COLUMN),
            Code(
                "C06",
                "two rows with one key",
                "the row known first stays, the others are set aside; "
                "all of them where they were known together and differ",
            ),
            Code("C07", "a customer_id of no customer", "row set aside"),
            Code("C08", "closed, reopened, answered, paid or accepted before it began", _BY_COLUMN),
            Code("C09", "terminated before activated", "row set aside"),
            Code("C10", "two bills for one month", "as C06"),
            Code("C11", "a gap in a customer's months", "kept"),
            Code(
                "C12",
                "a date in the future: long after the last billed month",
                "row set aside; a later event is made null, as one that has not happened",
            ),
            Code(
                "C13",
                "known before it happened",
                "known_at or issued_on made null, so that the mapping's known_after holds",
            ),
            Code("C14", "a score outside its scale", "row set aside"),
            Code("C15", "an event outside the customer's life", "kept"),
            Code("C16", "a required value or an id is missing", _BY_COLUMN),
            Code("C17", "a month that is not its first day", "row set aside"),
            Code("C18", "a malformed line", "line set aside"),
            Code("C19", "a control character in a key", "row set aside"),
            Code("C20", "known more than a month after it happened", "kept"),
            Code("C21", "a group_id of no group", "kept"),
            Code("C22", "a required table has no row", "source refused"),
            Code("C23", "a customer who is their own peer", "row set aside"),
        )
    }
)
"""Every check, by its code."""
