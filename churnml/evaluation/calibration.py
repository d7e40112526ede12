"""Whether probabilities mean what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from churnml.errors import DataError
from churnml.evaluation.ranking import check_binary

_TINY = 1e-15
_STEPS = 50


def check_probabilities(
    y: ArrayLike, p: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Labels of 0 and 1 and probabilities of the same length.

    Raises
    ------
    DataError
        For anything else; scores that are no probabilities above all.
    """
    labels, chances = check_binary(y, p)
    outside = int(((chances < 0) | (chances > 1)).sum())
    if outside:
        raise DataError(f"{outside} probabilities lie outside 0 to 1.", count=outside)
    return labels, chances


def _weights(y: NDArray[np.float64], weight: NDArray[Any] | None) -> NDArray[np.float64]:
    return np.ones(y.size) if weight is None else np.asarray(weight, np.float64)


def log_loss(y: ArrayLike, p: ArrayLike, weight: NDArray[Any] | None = None) -> float:
    """The mean of ``-log`` of the probability given to what happened.

    A proper score: no one does better than by saying what they believe.

    >>> round(log_loss([1, 0], [.5, .5]), 4)
    0.6931
    """
    labels, chances = check_probabilities(y, p)
    clipped = np.clip(chances, _TINY, 1 - _TINY)
    each = -np.where(labels == 1, np.log(clipped), np.log1p(-clipped))
    return float(np.average(each, weights=_weights(labels, weight)))


def brier(y: ArrayLike, p: ArrayLike, weight: NDArray[Any] | None = None) -> float:
    """The mean squared distance of probability and outcome.

    >>> brier([1, 0], [.5, .5])
    0.25
    """
    labels, chances = check_probabilities(y, p)
    return float(np.average((labels - chances) ** 2, weights=_weights(labels, weight)))


def expected_calibration_error(
    y: ArrayLike, p: ArrayLike, weight: NDArray[Any] | None = None, *, bins: int = 10
) -> float:
    """The mean distance of mean probability and rate over bins of equally many rows.

    Parameters
    ----------
    y, p : array, shape (n,)
    weight : array, shape (n,), optional
    bins : int, default 10
        At least 1. Rows of one probability are never parted.

    Examples
    --------
    >>> expected_calibration_error([1, 0, 0, 0], [.25, .25, .25, .25])
    0.0
    """
    labels, chances = check_probabilities(y, p)
    weights = _weights(labels, weight)
    at = probability_bins(chances, bins)
    mass = np.bincount(at, weights=weights)
    gap = np.bincount(at, weights=weights * (labels - chances))
    return float(np.abs(gap).sum() / mass.sum())


def probability_bins(p: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """The bin of each row, from 0: quantiles of the probabilities."""
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.searchsorted(edges, p, side="right")


def calibration_in_the_large(
    y: ArrayLike, p: ArrayLike, weight: NDArray[Any] | None = None
) -> float:
    """Observed rate minus mean probability: above 0 where the model says too little.

    >>> calibration_in_the_large([1, 0], [.25, .25])
    0.25
    """
    labels, chances = check_probabilities(y, p)
    return float(np.average(labels - chances, weights=_weights(labels, weight)))


def calibration_line(
    y: ArrayLike, p: ArrayLike, weight: NDArray[Any] | None = None
) -> tuple[float, float]:
    """Slope and intercept of the logistic regression of outcomes on log-odds.

    1 and 0 for a calibrated model; a slope below 1 says that it is over-confident.
    NaN where only one outcome occurs or all probabilities are the same.

    References
    ----------
    Cox (1958), "Two further applications of a model for binary regression".

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=40_000)
    >>> y = rng.random(40_000) < 1 / (1 + np.exp(-truth))
    >>> slope, intercept = calibration_line(y, 1 / (1 + np.exp(-2 * truth)))
    >>> round(slope, 1), round(abs(intercept), 1)
    (0.5, 0.0)
    """
    labels, chances = check_probabilities(y, p)
    weights = _weights(labels, weight)
    clipped = np.clip(chances, 1e-9, 1 - 1e-9)
    odds = np.log(clipped) - np.log1p(-clipped)
    rate = np.average(labels, weights=weights)
    if rate in (0.0, 1.0) or np.ptp(odds) == 0:
        return float("nan"), float("nan")
    intercept, slope = _newton(labels, odds, weights)
    return slope, intercept


def _newton(
    y: NDArray[np.float64], x: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    a, b = 0.0, 1.0
    for _ in range(_STEPS):
        chance = expit(a + b * x)
        bend = weight * np.maximum(chance * (1 - chance), 1e-12)
        error = weight * (y - chance)
        g0, g1 = error.sum(), error @ x
        h00, h01, h11 = bend.sum(), bend @ x, bend @ (x * x)
        determinant = h00 * h11 - h01 * h01
        if determinant <= 0:
            break
        da = (h11 * g0 - h01 * g1) / determinant
        db = (h00 * g1 - h01 * g0) / determinant
        # Damped: from far off a full step may overshoot.
        a, b = a + float(np.clip(da, -5, 5)), b + float(np.clip(db, -2, 2))
        if abs(da) < 1e-10 and abs(db) < 1e-10:
            break
    return float(a), float(b)
