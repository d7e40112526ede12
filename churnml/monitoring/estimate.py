"""Estimate the AUC before outcomes are known, from probabilities that are calibrated (CBPE)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

SLOPES = (0.8, 1.25)
"""The slopes of calibration of the last known month between which an estimate may be shown."""

MOST_OFF = 0.02
"""How far the estimate of the last known month may have been off."""


def expected_auc(probability: ArrayLike, rows: ArrayLike | None = None) -> float:
    """The AUC that probabilities would have, were each of them true.

    The area under the expected true and false positive rates. It tells what the model
    believes: what a change of the world does to its outcomes cannot be seen in it.

    Parameters
    ----------
    probability : array, shape (n,)
    rows : array, shape (n,), optional
        How many customers have each of them; by default one.

    Returns
    -------
    float
        NaN where there is no customer.

    References
    ----------
    Confidence-based performance estimation, as NannyML's documentation describes it.

    Examples
    --------
    >>> round(expected_auc([0.9, 0.6, 0.4, 0.1]), 3)
    0.825
    """
    p = np.asarray(probability, dtype=float)
    many = np.ones_like(p) if rows is None else np.asarray(rows, dtype=float)
    values, place = np.unique(-p, return_inverse=True)
    leavers = np.bincount(place, weights=p * many, minlength=len(values))
    stayers = np.bincount(place, weights=(1 - p) * many, minlength=len(values))
    if not leavers.sum() or not stayers.sum():
        return float("nan")
    hit = np.concatenate([[0.0], np.cumsum(leavers) / leavers.sum()])
    false = np.concatenate([[0.0], np.cumsum(stayers) / stayers.sum()])
    return float(np.trapezoid(hit, false))
