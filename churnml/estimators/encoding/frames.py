"""Frames of any kind as plain columns: single-precision numbers, or text.

Whatever a frame's own types are (objects, Python or Arrow text, categories, nullable
integers, decimals, booleans), the same values become the same arrays. Numbers are rounded to
single precision before anything else sees them, so that ``float32``, ``float64`` and
decimal columns give the same model and the same scores.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.utils import check_array

from churnml.errors import DataError, SchemaError

Kind = Literal["number", "category"]
MISSING = -1
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_NUMERIC_OBJECTS = {"boolean", "integer", "floating", "mixed-integer-float", "decimal"}


@dataclass(frozen=True, kw_only=True)
class Values:
    """One column, read.

    Attributes
    ----------
    kind : {"number", "category"}
    numbers : array of float32, shape (n,)
        Missing values are NaN; empty for a category.
    codes : array of int32, shape (n,)
        Positions in ``levels``, -1 where missing; empty for a number.
    levels : tuple of str
        The distinct texts of a category, sorted.
    """

    kind: Kind
    numbers: NDArray[np.float32]
    codes: NDArray[np.int32]
    levels: tuple[str, ...]

    def take(self, rows: NDArray[np.int64]) -> Values:
        """The same column at other rows."""
        if self.kind == "number":
            return Values(kind="number", numbers=self.numbers[rows], codes=self.codes, levels=())
        return Values(
            kind="category", numbers=self.numbers, codes=self.codes[rows], levels=self.levels
        )


def as_frame(X: Any) -> pd.DataFrame:
    """A pandas frame of anything that holds columns.

    Parameters
    ----------
    X : DataFrame, array of shape (n, k), or anything that speaks the Arrow C stream
        Arrow and polars tables, DuckDB relations and Ibis tables speak it. Columns
        of an array are called ``x0``, ``x1``, ...

    Returns
    -------
    DataFrame
        With text as column names; the caller's own frame is not changed.

    Raises
    ------
    DataError
        Where two columns have the same name.

    Examples
    --------
    >>> list(as_frame(np.zeros((2, 3))).columns)
    ['x0', 'x1', 'x2']
    """
    X = collected(X)
    if isinstance(X, pd.DataFrame):
        frame = X.set_axis(_names(X.columns), axis=1)
    elif hasattr(X, "__arrow_c_stream__"):
        frame = _from_arrow(pa.table(X))
    else:
        array = check_array(X, dtype=None, ensure_all_finite=False, ensure_min_samples=0)
        frame = pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])])
    _refuse_duplicates(list(frame.columns))
    return frame


def collected(X: Any) -> Any:
    """What holds columns: a lazy frame of polars collected, all else as it is.

    Raises
    ------
    DataError
        A list of dicts, a dict of columns, one column alone, or what holds no columns at all.
    """
    # Some sparse matrices are dicts too; scikit-learn refuses these in its own words.
    columns = isinstance(X, Mapping) and not hasattr(X, "shape")
    if columns or (isinstance(X, list | tuple) and X and isinstance(X[0], Mapping)):
        kind = "a dict" if columns else "a list of dicts"
        raise DataError(
            f"X is {kind}; a frame or an array of numbers was expected.",
            hint="pandas.DataFrame(X) makes a frame of it.",
        )
    if _is_one_column(X):
        raise DataError(
            "X is one column; a frame or an array of numbers was expected.",
            hint="A frame of one column is written frame[[name]].",
        )
    rows = isinstance(X, Iterator) and not hasattr(X, "__arrow_c_stream__")
    if X is None or isinstance(X, str | bytes) or rows:
        raise DataError(f"X is a {type(X).__name__}; a frame or an array of numbers was expected.")
    lazy = type(X).__module__.partition(".")[0] == "polars" and hasattr(X, "collect")
    return X.collect() if lazy else X


def _is_one_column(X: Any) -> bool:
    """Whether it is a column of a frame, as pandas, polars and Arrow keep one."""
    if isinstance(X, pa.Array | pa.ChunkedArray):
        return not pa.types.is_struct(X.type)
    return isinstance(X, pd.Series) or (
        type(X).__module__.partition(".")[0] == "polars" and type(X).__name__ == "Series"
    )


def _names(columns: pd.Index) -> list[str]:
    """Column names as text; those that pandas made up go by position, as in an array."""
    if isinstance(columns, pd.RangeIndex):
        return [f"x{at}" for at in range(len(columns))]
    return [str(name) for name in columns]


def _from_arrow(table: pa.Table) -> pd.DataFrame:
    doubled = [
        pa.field(field.name, pa.float64()) if pa.types.is_decimal(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(doubled)).to_pandas()


def _refuse_duplicates(names: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if name in seen:
            raise DataError(
                f"column {name!r} appears at positions {seen[name]} and {position}.",
                hint="Every column needs a name of its own.",
                column=name,
            )
        seen[name] = position


def align(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The named columns of a frame, in that order; others are left out.

    Raises
    ------
    SchemaError
        Where columns are missing; the message names each with the nearest column that
        the frame has instead, or the one that stands in its place.

    Examples
    --------
    >>> align(pd.DataFrame({"b": [1], "extra": [2], "a": [3]}), ["a", "b"]).columns.tolist()
    ['a', 'b']
    >>> align(pd.DataFrame({"tenures": [1], "a": [3]}), ["a", "tenure"])
    Traceback (most recent call last):
    ...
    churnml.errors.SchemaError: 1 column is missing: 'tenure' (nearest found: 'tenures'). ...
    """
    columns = list(frame.columns)
    missing = [name for name in names if name not in set(columns)]
    if missing:
        raise missing_columns(missing, names, columns)
    return frame.loc[:, list(names)]


