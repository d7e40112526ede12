"""Cumulative logits: the log-odds of a score at or below each threshold, by two indices.

One line for every threshold (a partial proportional-odds model; Peterson and Harrell 1990),
with the signs that ranking demands: shares fall as the predicted score rises, and rise with
the log-odds of dissatisfaction. Fitted to predictions by boosters that had not seen the row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from churnml.estimators.boosting.ridge import fit_lines

_PENALTY = 2.0
_ROWS = 20_000
_SIGNS = np.array([-1, 1])


def fit_cumulative(
    score: NDArray[np.float64],
    odds: NDArray[np.float64],
    place: NDArray[np.int64],
    weight: NDArray[np.float64],
    thresholds: int,
) -> NDArray[np.float64]:
    """Intercept and slopes of the log-odds at each threshold but the last.

    Parameters
    ----------
    score, odds : array of float64, shape (n,)
        The indices, in any unit; one that does not vary gets the slope 0.
    place : array of int64, shape (n,)
        The first threshold that each outcome does not exceed, from 0.
    weight : array of float64, shape (n,)
    thresholds : int

    Returns
    -------
    array of float64, shape (thresholds - 1, 3)
        Intercept, slope by score (at most 0), slope by odds (at least 0).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> score = rng.normal(size=5000)
    >>> place = (score + rng.logistic(size=5000) > 0).astype(int)
    >>> fit_cumulative(score, np.zeros(5000), place, np.ones(5000), 2).round(1) + 0.0
    array([[ 0., -1.,  0.]])
    """
    # In canonical order, so that the first rows are a fair sample.
    some = slice(0, _ROWS)
    indices = np.column_stack([score[some], odds[some]])
    mean = np.average(indices, axis=0, weights=weight[some])
    spread = np.sqrt(np.average((indices - mean) ** 2, axis=0, weights=weight[some]))
    scale = np.where(spread > 1e-9, spread, np.inf)
    design = (indices - mean) / scale
    coefficients = np.zeros((thresholds - 1, 3))
    for at in range(thresholds - 1):
        (line,) = fit_lines(
            design,
            (place[some] <= at).astype(np.float64),
            weight[some],
            loss="logistic",
            penalties=(_PENALTY,),
            signs=_SIGNS,
        )
        slopes = line.weights / scale
        coefficients[at] = [line.intercept - float(slopes @ mean), *slopes]
    return coefficients
