"""Which columns are off in a month.

The columns of a month are one family of tests: Benjamini and Hochberg's rule with the columns'
importance as weights, so that a column that the model hardly reads is no news. A column is off
where its drift is more than chance and more than the limit beyond the usual drift between
training dates. Where the same month a year before was off alone, it is the season.

References
----------
Benjamini, Hochberg (1995), "Controlling the false discovery rate", JRSS B 57(1). Genovese,
Roeder, Wasserman (2006), "False discovery control with p-value weighting", Biometrika 93(3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.base.dates import add_months
from churnml.config.monitoring import MonitorSettings
from churnml.models.histograms import Histograms, InputHistogram


def benjamini_hochberg(
    chance: ArrayLike, weight: ArrayLike, false_share: float
) -> NDArray[np.bool_]:
    """Which tests are finds, so that of these at most a share is false on average.

    Parameters
    ----------
    chance : array, shape (m,)
        Probabilities under no drift.
    weight : array, shape (m,)
        Of 0 and more; scaled to a mean of 1. What weighs nothing is never a find.
    false_share : float

    Examples
    --------
    >>> benjamini_hochberg([0.001, 0.02, 0.04, 0.9], [1, 1, 1, 1], 0.05).tolist()
    [True, True, False, False]
    >>> benjamini_hochberg([0.001, 0.02, 0.04, 0.9], [0, 1, 3, 0], 0.05).tolist()
    [False, True, True, False]
    """
    p, w = np.asarray(chance, dtype=float), np.asarray(weight, dtype=float)
    if not p.size or not w.sum():
        return np.zeros(p.size, dtype=bool)
    w = w / w.mean()
    weighted = np.where(w > 0, p / np.where(w > 0, w, 1.0), np.inf)
    order = np.argsort(weighted, kind="stable")
    passes = weighted[order] <= false_share * np.arange(1, p.size + 1) / p.size
    finds = np.zeros(p.size, dtype=bool)
    if passes.any():
        finds[order[: int(np.flatnonzero(passes).max()) + 1]] = True
    return finds


def columns_off(histograms: Histograms | None, settings: MonitorSettings) -> set[str]:
    """The columns of a month that have drifted beyond chance, the usual and the limit."""
    if histograms is None or not histograms.inputs:
        return set()
    names = list(histograms.inputs)
    columns = [histograms.inputs[name] for name in names]
    weights = _weights(columns)
    found = benjamini_hochberg([one.chance for one in columns], weights, settings.false_share)
    return {
        name
        for name, one, find in zip(names, columns, found, strict=True)
        if find and one.drift - one.usual > settings.drift_limit
    }


def _weights(columns: Sequence[InputHistogram]) -> list[float]:
    """Importance, or the same for all where no model says."""
    weights = [one.importance for one in columns]
    return weights if sum(weights) else [1.0] * len(columns)


def without_season(off: Mapping[date, set[str]]) -> dict[date, set[str]]:
    """Leave out columns that were off in the same month a year before, and only then."""
    cleared = {}
    for day, names in off.items():
        before = add_months(day, -12)
        around = set().union(
            *(off.get(add_months(before, step), set()) for step in (-1, 1) if before in off)
        )
        cleared[day] = names - (off.get(before, set()) - around)
    return cleared
