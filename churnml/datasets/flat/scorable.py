"""A flat table that can be scored: its rows in batches, and those set aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from churnml.base.text import counted
from churnml.datasets.flat.beyond import Beyond, counted_back
from churnml.datasets.flat.row_dates import dates_before
from churnml.datasets.flat.signature import Column
from churnml.datasets.flat.snapshot import Ages
from churnml.datasets.flat.table import ROW, Table
from churnml.tables.source.engines.duckdb import literal

_ROWS_IN_MEMORY = 20_000


@dataclass(frozen=True, kw_only=True)
class FlatBatch:
    """Rows to be scored.

    Attributes
    ----------
    ids : array of text, length n
        Character for character.
    rows : array of int, length n
        Where they stand in the file.
    X : DataFrame, shape (n, k)
        The model's columns: numbers as ``float64``, categories as text.
    extra : DataFrame, shape (n, m)
        Other columns that were asked for, as text.
    times : Series of date, length n, or None
        The date that each row stands for.
    """

    ids: pa.Array
    rows: pa.Array
    X: pd.DataFrame
    extra: pd.DataFrame
    times: pd.Series | None = None


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """Rows that cannot be scored for one reason.

    Attributes
    ----------
    code : str
        As in `churnml.tables.validation.codes`.
    column : str or None
    count : int
    reason : str
        What was expected, with the first rows and what stands there.
    """

    code: str
    column: str | None
    count: int
    reason: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Scorable:
    """A checked table, ready for scoring; made by `open_scoring`.

    Attributes
    ----------
    table : Table
    columns : tuple of Column
    total : int
        Rows of the file.
    aside : tuple of SetAside
        Why rows cannot be scored.
    ignored : tuple of str
        Columns that the model has never seen.
    taken : tuple of str
        What was taken as missing because training met it, a sentence a column; and what looks
        wrong with ids and the last row.
    ages : Ages or None
        From which day dates are counted; ``None`` without dates.
    dated : str or None
        Where each row tells its date: the day from which these are kept as ages.
    """

    table: Table
    columns: tuple[Column, ...]
    total: int
    aside: tuple[SetAside, ...]
    ignored: tuple[str, ...]
    extra: tuple[str, ...]
    stored: Path
    taken: tuple[str, ...] = ()
    ages: Ages | None = None
    dated: str | None = None

    @property
    def quarantined(self) -> int:
        """How many rows cannot be scored."""
        return sum(one.count for one in self.aside)

    def describe_aside(self) -> list[str]:
        """Why rows are set aside, a sentence each."""
        return [
            f"Set aside: {counted(one.count, 'row')}{f', {one.column}' if one.column else ''}: "
            f"{one.reason}."
            for one in self.aside
        ]

    def beyond(self, trained: int) -> Beyond:
        """Describe dates after the day from which ages are counted.

        Parameters
        ----------
        trained : int
            Rows that the model was trained on.
        """
        if self.ages is None:
            return Beyond()
        dates = {f"x{at}": one for at, one in enumerate(self.columns) if counted_back(one)}
        if not dates:
            return Beyond()
        selected = ", ".join(f"count({x}), count_if({x} < 0), min({x})" for x in dates)
        (counts,) = self.table.select(selected, literal(str(self.stored)))
        return Beyond.of(self.ages, list(dates.values()), counts, trained)

    def batches(self, rows: int) -> Iterator[FlatBatch]:
        """The good rows in the file's order, ``rows`` at a time; at least one batch."""
        with pq.ParquetFile(self.stored) as file:
            for table in _even(file, rows):
                yield self._batch(table)

    def _batch(self, table: pa.Table) -> FlatBatch:
        values = table.select([f"x{at}" for at in range(len(self.columns))])
        extra = table.select([f"e{at}" for at in range(len(self.extra))])
        return FlatBatch(
            ids=table["id"].combine_chunks(),
            rows=table[ROW].combine_chunks(),
            X=_frame(values, [column.name for column in self.columns]),
            extra=_frame(extra, self.extra),
            times=dates_before(self.dated, table["time"].to_pandas()) if self.dated else None,
        )


def _frame(table: pa.Table, names: Sequence[str]) -> pd.DataFrame:
    frame = table.to_pandas()
    if not names:
        return pd.DataFrame(index=pd.RangeIndex(table.num_rows))
    return frame.set_axis(list(names), axis=1)


def _even(file: pq.ParquetFile, rows: int) -> Iterator[pa.Table]:
    """Tables of ``rows`` rows each, whatever the file's row groups; the last may be shorter."""
    held = file.schema_arrow.empty_table()
    given = False
    for batch in file.iter_batches(batch_size=min(rows, _ROWS_IN_MEMORY)):
        held = pa.concat_tables([held, pa.Table.from_batches([batch])])
        while held.num_rows >= rows:
            yield held.slice(0, rows)
            held, given = held.slice(rows), True
    if held.num_rows or not given:
        yield held
