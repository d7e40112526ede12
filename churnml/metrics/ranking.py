"""How well scores put those who leave before those who stay.

Everything is computed from one sorting: :class:`Ranked` sorts once and then answers for
any weights, which is what a bootstrap asks hundreds of times. Customers with the same
score are never told apart: a tie counts half in the AUC and is shared out in a top share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.metrics.check_arrays import check_binary, check_weight, row_weights
from churnml.metrics.check_options import check_share

TOP_SHARES = (0.01, 0.05, 0.10, 0.20)

_BINS = 2_000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Ranked:
    """Customers by falling score, ready for weighted measures.

    Parameters
    ----------
    y : array, shape (n,)
        1 for those who left, 0 for the others.
    score : array of float, shape (n,)
        Any rising function of the risk.

    Attributes
    ----------
    rows : int
    grid : array of int
        Places that part the customers into about 2,000 equally many.

    Raises
    ------
    DataError
        Lengths that differ, labels other than 0 and 1, missing scores. The measures raise it
        for weights that are not one finite number of 0 or more for each row.

    Examples
    --------
    >>> ranked = Ranked([0, 1, 0, 1], [.1, .9, .4, .4])
    >>> ranked.auc(), ranked.capture(.25)
    (0.875, 0.5)
    """

    def __init__(self, y: ArrayLike, score: ArrayLike) -> None:
        labels, scores = check_binary(y, score)
        self.rows = labels.size
        order = np.argsort(-scores, kind="stable")
        falling = scores[order]
        first = np.r_[True, falling[1:] != falling[:-1]]
        # Of each run of equal scores: where it starts, and where the next one does.
        self._starts = np.flatnonzero(first)
        self._ends = np.r_[self._starts[1:], falling.size]
        self._left = np.flatnonzero(labels[order])
        # Rows that come sorted need not be gathered anew for every draw.
        self._order = None if (np.diff(order) > 0).all() else order
        # Only runs with a leaver matter to the AUC and the precision: a few of all.
        runs = np.unique(np.searchsorted(self._starts, self._left, side="right") - 1)
        self.grid = np.r_[0 : falling.size : max(1, falling.size // _BINS), falling.size]
        self._marks = np.union1d(np.r_[self._starts[runs], self._ends[runs]], self.grid)
        self._from = self._places(self._starts[runs])
        self._to = self._places(self._ends[runs])
        self._steps = self._places(self.grid)
        # One draw's weights are asked about many times in a row.
        self._last: tuple[Any, _Sums] | None = None

    def _places(self, rows: Ints) -> _Places:
        return _Places(np.searchsorted(self._marks, rows), np.searchsorted(self._left, rows))

    def _sums(self, weight: NDArray[Any] | None) -> _Sums:
        if weight is not None and self._last is not None and self._last[0] is weight:
            return self._last[1]
        if weight is None:
            every = np.ones(self.rows)
        else:
            every = row_weights(weight, self.rows)
            every = every if self._order is None else every[self._order]
        between = np.add.reduceat(every, self._marks[:-1])
        left = np.cumsum(every[self._left])
        sums = _Sums(np.r_[0.0, np.cumsum(between)], np.r_[0.0, left], every)
        self._last = (weight, sums)
        return sums

    def grid_sums(self, weight: NDArray[Any] | None = None) -> tuple[Floats, Floats]:
        """Weights of those who left and of all, between the places of ``grid``.

        These part the customers into about 2,000 equally many, from the highest score down.
        """
        left, every = self._sums(weight).down_to(self._steps)
        return np.diff(left), np.diff(every)

    def auc(self, weight: NDArray[Any] | None = None) -> float:
        """Chance that a random leaver scores above a random stayer, ties counting half.

        NaN where one of the two is absent.
        """
        sums = self._sums(weight)
        leavers, stayers = sums.leavers, sums.total - sums.leavers
        # Not the product alone: rounding leaves a trace where all left.
        if leavers <= 0 or stayers <= 1e-9 * sums.total:
            return float("nan")
        (before, down), (after, end) = sums.down_to(self._from), sums.down_to(self._to)
        here = after - before
        level = (end - down) - here
        beaten = stayers - (end - after) + level / 2
        # Not BLAS: its threads cost more than they save on one vector.
        return float(np.einsum("i,i", here, beaten)) / float(leavers * stayers)

    def average_precision(self, weight: NDArray[Any] | None = None) -> float:
        """Precision averaged over those who left: what a random ranking has is their rate."""
        sums = self._sums(weight)
        if sums.leavers <= 0:
            return float("nan")
        (before, _), (after, end) = sums.down_to(self._from), sums.down_to(self._to)
        precision = np.divide(after, end, out=np.zeros_like(after), where=end > 0)
        return float(np.einsum("i,i", after - before, precision) / sums.leavers)

    def capture(self, share: float, weight: NDArray[Any] | None = None) -> float:
        """The part of all who left that is among the top ``share`` of customers.

        ``0 < share <= 1``; a run of ties that the cut goes through counts in proportion.
        """
        check_share("share", share, most=True)
        sums = self._sums(weight)
        if sums.leavers <= 0:
            return float("nan")
        wanted = share * sums.total
        run = self._run_at(sums, wanted)
        left, every = (
            np.array(both) for both in zip(*(self._exactly(sums, row) for row in run), strict=True)
        )
        return float(np.interp(wanted, every, left) / sums.leavers)

    def _run_at(self, sums: _Sums, wanted: float) -> tuple[int, int]:
        """Start and end of the run of ties in which the sum of weights is reached."""
        mark = max(int(np.searchsorted(sums.marked, wanted)) - 1, 0)
        start, end = self._marks[mark], self._marks[mark + 1]
        within = sums.marked[mark] + np.cumsum(sums.every[start:end])
        row = min(start + int(np.searchsorted(within, wanted)), end - 1)
        run = int(np.searchsorted(self._starts, row, side="right")) - 1
        return int(self._starts[run]), int(self._ends[run])

    def _exactly(self, sums: _Sums, row: int) -> tuple[float, float]:
        """Weights of those who left and of all among the first ``row`` customers."""
        mark = int(np.searchsorted(self._marks, row, side="right")) - 1
        rest = sums.every[self._marks[mark] : row].sum()
        return float(sums.left[np.searchsorted(self._left, row)]), float(sums.marked[mark] + rest)

    def lift(self, share: float, weight: NDArray[Any] | None = None) -> float:
        """How many times the average churn rate the top ``share`` has."""
        return self.capture(share, weight) / share


@dataclass(frozen=True)
class _Places:
    """Places in the ranking: which marks they are, and how many leavers lie above."""

    marks: Ints
    leavers: Ints


@dataclass(frozen=True)
class _Sums:
    """One draw's weights from the top: summed to each mark, of leavers, and as they are."""

    marked: Floats
    left: Floats
    every: Floats

    @property
    def total(self) -> float:
        return float(self.marked[-1])

    @property
    def leavers(self) -> float:
        return float(self.left[-1])

    def down_to(self, places: _Places) -> tuple[Floats, Floats]:
        return self.left[places.leavers], self.marked[places.marks]


