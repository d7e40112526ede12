"""Raw scores into calibrated log-odds, learned from rows that the members had not seen.

First a straight line (Platt, 1999), made as steep as the whole bag deserves; then, where the
held-out outcomes bend away from it beyond chance, a rising piecewise-linear curve. Both are
strictly rising, so no ranking changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from churnml.estimators.boosting.ridge import fit_lines

_KNOTS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
_FLATTEST = 0.05
# Twice the gain in log-likelihood that seven free slopes reach by chance once in 1,000.
_BEYOND_CHANCE = 24.3
_STEEPER_AT_MOST = 1.25
_STEPS = 200


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """From a bag's raw score to calibrated log-odds.

    Attributes
    ----------
    slope, intercept : float
    knots : list of float
        Where the curve bends, in log-odds after the straight line; empty for none.
    slopes : list of float
        Before the first knot, between knots, and after the last; all above 0.
    shift : float
        What the curve adds at its first knot.
    """

    slope: float
    intercept: float
    knots: list[float] = field(default_factory=list)
    slopes: list[float] = field(default_factory=list)
    shift: float = 0.0

    def log_odds(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated log-odds of raw scores."""
        straight = self.slope * raw + self.intercept
        if not self.knots:
            return straight
        bent = np.full(raw.shape, self.knots[0] + self.shift)
        bent += self.slopes[0] * np.minimum(straight - self.knots[0], 0.0)
        for piece, slope in zip(_pieces(straight, self.knots), self.slopes[1:], strict=True):
            bent += slope * piece
        return bent

    def secant(self, raw: NDArray[np.float64], base: float) -> NDArray[np.float64]:
        """Calibrated log-odds per raw score between a base and each score; above 0.

        Contributions to the raw score times this add up to the calibrated difference.
        """
        if not self.knots:
            return np.full(raw.shape, self.slope)
        rise = self.log_odds(raw) - self.log_odds(np.array([base]))
        run = raw - base
        # Too close to divide: the slope just there says the same.
        close = np.abs(run) < 1e-6
        step = np.where(close, 1e-6, run)
        near = self.log_odds(raw + 1e-6) - self.log_odds(raw)
        return np.where(close, near, rise) / step

    def raised(self, by: float) -> Calibration:
        """The same curve, so much higher in log-odds."""
        if self.knots:
            return replace(self, shift=self.shift + by)
        return replace(self, intercept=self.intercept + by)

    def to_state(self) -> dict[str, Any]:
        """Plain data that :meth:`from_state` reads."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Calibration:
        """The calibration of :meth:`to_state`."""
        return cls(**state)


def _pieces(straight: NDArray[np.float64], knots: list[float]) -> list[NDArray[np.float64]]:
    """How much of each stretch after a knot lies below a score; the last has no end."""
    ends = [*knots[1:], np.inf]
    return [np.clip(straight - low, 0.0, high - low) for low, high in zip(knots, ends, strict=True)]


def fit_calibration(
    held_out: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    members: int,
) -> Calibration:
    """Learn a calibration for a bag larger than what the held-out scores average.

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

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=50_000)
    >>> y = (rng.random(50_000) < 1 / (1 + np.exp(-truth))).astype(float)
    >>> found = fit_calibration(2 * truth[None, :], y, np.ones(50_000), members=1)
    >>> round(found.slope, 1), found.knots
    (0.5, [])
    """
    score = held_out.mean(axis=0)
    slope, intercept = fit_platt(score, y, weight)
    bent = _bend(slope * score + intercept, y, weight)
    steeper = _for_the_bag(held_out, y, weight, members, slope)
    if steeper != slope:
        centre = float(np.average(score, weights=weight))
        # The extra slope turns about the middle of the scores.
        turned = steeper * (score - centre)
        if bent is None:
            intercept = _intercept(turned, y, weight) - steeper * centre
        else:
            intercept += (slope - steeper) * centre
    if bent is None:
        return Calibration(slope=steeper, intercept=intercept)
    knots, slopes, shift = bent
    return Calibration(slope=steeper, intercept=intercept, knots=knots, slopes=slopes, shift=shift)


def level_bag(
    calibration: Calibration, members: NDArray[np.float64], weight: NDArray[np.float64]
) -> Calibration:
    """Give a bag the mean probability that its members have.

    A calibration learned from single members is right for them. The mean of their raw
    scores scatters less, and as chances are small and their curve bends upwards, the same
    calibration makes it lower on the mean than the members are. The slope stays.

    Parameters
    ----------
    calibration : Calibration
        Learned from single members' held-out scores.
    members : array of float64, shape (members, n)
        Raw scores of every member on the same rows; the bag's are their mean.
    weight : array of float64, shape (n,)

    Examples
    --------
    >>> members = np.array([[-3.0, -1.0], [-1.0, -3.0]])
    >>> found = level_bag(Calibration(slope=1.0, intercept=0.0), members, np.ones(2))
    >>> round(float(expit(found.log_odds(members.mean(axis=0))).mean()), 6)
    0.158184
    >>> round(float(expit(members).mean()), 6)
    0.158184
    """
    chances = expit(calibration.log_odds(members)).mean(axis=0)
    bag = calibration.log_odds(members.mean(axis=0))
    return calibration.raised(_intercept(bag, chances, weight))


def fit_platt(
    score: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Slope, from 0.1 to 3, and intercept of ``log-odds = slope * score + intercept``."""
    (line,) = fit_lines(score[:, None], y, weight, loss="logistic", penalties=(1e-6,))
    slope = float(np.clip(line.weights[0], 0.1, 3.0))
    if slope == line.weights[0]:
        return slope, line.intercept
    return slope, _intercept(slope * score, y, weight)


