"""Frames of any kind become the same columns."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from churnml.errors import DataError, SchemaError
from churnml.estimators.encoding.frames import align, as_frame, number_text, read_column

NUMBERS = {
    "float64": pd.Series([1.5, np.nan, -0.0, 3.0]),
    "float32": pd.Series([1.5, np.nan, 0.0, 3.0], dtype="float32"),
    "object": pd.Series([1.5, None, 0, 3], dtype=object),
    "decimal": pd.Series([Decimal("1.5"), None, Decimal(0), Decimal(3)], dtype=object),
    "Float64": pd.Series([1.5, None, 0, 3], dtype="Float64"),
    "arrow double": pd.Series([1.5, None, 0, 3], dtype=pd.ArrowDtype(pa.float64())),
    "arrow decimal": pd.Series(
        [Decimal("1.5"), None, Decimal("0"), Decimal("3")],
        dtype=pd.ArrowDtype(pa.decimal128(10, 2)),
    ),
}
TEXTS = {
    "str": pd.Series(["b", None, "a", "b"], dtype="str"),
    "object": pd.Series(["b", None, "a", "b"], dtype=object),
    "object with NaN": pd.Series(["b", np.nan, "a", "b"], dtype=object),
    "category": pd.Series(["b", None, "a", "b"], dtype=pd.CategoricalDtype(["z", "b", "a"])),
    "arrow text": pd.Series(["b", None, "a", "b"], dtype=pd.ArrowDtype(pa.string())),
}


@pytest.mark.parametrize("series", NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_any_type_are_the_same_bytes(series):
    expected = np.array([1.5, np.nan, 0.0, 3.0], np.float32)
    assert read_column(series).numbers.tobytes() == expected.tobytes()


@pytest.mark.parametrize("series", TEXTS.values(), ids=TEXTS)
def test_texts_of_any_type_are_the_same_category(series):
    found = read_column(series)
    assert (found.kind, found.levels) == ("category", ("a", "b"))
    assert found.codes.tolist() == [1, -1, 0, 1]


@pytest.mark.parametrize("dtype", ["bool", "boolean", object, "int64", "Int8"])
def test_booleans_are_the_numbers_0_and_1(dtype):
    assert read_column(pd.Series([True, False], dtype=dtype)).numbers.tolist() == [1.0, 0.0]


def test_a_column_without_values_is_what_it_was_in_training():
    empty = pd.Series([None, None], dtype=object)
    assert read_column(empty).kind == "number"
    assert read_column(empty, "category").codes.tolist() == [-1, -1]


def test_numbers_become_a_category_by_their_shortest_text():
    found = read_column(pd.Series([3.0, 0.1, None]), "category")
    assert found.levels == ("0.1", "3")
    assert found.codes.tolist() == [1, 0, -1]


@pytest.mark.parametrize(
    ("value", "text"), [(3, "3"), (np.int64(3), "3"), (3.5, "3.5"), (np.bool_(True), "True")]
)
def test_number_text(value, text):
    assert number_text(value) == text


def test_text_in_a_column_of_numbers_is_refused_with_row_and_value():
    with pytest.raises(SchemaError, match=r"'tenure' held numbers .*row 2: 'new'"):
        read_column(pd.Series([None, "new"], name="tenure"), "number")


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39])
def test_infinite_numbers_are_refused_with_row_and_value(value):
    with pytest.raises(DataError, match=r"'bill': 1 values are infinite.*row 3"):
        read_column(pd.Series([1.0, 2.0, value], name="bill"))


def test_dates_are_refused():
    with pytest.raises(DataError, match=r"'since' holds datetime64 values"):
        read_column(pd.Series(pd.to_datetime(["2026-01-01"]), name="since"))


def test_nested_values_are_refused():
    with pytest.raises(TypeError, match="'x': argument must be a string or a number, not list"):
        read_column(pd.Series([[1], 2], name="x", dtype=object))


def test_duplicate_names_are_refused_with_their_positions():
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"])
    with pytest.raises(DataError, match="'a' appears at positions 1 and 3"):
        as_frame(frame)


@pytest.mark.parametrize(
    "convert",
    [
        pa.Table.from_pandas,
        lambda frame: pa.Table.from_pandas(frame.astype({"plan": "category"})),
        lambda frame: duckdb.from_df(frame),
    ],
    ids=["arrow", "arrow dictionary", "duckdb"],
)
def test_foreign_tables_are_the_same_columns(convert):
    frame = pd.DataFrame({"bill": [1.5, None], "plan": ["b", "a"], "roams": [True, False]})
    found = as_frame(convert(frame))
    for name in frame:
        ours, theirs = read_column(frame[name]), read_column(found[name])
        assert ours.numbers.tobytes() == theirs.numbers.tobytes()
        assert (ours.codes.tolist(), ours.levels) == (theirs.codes.tolist(), theirs.levels)


def test_missing_columns_are_named_with_what_is_near():
    frame = pd.DataFrame(columns=["Tenure ", "bill", "extra"])
    with pytest.raises(SchemaError) as caught:
        align(frame, ["tenure", "bill", "plan"])
    assert "2 columns are missing" in str(caught.value)
    assert "'tenure' (nearest found: 'Tenure ')" in str(caught.value)
    assert caught.value.details["expected"] == ["tenure", "plan"]


def test_a_column_in_the_place_of_another_is_told():
    frame = pd.DataFrame(columns=["tenure", "revenue"])
    with pytest.raises(SchemaError, match=r"'charge' \(found 'revenue' at position 2\)"):
        align(frame, ["tenure", "charge"])
