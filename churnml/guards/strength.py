"""How much one column alone says of the target, on rows that were not looked at for it.

A column's values fall into bins (quantiles of numbers, levels of categories, and one for
what is missing); each row gets the mean target of its bin over the other folds. What such
means reach is what the column alone can reach, whatever the shape of the relation.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

FOLDS = 5
_BINS = 32
_LEVELS = 1_000
_PRIOR = 5.0
_RIDGE = 1e-3


def binned(column: pd.Series) -> Whole:
    """A column as bins from 0 on, the last for what is missing.

    Examples
    --------
    >>> binned(pd.Series(["b", "a", None, "a"])).tolist()
    [1, 0, 3, 0]
    """
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        codes, levels = pd.factorize(column)
        few = np.bincount(codes[codes >= 0], minlength=len(levels)).argsort()[::-1][:_LEVELS]
        place = np.full(len(levels) + 1, len(few), dtype=np.int64)
        place[few] = np.arange(len(few))
        place[-1] = len(few) + 1
        return place[codes]
    values = column.to_numpy(dtype=float, na_value=np.nan)
    present = values[~np.isnan(values)]
    edges = np.unique(np.quantile(present, np.linspace(0, 1, _BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, values, side="left")
    bins[np.isnan(values)] = len(edges) + 1
    return bins.astype(np.int64)


def unseen_means(bins: Whole, y: Floats, folds: Whole) -> Floats:
    """The mean target of each row's bin in the folds that the row is not in.

    Parameters
    ----------
    bins : array of int, shape (n,)
    y : array of float, shape (n,)
    folds : array of int, shape (n,)
        From 0 to ``FOLDS - 1``; a customer's rows in one.

    Returns
    -------
    array of float, shape (n,)
        Drawn towards the mean of all where a bin has few rows.
    """
    width = int(bins.max()) + 1
    cells = folds * width + bins
    rows = np.bincount(cells, minlength=FOLDS * width).reshape(FOLDS, width)
    sums = np.bincount(cells, weights=y, minlength=FOLDS * width).reshape(FOLDS, width)
    others, total = rows.sum(axis=0) - rows, sums.sum(axis=0) - sums
    prior = total.sum(axis=1) / np.maximum(others.sum(axis=1), 1)
    means = (total + _PRIOR * prior[:, None]) / (others + _PRIOR)
    # Less the fold's own mean of all: where the folds' means differ, that difference would
    # rank rows by what they were not looked at for.
    return np.asarray((means - prior[:, None])[folds, bins])


def auc(y: Floats, scores: Floats) -> float:
    """The share of pairs of a leaver and a stayer that scores put in the right order."""
    ranks = pd.Series(scores).rank().to_numpy()
    hits = y.sum()
    others = len(y) - hits
    if not hits or not others:
        return 0.5
    return float((ranks[y == 1].sum() - hits * (hits + 1) / 2) / (hits * others))


def explained(y: Floats, scores: Floats) -> float:
    """R² of the best line through the scores: the squared correlation, 0 where it is negative."""
    if np.ptp(scores) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(max(np.corrcoef(y, scores)[0, 1], 0.0) ** 2)


def together(means: Floats, y: Floats, folds: Whole) -> Floats:
    """What several columns say together, added up with the weights that fit best.

    Parameters
    ----------
    means : array of float, shape (n, k)
        Of `unseen_means`, a column each.

    Returns
    -------
    array of float, shape (n,)
        Fitted on one half of the folds, told for the other.
    """
    if not means.shape[1]:
        return np.zeros(len(y))
    spread = means.std(axis=0)
    scaled = (means - means.mean(axis=0)) / np.where(spread > 0, spread, 1)
    found = np.zeros(len(y))
    for half in (0, 1):
        out = folds % 2 == half
        if out.all() or not out.any():
            continue
        x, target = scaled[~out], y[~out] - y[~out].mean()
        gram = x.T @ x + _RIDGE * len(x) * np.eye(x.shape[1])
        found[out] = scaled[out] @ np.linalg.solve(gram, x.T @ target)
    return found
