"""Detect columns that are constant, identify the customer, or repeat the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_FEW_ROWS = 50
_NEARLY_EVERY = 0.9
_DIGITS = 9
_OFTEN = 0.2
_ROWS_A_LEVEL = 10
_RARER = 20


def useless(column: pd.Series, entities: NDArray[np.int64], *, dates: bool = False) -> str | None:
    """Why a column is left out, or ``None``.

    Parameters
    ----------
    column : Series, shape (n,)
        Numbers, or text.
    entities : array of int, shape (n,)
        Which customer or group each row belongs to.
    dates : bool, default False
        Ages of dates may differ in every row and still say something.

    Examples
    --------
    >>> useless(pd.Series([1.0, 1.0]), np.arange(2))
    'always 1'
    >>> useless(pd.Series([float("nan")] * 2), np.arange(2))
    'empty'
    """
    if column.isna().all():
        return "empty"
    if column.nunique(dropna=False) == 1:
        value = column.iloc[0]
        return f"always {value:g}" if isinstance(value, float) else f"always {value!r}"
    return None if dates else _identifier(column, entities)


def _identifier(column: pd.Series, entities: NDArray[np.int64]) -> str | None:
    """Why a column identifies customers rather than describing them."""
    pairs = pd.DataFrame({"value": column.to_numpy(), "entity": entities}).dropna()
    if not pairs["entity"].duplicated().any() or _constant_within(pairs):
        pairs = pairs.drop_duplicates("entity")
    count, levels = len(pairs), pairs["value"].nunique()
    if count < _FEW_ROWS:
        return None
    if not pd.api.types.is_numeric_dtype(column):
        return "nearly every value differs" if levels >= _NEARLY_EVERY * count else None
    numbers = pairs["value"].to_numpy(dtype=float)
    if not np.equal(numbers, np.floor(numbers)).all():
        return None
    low, high = float(numbers.min()), float(numbers.max())
    if levels == count:
        steps = np.diff(numbers)
        if (steps > 0).all() or (steps < 0).all():
            return "numbers the rows"
        if high - low < 1.1 * count:
            return "every value differs, like row numbers"
    # Amounts spread over lengths; telephone and account numbers have one length, but for a few.
    first, last = (f"{number:.0f}" for number in np.quantile(numbers, (0.05, 0.95)))
    if len(first) == len(last) >= _DIGITS and low >= 0 and levels >= _OFTEN * count:
        return f"numbers of {len(first)} digits, like telephone numbers"
    return None


def _constant_within(pairs: pd.DataFrame) -> bool:
    return bool((pairs.groupby("entity")["value"].nunique() == 1).all())


def tells_target(column: pd.Series, y: NDArray[Any]) -> bool:
    """Whether a column determines the target: each of its values goes with one target only.

    Missing counts as a value, as with a reason for leaving that only those who left have.

    Examples
    --------
    >>> y = np.repeat([0.0, 1.0], 100)
    >>> tells_target(pd.Series(np.where(y == 1, "gone", "here")), y)
    True
    >>> tells_target(pd.Series(["a", "b"] * 100), y)
    False
    """
    codes, levels = pd.factorize(column, use_na_sentinel=False)
    classes, counts = np.unique(y, return_counts=True)
    if len(levels) < len(classes) or len(y) - counts.max() < _RARER:
        return False
    if len(levels) > len(classes) and len(y) < _ROWS_A_LEVEL * len(levels):
        return False
    return bool(pd.Series(y).groupby(codes).nunique().max() == 1)
