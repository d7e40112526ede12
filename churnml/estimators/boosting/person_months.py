"""Person-months: one row for every month that a customer was seen in, made when it is read.

Twelve million of them, held as a matrix, would be as many gigabytes as a hundred columns
make. Here the customers' rows are held once, and a person-month is a place in them and a
month; LightGBM reads them a few thousand at a time into its bins of one byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class PersonMonths:
    """Months of customers' rows; N of them.

    Attributes
    ----------
    row : array of int32, shape (N,)
        Whose row.
    month : array of int8, shape (N,)
        From 1 on.
    left : array of bool, shape (N,)
        Whether the customer left in that month.
    weight : array of float32, shape (N,)
    """

    row: NDArray[np.int32]
    month: NDArray[np.int8]
    left: NDArray[np.bool_]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return self.row.size

    def take(self, which: NDArray[np.bool_]) -> PersonMonths:
        """Some of them."""
        return PersonMonths(
            row=self.row[which],
            month=self.month[which],
            left=self.left[which],
            weight=self.weight[which],
        )


def expand(outcome: NDArray[np.int64], weight: NDArray[np.float64]) -> PersonMonths:
    """Every month in which a customer was seen, the month of leaving included.

    Parameters
    ----------
    outcome : array of int, shape (n,)
        *k* > 0: left in month *k*; -*m*: still there after *m* months.
    weight : array of float64, shape (n,)

    Examples
    --------
    >>> months = expand(np.array([2, -1]), np.ones(2))
    >>> months.row.tolist(), months.month.tolist(), months.left.tolist()
    ([0, 0, 1], [1, 2, 1], [False, True, False])
    """
    seen = np.abs(outcome)
    row = np.repeat(np.arange(outcome.size, dtype=np.int32), seen)
    start = np.repeat((np.cumsum(seen) - seen).astype(np.int32), seen)
    month = (np.arange(row.size, dtype=np.int32) - start + 1).astype(np.int8)
    left = month == outcome.astype(np.int8)[row]
    return PersonMonths(row=row, month=month, left=left, weight=weight.astype(np.float32)[row])


def thin(months: PersonMonths, most: int, seed: int) -> PersonMonths:
    """At most about ``most`` of them: all months of leaving, and a share of the others.

    Those kept of the others weigh as much more as fewer are kept, so that nothing
    learned from them is shifted.
    """
    staying = int((~months.left).sum())
    kept = most - (len(months) - staying)
    if len(months) <= most or kept <= 0:
        return months
    share = kept / staying
    drawn = np.random.default_rng(seed).random(len(months), dtype=np.float32) < share
    thinned = months.take(months.left | drawn)
    weight = np.where(thinned.left, thinned.weight, thinned.weight / np.float32(share))
    return PersonMonths(row=thinned.row, month=thinned.month, left=thinned.left, weight=weight)


class PersonMonthRows(lgb.Sequence):
    """The matrix rows of person-months as LightGBM reads them: the month is the last column.

    Parameters
    ----------
    matrix : array of float32, shape (n, k)
    months : PersonMonths
    """

    batch_size = 16_384

    def __init__(self, matrix: NDArray[np.float32], months: PersonMonths) -> None:
        self._matrix = matrix
        self._months = months

    def __len__(self) -> int:
        return len(self._months)

    def __getitem__(self, place: Any) -> NDArray[Any]:
        rows = with_month(self._matrix[self._months.row[place]], self._months.month[place])
        # LightGBM draws cuts from single rows, which it takes in double precision only.
        return rows.astype(np.float64) if rows.ndim == 1 else rows

    def chunks(self) -> Iterator[NDArray[np.float32]]:
        """All rows, a batch at a time."""
        for start in range(0, len(self), self.batch_size):
            yield self[start : start + self.batch_size]


def with_month(rows: NDArray[np.float32], month: Any) -> NDArray[np.float32]:
    """Rows, or one of them, with the month as a further column; by rows in memory."""
    out = np.empty((*rows.shape[:-1], rows.shape[-1] + 1), np.float32)
    out[..., :-1] = rows
    out[..., -1] = month
    return out
