"""Read the rows of a frame as `churnml.datasets.flat.read_scoring` reads those of a file."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from churnml.base.text import counted, quoted
from churnml.datasets.flat.beyond import counted_back
from churnml.datasets.flat.signature import Column, Signature
from churnml.datasets.flat.table import ROW
from churnml.datasets.flat.values import bad, prepared
from churnml.errors import SchemaError

_OLDEST = 110_000
"""Days: no date that is read lies further from another."""

_DATES = ("datetime64", "datetime", "date")
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")


def read_frame(frame: pd.DataFrame, signature: Signature) -> pd.DataFrame:
    """Convert a frame's texts and dates to what the model reads.

    Text is read as in training: dates in the layout that they had there, ``NA`` missing
    among numbers and a value of its own among categories. Dates may be text, dates, or
    their ages in days. All else is left as it is.

    Parameters
    ----------
    frame : DataFrame
    signature : Signature
        Its dates are counted from the day that it says.

    Raises
    ------
    SchemaError
        Naming the column, the first row and its value, if something cannot be read.
    """
    known = {one.name: one for one in signature.columns if one.name in frame}
    given = {name: _as_given(frame[name], column) for name, column in known.items()}
    arrays = {name: array for name, array in given.items() if array is not None}
    if not arrays:
        return frame
    read = _read(arrays, [known[name] for name in arrays])
    _tell_beyond(read, known, signature)
    fresh = {name: values.set_axis(frame.index) for name, values in read.items()}
    return frame.assign(**fresh)


def _as_given(series: pd.Series, column: Column) -> pa.Array | None:
    """The column as text, dates or digits to convert; ``None`` if it needs no conversion."""
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if column.kind != "date" and kind != "string":
        return None if not _is_text(series) else _text(series)
    if kind == "string":
        return _text(series)
    if kind in _DATES:
        return _moments(series)
    if kind in _NUMBERS:
        return _digits(series, column)
    if kind == "empty":
        return _text(series)
    if kind == "categorical":
        return _as_given(series.astype(series.cat.categories.dtype), column)
    raise _refused(column, series, series.notna())


def _is_text(series: pd.Series) -> bool:
    dtype = series.dtype
    return isinstance(dtype, pd.CategoricalDtype) and pd.api.types.is_string_dtype(
        dtype.categories.dtype
    )


def _text(series: pd.Series) -> pa.Array:
    return pa.array(series.astype(object), pa.string(), from_pandas=True)


def _moments(series: pd.Series) -> pa.Array:
    """Dates and times, converted to UTC where they have a time zone."""
    zoned = isinstance(series.dtype, pd.DatetimeTZDtype)
    moments = pa.array(series.dt.tz_convert(None) if zoned else series, from_pandas=True)
    return moments.cast(pa.timestamp("us"), safe=False)


def _digits(series: pd.Series, column: Column) -> pa.Array | None:
    """Dates written as digits; ages in days need no conversion."""
    numbers = pd.Series(series.to_numpy(dtype=np.float64, na_value=np.nan))
    ages = numbers.abs() <= _OLDEST
    if (ages | numbers.isna()).all():
        return None
    digits = numbers.notna() & ~ages & (numbers == numbers.round()) & (numbers.abs() < 1e18)
    if ages.any() or not (digits | numbers.isna()).all():
        raise _refused(column, series, numbers.notna() & ~ages)
    return pa.array(numbers.astype("Int64"), pa.int64(), from_pandas=True)


def _read(arrays: dict[str, pa.Array], columns: Sequence[Column]) -> dict[str, pd.Series]:
    names = [f"c{at}" for at in range(len(columns))]
    by_name = dict(zip(names, columns, strict=True))
    rows = pa.table([*arrays.values()], names)
    rows = rows.append_column(ROW, pa.array(range(1, len(rows) + 1), pa.int64()))
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("given", rows)
        kinds = {name: kind for name, kind, *_ in con.execute("DESCRIBE given").fetchall()}
        relation = prepared("given", kinds, by_name, keep=ROW)
        selected = ", ".join(f"t_{x}, {bad(x)} AS b_{x}" for x in names)
        table = con.sql(f"SELECT {selected} FROM {relation} ORDER BY {ROW}").to_arrow_table()
    frame = table.to_pandas()
    for x, column in by_name.items():
        wrong = frame[f"b_{x}"].notna()
        if wrong.any():
            raise _refused(column, frame[f"b_{x}"], wrong)
    return {one.name: frame[f"t_{x}"] for x, one in by_name.items()}


def _refused(column: Column, values: pd.Series, wrong: pd.Series) -> SchemaError:
    row = int(wrong.to_numpy().nonzero()[0][0])
    value: Any = values.iloc[row]
    held = {"number": "numbers", "date": "dates"}.get(column.kind, "text")
    return SchemaError(
        f"column {column.name!r} held {held} in training; {column.expected} expected "
        f"(row {row + 1}: {value!r}).",
        hint="Give the column as the training table had it.",
        column=column.name,
        row=row + 1,
        value=str(value),
        count=int(wrong.sum()),
        expected=column.expected,
    )


def _tell_beyond(
    read: dict[str, pd.Series], known: dict[str, Column], signature: Signature
) -> None:
    """Warn of dates after the day from which ages are counted."""
    for name, ages in read.items():
        beyond = int((ages < 0).sum()) if counted_back(known[name]) else 0
        if beyond and signature.snapshot is not None:
            warnings.warn(
                f"{quoted(name)}: {counted(beyond, 'date lies', 'dates lie')} after "
                f"{known[name].reference}, the day from which dates are counted; params as_of "
                "names another.",
                stacklevel=2,
            )
