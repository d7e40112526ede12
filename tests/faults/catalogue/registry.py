"""The cases of the catalogue: their numbers, their titles, and which are out of scope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.catalogue.bench import Bench

Check = Callable[["Bench"], None]

NUMBERS = range(1, 101)

OUT_OF_SCOPE = {
    47: "no command takes a filter's text yet (`list --where`)",
    88: "no partitioned output exists",
    97: "no command makes pseudonyms",
}
"""Not judged at all, and why."""


@dataclass(frozen=True)
class Case:
    """One fault and what must hold when it strikes.

    ``apart`` says what of the catalogue's line is not judged, and why.
    """

    number: int
    title: str
    check: Check
    apart: str = ""
    last: bool = False


CASES: dict[int, Case] = {}


def case(
    number: int, title: str, *, apart: str = "", last: bool = False
) -> Callable[[Check], Check]:
    """Enter a function into the catalogue; it returns where the case survives, else raises."""

    def enter(check: Check) -> Check:
        assert number not in CASES
        CASES[number] = Case(number, title, check, apart, last)
        return check

    return enter
