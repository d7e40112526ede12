"""Where the level of a monthly series changes, by a rule that keeps false alarms rare.

The level of a series *differs* from some month on; that something *happened* then is more than
the numbers say, as slow drift alarms too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.metrics.intervals import normal_quantile

Floats = NDArray[np.float64]

FEWEST_MONTHS = 12
"""A shorter series has no change points."""

SEASON_MONTHS = 36
"""From so many months on, effects of the month of year can be told apart."""

_SHORTEST, _MOST, _LAST = 3, 5, 2
_LIKELY = 2.0


@dataclass(frozen=True, kw_only=True)
class ChangePoint:
    """A month from which on the level differs.

    Attributes
    ----------
    place : int
        Index of the first month of the new level.
    first, last : int
        The neighbouring places that are within 2 units of log-likelihood of the best.
    difference, low, high : float
        New level less old, with the interval that holds for all change points together.
    """

    place: int
    first: int
    last: int
    difference: float
    low: float
    high: float


def change_points(
    values: ArrayLike, errors: ArrayLike, months: Sequence[int] | None = None
) -> list[ChangePoint]:
    """Months from which on the level of a series differs.

    1. Each month is divided by its own standard error, so that months with few answers cannot
       alarm.
    2. With 36 months or more, effects of the month of year are taken out.
    3. The fewest changes that a penalty of 3 log(n) phi allows (`ruptures.KernelCPD`), where
       phi is how much more the series wanders from month to month than its errors say; at
       most 5, three months apart.
    4. Only changes whose two sides differ (Holm over the changes), and none within the last
       two months, are kept.

    Parameters
    ----------
    values, errors : array-like of shape (months,)
        Monthly values and their standard errors, above 0; months in a row. Months without
        a value (NaN) are passed over.
    months : sequence of int, optional
        Month of year of each, 1 to 12; without it no season is taken out.

    Returns
    -------
    list of ChangePoint
        In time order; empty for fewer than 12 months.

    References
    ----------
    Arlot, Celisse and Harchaoui (2019), "A kernel multiple change-point algorithm via model
    selection", JMLR 20.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> series = np.r_[np.full(12, 40.0), np.full(12, 46.0)] + rng.normal(0, 1.5, 24)
    >>> [point.place for point in change_points(series, np.full(24, 1.5))]
    [12]
    """
    value, error = np.asarray(values, float), np.asarray(errors, float)
    there = np.flatnonzero(np.isfinite(value) & np.isfinite(error) & (error > 0))
    if len(there) < FEWEST_MONTHS:
        return []
    value, error = value[there], error[there]
    if months is not None and len(there) >= SEASON_MONTHS:
        value = value - _season(value, error, np.asarray(months)[there])
    ends = _segments((value - np.average(value, weights=error**-2)) / error)
    places = [place for place in ends if place <= len(value) - _LAST - 1]
    found = _kept(value, error, places)
    return [_in_months(point, there) for point in found]


def _season(value: Floats, error: Floats, months: NDArray[np.int_]) -> Floats:
    """Effects of the month of year, each a mean of differences from its year's running mean."""
    weight = error**-2
    index = np.arange(len(value))
    window = np.abs(index[:, None] - index[None, :]) <= 6
    level = (window * weight) @ value / (window * weight).sum(axis=1)
    effect = np.zeros(len(value))
    for month in np.unique(months):
        of = months == month
        effect[of] = np.average((value - level)[of], weights=weight[of])
    return effect - np.average(effect, weights=weight)


def _segments(standard: Floats) -> list[int]:
    """First places of new levels, of a series of unit variance."""
    from ruptures import KernelCPD

    # The cost sums squares, so that a squared distance of one standard error counts as 1.
    penalty = 3 * math.log(len(standard)) * _wandering(standard)
    search = KernelCPD(kernel="linear", min_size=_SHORTEST, jump=1).fit(standard[:, None])
    ends = [int(end) for end in search.predict(pen=penalty)[:-1]]
    if len(ends) > _MOST:
        ends = [int(end) for end in search.predict(n_bkps=_MOST)[:-1]]
    return ends


