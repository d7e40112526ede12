"""Scores into probabilities, learned from scores of rows that a model had not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from churnml.estimators.linear import fit_lines


def fit_platt(
    score: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Slope and intercept of ``log-odds = slope * score + intercept`` (Platt, 1999).

    Strictly rising, so that it changes no ranking, and linear, so that contributions to
    the score are contributions to the calibrated log-odds.

    Parameters
    ----------
    score : array of float64, shape (n,)
    y : array of float64, shape (n,)
        0 or 1.
    weight : array of float64, shape (n,)

    Returns
    -------
    (slope, intercept)
        Slope between 0.1 and 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=50_000)
    >>> y = (rng.random(50_000) < 1 / (1 + np.exp(-truth))).astype(float)
    >>> slope, intercept = fit_platt(2 * truth, y, np.ones(50_000))
    >>> round(slope, 1), round(abs(intercept), 1)
    (0.5, 0.0)
    """
    (line,) = fit_lines(score[:, None], y, weight, loss="logistic", penalties=(1e-6,))
    slope = float(np.clip(line.weights[0], 0.1, 3.0))
    if slope == line.weights[0]:
        return slope, line.intercept
    return slope, _intercept(slope * score, y, weight)


def _intercept(
    offset: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> float:
    """The shift that makes the mean probability the mean of ``y``, by bisection."""
    low, high = -30.0, 30.0
    target = float(np.average(y, weights=weight))
    for _ in range(80):
        middle = (low + high) / 2
        mean = float(np.average(1 / (1 + np.exp(-(offset + middle))), weights=weight))
        low, high = (middle, high) if mean < target else (low, middle)
    return (low + high) / 2


def fit_platt_of_bag(
    held_out: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    members: int,
) -> tuple[float, float]:
    """Platt's slope and intercept for a bag larger than what the held-out scores average.

    A held-out score averages one member a repeat; the bag averages all its members, so
    its scores scatter less and deserve a steeper slope. The scatter of an average of *r*
    members falls as 1/r: the slope's inverse is extrapolated along that from single
    members and from all repeats to the size of the bag.

    Parameters
    ----------
    held_out : array of float64, shape (repeats, n)
    y, weight : array of float64, shape (n,)
    members : int
        How many the bag averages.

    Returns
    -------
    (slope, intercept)
    """
    repeats = held_out.shape[0]
    mean = held_out.mean(axis=0)
    slope, intercept = fit_platt(mean, y, weight)
    if repeats < 2 or members <= repeats:
        return slope, intercept
    single = float(np.mean([1 / fit_platt(one, y, weight)[0] for one in held_out]))
    rate = (single - 1 / slope) / (1 - 1 / repeats)
    inverse = 1 / slope - max(rate, 0.0) * (1 / repeats - 1 / members)
    steeper = float(np.clip(1 / max(inverse, 1e-6), slope, 1.25 * slope))
    centre = float(np.average(mean, weights=weight))
    # The extra slope turns about the middle of the scores.
    return steeper, _intercept(steeper * (mean - centre), y, weight) - steeper * centre
