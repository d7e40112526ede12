"""Simulated columns before they are written: numbers with a marker for "never", words as codes.

A block of customers is simulated month by month; each month yields a *batch* of every table,
a mapping of column name to array. Dates are days and timestamps are seconds since
1970-01-01; what has not happened lies at `NEVER`. Customers are numbers within their block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NEVER = 1 << 40
"""A day or second so far away that it becomes null on disk."""

DAY = 86_400
"""Seconds in a day."""


@dataclass(frozen=True)
class Words:
    """A text column: for each row the index of its word, -1 for null.

    Attributes
    ----------
    codes : array of int, shape (n,)
    words : sequence of str
        The same for every batch of the column.
    """

    codes: npt.NDArray[Any]
    words: Sequence[str]


ColumnData = npt.NDArray[Any] | Words
ColumnBatch = Mapping[str, ColumnData]


def pick(column: ColumnData, rows: npt.NDArray[Any]) -> ColumnData:
    """Select rows of a column.

    >>> pick(np.array([5, 6, 7]), np.array([2, 0]))
    array([7, 5])
    """
    return Words(column.codes[rows], column.words) if isinstance(column, Words) else column[rows]


def select(batch: ColumnBatch, rows: npt.NDArray[Any]) -> dict[str, ColumnData]:
    """Select rows of every column."""
    return {name: pick(column, rows) for name, column in batch.items()}


def stack(batches: Sequence[ColumnBatch]) -> dict[str, ColumnData]:
    """Concatenate batches.

    >>> stack([{"a": np.array([1])}, {"a": np.array([2])}])
    {'a': array([1, 2])}
    """
    stacked: dict[str, ColumnData] = {}
    for name, first in batches[0].items():
        parts = [batch[name] for batch in batches]
        if isinstance(first, Words):
            codes = [part.codes for part in parts if isinstance(part, Words)]
            stacked[name] = Words(np.concatenate(codes), first.words)
        else:
            stacked[name] = np.concatenate([part for part in parts if not isinstance(part, Words)])
    return stacked


def length(batch: ColumnBatch) -> int:
    """Number of rows of a batch."""
    column = next(iter(batch.values()))
    return len(column.codes) if isinstance(column, Words) else len(column)