def missing_columns(
    missing: Sequence[str], expected: Sequence[str], columns: Sequence[str]
) -> SchemaError:
    """The error for columns that a model needs and a table does not have."""
    listed = [_tell_missing(name, expected, columns) for name in missing[:10]]
    more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
    count = "1 column is" if len(missing) == 1 else f"{len(missing)} columns are"
    return SchemaError(
        f"{count} missing: {', '.join(listed)}{more}.",
        hint="Rename the columns as in training, or train on what this table has.",
        column=missing[0],
        count=len(missing),
        expected=list(missing),
    )


def _tell_missing(name: str, expected: Sequence[str], columns: Sequence[str]) -> str:
    strangers = [other for other in columns if other not in set(expected)]
    near = difflib.get_close_matches(name, strangers, n=1, cutoff=0.6)
    if near:
        return f"{name!r} (nearest found: {near[0]!r})"
    position = list(expected).index(name)
    if len(columns) == len(expected) and columns[position] in strangers:
        return f"{name!r} (found {columns[position]!r} at position {position + 1})"
    return repr(name)


def read_column(series: pd.Series, kind: Kind | None = None) -> Values:
    """One column of a frame as numbers or as a category.

    Parameters
    ----------
    series : Series
        Numbers and booleans are numbers, text is a category. A column without any
        value is a number.
    kind : {"number", "category"}, optional
        What it was in training. Numbers become a category by their shortest text
        (``3``, not ``3.0``); text where a number is due is refused.

    Raises
    ------
    SchemaError
        Where text stands in a column of numbers.
    DataError
        Dates, and values that are neither numbers nor text.

    Examples
    --------
    >>> read_column(pd.Series([1, None], dtype="Int64")).numbers
    array([ 1., nan], dtype=float32)
    >>> read_column(pd.Series(["b", None, "a", "b"])).codes
    array([ 1, -1,  0,  1], dtype=int32)
    """
    native = _native_kind(series)
    if native == "empty":
        native = kind or "number"
    if kind == "number" and native == "category":
        raise _text_for_number(series)
    if (kind or native) == "number":
        return Values(
            kind="number", numbers=_numbers(series), codes=np.empty(0, np.int32), levels=()
        )
    return _category(_texts_of_numbers(series) if native == "number" else series)


