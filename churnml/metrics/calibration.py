"""Calibration of probabilities, and proper scores."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from churnml.metrics.bootstrap import Distance, Measure
from churnml.metrics.check_arrays import check_binary, check_weight, refuse
from churnml.metrics.check_options import check_whole
from churnml.metrics.ranking import Ranked

_TINY = 1e-15
_STEPS = 50


def check_probabilities(
    y: ArrayLike, p: ArrayLike, *, name: str = "scores"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Check labels of 0 and 1, and probabilities of the same length.

    Raises
    ------
    DataError
        For anything else; scores that are not probabilities above all.
    """
    labels, chances = check_binary(y, p, name=name)
    refuse(
        (chances < 0) | (chances > 1),
        chances,
        "probabilities lie outside 0 to 1",
        hint="Measures of ranking, such as auc, take any scores.",
    )
    return labels, chances


def log_loss(y: ArrayLike, p: ArrayLike, weight: NDArray[Any] | None = None) -> float:
    """The mean of ``-log`` of the probability given to what happened.

    A proper score: no one does better than by saying what they believe.

    >>> round(log_loss([1, 0], [.5, .5]), 4)
    0.6931
    """
    labels, chances = check_probabilities(y, p)
    clipped = np.clip(chances, _TINY, 1 - _TINY)
    each = -np.where(labels == 1, np.log(clipped), np.log1p(-clipped))
    return float(np.average(each, weights=check_weight(weight, labels.size)))


