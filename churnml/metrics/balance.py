"""Balance between survey respondents and everybody, before and after weighting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.errors import DataError
from churnml.metrics.check_arrays import (
    check_labels,
    check_pair,
    check_weight,
    numbers,
    row_weights,
)
from churnml.metrics.check_options import check_kind, check_number

COLUMNS = ("feature", "level", "known", "everybody", "answered", "weighted", "before", "after")
"""Of the table that `balance` gives."""

CLEAR = 0.1
"""Standardised mean differences beyond it are usually called imbalances."""

COMMON = 0.05
"""Of what a smaller share has, a handful of answers makes a mean: it decides nothing."""

_MOST_LEVELS = 20


def balance(
    X: pd.DataFrame,
    answered: ArrayLike,
    weight: ArrayLike,
    standing: ArrayLike | None = None,
) -> pd.DataFrame:
    """Compute standardised mean differences between respondents and everybody.

    The difference of the means in standard deviations of everybody (Austin 2009); beyond
    0.1 it is usually called an imbalance. Missing numbers are a level of their own.

    Parameters
    ----------
    X : DataFrame, shape (n, k)
        Numbers and text.
    answered : array of bool, shape (n,)
    weight : array of float, shape (n,)
        Of those who answered; the others' is not read.
    standing : array of float, shape (n,), optional
        How many customers each row stands for, where the rows are a sample.

    Returns
    -------
    DataFrame
        One row for each number and each frequent level of a category, the largest
        difference before weighting first: ``feature``, ``level`` (missing for a number),
        ``known`` (share of everybody with a value, from 0 to 1), ``everybody``,
        ``answered`` and ``weighted`` (means, or shares from 0 to 1), ``before`` and
        ``after`` (the differences). Columns that do not vary are left out.

    Raises
    ------
    DataError
        Nobody answered, other lengths, weights that are missing or negative.
    UsageError
        ``X`` is no DataFrame.

    Examples
    --------
    >>> X = pd.DataFrame({"age": [20.0, 20.0, 60.0, 60.0]})
    >>> found = balance(X, [True, False, True, True], [2.0, 0.0, 1.0, 1.0])
    >>> found[["before", "after"]].round(2).to_numpy().tolist()
    [[0.33, 0.0]]
    """
    check_kind("X", X, pd.DataFrame)
    who = check_labels(answered).astype(bool)
    weights = numbers("weights", weight)
    if not (len(X),) == who.shape == weights.shape:
        raise DataError(f"X has {len(X)} rows, answered {who.size}, weight {weights.size}.")
    if not who.any():
        raise DataError("nobody answered; there is nothing to compare.", count=0)
    weights = np.where(who, weights, 0.0)
    check_weight(weights, who.size)
    stands = np.ones(who.size) if standing is None else row_weights(standing, who.size)
    rows = [
        row
        for name in X.columns
        for level, values in _indicators(X[name])
        if (row := _row(str(name), level, values, who, weights, stands)) is not None
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = np.argsort(-table["before"].abs().to_numpy(float), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def _indicators(column: pd.Series) -> list[tuple[str | None, NDArray[np.float64]]]:
    """The column's numbers, or 0 and 1 for each frequent level and for missing."""
    missing = column.isna().to_numpy()
    lost = [("missing", missing.astype(np.float64))] if missing.any() else []
    if pd.api.types.is_numeric_dtype(column.dtype):
        return [(None, column.to_numpy(np.float64, na_value=np.nan)), *lost]
    texts = column.astype("str")
    levels = texts[~missing].value_counts().index[:_MOST_LEVELS]
    frequent = [(str(one), (texts == one).to_numpy(np.float64)) for one in levels]
    return [*frequent, *lost]


def _row(
    name: str,
    level: str | None,
    values: NDArray[np.float64],
    who: NDArray[np.bool_],
    weight: NDArray[np.float64],
    standing: NDArray[np.float64],
) -> tuple[Any, ...] | None:
    known = np.isfinite(values)
    there = known & who
    if not there.any():
        return None
    mean = float(np.average(values[known], weights=standing[known]))
    spread = float(np.sqrt(np.average((values[known] - mean) ** 2, weights=standing[known])))
    if spread <= 1e-9 * max(1.0, abs(mean)):
        return None
    plain = float(np.average(values[there], weights=standing[there]))
    weighted = float(np.average(values[there], weights=(weight * standing)[there]))
    share = float(np.average(known, weights=standing))
    return (
        name,
        level,
        share,
        mean,
        plain,
        weighted,
        (plain - mean) / spread,
        (weighted - mean) / spread,
    )


def hidden_mean(score: ArrayLike, weight: ArrayLike, odds: float, *, step: float = 10.0) -> float:
    """Estimate everybody's mean score if the odds of answering depended on the score itself.

    No column can show whether they do, and no weight by columns can correct it: the assumption
    is stated, and what would follow is computed (exponential tilting; Scharfstein, Rotnitzky
    and Robins 1999), where few of those asked answer.

    Parameters
    ----------
    score : array, shape (n,)
        Of those who answered.
    weight : array, shape (n,)
    odds : float
        By how much the odds of answering are multiplied with every ``step`` points more;
        above 0.
    step : float, default 10
        Above 0.

    Raises
    ------
    DataError
        Scores or weights that are missing, of other lengths; weights below 0.
    UsageError
        ``odds`` or ``step`` not above 0.

    Examples
    --------
    >>> hidden_mean([60, 80], [1, 1], 1.0), round(hidden_mean([60, 80], [1, 1], 1.2), 2)
    (70.0, 68.2)
    """
    slope = np.log(check_number("odds", odds, positive=True))
    slope /= check_number("step", step, positive=True)
    scores, weights = check_pair(score, weight, name="weights")
    check_weight(weights, scores.size)
    return float(np.average(scores, weights=weights * np.exp(-slope * scores)))
