"""Reasons of a score: the columns with the largest contributions.

Contributions are exact TreeSHAP values of the model, in log-odds of leaving or, for
satisfaction, in points; those of all columns and the model's base value add up to the
score. The largest come first, whichever way they point: a plus raises the score, a minus
lowers it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from churnml.models.model import Model

REASON = pa.struct(
    [
        ("feature", pa.string()),
        ("driver", pa.string()),
        ("value", pa.string()),
        ("contribution", pa.float64()),
    ]
)


def reasons(model: Model, rows: pd.DataFrame, count: int) -> pa.ListArray:
    """Compute the reasons of each row.

    Parameters
    ----------
    model : Model
    rows : DataFrame, shape (n, k)
        Holds the model's columns.
    count : int
        How many for each row; at most as many as the model has columns.

    Returns
    -------
    list<struct<feature, driver, value, contribution>>, length n
        The largest contribution first; of equals, the column that comes first. ``driver``
        is null for a column that is not an operator feature, ``value`` where it is missing.
    """
    names = model.names
    count = min(count, len(names))
    if rows.empty:
        return pa.array([], pa.list_(REASON))
    contributions = model.estimator.explain(rows)[names].to_numpy()
    # A stable sort, so that equal contributions stand in the order of the columns.
    top = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :count]
    drivers = [column.driver or None for column in model.inputs]
    entries = pa.StructArray.from_arrays(
        [
            _texts(names, top),
            _texts(drivers, top),
            pa.array(_values(rows, names, top), pa.string()),
            pa.array(np.take_along_axis(contributions, top, axis=1).ravel(), pa.float64()),
        ],
        fields=list(REASON),
    )
    offsets = pa.array(np.arange(len(rows) + 1) * count, pa.int32())
    return pa.ListArray.from_arrays(offsets, entries)


def _texts(texts: list[Any], top: NDArray[np.intp]) -> pa.Array:
    return pa.array(texts, pa.string()).take(pa.array(top.ravel()))


def _values(rows: pd.DataFrame, names: list[str], top: NDArray[np.intp]) -> list[str | None]:
    flat = top.ravel()
    out = np.empty(flat.size, dtype=object)
    row = np.repeat(np.arange(len(rows)), top.shape[1])
    for at in np.unique(flat):
        chosen = np.flatnonzero(flat == at)
        values = rows[names[at]].iloc[row[chosen]]
        out[chosen] = [shown(value) for value in values]
    return list(out)


def shown(value: Any) -> str | None:
    """Format a value for people: at most six digits, ``None`` where missing.

    >>> shown(30.0), shown(1234567.891), shown(0.00001234), shown("a"), shown(float("nan"))
    ('30', '1234570', '0.00001234', 'a', None)
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if pd.isna(value):
        return None
    number = float(value)
    if number == 0 or not math.isfinite(number):
        return "0" if number == 0 else str(number)
    if number.is_integer() and abs(number) < 1e6:
        return str(int(number))
    return np.format_float_positional(number, precision=6, fractional=False, trim="-")
