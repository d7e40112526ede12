"""Metrics of satisfaction scores, their intervals, and dissatisfied customers.

Weights are one number of 0 or more for each row, not all of them 0; other rows, numbers or
weights are a `DataError`. What is called a measure has been checked and takes any draw.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.metrics.bootstrap import Measure
from churnml.metrics.check_arrays import check_interval, check_pair, check_weight, numbers
from churnml.metrics.check_options import check_number, check_rising
from churnml.metrics.ranking import auc

DISSATISFIED = 60.0

Floats = NDArray[np.float64]


def r2(y: ArrayLike, prediction: ArrayLike, weight: NDArray[Any] | None = None) -> float:
    """The share of the scores' variance that the predictions explain.

    0 for the mean, below 0 for worse; NaN where the scores do not vary.

    >>> r2([0, 50, 100], [0, 50, 100]), r2([0, 50, 100], [50, 50, 50])
    (1.0, 0.0)
    """
    scores, predicted = check_pair(y, prediction)
    return _explained(scores, predicted, check_weight(weight, scores.size))


def r2_measure(y: ArrayLike, prediction: ArrayLike) -> Measure:
    """`r2` as a function of row weights."""
    scores, predicted = check_pair(y, prediction)
    return lambda weight: _explained(scores, predicted, weight)


def _explained(scores: Floats, predicted: Floats, weight: Floats | None) -> float:
    mean = np.average(scores, weights=weight)
    spread = np.average((scores - mean) ** 2, weights=weight)
    if spread == 0:
        return float("nan")
    return float(1 - np.average((scores - predicted) ** 2, weights=weight) / spread)


def mae(y: ArrayLike, prediction: ArrayLike, weight: NDArray[Any] | None = None) -> float:
    """The mean distance of prediction and score, in points.

    >>> mae([0, 100], [10, 80])
    15.0
    """
    scores, predicted = check_pair(y, prediction)
    return float(np.average(np.abs(scores - predicted), weights=check_weight(weight, scores.size)))


def mae_measure(y: ArrayLike, prediction: ArrayLike) -> Measure:
    """`mae` as a function of row weights."""
    scores, predicted = check_pair(y, prediction)
    return _mean_of(np.abs(scores - predicted))


def _mean_of(values: NDArray[Any]) -> Measure:
    return lambda weight: float(np.average(values, weights=weight))


def spearman(y: ArrayLike, prediction: ArrayLike, weight: NDArray[Any] | None = None) -> float:
    """Correlation of ranks, those of equal values shared.

    With weights the ranks are those of the unweighted rows. NaN where one does not vary.

    >>> round(spearman([1, 2, 3, 4], [10, 20, 30, 40]), 6)
    1.0
    """
    from scipy.stats import rankdata  # takes half a second, and most never need it

    scores, predicted = check_pair(y, prediction)
    return correlation(rankdata(scores), rankdata(predicted), check_weight(weight, scores.size))


def spearman_measure(y: ArrayLike, prediction: ArrayLike) -> Measure:
    """`spearman` as a function of row weights: ranks are found once, for many draws."""
    from scipy.stats import rankdata

    scores, predicted = check_pair(y, prediction)
    first, second = rankdata(scores), rankdata(predicted)
    return lambda weight: correlation(first, second, weight)


def correlation(a: Floats, b: Floats, weight: NDArray[Any] | None = None) -> float:
    """Pearson's correlation; NaN where one does not vary."""
    a = a - np.average(a, weights=weight)
    b = b - np.average(b, weights=weight)
    spread = np.average(a * a, weights=weight) * np.average(b * b, weights=weight)
    if spread <= 0:
        return float("nan")
    return float(np.average(a * b, weights=weight) / np.sqrt(spread))