def _wandering(standard: Floats) -> float:
    """How much more a series moves from month to month than its errors say; 1 and more."""
    steps = np.abs(np.diff(standard))
    return max(1.0, float(1.4826 * np.median(steps) / math.sqrt(2)) ** 2)


def _kept(value: Floats, error: Floats, places: list[int]) -> list[ChangePoint]:
    from scipy.special import ndtr

    while places:
        edges = [0, *places, len(value)]
        means = [_mean(value[a:b], error[a:b]) for a, b in pairwise(edges)]
        steps = [(b[0] - a[0], math.hypot(a[1], b[1])) for a, b in pairwise(means)]
        chances = [2 * float(ndtr(-abs(step) / error)) for step, error in steps]
        order = np.argsort(chances)
        # Holm's limits, the strictest for the clearest change.
        failed = [
            int(at) for rank, at in enumerate(order) if chances[at] > 0.05 / (len(order) - rank)
        ]
        if not failed:
            z = normal_quantile(1 - 0.05 / len(places))
            return [
                _point(value, error, edges, at, step=steps[at], reach=z)
                for at in range(len(places))
            ]
        # The two sides of a change that is dropped become one, so all are looked at again.
        places = [place for at, place in enumerate(places) if at != failed[-1]]
    return []


def _mean(value: Floats, error: Floats) -> tuple[float, float]:
    weight = error**-2
    return float(np.average(value, weights=weight)), float(weight.sum() ** -0.5)


def _point(
    value: Floats,
    error: Floats,
    edges: list[int],
    at: int,
    *,
    step: tuple[float, float],
    reach: float,
) -> ChangePoint:
    left, place, right = edges[at : at + 3]
    likelihoods = {
        other: -_misfit(value, error, left, other) - _misfit(value, error, other, right)
        for other in range(left + 1, right)
    }
    best = likelihoods[place]
    near = [other for other, one in likelihoods.items() if one >= best - _LIKELY]
    return ChangePoint(
        place=place,
        first=min(near),
        last=max(near),
        difference=step[0],
        low=step[0] - reach * step[1],
        high=step[0] + reach * step[1],
    )


def _misfit(value: Floats, error: Floats, start: int, end: int) -> float:
    mean, _ = _mean(value[start:end], error[start:end])
    return float((((value[start:end] - mean) / error[start:end]) ** 2).sum() / 2)


def _in_months(point: ChangePoint, there: NDArray[np.intp]) -> ChangePoint:
    place, first, last = (int(there[at]) for at in (point.place, point.first, point.last))
    return replace(point, place=place, first=first, last=last)


def smoothed(values: ArrayLike, errors: ArrayLike, *, width: int = 5) -> Floats:
    """A series drawn smoothly, for the eye alone: a local line over a few months.

    Never look for changes in it: smoothing makes neighbours alike.

    Parameters
    ----------
    values, errors : array-like of shape (months,)
        Months weigh by the inverse of the error squared; NaN where there is no value.
    width : int, default 5
        Months, odd.

    Examples
    --------
    >>> smoothed([1.0, 2.0, 3.0, 4.0, 5.0], [1.0] * 5).round(6).tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0]
    """
    value, error = np.asarray(values, float), np.asarray(errors, float)
    weight = np.where(np.isfinite(value) & (error > 0), np.nan_to_num(error, nan=1.0) ** -2.0, 0.0)
    place = np.arange(len(value), dtype=float)
    fitted = np.full(len(value), np.nan)
    for at in range(len(value)):
        near = (np.abs(place - at) <= width // 2) & (weight > 0)
        if not near.any():
            continue
        level = np.average(place[near], weights=weight[near])
        mean = np.average(value[near], weights=weight[near])
        spread = (weight[near] * (place[near] - level) ** 2).sum()
        cross = (weight[near] * (place[near] - level) * (value[near] - mean)).sum()
        fitted[at] = mean + (cross / spread * (at - level) if spread > 0 else 0.0)
    return fitted
