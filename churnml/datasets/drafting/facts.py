"""Look at an operator's files: what each column holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from churnml.datasets.drafting.folder import Stored, find_stored
from churnml.datasets.drafting.layouts import Layouts, find_layouts
from churnml.datasets.flat.table import ROW, Table
from churnml.datasets.flat.values import is_number, is_temporal
from churnml.errors import ChurnmlError
from churnml.tables.source.csv.sniffing import open_bytes
from churnml.tables.source.engines.duckdb import literal

NULLS = (
    "\\N",
    "NULL",
    "null",
    "(null)",
    "None",
    "nan",
    "NaN",
    "N/A",
    "NA",
    "#N/A",
    "-",
    "--",
    "无",
)
"""Texts that mean a missing value, wherever they stand among dates, numbers or codes."""

FAR_DATES = re.compile(
    r"(9999|2999|2099|0001|0000)(\d{4}|-\d\d?-\d\d?|/\d\d?/\d\d?|年\d\d?月\d\d?日)([ T].*)?"
)
"""Dates that mean never."""

_SAMPLE = 5_000
_FEW = 60
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a column holds.

    Attributes
    ----------
    name : str
        As the operator calls it.
    typed : str
        ``date``, ``number`` or ``boolean`` where the file says so, else the empty text.
    filled : float
        The share of rows with a value.
    unique : bool
        Whether no value occurs twice.
    levels : tuple of str
        All values, where they are few.
    values : tuple of str
        Those of a sample, texts that mean a missing value left out.
    nulls : tuple of str
        Texts in it that mean a missing value.
    never : tuple of str
        Dates in it that mean never, such as 9999-12-31.
    layouts : Layouts
        How its dates are written.
    """

    name: str
    typed: str
    filled: float
    unique: bool
    levels: tuple[str, ...]
    values: tuple[str, ...]
    nulls: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    layouts: Layouts = field(default_factory=Layouts)

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The values that are numbers, in order of size."""
        plain = (one.replace(",", "") if _GROUPED.fullmatch(one) else one for one in self.values)
        return tuple(sorted(float(one) for one in plain if _NUMBER.fullmatch(one)))

    @cached_property
    def grouped(self) -> tuple[str, ...]:
        """Numbers with commas between their thousands."""
        return tuple(one for one in self.values if _GROUPED.fullmatch(one))

    @property
    def numeric(self) -> float:
        """The share of the values that are plain numbers."""
        return len(self.numbers) / len(self.values) if self.values else 0.0

    @property
    def fractional(self) -> float:
        """The share of the numbers that are not whole."""
        return _share(not one.is_integer() for one in self.numbers)

    def middle(self) -> float | None:
        """The median of the numbers above zero."""
        above = [one for one in self.numbers if one > 0]
        return above[len(above) // 2] if above else None


@dataclass(frozen=True, eq=False, kw_only=True)
class File:
    """A file, its columns, and how it is written.

    Attributes
    ----------
    name : str
        As a mapping says it: relative to the folder, of parts a pattern, of a database a table.
    called : str
        What tells the table: the sheet where it says something, else the name.
    sheet : str
        Of a workbook that has several; else empty.
    shown : str
        Name and sheet for people.
    rows : int
    columns : tuple of Facts
    encoding, delimiter : str
        Of CSV files; empty for others.
    table : Table
    """

    name: str
    called: str
    sheet: str
    shown: str
    rows: int
    columns: tuple[Facts, ...]
    encoding: str
    delimiter: str
    table: Table

    def contains(self, name: str, values: Sequence[str]) -> float:
        """The share of the given values that stand in a column."""
        x = f"c{self.table.names.index(name)}"
        listed = ", ".join(literal(one) for one in values)
        found = f"count(DISTINCT CAST({x} AS VARCHAR))"
        ((count,),) = self.table.query(found, f"WHERE CAST({x} AS VARCHAR) IN ({listed})")
        return int(count) / len(values) if values else 0.0


def look_at(place: Path, scratch: Path) -> tuple[list[File], list[str]]:
    """The tables that a folder or database may hold, and what could not be read.

    Parameters
    ----------
    place : Path
    scratch : Path
        A folder for what is brought together; the files are read there later too.
    """
    stored, problems = find_stored(place)
    files = []
    for one in stored:
        try:
            files.append(_look(one, scratch))
        except ChurnmlError as error:
            problems.append(f"{one.shown}: not read. {error.message}")
    return _agreed(files), problems


def _agreed(files: list[File]) -> list[File]:
    """The files, with dates of two readings first read as the others certainly are."""
    clear = [
        one.layouts.ways[0] for file in files for one in file.columns if len(one.layouts.ways) == 1
    ]
    days = [way.split(" ")[0] for way in clear]

    def ordered(ways: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(ways, key=lambda way: -days.count(way.split(" ")[0])))

    return [
        replace(
            file,
            columns=tuple(
                replace(one, layouts=replace(one.layouts, ways=ordered(one.layouts.ways)))
                for one in file.columns
            ),
        )
        for file in files
    ]


def _look(stored: Stored, scratch: Path) -> File:
    table = stored.open(scratch)
    ((rows,),) = table.query("count(*)")
    columns = [_facts(table, f"c{at}", name, rows) for at, name in enumerate(table.names) if name]
    csv = stored.kind == "csv"
    encoding = "gb18030" if any("GB18030" in one for one in table.notes) else "utf-8"
    return File(
        name=stored.name,
        called=stored.called,
        sheet=stored.sheet,
        shown=stored.shown,
        rows=rows,
        columns=tuple(columns),
        encoding=encoding if csv else "",
        delimiter=_delimiter(stored.first, encoding) if csv else "",
        table=table,
    )


def _delimiter(path: Path, encoding: str) -> str:
    with open_bytes(path) as stream:
        line = stream.readline().decode(encoding, errors="replace")
    counts = {mark: line.count(mark) for mark in ",;\t|"}
    return "," if counts[","] else max(counts, key=lambda mark: counts[mark])


def _facts(table: Table, x: str, name: str, rows: int) -> Facts:
    kind = table.kind(x)
    text = f"CAST({x} AS VARCHAR)"
    ((filled, distinct),) = table.query(f"count({x}), approx_count_distinct({x})")
    levels: list[str] = []
    if distinct <= _FEW:
        levels = [one for (one,) in table.query(f"DISTINCT {text}", f"WHERE {x} IS NOT NULL")]
    step = max(1, rows // _SAMPLE)
    sampled = [
        one for (one,) in table.query(text, f"WHERE {x} IS NOT NULL AND {ROW} % {step} = 0")
    ] or [one for (one,) in table.query(text, f"WHERE {x} IS NOT NULL LIMIT {_SAMPLE}")]
    missing = tuple(one for one in NULLS if one in (levels or set(sampled)))
    values = [one for one in sampled if one not in missing]
    typed = "date" if is_temporal(kind) else "number" if is_number(kind) else ""
    typed = "boolean" if kind == "BOOLEAN" else typed
    never = {one for one in set(values) if FAR_DATES.fullmatch(one)}
    dated = [one for one in values if one not in never]
    layouts = Layouts() if typed in ("date", "boolean") else find_layouts(table, dated)
    if not layouts.ways:
        never = set()
    return Facts(
        name=name,
        typed=typed,
        filled=filled / rows * (len(values) / len(sampled) if sampled else 1) if rows else 0.0,
        unique=_unique(table, x, filled, sampled),
        levels=tuple(sorted(one for one in levels if one not in missing)),
        values=tuple(values),
        nulls=missing,
        never=tuple(sorted(never)),
        layouts=layouts,
    )


def _unique(table: Table, x: str, filled: int, sampled: Sequence[str]) -> bool:
    if not sampled or len(set(sampled)) < len(sampled):
        return False
    ((distinct,),) = table.query(f"count(DISTINCT {x})")
    return bool(distinct == filled)


def _share(flags: object) -> float:
    listed = list(flags)  # type: ignore[call-overload]
    return sum(listed) / len(listed) if listed else 0.0