def quadratic_kappa(
    y: ArrayLike,
    prediction: ArrayLike,
    weight: NDArray[Any] | None = None,
    *,
    levels: ArrayLike | None = None,
) -> float:
    """Cohen's kappa with quadratic weights: agreement beyond chance, far misses worst.

    Parameters
    ----------
    y, prediction : array, shape (n,)
        Each is taken for the nearest level.
    weight : array, shape (n,), optional
    levels : array, shape (k,), optional
        The answers that can be given, rising, at least two; else 0, 10, ..., 100. Steps
        count, not points: the levels need not be equally far apart.

    Returns
    -------
    float
        1 for perfect, 0 for chance; NaN where neither varies.

    Raises
    ------
    DataError, UsageError
        Rows or weights that do not fit; levels that do not rise.

    References
    ----------
    Cohen (1968), "Weighted kappa", Psychological Bulletin 70(4).

    Examples
    --------
    >>> quadratic_kappa([0, 50, 100], [2, 48, 100], levels=[0, 50, 100])
    1.0
    """
    scores, predicted = check_pair(y, prediction)
    steps = np.linspace(0, 100, 11) if levels is None else check_rising("levels", levels)
    middles = (steps[1:] + steps[:-1]) / 2
    first, second = (np.searchsorted(middles, one).astype(float) for one in (scores, predicted))
    return _agreement(first, second, check_weight(weight, scores.size))


def kappa_measure(y: ArrayLike, prediction: ArrayLike) -> Measure:
    """`quadratic_kappa` as a function of row weights, prepared for many draws.

    The levels are the answers that occur, where they are 11 or fewer.
    """
    scores, predicted = check_pair(y, prediction)
    answers = np.unique(scores)
    steps = answers if answers.size <= 11 else np.linspace(0, 100, 11)
    middles = (steps[1:] + steps[:-1]) / 2
    first, second = (np.searchsorted(middles, one).astype(float) for one in (scores, predicted))
    return lambda weight: _agreement(first, second, weight)


def _agreement(first: Floats, second: Floats, weight: NDArray[Any] | None) -> float:
    # With quadratic weights kappa is a matter of means and variances alone.
    means = np.average(first, weights=weight), np.average(second, weights=weight)
    spread = np.average((first - means[0]) ** 2, weights=weight)
    spread += np.average((second - means[1]) ** 2, weights=weight)
    by_chance = spread + (means[0] - means[1]) ** 2
    if by_chance == 0:
        return float("nan")
    return float(1 - np.average((first - second) ** 2, weights=weight) / by_chance)


def dissatisfied_auc(
    y: ArrayLike,
    score: ArrayLike,
    weight: NDArray[Any] | None = None,
    *,
    threshold: float = DISSATISFIED,
) -> float:
    """AUC of a dissatisfaction score for satisfaction at or below ``threshold``.

    NaN where all or none are dissatisfied.

    >>> dissatisfied_auc([20, 60, 61, 100], [.9, .8, .3, .1])
    1.0
    """
    scores, predicted = check_pair(y, score)
    labels = scores <= check_number("threshold", threshold)
    return auc(labels.astype(float), predicted, weight)


def coverage(
    y: ArrayLike, low: ArrayLike, high: ArrayLike, weight: NDArray[Any] | None = None
) -> float:
    """The share of scores within their closed interval.

    >>> coverage([1, 5], [0, 0], [2, 2])
    0.5
    """
    scores, bottom = check_pair(y, low, name="low ends")
    _, top = check_pair(y, high, name="high ends")
    inside = (bottom <= scores) & (scores <= top)
    return float(np.average(inside, weights=check_weight(weight, scores.size)))


def width(low: ArrayLike, high: ArrayLike, weight: NDArray[Any] | None = None) -> float:
    """The mean width of intervals, in points.

    >>> width([0, 10], [10, 40])
    20.0
    """
    bottom, top = check_interval((low, high), numbers("low ends", low).size)
    return float(np.average(top - bottom, weights=check_weight(weight, top.size)))


def interval_measures(y: ArrayLike, interval: tuple[ArrayLike, ArrayLike]) -> dict[str, Measure]:
    """`coverage` and `width` as functions of row weights."""
    scores, _ = check_pair(y, y)
    low, high = check_interval(interval, scores.size)
    return {
        "interval_coverage": _mean_of((low <= scores) & (scores <= high)),
        "interval_width": _mean_of(high - low),
    }
