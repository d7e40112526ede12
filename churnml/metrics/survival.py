"""Evaluate the probability of leaving within several horizons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.metrics.bootstrap import Estimate, bootstrap
from churnml.metrics.check_arrays import check_groups
from churnml.metrics.suites import churn_measures

MEASURES = (
    "auc",
    "average_precision",
    "log_loss",
    "brier",
    "calibration_in_the_large",
    "calibration_slope",
    "calibration_error",
)
"""What is told of each horizon."""


def known_outcomes(
    outcome: ArrayLike, times: ArrayLike, horizon: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Find the rows with a known outcome within a horizon, and the outcome.

    A date tells if anyone was seen to stay from it for at least so long. Who left early
    counts on such dates alone: else those who leave would be counted and those who stay not.

    Parameters
    ----------
    outcome : array of int, shape (n,)
        *k* > 0: left in month *k*; -*m*: still there after *m* months.
    times : array, shape (n,)
        The row's date.
    horizon : int
        In months.

    Returns
    -------
    (array of bool, array of float64), shapes (n,) and (number of True,)

    Examples
    --------
    >>> known, left = known_outcomes([1, -2, 1, -1], ["May", "May", "June", "June"], 2)
    >>> known.tolist(), left.tolist()
    ([True, True, False, False], [1.0, 0.0])
    """
    months = np.asarray(outcome).astype(int)
    days = pd.factorize(np.asarray(times))[0]
    seen = np.zeros(days.max(initial=-1) + 1, int)
    np.maximum.at(seen, days, -months)
    known = seen[days] >= horizon
    known_months = months[known]
    return known, ((known_months > 0) & (known_months <= horizon)).astype(np.float64)


def horizon_metrics(
    outcome: ArrayLike,
    within: NDArray[np.float64],
    months: Sequence[int],
    groups: ArrayLike,
    times: ArrayLike,
    *,
    draws: int = 200,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Compute ranking, log loss, Brier score and calibration at each horizon, with intervals.

    Parameters
    ----------
    outcome : array of int, shape (n,)
        As of `known_outcomes`.
    within : array of float64, shape (n, len(months))
        Chances of leaving within so many months.
    months : sequence of int
    groups, times : array, shape (n,)
        Customer and date of each row.
    draws, seed : int
        Of the bootstrap over customers.

    Returns
    -------
    dict of str to Estimate
        Such as ``auc_2mo`` and ``calibration_slope_6mo``. A horizon that no date tells,
        or within which all or none left, is not among them.
    """
    who = check_groups(groups, len(within))
    metrics: dict[str, Estimate] = {}
    for at, horizon in enumerate(months):
        known, left = known_outcomes(outcome, times, horizon)
        if 0 < left.sum() < left.size:
            measures = churn_measures(left, within[known, at])
            kept = {name: measures[name] for name in MEASURES}
            customers = left.size if who is None else who[known]
            estimates = bootstrap(kept, customers, draws=draws, seed=seed)
            metrics |= {f"{name}_{horizon}mo": value for name, value in estimates.items()}
    return metrics