def _for_the_bag(
    held_out: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    members: int,
    slope: float,
) -> float:
    repeats = held_out.shape[0]
    if repeats < 2 or members <= repeats:
        return slope
    single = float(np.mean([1 / fit_platt(one, y, weight)[0] for one in held_out]))
    rate = max((single - 1 / slope) / (1 - 1 / repeats), 0.0)
    inverse = 1 / slope - rate * (1 / repeats - 1 / members)
    return float(np.clip(1 / max(inverse, 1e-6), slope, _STEEPER_AT_MOST * slope))


def _intercept(
    offset: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> float:
    """The shift that makes the mean probability the mean of ``y``, by bisection."""
    low, high = -30.0, 30.0
    target = float(np.average(y, weights=weight))
    for _ in range(80):
        middle = (low + high) / 2
        mean = float(np.average(expit(offset + middle), weights=weight))
        low, high = (middle, high) if mean < target else (low, middle)
    return (low + high) / 2


def _bend(
    straight: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[list[float], list[float], float] | None:
    """Knots, slopes and shift of a rising curve, where it beats the straight line."""
    knots = [float(knot) for knot in np.unique(np.quantile(straight, _KNOTS))]
    if len(knots) < 3:
        return None
    terms = [np.minimum(straight - knots[0], 0.0), *_pieces(straight, knots)]
    design = np.column_stack([np.ones(straight.size), *terms])
    start = np.r_[knots[0], np.ones(len(terms))]
    fitted = _rising(design, y, weight, start)
    scale = weight.sum() / np.square(weight).sum()
    gain = _log_loss(design @ start, y, weight) - _log_loss(design @ fitted, y, weight)
    if 2 * scale * gain < _BEYOND_CHANCE:
        return None
    return knots, [float(slope) for slope in fitted[1:]], float(fitted[0] - knots[0])


def _log_loss(
    odds: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> float:
    return float(weight @ (np.logaddexp(0, odds) - y * odds))


def _rising(
    design: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    start: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Logistic fit with slopes of at least ``_FLATTEST``, drawn to the straight line.

    Newton steps on the slopes that are free; one that would fall below is held there.
    """
    ridge = np.r_[0.0, np.ones(start.size - 1)]
    beta = start.copy()
    for _ in range(_STEPS):
        chance = expit(design @ beta)
        slope = design.T @ (weight * (chance - y)) + ridge * (beta - start)
        bend = (design.T * (weight * chance * (1 - chance))) @ design + np.diag(ridge + 1e-9)
        free = np.r_[True, (beta[1:] > _FLATTEST) | (slope[1:] < 0)]
        step = np.zeros(beta.size)
        step[free] = np.linalg.solve(bend[np.ix_(free, free)], slope[free])
        moved = beta - step * min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-12))
        moved[1:] = np.maximum(moved[1:], _FLATTEST)
        if np.abs(moved - beta).max() < 1e-8:
            break
        beta = moved
    return beta
