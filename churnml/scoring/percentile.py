"""Percentiles and risk bands of scores among a model's reference scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

BANDS = ("low", "medium", "high", "critical")


def percentile(scores: ArrayLike, reference: Sequence[float]) -> NDArray[np.float64]:
    """The percentage of reference scores below each score.

    Scores equal to a score take the middle of their ranks; between two reference
    quantiles the share is interpolated. One row alone has the same percentile as among
    millions.

    Parameters
    ----------
    scores : array, shape (n,)
    reference : sequence of float
        Quantiles of the reference scores at equal steps from 0 % to 100 %, ascending.

    Returns
    -------
    array, shape (n,)
        From 0 to 100; NaN without any reference.

    Examples
    --------
    >>> percentile([0.0, 0.25, 0.5, 0.9], [0.1, 0.2, 0.3, 0.4, 0.5])
    array([  0. ,  37.5, 100. , 100. ])
    >>> percentile([0.2], [0.1, 0.2, 0.2, 0.3, 0.4])
    array([37.5])
    """
    scores = np.asarray(scores, dtype=float)
    if not len(reference):
        return np.full(scores.shape, np.nan)
    shares = np.linspace(0, 100, len(reference))
    values, place, count = np.unique(
        np.asarray(reference, dtype=float), return_inverse=True, return_counts=True
    )
    middle = np.bincount(place, weights=shares) / count
    return np.interp(scores, values, middle, left=0.0, right=100.0)


def risk_band(percentiles: ArrayLike, cuts: Sequence[float]) -> NDArray[np.object_]:
    """The risk band of each percentile.

    Parameters
    ----------
    percentiles : array, shape (n,)
    cuts : sequence of 3 float
        Where medium, high and critical begin; a percentile on a cut is in the upper band.

    Examples
    --------
    >>> risk_band([0, 49.9, 50, 80, 95, 100], (50, 80, 95)).tolist()
    ['low', 'low', 'medium', 'high', 'critical', 'critical']
    """
    bands = np.array(BANDS, dtype=object)
    return bands[np.searchsorted(np.asarray(cuts), np.asarray(percentiles), side="right")]
