"""How well scores put those who leave before those who stay.

Everything is computed from one sorting: :class:`Ranked` sorts once and then answers for
any weights, which is what a bootstrap asks hundreds of times. Customers with the same
score are never told apart: a tie counts half in the AUC and is shared out in a top share.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import DataError

TOP_SHARES = (0.01, 0.05, 0.10, 0.20)


class Ranked:
    """Customers by falling score, ready for weighted measures.

    Parameters
    ----------
    y : array, shape (n,)
        1 for those who left, 0 for the others.
    score : array of float, shape (n,)
        Any rising function of the risk.

    Raises
    ------
    DataError
        Lengths that differ, labels other than 0 and 1, missing scores.

    Examples
    --------
    >>> ranked = Ranked([0, 1, 0, 1], [.1, .9, .4, .4])
    >>> ranked.auc(), ranked.capture(.25)
    (0.875, 0.5)
    """

    def __init__(self, y: ArrayLike, score: ArrayLike) -> None:
        labels, scores = check_binary(y, score)
        self._order = np.argsort(-scores, kind="stable")
        self._left = labels[self._order]
        falling = scores[self._order]
        ends = np.flatnonzero(np.r_[falling[1:] != falling[:-1], True])
        # The position after the last customer of each run of equal scores.
        self._ends = ends + 1
        # One draw's weights are asked about many times in a row.
        self._last: tuple[Any, tuple[NDArray[np.float64], NDArray[np.float64]]] | None = None

    def _steps(
        self, weight: NDArray[Any] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights of those who left and of all, down to the end of each run of ties."""
        if weight is not None and self._last is not None and self._last[0] is weight:
            return self._last[1]
        if weight is None:
            left, every = self._left, np.ones(self._left.size)
        else:
            every = np.asarray(weight, np.float64)[self._order]
            left = self._left * every
        steps = _sums(left, self._ends), _sums(every, self._ends)
        self._last = (weight, steps)
        return steps

    def auc(self, weight: NDArray[Any] | None = None) -> float:
        """Chance that a random leaver scores above a random stayer, ties counting half.

        NaN where one of the two is absent.
        """
        left, every = self._steps(weight)
        stayed = every - left
        pairs = left[-1] * stayed[-1]
        if pairs == 0:
            return float("nan")
        before = np.r_[0.0, left[:-1]]
        area = float(np.diff(stayed, prepend=0.0) @ (left + before) / 2)
        return area / float(pairs)

    def average_precision(self, weight: NDArray[Any] | None = None) -> float:
        """Precision averaged over those who left: what a random ranking has is their rate."""
        left, every = self._steps(weight)
        if left[-1] == 0:
            return float("nan")
        precision = np.divide(left, every, out=np.zeros_like(left), where=every > 0)
        return float(np.diff(left, prepend=0.0) @ precision / left[-1])

    def capture(self, share: float, weight: NDArray[Any] | None = None) -> float:
        """The part of all who left that is among the top ``share`` of customers.

        ``0 < share <= 1``; a run of ties that the cut goes through counts in proportion.
        """
        if not 0 < share <= 1:
            raise DataError(f"share is {share!r}; above 0 and at most 1 was expected.")
        left, every = self._steps(weight)
        if left[-1] == 0:
            return float("nan")
        reached = np.interp(share * every[-1], np.r_[0.0, every], np.r_[0.0, left])
        return float(reached / left[-1])

    def lift(self, share: float, weight: NDArray[Any] | None = None) -> float:
        """How many times the average churn rate the top ``share`` has."""
        return self.capture(share, weight) / share


def _sums(values: NDArray[np.float64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.cumsum(values)[ends - 1]


def check_binary(y: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Labels of 0 and 1 and finite scores of the same length.

    Raises
    ------
    DataError
        For anything else.
    """
    labels = np.asarray(y, np.float64)
    scores = np.asarray(score, np.float64)
    if labels.shape != scores.shape or labels.ndim != 1:
        raise DataError(f"y has shape {labels.shape}, the scores {scores.shape}.")
    if labels.size == 0:
        raise DataError("there are no rows to evaluate.")
    strange = np.setdiff1d(labels, [0.0, 1.0])
    if strange.size:
        raise DataError(f"y holds {strange[:5].tolist()}; 0 and 1 were expected.")
    lost = int((~np.isfinite(scores)).sum())
    if lost:
        raise DataError(f"{lost} scores are missing or infinite.", count=lost)
    return labels, scores


def auc(y: ArrayLike, score: ArrayLike, weight: NDArray[Any] | None = None) -> float:
    """Area under the ROC curve.

    >>> auc([0, 0, 1, 1], [1, 2, 3, 4])
    1.0
    """
    return Ranked(y, score).auc(weight)


def average_precision(y: ArrayLike, score: ArrayLike, weight: NDArray[Any] | None = None) -> float:
    """Average precision.

    >>> average_precision([1, 0, 1], [3, 2, 1])
    0.8333333333333333
    """
    return Ranked(y, score).average_precision(weight)


def capture(
    y: ArrayLike, score: ArrayLike, share: float, weight: NDArray[Any] | None = None
) -> float:
    """The part of all who left that is among the top ``share`` of customers.

    >>> capture([1, 0, 0, 1], [4, 3, 2, 1], .25)
    0.5
    """
    return Ranked(y, score).capture(share, weight)


def lift(y: ArrayLike, score: ArrayLike, share: float, weight: NDArray[Any] | None = None) -> float:
    """How many times the average churn rate the top ``share`` has.

    >>> lift([1, 0, 0, 1], [4, 3, 2, 1], .25)
    2.0
    """
    return Ranked(y, score).lift(share, weight)
