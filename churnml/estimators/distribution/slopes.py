"""How much a distribution's mean moves with each index, between a base and every row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from churnml.estimators.distribution.distribution import Distribution, Index

_CLOSE = 1e-9
_CLOSE_SHARE = 1e-12


def mean_slopes(
    distribution: Distribution, base: Index, index: Index
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean's change per unit of the score and of the odds, shape (n,) each.

    The score's steps from the base times the first, plus the odds' steps times the second,
    are the change of the mean: each index is moved first and last, and its two changes are
    averaged (Shapley's value of two players).

    Parameters
    ----------
    distribution : Distribution
    base : Index
        One row.
    index : Index
    """
    rows = index.score.size
    score, odds = np.full(rows, base.score[0]), np.full(rows, base.odds[0])

    def along_score(at: NDArray[np.float64]) -> NDArray[np.float64]:
        mean = distribution.mean
        return (mean(Index(at, odds)) + mean(Index(at, index.odds))) / 2

    def along_odds(at: NDArray[np.float64]) -> NDArray[np.float64]:
        mean = distribution.mean
        return (mean(Index(score, at)) + mean(Index(index.score, at))) / 2

    return _secant(along_score, score, index.score), _secant(along_odds, odds, index.odds)


def _secant(
    curve: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The mean slope between two points; where they are too close to divide, just there."""
    least = np.maximum(_CLOSE, _CLOSE_SHARE * np.abs(start))
    reach = np.where(np.abs(end - start) < least, start + least, end)
    return (curve(reach) - curve(start)) / (reach - start)
