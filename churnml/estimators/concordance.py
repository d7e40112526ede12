"""Harrell's concordance of chances of leaving with who left sooner."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import DataError


def concordance(
    outcome: NDArray[np.int64], chance: NDArray[np.float64], weight: ArrayLike | None = None
) -> float:
    """The share of pairs in which who left sooner had the higher chance; ties count half.

    Parameters
    ----------
    outcome : array of int, shape (n,)
        *k* > 0: left in month *k*; -*m*: still there after *m* months.
    chance : array of float64, shape (n,)
    weight : array, shape (n,), optional

    Returns
    -------
    float
        NaN where no pair tells: a leaver, and somebody seen to stay through that month.

    Examples
    --------
    >>> concordance(np.array([1, 2, -3]), np.array([0.9, 0.2, 0.3]))
    0.6666666666666666
    """
    if len(outcome) != len(chance):
        raise DataError(f"y has {len(outcome)} outcomes for {len(chance)} rows of X.")
    weights = np.ones(len(outcome)) if weight is None else np.asarray(weight, np.float64)
    levels, place = np.unique(chance, return_inverse=True)
    right = pairs = 0.0
    for month in np.unique(outcome[outcome > 0]):
        left = outcome == month
        stayed = (outcome > month) | (outcome <= -month)
        at = np.bincount(place[stayed], weights[stayed], minlength=levels.size)
        below = np.cumsum(at) - at / 2
        right += float((weights[left] * below[place[left]]).sum())
        pairs += float(weights[left].sum() * at.sum())
    return right / pairs if pairs else float("nan")
