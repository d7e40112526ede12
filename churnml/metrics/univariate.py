"""Measure how well each single column predicts the outcome, to detect leakage.

A column's values fall into bins (quantiles of numbers, levels of categories, and one for
what is missing); each row is given the mean outcome of its bin among customers of other
folds. What such means reach is what the column alone can reach, whatever the shape of the
relation, and neither a column of ids nor a level seen once deceives it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.base.tasks import TASKS
from churnml.errors import DataError
from churnml.metrics.check_arrays import check_groups
from churnml.metrics.check_options import check_kind
from churnml.metrics.suites import suite

_ROWS = 40_000
_FOLDS = 5
_BINS = 32
_LEVELS = 1_000
_PRIOR = 5.0
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


def columns_alone(
    task: str, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None = None
) -> dict[str, float]:
    """Rank columns by how well each alone predicts the outcome.

    Parameters
    ----------
    task : {"churn", "satisfaction"}
    X : DataFrame, shape (n, k)
    y : array, shape (n,)
    groups : array, shape (n,), optional
        The customer of each row; else every row is one.

    Returns
    -------
    dict of str to float
        By column: the AUC for churn, R² for satisfaction. At most 40,000 rows are looked at.

    Raises
    ------
    DataError
        Labels other than 0 and 1, answers that are not numbers, groups of another length.
    UsageError
        Another task, or an X that is no DataFrame.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> y = random.random(1000) < 0.2
    >>> X = pd.DataFrame({"noise": random.random(1000), "leak": np.where(y, 7.0, np.nan)})
    >>> columns_alone("churn", X, y)["leak"]
    1.0
    """
    check_kind("X", X, pd.DataFrame)
    outcome = suite(task).check(y)
    if outcome.shape != (len(X),):
        raise DataError(f"y has shape {outcome.shape}, X {len(X):,} rows.", expected=f"({len(X)},)")
    rows, folds = deal(len(outcome), check_groups(groups, len(outcome)))
    means = unseen_means(X.iloc[rows], outcome[rows], folds)
    strengths = {name: reached(task, outcome[rows], values) for name, values in means.items()}
    return dict(sorted(strengths.items(), key=lambda item: (-item[1], item[0])))


def deal(count: int, groups: ArrayLike | None = None) -> tuple[Whole, Whole]:
    """Choose the rows to use and their folds; each customer is in one fold.

    Parameters
    ----------
    count : int
        Rows there are.
    groups : array, shape (count,), optional

    Returns
    -------
    (array of int, array of int), shape (m,) each
        Positions, rising, at most 40,000; folds from 0 to 4.
    """
    entities = np.arange(count) if groups is None else pd.factorize(np.asarray(groups))[0]
    rows = np.arange(count)
    if count > _ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, _ROWS, replace=False))
    shuffled = np.random.default_rng(0).permutation(int(entities.max(initial=0)) + 1)
    return rows, shuffled[entities[rows]] % _FOLDS


def unseen_means(X: pd.DataFrame, y: Floats, folds: Whole) -> dict[str, Floats]:
    """Out-of-fold mean outcomes of each row's value, by column.

    Parameters
    ----------
    X : DataFrame, shape (n, k)
    y : array of float, shape (n,)
    folds : array of int, shape (n,)
        Of `deal`.

    Returns
    -------
    dict of str to array of float, shape (n,)
        Less the mean of those folds altogether, and drawn towards it where a value is rare.
    """
    return {str(name): _means(_binned(column), y, folds) for name, column in X.items()}


def reached(task: str, y: Floats, scores: Floats) -> float:
    """Measure scores: AUC for churn; R² of an increasing line for satisfaction."""
    if np.ptp(scores) <= 1e-9 * np.ptp(y):
        return TASKS[task].chance
    return suite(task).skill(y, scores)


def _binned(column: pd.Series) -> Whole:
    """Bin a column from 0 on, with a last bin for missing values."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        codes, levels = pd.factorize(column)
        few = np.bincount(codes[codes >= 0], minlength=len(levels)).argsort()[::-1][:_LEVELS]
        place = np.full(len(levels) + 1, len(few), dtype=np.int64)
        place[few] = np.arange(len(few))
        place[-1] = len(few) + 1
        return place[codes]
    values: NDArray[Any] = column.to_numpy(dtype=float, na_value=np.nan)
    present = values[~np.isnan(values)]
    cuts = np.linspace(0, 1, _BINS + 1)[1:-1]
    edges = np.unique(np.quantile(present, cuts)) if present.size else present
    bins = np.searchsorted(edges, values, side="left")
    bins[np.isnan(values)] = len(edges) + 1
    return bins.astype(np.int64)


def _means(bins: Whole, y: Floats, folds: Whole) -> Floats:
    width = int(bins.max(initial=0)) + 1
    cells = folds * width + bins
    rows = np.bincount(cells, minlength=_FOLDS * width).reshape(_FOLDS, width)
    sums = np.bincount(cells, weights=y, minlength=_FOLDS * width).reshape(_FOLDS, width)
    others, total = rows.sum(axis=0) - rows, sums.sum(axis=0) - sums
    prior = total.sum(axis=1) / np.maximum(others.sum(axis=1), 1)
    means = (total + _PRIOR * prior[:, None]) / (others + _PRIOR)
    # Less the folds' own mean: where the folds' means differ, that difference would rank
    # rows by what they were not looked at for.
    return np.asarray((means - prior[:, None])[folds, bins])
