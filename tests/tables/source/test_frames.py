"""Operator tables given as frames: every kind reads as its file does."""

from datetime import date

import duckdb
import ibis
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import churnml
from churnml.errors import ContractError, DataError, UsageError
from churnml.features import build_features

CUSTOMERS = pa.table(
    {
        "customer_id": [f"C{number}" for number in range(9)],
        "activated_on": [date(2024, 1, 1 + number) for number in range(9)],
        "terminated_on": pa.array([None] * 8 + [date(2026, 2, 3)], pa.date32()),
        "payment": ["prepaid", "postpaid", "prepaid"] * 3,
        "brand": ["gotone", None, "mzone"] * 3,
    }
)
BILLS = pa.table(
    {
        "customer_id": [f"C{number}" for number in range(9)] * 3,
        "month": [date(2025, 12, 1)] * 9 + [date(2026, 1, 1)] * 9 + [date(2026, 2, 1)] * 9,
        "amount": [12.5 * number for number in range(27)],
    }
)

KINDS = {
    "pandas": lambda file: pd.read_parquet(file),
    "polars": lambda file: pl.read_parquet(file),
    "polars lazy": lambda file: pl.scan_parquet(file),
    "DuckDB": lambda file: duckdb.sql(f"FROM '{file}'"),
    "Ibis": lambda file: ibis.memtable(pq.read_table(file)),
    "Arrow": lambda file: pq.read_table(file),
    "Arrow dataset": lambda file: ds.dataset(file),
    "Arrow reader": lambda file: pq.read_table(file).to_reader(),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("frames")
    pq.write_table(CUSTOMERS, place / "customers.parquet")
    pq.write_table(BILLS, place / "bills.parquet")
    return place


def rows_of(source):
    return {
        name: table.order_by(table.columns).to_pyarrow() for name, table in source.tables.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_reads_as_its_file(kind, folder):
    read = KINDS[kind]
    frames = {name: read(folder / f"{name}.parquet") for name in ("customers", "bills")}
    source = churnml.open_source(frames)
    assert source.fingerprint() == churnml.open_source(given()).fingerprint()
    assert rows_of(source) == rows_of(churnml.open_source(folder))


@pytest.fixture(scope="module")
def built(folder):
    return build_features(churnml.open_source(folder), "2026-03-01").to_pyarrow()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_gives_the_features_of_its_file(kind, folder, built):
    read = KINDS[kind]
    frames = {name: read(folder / f"{name}.parquet") for name in ("customers", "bills")}
    assert build_features(churnml.open_source(frames), "2026-03-01").to_pyarrow().equals(built)


def given(**changed):
    return {"customers": CUSTOMERS, "bills": BILLS} | changed


def test_the_rows_decide_the_fingerprint_and_their_order_does_not():
    whole = churnml.open_source(given()).fingerprint()
    backwards = BILLS.take(list(range(26, -1, -1)))
    assert churnml.open_source(given(bills=backwards)).fingerprint() == whole
    assert churnml.open_source(given(bills=BILLS.slice(1))).fingerprint() != whole


def test_a_breach_names_table_column_value_and_the_place_in_the_frame():
    amounts = [12.5] * 27
    amounts[17] = -3.0
    bad = BILLS.set_column(2, "amount", pa.array(amounts))
    report = churnml.validate(churnml.open_source(given(bills=bad))).report
    (breach,) = [one for one in report.breaches if one.code == "C04"]
    assert (breach.table, breach.column, breach.examples) == ("bills", "amount", ("-3.0",))
    assert breach.rows == (18,)


def test_a_mapping_renames_the_columns_of_frames(tmp_path):
    mapping = tmp_path / "source.yaml"
    mapping.write_text("tables: {bills: {columns: {费用: amount}}}", encoding="utf-8")
    renamed = BILLS.rename_columns(["customer_id", "month", "费用"])
    source = churnml.open_source(given(bills=renamed), mapping=mapping)
    assert source.tables["bills"].amount.sum().to_pyarrow().as_py() == sum(
        BILLS["amount"].to_pylist()
    )


def test_later_changes_of_a_frame_change_nothing():
    frame = BILLS.to_pandas()
    source = churnml.open_source(given(bills=frame))
    frame.loc[:, "amount"] = 0.0
    assert source.tables["bills"].amount.sum().to_pyarrow().as_py() > 0


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ([{"customer_id": "C1"}], "bills: a list is not a frame.*pandas.DataFrame"),
        ({"customer_id": ["C1"]}, "bills: a dict is not a frame"),
        ("bills.csv", "bills: a str is not a frame.*scan_parquet"),
        (pd.Series([1]), "bills: a pandas Series is not a frame"),
        (pl.Series([1]), "bills: a polars Series is not a frame"),
        (BILLS["amount"], "bills: a pyarrow ChunkedArray is not a frame"),
        (None, "bills: a NoneType is not a frame"),
        (pd.DataFrame, "bills: a type is not a frame"),
    ],
)
def test_what_is_no_frame_is_refused_in_a_sentence(frame, words):
    with pytest.raises(UsageError, match=words):
        churnml.open_source(given(bills=frame))


def test_an_unknown_table_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"'bill' is not a table.*Did you mean 'bills'"):
        churnml.open_source(given(bill=BILLS))


def test_frames_without_a_table_are_refused():
    with pytest.raises(ContractError, match="no table of the contract"):
        churnml.open_source({})


def test_something_else_as_a_location_is_refused():
    with pytest.raises(UsageError, match="A DataFrame is not a place of operator tables"):
        churnml.open_source(BILLS.to_pandas())


def test_columns_of_two_types_names_or_of_one_name_are_refused():
    mixed = pd.DataFrame({"customer_id": ["C1", 2], "month": ["2026-01-01"] * 2})
    with pytest.raises(DataError, match="bills: the rows of this pandas DataFrame cannot be read"):
        churnml.open_source(given(bills=mixed))
    with pytest.raises(ContractError, match="bills: column 0 has a name that is not text"):
        churnml.open_source(given(bills=pd.DataFrame([["C1"]])))
    twice = pd.DataFrame([["C1", 1.0, 2.0]], columns=["customer_id", "amount", "Amount"])
    with pytest.raises(ContractError, match="two columns are called 'amount' and 'Amount'"):
        churnml.open_source(given(bills=twice))


def test_a_lazy_frame_whose_file_is_gone_is_refused(tmp_path):
    with pytest.raises(DataError, match="bills: the rows of this polars LazyFrame"):
        churnml.open_source(given(bills=pl.scan_parquet(tmp_path / "none.parquet")))
