"""The validation report, as plain data and as text."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from churnml.base.text import counted, visible
from churnml.tables.validation.codes import CODES, EFFECTS, Effect

EXAMPLES = 5
"""Example values given for a breach."""

_LONGEST = 60


def shown(value: object) -> str:
    r"""A value made safe to print: no control or direction characters, and shortened.

    >>> shown("a\x00b\x1b[31m")
    'a\\x00b\\x1b[31m'
    """
    text = visible(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@dataclass(frozen=True, kw_only=True)
class Breach:
    """One kind of breach in one column.

    Attributes
    ----------
    code : str
        A key of `CODES`.
    table, column : str
    count : int
        Rows, or for C11 customers.
    effect : {"refuse", "aside", "null", "warn"}
    expected : str
    examples : tuple of str
        Up to five values, their control characters escaped.
    rows : tuple of int
        Where these stand: 1-based rows of the file, or lines of a CSV file.
    counted : {"row", "line"}
    everywhere : bool
        Whether no value of the column is good: a changed spelling, not bad rows.
    """

    code: str
    table: str
    column: str
    count: int
    effect: Effect
    expected: str
    examples: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    counted: str = "row"
    everywhere: bool = False

    @property
    def place(self) -> str:
        """Where the examples stand: ``line 3, 17``; empty where nobody knows."""
        return f"{self.counted} {', '.join(map(str, self.rows))}" if self.rows else ""

    @property
    def lost(self) -> str:
        """What became null and why, in a line that shows values of code lists alone."""
        values = f" ({', '.join(self.examples)})" if self.code == "C05" and self.examples else ""
        return (
            f"{self.table}.{self.column}: {counted(self.count, 'value')} made null, "
            f"{CODES[self.code].meaning}{values} [{self.code}]: expected {self.expected}"
        )

    def __str__(self) -> str:
        place = f"{self.table}.{self.column}" if self.column else self.table
        text = f": {', '.join(self.examples)}" if self.examples else ""
        text += f" ({self.place})" if self.rows else ""
        often = f", {self.count:,} times" if self.count > 1 else ""
        never = ", and not one good value" if self.everywhere and self.count > 1 else ""
        return (
            f"{place}: {CODES[self.code].meaning}{often}{text}{never}; "
            f"expected {self.expected}; {EFFECTS[self.effect]} [{self.code}]"
        )


@dataclass(frozen=True, kw_only=True)
class Count:
    """Row counts of one table: rows in are rows kept plus rows set aside."""

    table: str
    rows: int
    good: int
    aside: int

    @property
    def share(self) -> float:
        """The share set aside."""
        return self.aside / self.rows if self.rows else 0.0


@dataclass(frozen=True, kw_only=True)
class Report:
    """What validation found.

    Attributes
    ----------
    breaches : tuple of Breach
        In the order of tables and codes.
    counts : tuple of Count
        One for each table that could be read.
    missing : tuple of str
        Optional tables that are absent.
    ignored : mapping of str to tuple of str
        Columns that the contract does not know, by table.
    refused : tuple of str
        Why the source is refused; empty where it is not.
    notes : tuple of str
        What is worth knowing and no breach.
    """

    breaches: tuple[Breach, ...] = ()
    counts: tuple[Count, ...] = ()
    missing: tuple[str, ...] = ()
    ignored: Mapping[str, tuple[str, ...]] | None = None
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def codes(self) -> dict[str, int]:
        """How often each check fired, by code."""
        counts: dict[str, int] = {}
        for breach in self.breaches:
            counts[breach.code] = counts.get(breach.code, 0) + breach.count
        return dict(sorted(counts.items()))

    @property
    def unmatched(self) -> tuple[str, ...]:
        """Category columns, as ``table.column``, of which no value is a known code."""
        return tuple(
            f"{one.table}.{one.column}"
            for one in self.breaches
            if one.code == "C05" and one.everywhere
        )

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, for ``--json``."""
        return {
            "refused": list(self.refused),
            "tables": [asdict(count) for count in self.counts],
            "breaches": [asdict(breach) | {"message": str(breach)} for breach in self.breaches],
            "unmatched_columns": list(self.unmatched),
            "missing_tables": list(self.missing),
            "ignored_columns": {name: list(names) for name, names in (self.ignored or {}).items()},
            "notes": list(self.notes),
        }

    def breach_rows(self) -> Iterator[tuple[str, ...]]:
        """Rows for a table: code, table, column, count, examples, expected, what was done."""
        for breach in self.breaches:
            yield (
                breach.code,
                breach.table,
                breach.column,
                f"{breach.count:,}",
                ", ".join(breach.examples) + (f" ({breach.place})" if breach.rows else ""),
                breach.expected,
                EFFECTS[breach.effect],
            )

    def count_rows(self) -> Iterator[tuple[str, ...]]:
        """Rows for a table: table, rows in, good, set aside."""
        for count in self.counts:
            yield count.table, f"{count.rows:,}", f"{count.good:,}", f"{count.aside:,}"

    def _repr_html_(self) -> str:
        parts = [f"<p>refused: {html.escape(reason)}</p>" for reason in self.refused]
        parts.append(_html_table(("table", "rows", "good", "set aside"), self.count_rows()))
        head = ("code", "table", "column", "count", "examples", "expected", "then")
        parts.append(_html_table(head, self.breach_rows()))
        return "".join(parts)


def _html_table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{name}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{top}</tr>{body}</table>"
