"""Check for dates after the day from which ages are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from churnml.base.text import quoted
from churnml.datasets.flat.signature import Column
from churnml.datasets.flat.snapshot import Ages

_CHANCE = 0.01
_YEAR = 366


@dataclass(frozen=True)
class Beyond:
    """Columns with dates after the day from which ages are counted.

    Attributes
    ----------
    few : tuple of str
        A sentence on each column of which no more rows lie beyond than chance would have.
    many : tuple of str
        A sentence on each of the others: such scores must not be used unseen.
    """

    few: tuple[str, ...] = ()
    many: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """All sentences."""
        return self.many + self.few

    @classmethod
    def of(
        cls, ages: Ages, columns: Sequence[Column], counts: Sequence[int | float], trained: int
    ) -> Beyond:
        """Build from three counts per column: dates, dates beyond the day, and the least age.

        In a table extracted together with the training table, the latest date of all is as
        likely among its rows as among the others.
        """
        few: list[str] = []
        many: list[str] = []
        for at, column in enumerate(columns):
            there, beyond, youngest = counts[3 * at : 3 * at + 3]
            if not beyond:
                continue
            sentence = _sentence(ages, column, int(beyond), int(there))
            chance = (there / (there + max(trained, 1))) ** beyond
            (many if chance < _CHANCE or -youngest > _YEAR else few).append(sentence)
        return cls(tuple(few), tuple(many))


def counted_back(column: Column) -> bool:
    """Whether a column's dates lie before the day from which they are counted."""
    return column.kind == "date" and not column.ahead


def _sentence(ages: Ages, column: Column, beyond: int, there: int) -> str:
    day = {
        "as_of": f"{ages.counted_from}, the day given",
        "table": f"{ages.counted_from}, the latest of {quoted(ages.column)} but for these",
        "training": f"{ages.counted_from}, the day of training",
        "row": f"their row's own date, {quoted(ages.column)}",
    }[ages.by]
    share = beyond / there
    rows = f"{share:.1%}" if share >= 0.001 else "<0.1%"
    advice = "" if ages.by in ("as_of", "row") else " Name the day of this table with --as-of."
    return (
        f"{column.name}: {beyond:,} of {there:,} dates ({rows}) lie after {day}: their ages "
        f"are below 0.{advice}"
    )
