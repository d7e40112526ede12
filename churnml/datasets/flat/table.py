"""A flat table as in its file: columns by position, not yet typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from churnml.base.text import nearest as most_alike
from churnml.base.text import quoted
from churnml.datasets.flat.signature import Column
from churnml.datasets.flat.values import prepared
from churnml.errors import DataError, UsageError
from churnml.tables.source.engines.duckdb import Engine, read_errors, run

ROW = "row_number"
"""The column that says where a row stands: 1-based, as `Table.counted` says."""

_AT_A_TIME = 100

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Reject:
    """A malformed CSV line.

    Attributes
    ----------
    row : int
        As a text editor counts.
    problem : str
    """

    row: int
    problem: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """A file's rows, in their order.

    Attributes
    ----------
    path : Path
    engine : Engine
        Owns the temporary folder, which lives as long as this.
    con : ibis Backend
        Keeps rows in order.
    relation : str
        SQL that stands after FROM: columns ``c0``, ``c1``, ... and `ROW`.
    names : tuple of str
        What the columns are called, without the blanks around; empty where unnamed.
    kinds : tuple of str
        DuckDB's types of the columns; all text for CSV and XLSX.
    counted : {"row", "line"}
        What `ROW` counts: lines as in a text editor and rows as in a spreadsheet, both with
        the header, or the rows alone.
    rejects : tuple of Reject
        Lines that are not rows; the first ones, where they are very many.
    rejected : int
        How many these are.
    files : mapping of Path to Stamp
        The input, and its state when it was opened.
    notes : tuple of str
        How it was read, where that was not plain.
    elsewhere : mapping of str to str
        Columns that stand in another place of the file, and how to have them read.
    index : tuple of str
        Names of the columns that were the index of a data frame.
    """

    path: Path
    engine: Engine
    con: Any
    relation: str
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    counted: str
    files: dict[Path, Stamp]
    rejects: tuple[Reject, ...] = ()
    rejected: int = 0
    notes: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    index: tuple[str, ...] = ()

    def column(self, name: str, option: str) -> str:
        """The SQL name of the column that an option names.

        Raises
        ------
        UsageError
            Naming the nearest column, where there is no such one.
        """
        if name and name in self.names:
            return f"c{self.names.index(name)}"
        raise UsageError(
            f"{option} {quoted(name)}: {self.path} has no such column.",
            hint=self.elsewhere.get(name) or nearest(name, self.names),
            file=str(self.path),
            column=name,
        )

    def kind(self, column: str) -> str:
        """DuckDB's type of a column, by its SQL name."""
        return self.kinds[int(column[1:])]

    def query(self, selected: str, rest: str = "") -> list[tuple[Any, ...]]:
        """The rows of ``SELECT selected FROM the table rest``."""
        return self.select(selected, f"{self.relation} {rest}")

    def prepared(self, columns: Mapping[str, Column]) -> str:
        """SQL of the rows with the steps of `churnml.datasets.flat.values` for some columns."""
        kinds = {x: self.kind(x) for x in columns}
        return prepared(self.relation, kinds, columns, keep=ROW)

    def read(self, columns: Mapping[str, Column], selected: str) -> list[tuple[Any, ...]]:
        """The rows of ``SELECT selected`` from the prepared columns."""
        return self.select(selected, self.prepared(columns))

    def select(self, selected: str, relation: str) -> list[tuple[Any, ...]]:
        """The rows of ``SELECT selected FROM relation``.

        Raises
        ------
        DataError
            If the file turns out to be damaged.
        """
        with read_errors(str(self.path)):
            return run(self.con, f"SELECT {selected} FROM {relation}")

    def frame(self, selected: str, relation: str) -> pd.DataFrame:
        """``SELECT selected FROM relation`` as a frame, in the order of the rows."""
        with read_errors(str(self.path)):
            rows = self.con.con.sql(f"SELECT {selected} FROM {relation}")
            return rows.to_arrow_table().to_pandas()

    def ensure_unchanged(self) -> None:
        """Refuse a file that has changed since it was opened.

        Raises
        ------
        DataError
        """
        for path, state in self.files.items():
            if not path.exists() or stamp(path) != state:
                raise DataError(
                    f"{path}: changed while it was read.",
                    hint="Run again when nothing writes to it.",
                    file=str(path),
                )


def in_parts(columns: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split columns into several queries, as DuckDB takes long to plan a wide one."""
    for start in range(0, len(columns), _AT_A_TIME):
        yield columns[start : start + _AT_A_TIME]


def stamp(path: Path) -> Stamp:
    """A stamp that changes when a file is written to."""
    state = path.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint at the columns that a mistyped name may mean.

    >>> nearest("churn", ["id", "Churn"])
    "Did you mean 'Churn'?"
    """
    near = most_alike(name, known)
    if near is not None:
        return f"Did you mean {quoted(near)}?"
    names = [quoted(one) for one in known if one]
    return f"It has {', '.join(names[:8])}{' …' if len(names) > 8 else ''}."
