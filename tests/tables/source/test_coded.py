"""Categories of complaints from a file: joined as they became known, or refused."""

import datetime as dt
from datetime import date

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnml.errors import ContractError, DataError
from churnml.features import build_features
from churnml.tables.source import open_source

MAY = dt.datetime(2026, 5, 10, 9)
STAMP = pa.timestamp("us")


def coded(path, rows, **changes):
    columns = {
        "complaint_id": pa.array([row[0] for row in rows], pa.string()),
        "category": pa.array([row[1] for row in rows], pa.string()),
        "subcategory": pa.array([None for row in rows], pa.string()),
        "coder": pa.array(["text" for row in rows], pa.string()),
        "confidence": pa.array([0.97 for row in rows], pa.float64()),
        "known_at": pa.array([row[2] for row in rows], STAMP),
    } | changes
    pq.write_table(pa.table({k: v for k, v in columns.items() if v is not None}), path)


@pytest.fixture
def operator(parquet, folder):
    """Three complaints of one customer: one coded by the operator, two by a file."""
    parquet(
        "customers",
        types={"terminated_on": pa.date32()},
        customer_id=["1"],
        activated_on=[date(2020, 1, 1)],
        terminated_on=[None],
        payment=["prepaid"],
    )
    parquet("bills", customer_id=["1"], month=[date(2026, 5, 1)], amount=[5.0])
    parquet(
        "complaints",
        types={"closed_at": STAMP},
        complaint_id=["a", "b", "c"],
        customer_id=["1"] * 3,
        opened_at=[MAY] * 3,
        closed_at=[None] * 3,
        category=["tariff", None, None],
        text=["bill", "signal", "signal"],
        known_at=[MAY] * 3,
    )
    later = dt.datetime(2026, 6, 15)
    coded(folder / "coded.parquet", [("a", "network", MAY), ("b", "network", MAY),
                                     ("c", "network", later)])  # fmt: skip
    return folder


MAPPINGS = ["complaints: {coded: coded.parquet}", "tables: {complaints: {coded: coded.parquet}}"]


def seen(source, day):
    rows = source.until(day).tables["complaints"].order_by("complaint_id").to_pyarrow().to_pylist()
    return [row["category"] for row in rows]


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_file_fills_what_the_operator_left_open_once_it_is_known(operator, mapping):
    (operator / "source.yaml").write_text(mapping)
    source = open_source(operator)
    assert seen(source, "2026-06-01") == ["tariff", "network", None]
    assert seen(source, "2026-06-15") == ["tariff", "network", "network"]
    assert seen(open_source(operator, mapping=_nothing(operator)), "2026-07-01") == [
        "tariff", None, None]  # fmt: skip


def _nothing(folder):
    path = folder.parent / "nothing.yaml"
    path.write_text("encoding: utf-8")
    return path


def test_features_read_it_like_a_column(operator):
    (operator / "source.yaml").write_text(MAPPINGS[0])
    source = open_source(operator)
    days = ["2026-06-01", "2026-06-15"]
    frame = build_features(source, days).to_pandas()
    assert frame["complaints_network_count_90d"].tolist() == [1, 2]
    assert frame["complaints_tariff_count_90d"].tolist() == [1, 1]
    assert frame["complaints_all_count_90d"].tolist() == [3, 3]
    assert frame["complaints_repeat_count_180d"].tolist() == [0, 1]
    bare = build_features(open_source(operator, mapping=_nothing(operator)), days).to_pandas()
    assert bare["complaints_network_count_90d"].tolist() == [0, 0]
    assert bare["complaints_repeat_count_180d"].tolist() == [0, 0]


def test_the_category_column_may_be_absent(operator, parquet):
    whole = pq.read_table(operator / "complaints.parquet")
    pq.write_table(whole.drop_columns(["category"]), operator / "complaints.parquet")
    features = build_features(open_source(operator), "2026-06-15").columns
    assert "complaints_all_count_90d" in features
    assert "complaints_network_count_90d" not in features
    (operator / "source.yaml").write_text(MAPPINGS[0])
    frame = build_features(open_source(operator), "2026-06-15").to_pandas()
    assert frame["complaints_network_count_90d"].tolist() == [3]
    pq.write_table(whole.drop_columns(["category", "text"]), operator / "complaints.parquet")
    with pytest.raises(ContractError, match="no column category"):
        open_source(operator).tables["complaints"]


def test_it_may_lie_beside_the_mapping(operator, tmp_path):
    (operator / "coded.parquet").rename(tmp_path / "coded.parquet")
    (tmp_path / "mine.yaml").write_text(MAPPINGS[0])
    source = open_source(operator, mapping=tmp_path / "mine.yaml")
    assert seen(source, "2026-06-01") == ["tariff", "network", None]
    assert tmp_path / "coded.parquet" in source.read.places


def test_the_fingerprint_follows_the_file(operator):
    (operator / "source.yaml").write_text(MAPPINGS[0])
    before = open_source(operator).fingerprint()
    coded(operator / "coded.parquet", [("b", "tariff", MAY)])
    assert open_source(operator).fingerprint() != before


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        ([("a", "network", MAY), ("a", "network", MAY)], {}, "twice"),
        ([("a", "coverage", MAY)], {}, "'coverage' is none of network"),
        ([("a", "network", None)], {}, "without the moment"),
        ([("a", "network", MAY)], {"known_at": None}, "no column known_at"),
    ],
)
def test_what_is_no_such_file_is_refused(operator, rows, changes, message):
    (operator / "source.yaml").write_text(MAPPINGS[0])
    coded(operator / "coded.parquet", rows, **changes)
    with pytest.raises(DataError, match=message) as refused:
        open_source(operator)
    assert "coded.parquet" in str(refused.value)


def test_a_file_that_is_not_there_or_no_parquet(operator):
    (operator / "source.yaml").write_text("complaints: {coded: gone.parquet}")
    with pytest.raises(ContractError, match="does not exist, though the mapping names it"):
        open_source(operator)
    (operator / "gone.parquet").write_text("a,b")
    with pytest.raises(DataError, match="not a complete Parquet file"):
        open_source(operator)


def test_any_table_can_carry_it():
    """A category that a file gave is dated by the file, one of the operator's by its row."""
    from churnml.tables.source.coded import CodedComplaints

    rows = ibis.memtable({"complaint_id": ["a"], "known_at": [MAY], "text": ["x"]})
    told = pa.table({"complaint_id": ["a"], "category": ["network"], "subcategory": ["y"],
                     "coded_at": pa.array([dt.datetime(2026, 7, 1)], STAMP)})  # fmt: skip
    (row,) = CodedComplaints(None, told).joined(rows).to_pyarrow().to_pylist()
    assert (row["category"], row["subcategory"]) == ("network", "y")
    assert row["coded_at"] == dt.datetime(2026, 7, 1)
