"""Whether halls do better in months in which they let fewer customers wait.

Regression over halls and months with an effect of every hall and of every month: what always
sets a hall apart, and what moves all halls at once, explains nothing. Few halls make naive
intervals far too short; means of hall and month, and t with as many degrees of freedom as
halls less two, do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from churnml.metrics.intervals import LEVEL


@dataclass(frozen=True, kw_only=True)
class Slope:
    """A slope within halls.

    Attributes
    ----------
    value : float
        Change of the outcome by one unit of the driver.
    low, high : float
        95 % interval; NaN for fewer halls than it takes.
    p : float
        Chance of such a slope where there is none; NaN for fewer halls than it takes.
    halls, cells : int
    """

    value: float
    low: float
    high: float
    p: float
    halls: int
    cells: int


def within_halls(
    hall: ArrayLike,
    month: ArrayLike,
    outcome: ArrayLike,
    driver: ArrayLike,
    answers: ArrayLike,
    *,
    correlation: float = 0.05,
    fewest: int = 10,
) -> Slope:
    """The slope of a driver with effects of halls and months.

    Parameters
    ----------
    hall, month : array-like of shape (cells,)
    outcome, driver : array-like of shape (cells,)
        Means of a hall in a month.
    answers : array-like of shape (cells,)
        Answers behind each mean; they weigh n / (1 + (n - 1) ICC).
    correlation : float, default 0.05
        The ICC: how alike the answers of one hall and month are.
    fewest : int, default 10
        Halls from which on there is an interval.

    Returns
    -------
    Slope
        NaN where the driver does not vary within halls.

    References
    ----------
    Cameron and Miller (2015), "A practitioner's guide to cluster-robust inference", Journal
    of Human Resources 50.

    Examples
    --------
    >>> halls, months = np.divmod(np.arange(12 * 6), 6)
    >>> wait = np.sin(np.arange(72.0))
    >>> slope = within_halls(halls, months, 70 + halls + months - 3 * wait, wait, np.full(72, 30))
    >>> round(slope.value, 6), slope.halls
    (-3.0, 12)
    """
    n = np.asarray(answers, float)
    weight = n / (1 + (n - 1) * correlation)
    halls = pd.factorize(np.asarray(hall))[0]
    months = pd.factorize(np.asarray(month))[0]
    x = _without_effects(np.asarray(driver, float), halls, months, weight)
    y = _without_effects(np.asarray(outcome, float), halls, months, weight)
    number, cells = int(halls.max(initial=-1)) + 1, len(x)
    spread = float((weight * x**2).sum())
    if spread < 1e-12 or number < 3:
        nan = float("nan")
        return Slope(value=nan, low=nan, high=nan, p=nan, halls=number, cells=cells)
    value = float((weight * x * y).sum()) / spread
    scores = np.bincount(halls, weight * x * (y - value * x))
    error = float(np.sqrt(number / (number - 1) * (scores**2).sum())) / spread
    freedom = number - 2
    if number < fewest:
        nan = float("nan")
        return Slope(value=value, low=nan, high=nan, p=nan, halls=number, cells=cells)
    half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * error
    chance = 2 * float(stdtr(freedom, -abs(value) / error)) if error > 0 else 0.0
    return Slope(
        value=value, low=value - half, high=value + half, p=chance, halls=number, cells=cells
    )


def _without_effects(
    values: NDArray[np.float64],
    halls: NDArray[np.intp],
    months: NDArray[np.intp],
    weight: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Values less the effects of halls and months, by alternating means."""
    rest = values - np.average(values, weights=weight)
    for _round in range(500):
        before = rest
        for groups in (halls, months):
            means = np.bincount(groups, weight * rest) / np.bincount(groups, weight)
            rest = rest - means[groups]
        if np.abs(rest - before).max() < 1e-10 * (1 + np.abs(values).max()):
            break
    return rest
