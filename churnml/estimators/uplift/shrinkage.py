"""Draw effects to their mean, as far as evidence for differences is wanting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from churnml.estimators.uplift.crossfit import CrossFitted
from churnml.estimators.uplift.experiment import Floats, Ints

_MOST = 2.0


@dataclass(frozen=True, kw_only=True)
class Shrinkage:
    """From raw effects to effects.

    Attributes
    ----------
    mean, mean_error : list of float
        By offer: its mean effect, from doubly robust scores, with its standard error.
    centre : list of float
        By offer: the mean of the raw effects.
    slope, slope_error : float
        Of the scores on the raw effects less their mean: 1 where differences are as large as
        predicted, 0 where there are none.
    kept : float
        The part of predicted differences that is kept, from 0 on.
    """

    mean: list[float]
    mean_error: list[float]
    centre: list[float]
    slope: float
    slope_error: float
    kept: float

    def effect(self, raw: Floats) -> Floats:
        """Effects, shape (n, offers)."""
        return np.asarray(self.mean) + self.kept * (raw - np.asarray(self.centre))

    def error(self, raw: Floats) -> Floats:
        """Standard errors of the mean effect of customers with the same prediction."""
        away = raw - np.asarray(self.centre)
        return np.sqrt(np.asarray(self.mean_error) ** 2 + (away * self.slope_error) ** 2)

    def to_state(self) -> dict[str, Any]:
        """Plain data."""
        return dict(vars(self))


def fit_shrinkage(found: CrossFitted, weight: Floats, group: Ints) -> Shrinkage:
    """Learn from the scores how much of the predicted differences is there.

    The slope is that of the best linear predictor of the effect by the prediction. Of it is
    kept ``slope * (1 - 1 / z^2)``, nothing where z is below 1: what James and Stein keep of
    an estimate that is z standard errors from 0.

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
    centre = weight @ found.effect / total
    # Folds have levels of their own, which are no differences between customers.
    away = np.empty_like(found.effect)
    for one in np.unique(found.fold):
        held = found.fold == one
        away[held] = found.effect[held] - np.average(
            found.effect[held], axis=0, weights=weight[held]
        )
    spread = float((weight[:, None] * away**2).sum())
    if spread <= 0:
        slope, slope_error = 0.0, 0.0
    else:
        residual = found.scores - mean
        slope = float((weight[:, None] * away * residual).sum() / spread)
        moved = (weight[:, None] * away * (residual - slope * away)).sum(axis=1) / spread
        slope_error = float(np.sqrt((_by_group(moved[:, None], group) ** 2).sum()))
    evidence = max(1 - (slope_error / slope) ** 2, 0.0) if slope > 0 else 0.0
    return Shrinkage(
        mean=mean.tolist(),
        mean_error=error.tolist(),
        centre=centre.tolist(),
        slope=slope,
        slope_error=slope_error,
        kept=float(min(slope * evidence, _MOST)),
    )


def _by_group(values: Floats, group: Ints) -> Floats:
    sums = np.zeros((int(group.max()) + 1, values.shape[1]))
    np.add.at(sums, group, values)
    return sums