def _native_kind(series: pd.Series) -> Literal["number", "category", "empty"]:
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(dtype):
        if not pd.api.types.is_object_dtype(dtype):
            return "category"
    elif pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
        if pd.api.types.is_complex_dtype(dtype):
            raise DataError("Complex data not supported", column=str(series.name))
        return "number"
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if kind == "string":
        return "category"
    if kind == "empty":
        return "empty"
    if kind in _NUMERIC_OBJECTS or _is_decimal(dtype):
        return "number"
    if kind in {"mixed", "mixed-integer"} and pd.api.types.is_object_dtype(dtype):
        return _kind_of_mixture(series)
    raise DataError(
        f"column {series.name!r} holds {kind} values; numbers, text or booleans were expected.",
        hint="Turn dates into ages in days, and take nested values apart.",
        column=str(series.name),
    )


def _is_decimal(dtype: Any) -> bool:
    return isinstance(dtype, pd.ArrowDtype) and pa.types.is_decimal(dtype.pyarrow_dtype)


def _kind_of_mixture(series: pd.Series) -> Literal["number", "category"]:
    for value in series:
        if not isinstance(value, str | bool | int | float | Decimal | np.generic | None):
            # scikit-learn's common checks ask for these words.
            raise TypeError(
                f"column {series.name!r}: argument must be a string or a number, "
                f"not {type(value).__name__}"
            )
    return "category" if any(isinstance(value, str) for value in series) else "number"


def _numbers(series: pd.Series) -> NDArray[np.float32]:
    if series.dtype in _FLOATS:
        wide = series.to_numpy()
    else:
        wide = pd.Series(series).to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(over="ignore"):
        numbers = wide.astype(np.float32)
    infinite = np.isinf(numbers)
    if infinite.any():
        infinite = np.flatnonzero(infinite)
        row = int(infinite[0])
        raise DataError(
            f"column {series.name!r}: {infinite.size} values are infinite or beyond 3.4e38 "
            f"(infinity; first at row {row + 1}: {wide[row]}).",
            hint="Correct them, or make them missing.",
            column=str(series.name),
            row=row + 1,
            value=str(wide[row]),
            count=int(infinite.size),
            expected="finite numbers",
        )
    # Minus zero and zero are the same value and must be the same bytes.
    numbers += np.float32(0)
    return numbers


def _text_for_number(series: pd.Series) -> SchemaError:
    texts = [isinstance(value, str) for value in series]
    places = np.flatnonzero(texts if any(texts) else series.notna().to_numpy())
    row, value = int(places[0]), series.iloc[places[0]]
    return SchemaError(
        f"column {series.name!r} held numbers in training and holds text now "
        f"(row {row + 1}: {value!r}).",
        hint="Give numbers, or train again.",
        column=str(series.name),
        row=row + 1,
        value=str(value),
        expected="number",
    )


def number_text(value: Any) -> str:
    """The shortest text of a number or boolean, the same for 3 and 3.0.

    >>> number_text(3.0), number_text(np.float32(0.1)), number_text(True)
    ('3', '0.1', 'True')
    """
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    single = float(np.float32(value))
    if single.is_integer():
        return str(int(value))
    return np.format_float_positional(np.float32(value), trim="-")


def _texts_of_numbers(series: pd.Series) -> pd.Series:
    filled = series.dropna()
    return pd.Series(
        [number_text(value) for value in filled], index=filled.index, dtype="str"
    ).reindex(series.index)


def _category(series: pd.Series) -> Values:
    if isinstance(series.dtype, pd.CategoricalDtype):
        raw, given = series.cat.codes.to_numpy(), list(series.cat.categories)
    else:
        raw, uniques = pd.factorize(series, use_na_sentinel=True)
        given = list(uniques)
    texts = np.array([_level_text(value) for value in given], dtype=object)
    used = np.flatnonzero(np.bincount(raw[raw >= 0], minlength=len(given)))
    levels = sorted(set(texts[used]))
    place = {text: position for position, text in enumerate(levels)}
    lookup = np.array([place.get(text, MISSING) for text in texts] + [MISSING], np.int32)
    return Values(
        kind="category", numbers=np.empty(0, np.float32), codes=lookup[raw], levels=tuple(levels)
    )


def _level_text(value: Any) -> str:
    return value if isinstance(value, str) else number_text(value)


def read_frame(frame: pd.DataFrame, kinds: Iterable[Kind | None]) -> dict[str, Values]:
    """Every column of a frame, by name."""
    return {
        name: read_column(frame[name], kind)
        for name, kind in zip(frame.columns, kinds, strict=True)
    }