def brier(y: ArrayLike, p: ArrayLike, weight: NDArray[Any] | None = None) -> float:
    """The mean squared distance of probability and outcome.

    >>> brier([1, 0], [.5, .5])
    0.25
    """
    labels, chances = check_probabilities(y, p)
    return float(np.average((labels - chances) ** 2, weights=check_weight(weight, labels.size)))


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

    Raises
    ------
    DataError, UsageError
        Rows, labels, probabilities or weights that do not fit; no bins.

    Notes
    -----
    A distance cannot fall below 0, so that chance makes it larger: it is above 0 also for
    perfect probabilities, the more so the fewer the rows. `churn_metrics` takes the bias of
    the draws from its interval, see `churnml.metrics.bootstrap.Distance`.

    Examples
    --------
    >>> expected_calibration_error([1, 0, 0, 0], [.25, .25, .25, .25])
    0.0
    """
    labels, chances = check_probabilities(y, p)
    weights = _or_ones(check_weight(weight, labels.size), labels.size)
    at = quantile_bins(chances, check_whole("bins", bins))
    mass = np.bincount(at, weights=weights)
    gap = np.bincount(at, weights=weights * (labels - chances))
    return float(np.abs(gap).sum() / mass.sum())


def quantile_bins(p: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """The bin of each row, from 0, between quantiles; equal values share a bin."""
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
    return float(np.average(labels - chances, weights=check_weight(weight, labels.size)))


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
    weights = _or_ones(check_weight(weight, labels.size), labels.size)
    return _line(labels, _log_odds(chances), weights)


def probability_measures(
    y: ArrayLike, p: ArrayLike, ranked: Ranked | None = None
) -> dict[str, Measure]:
    """`log_loss`, `brier` and the calibration measures as functions of row weights.

    What does not depend on the weights is worked out once, for many draws; ``ranked``, of
    the same rows, saves sorting each draw's weights a second time.
    """
    labels, chances = check_probabilities(y, p)
    gaps = labels - chances
    return {
        "log_loss": log_loss_measure(labels, chances),
        "brier": _mean_of(gaps**2),
        "calibration_error": Distance(_error_measure(chances, gaps)),
        "calibration_in_the_large": _mean_of(gaps),
        "calibration_slope": slope_measure(labels, chances, ranked),
        "predicted_to_observed": ratio_measure(labels, chances),
    }


def ratio_measure(y: ArrayLike, p: ArrayLike) -> Measure:
    """Mean probability over observed rate, as a function of row weights.

    1 where the level is right, .5 where the model says half of what happens; NaN where
    nothing happens. Unlike a difference it means the same at every rate.

    >>> ratio_measure([1, 0, 0, 1], [.25, .25, .25, .25])(np.ones(4))
    0.5
    """
    labels, chances = check_probabilities(y, p)

    def ratio(weight: NDArray[np.float64]) -> float:
        observed = float(np.einsum("i,i", weight, labels))
        return float(np.einsum("i,i", weight, chances)) / observed if observed else float("nan")

    return ratio


def log_loss_measure(y: ArrayLike, p: ArrayLike) -> Measure:
    """`log_loss` as a function of row weights, prepared for many draws."""
    labels, chances = check_probabilities(y, p)
    clipped = np.clip(chances, _TINY, 1 - _TINY)
    return _mean_of(-(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped)))


def _error_measure(chances: NDArray[np.float64], gaps: NDArray[np.float64]) -> Measure:
    at = quantile_bins(chances, 10)
    edges = np.r_[0, np.flatnonzero(np.diff(at)) + 1, at.size]
    if edges.size - 1 > np.unique(at).size:
        return lambda weight: float(np.abs(np.bincount(at, weight * gaps)).sum() / weight.sum())
    # Rows that come sorted lie bin by bin: no copy of them is needed.
    spans = [slice(*ends) for ends in pairwise(edges)]

    def error(weight: NDArray[np.float64]) -> float:
        sums = [abs(float(np.einsum("i,i", weight[span], gaps[span]))) for span in spans]
        return sum(sums) / float(weight.sum())

    return error


def _or_ones(weight: NDArray[np.float64] | None, rows: int) -> NDArray[np.float64]:
    return np.ones(rows) if weight is None else weight


def _mean_of(values: NDArray[np.float64]) -> Measure:
    # Not BLAS: its threads cost more than they save on one vector.
    return lambda weight: float(np.einsum("i,i", weight, values) / weight.sum())


_EXACT = 20_000


def slope_measure(y: ArrayLike, p: ArrayLike, ranked: Ranked | None = None) -> Measure:
    """The slope of `calibration_line` as a function of row weights, prepared for many draws.

    Above 20,000 rows the log-odds are put into about 2,000 bins of equal size and stand at their
    bins' means, which moves the slope by less than its third decimal. ``ranked`` is of the
    same rows, where somebody has it.
    """
    labels, chances = check_probabilities(y, p)
    odds = _log_odds(chances)
    if odds.size <= _EXACT:
        return lambda weight: _line(labels, odds, weight)[0]
    falling = ranked or Ranked(labels, chances)
    middle = np.add.reduceat(np.sort(odds)[::-1], falling.grid[:-1]) / np.diff(falling.grid)

    def slope(weight: NDArray[np.float64]) -> float:
        left, total = falling.grid_sums(weight)
        share = np.divide(left, total, out=np.zeros(total.size), where=total > 0)
        return _line(share, middle, total)[0]

    return slope


def _log_odds(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(chances, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def _line(
    y: NDArray[np.float64], odds: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    rate = np.average(y, weights=weights)
    # Means of equal numbers differ in their last digits.
    if rate in (0.0, 1.0) or np.ptp(odds) <= 1e-9 * max(1.0, float(np.abs(odds).max())):
        return float("nan"), float("nan")
    intercept, slope = _newton(y, odds, weights)
    return slope, intercept


def _newton(
    y: NDArray[np.float64], x: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    a, b = 0.0, 1.0
    misfit = _misfit(a, b, y, x, weight)
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
        # Of an over-confident model a full step overshoots, and the next one back, for ever.
        while (smaller := _misfit(a + da, b + db, y, x, weight)) > misfit and abs(db) > 1e-12:
            da, db = da / 2, db / 2
        a, b, misfit = a + float(da), b + float(db), smaller
        if abs(da) < 1e-10 and abs(db) < 1e-10:
            break
    return float(a), float(b)


def _misfit(
    a: float,
    b: float,
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> float:
    """What the logistic regression minimises: minus the log-likelihood."""
    line = a + b * x
    return float(np.einsum("i,i", weight, np.logaddexp(0, line) - y * line))
