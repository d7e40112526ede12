"""What several columns say of the target together, on rows that were not looked at for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_RIDGE = 1e-3
Floats = NDArray[np.float64]


def together(means: Floats, y: Floats, folds: NDArray[np.int64]) -> Floats:
    """What several columns say together, added up with the weights that fit best.

    Parameters
    ----------
    means : array of float, shape (n, k)
        What each column says alone, of `churnml.metrics.univariate.unseen_means`.
    y : array of float, shape (n,)
    folds : array of int, shape (n,)

    Returns
    -------
    array of float, shape (n,)
        Fitted on one half of the folds, predicted for the other.
    """
    if not means.shape[1]:
        return np.zeros(len(y))
    spread = means.std(axis=0)
    scaled = (means - means.mean(axis=0)) / np.where(spread > 0, spread, 1)
    predicted = np.zeros(len(y))
    for half in (0, 1):
        out = folds % 2 == half
        if out.all() or not out.any():
            continue
        x, target = scaled[~out], y[~out] - y[~out].mean()
        gram = x.T @ x + _RIDGE * len(x) * np.eye(x.shape[1])
        predicted[out] = scaled[out] @ np.linalg.solve(gram, x.T @ target)
    return predicted