def auc(y: ArrayLike, score: ArrayLike, weight: NDArray[Any] | None = None) -> float:
    """Area under the ROC curve.

    ``weight``, here and below, is one number of 0 or more for each row, not all of them 0;
    other rows, labels or weights are a `DataError`.

    >>> auc([0, 0, 1, 1], [1, 2, 3, 4])
    1.0
    """
    ranked = Ranked(y, score)
    return ranked.auc(check_weight(weight, ranked.rows))


def average_precision(y: ArrayLike, score: ArrayLike, weight: NDArray[Any] | None = None) -> float:
    """Average precision.

    >>> average_precision([1, 0, 1], [3, 2, 1])
    0.8333333333333333
    """
    ranked = Ranked(y, score)
    return ranked.average_precision(check_weight(weight, ranked.rows))


def capture(
    y: ArrayLike, score: ArrayLike, share: float, weight: NDArray[Any] | None = None
) -> float:
    """The part of all who left that is among the top ``share`` of customers.

    >>> capture([1, 0, 0, 1], [4, 3, 2, 1], .25)
    0.5
    """
    ranked = Ranked(y, score)
    return ranked.capture(share, check_weight(weight, ranked.rows))


def lift(y: ArrayLike, score: ArrayLike, share: float, weight: NDArray[Any] | None = None) -> float:
    """How many times the average churn rate the top ``share`` has.

    >>> lift([1, 0, 0, 1], [4, 3, 2, 1], .25)
    2.0
    """
    ranked = Ranked(y, score)
    return ranked.lift(share, check_weight(weight, ranked.rows))
