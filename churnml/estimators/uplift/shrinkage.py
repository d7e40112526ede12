"""Draw effects to their mean, as far as evidence for differences is wanting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from churnml.estimators.uplift.crossfit import CrossFitted, risk_of
from churnml.estimators.uplift.experiment import Floats, Ints

_MOST = 2.0
_TWICE = 1.5**0.5
"""Of two customers of two folds each teaches what the other tests, and what they share by chance
counts twice: a slope of nothing has up to twice the variance that its rows show, in draws of rows
without effects half more."""


@dataclass(frozen=True, kw_only=True)
class Shrinkage:
    """From relative effects, in units of risk, to effects; lists are by offer.

    Attributes
    ----------
    mean, mean_error : list of float
        Its mean effect, from doubly robust scores, with its standard error.
    risk : float
        The mean risk of the rows, of which effects are the multiples.
    centre : list of float
        The mean of the relative effects, weighted by risk.
    slope, slope_error : list of float
        Of the scores on the relative effects, both in units of risk: 1 where differences are
        as large as predicted, 0 where there are none.
    kept : list of float
        The part of predicted differences that is kept, from 0 on.
    first : list of float
        The mean relative effect, less the centre, of the fifth that is said to be kept most.
    """

    mean: list[float]
    mean_error: list[float]
    risk: float
    centre: list[float]
    slope: list[float]
    slope_error: list[float]
    kept: list[float]
    first: list[float]

    def effect(self, relative: Floats, chance: Floats) -> Floats:
        """Effects, shape (n, offers), of customers with this chance of leaving without one."""
        away = relative - np.asarray(self.centre)
        each = np.asarray(self.mean) / self.risk + np.asarray(self.kept) * away
        return possible(risk_of(chance)[:, None] * each, chance)

    def error(self, relative: Floats, chance: Floats) -> Floats:
        """Standard errors of the mean effect of customers with the same prediction."""
        away = (relative - np.asarray(self.centre)) * np.asarray(self.slope_error)
        mean = np.asarray(self.mean_error) / self.risk
        return np.asarray(risk_of(chance)[:, None] * np.sqrt(mean**2 + away**2))

    def chances(self) -> tuple[list[float], list[float]]:
        """By offer, the chance of such evidence where it makes no difference, or keeps nobody.

        The second is about the fifth that is said to be kept most, by the best linear predictor.
        """
        told = []
        for at, slope in enumerate(self.slope):
            mean, error = (one[at] / self.risk for one in (self.mean, self.mean_error))
            first, slope_error = self.first[at], self.slope_error[at]
            both = float(np.hypot(error, first * slope_error))
            told.append((below_zero(-slope, slope_error), below_zero(mean + slope * first, both)))
        return [one[0] for one in told], [one[1] for one in told]

    def to_state(self) -> dict[str, Any]:
        """Plain data."""
        return dict(vars(self))


def below_zero(value: float, error: float) -> float:
    """The chance of a value as low as this, or lower, where the truth is 0.

    >>> round(below_zero(-1.645, 1.0), 3)
    0.05
    """
    return float(norm.cdf(value / error)) if error > 0 else 1.0


def possible(effect: Floats, chance: Floats) -> Floats:
    """Effects, shape (n, offers), that keep nobody who would have stayed anyway.

    >>> possible(np.array([[-0.2, 0.1]]), np.array([0.05])).tolist()
    [[-0.05, 0.1]]
    """
    return np.clip(effect, -chance[:, None], 1 - chance[:, None])


def held_out_effects(found: CrossFitted, weight: Floats, group: Ints) -> Floats:
    """The effects on the rows, shape (m, offers), by nothing that their own fold shows.

    Means and what is kept of differences come of the other folds, as the predictions do.

    Parameters
    ----------
    found : CrossFitted
    weight : array, shape (m,)
    group : array of int, shape (m,)
    """
    effects = np.empty_like(found.relative)
    for one in np.unique(found.fold):
        held = found.fold == one
        others = np.where(held, 0.0, weight) if not held.all() else weight
        told = fit_shrinkage(found, others, group)
        effects[held] = told.effect(found.relative[held], found.control[held])
    return effects


def fit_shrinkage(found: CrossFitted, weight: Floats, group: Ints) -> Shrinkage:
    """Learn from the scores how much of the predicted differences is there, offer by offer.

    The slope is that of the best linear predictor of the effect by the prediction, both in
    units of risk; rows weigh as much as they tell. Of it is kept ``slope * (1 - 1 / z^2)``,
    nothing where z is below 1: what James and Stein keep of an estimate that is z standard
    errors from 0.

    Parameters
    ----------
    found : CrossFitted
    weight : array, shape (m,)
    group : array of int, shape (m,)
        Errors are over customers, not rows.

    References
    ----------
    Chernozhukov, Demirer, Duflo, Fernández-Val (2025), "Fisher-Schultz lecture: Generic
    machine learning inference on heterogeneous treatment effects in randomized experiments",
    Econometrica 93(4). James, Stein (1961), "Estimation with quadratic loss".
    """
    total = weight.sum()
    mean = weight @ found.scores / total
    off = (found.scores - mean) * (weight / total)[:, None]
    error = np.sqrt((_by_group(off, group) ** 2).sum(axis=0))
    risk = weight * found.risk
    centre = risk @ found.relative / risk.sum()
    away = found.relative - centre
    level = mean * total / risk.sum()
    spread = np.maximum(risk @ away**2, np.finfo(float).tiny)
    beyond = weight[:, None] * (found.scores - level * found.risk[:, None])
    slope = (away * beyond).sum(axis=0) / spread
    moved = away * (beyond - slope * risk[:, None] * away) / spread
    slope_error = _TWICE * np.sqrt((_by_group(moved, group) ** 2).sum(axis=0))
    proven = slope > slope_error
    share = np.divide(slope_error, slope, out=np.ones_like(slope), where=proven)
    evidence = 1 - share**2
    return Shrinkage(
        mean=mean.tolist(),
        mean_error=error.tolist(),
        risk=float(risk.sum() / total),
        centre=centre.tolist(),
        slope=slope.tolist(),
        slope_error=slope_error.tolist(),
        kept=np.minimum(slope * evidence, _MOST).tolist(),
        first=[_first_fifth(one) for one in away[weight > 0].T],
    )


def _first_fifth(away: Floats) -> float:
    return float(away[away <= np.quantile(away, 0.2)].mean())


def _by_group(values: Floats, group: Ints) -> Floats:
    sums = np.zeros((int(group.max()) + 1, values.shape[1]))
    np.add.at(sums, group, values)
    return sums
