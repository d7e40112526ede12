"""Parquet tables: files, folders of parts, types, and what is no Parquet."""

import datetime as dt
import decimal
import os
import struct
import subprocess
import sys

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnml.datasets.flat import open_table
from churnml.errors import ContractError, DataError
from churnml.tables.source import open_source

MAY, JUNE = dt.date(2026, 5, 1), dt.date(2026, 6, 1)


@pytest.fixture
def bills(parquet):
    return lambda **columns: parquet(
        "bills", **({"customer_id": ["1"], "month": [JUNE], "amount": [1.5]} | columns)
    )


def test_what_has_the_right_type_is_passed_on_untouched(bills, folder):
    bills()
    table = open_source(folder).tables["bills"]
    assert table.to_pyarrow().to_pylist() == [
        {
            "customer_id": "1",
            "month": JUNE,
            "amount": 1.5,
            "known_at": dt.datetime(2026, 7, 1),
        }
    ]
    sql = ibis.to_sql(table.drop("known_at")).upper()
    assert "CAST" not in sql
    assert "CASE" not in sql


@pytest.mark.parametrize(
    ("given", "kind", "expected"),
    [
        ([8613800138000, None], pa.int64(), ["8613800138000", None]),
        ([7, None], pa.int8(), ["7", None]),
        ([2**63 + 1, None], pa.uint64(), ["9223372036854775809", None]),
        ([8613800138000.0, None], pa.float64(), ["8613800138000", None]),
        ([8613800138000.0, float("nan")], pa.float64(), ["8613800138000", None]),
        ([0.5, None], pa.float64(), [None, None]),
        ([decimal.Decimal("00123.00"), None], pa.decimal128(12, 2), ["123", None]),
        (["00123", None], pa.dictionary(pa.int32(), pa.string()), ["00123", None]),
        (["+86 1", None], pa.large_string(), ["+86 1", None]),
        ([b"00123", None], pa.binary(), ["00123", None]),
        ([None, None], pa.null(), [None, None]),
    ],
    ids=str,
)
def test_ids_become_text_where_nothing_is_lost(given, kind, expected, parquet, folder, rows):
    parquet(
        "bills",
        types={"customer_id": kind},
        customer_id=given,
        month=[MAY, JUNE],
        amount=[1.0, 2.0],
    )
    table = open_source(folder).tables["bills"]
    assert table.customer_id.type().is_string()
    assert [row["customer_id"] for row in rows(table, "month")] == expected


@pytest.mark.parametrize(
    ("given", "kind", "expected"),
    [
        (2, pa.int8(), 2.0),
        (decimal.Decimal("12.34"), pa.decimal128(10, 2), 12.34),
        (0.5, pa.float32(), 0.5),
        ("12.34", pa.string(), 12.34),
        (" 12.34 ", pa.string(), 12.34),
        ("1,234.5", pa.string(), None),
        ("12,5", pa.string(), None),
        ("1_000", pa.string(), None),
        ("¥30", pa.string(), None),
        ("12%", pa.string(), None),
        (True, pa.bool_(), None),
        ([1.0], pa.list_(pa.float64()), None),
    ],
    ids=str,
)
def test_numbers_of_other_types(given, kind, expected, bills, folder):
    bills(types={"amount": kind}, amount=[given])
    table = open_source(folder).tables["bills"]
    assert table.amount.type().is_float64()
    assert table.amount.to_pyarrow().to_pylist() == [expected]


@pytest.mark.parametrize(
    ("given", "kind", "expected"),
    [
        (dt.datetime(2026, 6, 1, 8), pa.timestamp("ns"), JUNE),
        (dt.datetime(2026, 6, 1, 8), pa.timestamp("s"), JUNE),
        ("2026-06-01", pa.string(), JUNE),
        ("2026/6/1", pa.string(), JUNE),
        ("2026-06-01 00:00:00", pa.string(), JUNE),
        ("2026-02-30", pa.string(), None),
        ("0000-00-00", pa.string(), None),
        ("01.06.2026", pa.string(), None),
        (202606, pa.int64(), None),
        (b"2026-06-01", pa.binary(), JUNE),
    ],
    ids=str,
)
def test_dates_of_other_types(given, kind, expected, bills, folder):
    bills(types={"month": kind}, month=[given])
    table = open_source(folder).tables["bills"]
    assert table.month.type().is_date()
    assert table.month.to_pyarrow().to_pylist() == [expected]


@pytest.mark.parametrize(
    ("given", "kind", "expected"),
    [
        (1, pa.int64(), True),
        (0, pa.int8(), False),
        (2, pa.int64(), None),
        ("Yes", pa.string(), True),
        ("f", pa.string(), False),
        ("maybe", pa.string(), None),
        (1.0, pa.float64(), True),
        (None, pa.null(), None),
    ],
    ids=str,
)
def test_truth_values_of_other_types(given, kind, expected, parquet, folder):
    parquet(
        "contacts",
        types={"answered": kind},
        contact_id=["t"],
        customer_id=["1"],
        started_at=[dt.datetime(2026, 6, 1)],
        channel=["hall"],
        answered=[given],
    )
    table = open_source(folder).tables["contacts"]
    assert table.answered.to_pyarrow().to_pylist() == [expected]


@pytest.mark.parametrize(
    ("given", "kind", "expected"),
    [
        (31, pa.uint8(), 31),
        (31.0, pa.float64(), 31),
        (30.5, pa.float64(), None),
        (float("nan"), pa.float64(), None),
        ("31", pa.string(), 31),
        ("30.5", pa.string(), None),
        (decimal.Decimal(31), pa.decimal128(5, 0), 31),
    ],
    ids=str,
)
def test_whole_numbers_of_other_types(given, kind, expected, parquet, folder):
    parquet(
        "usage",
        types={"active_days": kind},
        customer_id=["1"],
        month=[JUNE],
        voice_minutes=[1.0],
        data_mb=[1.0],
        active_days=[given],
    )
    table = open_source(folder).tables["usage"]
    assert table.active_days.to_pyarrow().to_pylist() == [expected]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_zoned_timestamps_become_local(unit, parquet, folder, tmp_path):
    parquet(
        "contacts",
        types={"started_at": pa.timestamp(unit, "America/New_York")},
        contact_id=["t"],
        customer_id=["1"],
        started_at=[dt.datetime(2026, 6, 1, 1, tzinfo=dt.UTC)],
        channel=["hall"],
    )
    mapping = tmp_path / "zone.yaml"
    mapping.write_text("timezone: Asia/Shanghai\n")
    table = open_source(folder, mapping=mapping).tables["contacts"]
    assert table.started_at.to_pyarrow().to_pylist() == [dt.datetime(2026, 6, 1, 9)]


def test_extra_columns_and_their_order_do_not_matter(parquet, folder):
    parquet("bills", amount=[1.0], 备注=["x"], month=[JUNE], customer_id=["1"])
    source = open_source(folder)
    assert source.tables["bills"].columns == ("customer_id", "month", "amount", "known_at")
    assert source.bindings["bills"].ignored == ("备注",)


def test_parts_are_one_table(parquet, folder, rows):
    parquet("bills/part-0.parquet", customer_id=["a"], month=[MAY], amount=[1.0])
    parquet("bills/part-1.parquet", customer_id=["b"], month=[MAY], amount=[2.0])
    (folder / "bills" / "_SUCCESS").touch()
    (folder / "bills" / ".part-0.parquet.crc").touch()
    assert [row["amount"] for row in rows(open_source(folder).tables["bills"])] == [1.0, 2.0]


def test_a_column_that_is_empty_in_one_part_takes_the_type_of_the_others(parquet, folder, rows):
    parquet("bills/a.parquet", customer_id=["a"], month=[MAY], amount=[1.0], paid_on=[None])
    parquet("bills/b.parquet", customer_id=["b"], month=[MAY], amount=[2.0], paid_on=[JUNE])
    table = open_source(folder).tables["bills"]
    assert [row["paid_on"] for row in rows(table)] == [None, JUNE]


def test_partition_keys_are_columns(parquet, folder, rows):
    for month in ("2026-05-01", "2026-06-01"):
        parquet(f"bills/month={month}/part.parquet", customer_id=["a"], amount=[1.0])
    table = open_source(folder).tables["bills"]
    assert [row["month"] for row in rows(table, "month")] == [MAY, JUNE]


def test_a_partition_key_that_is_a_column_too_is_refused(parquet, folder):
    parquet("bills/month=2026-05-01/part.parquet", customer_id=["a"], month=[JUNE], amount=[1.0])
    with pytest.raises(ContractError, match=r"'month' is a partition key and a column"):
        open_source(folder)


def test_folders_above_a_table_are_no_partition_keys(parquet, folder, rows):
    path = parquet(
        "month=2020-01-01/bills/region=a%20b/part.parquet",
        customer_id=["a"],
        month=[JUNE],
        amount=[1.0],
    )
    table = open_source(path.parents[2]).tables["bills"]
    assert [row["month"] for row in rows(table)] == [JUNE]


def test_parts_of_other_partition_keys_are_refused(parquet, folder):
    parquet("bills/month=2026-05-01/part.parquet", customer_id=["a"], amount=[1.0])
    parquet("bills/part.parquet", customer_id=["a"], amount=[1.0])
    with pytest.raises(ContractError, match="partition keys none, those of the first part month"):
        open_source(folder)


def test_parts_that_disagree_are_refused(parquet, folder):
    parquet("bills/a.parquet", customer_id=["a"], month=[MAY], amount=[1.0])
    parquet("bills/b.parquet", customer_id=["b"], month=["2026-06"], amount=[2.0])
    message = r"b\.parquet: column 'month' is string, but date32\[day\] in a\.parquet"
    with pytest.raises(ContractError, match=message):
        open_source(folder)


def test_a_part_that_lacks_a_column_is_refused(parquet, folder):
    parquet("bills/a.parquet", customer_id=["a"], month=[MAY], amount=[1.0])
    parquet("bills/b.parquet", customer_id=["b"], month=[MAY])
    with pytest.raises(ContractError, match=r"'amount' is absent, but double in a\.parquet"):
        open_source(folder)


def test_an_unfinished_job_is_refused(parquet, folder):
    parquet("bills/part-0.parquet", customer_id=["a"], month=[MAY], amount=[1.0])
    (folder / "bills" / "_temporary").mkdir()
    with pytest.raises(DataError, match="job that writes it has not finished"):
        open_source(folder)


def test_a_folder_of_something_else_is_refused(folder):
    (folder / "bills").mkdir()
    with pytest.raises(DataError, match="no Parquet parts"):
        open_source(folder)
    (folder / "bills" / "a.docx").write_text("x")
    with pytest.raises(ContractError, match=r"a\.docx is not a Parquet part"):
        open_source(folder)
    (folder / "bills" / "b.csv").write_text("x")
    with pytest.raises(ContractError, match=r"a\.docx is not a CSV file as the others are"):
        open_source(folder)
    (folder / "bills" / "_temporary").mkdir()
    with pytest.raises(DataError, match="has not finished"):
        open_source(folder)


def test_an_empty_file_is_refused(folder):
    (folder / "bills.parquet").touch()
    with pytest.raises(DataError, match=r"bills\.parquet: the file is empty \(0 bytes\)"):
        open_source(folder)


@pytest.mark.parametrize("kept", [4, 0.5, -1])
def test_a_file_that_is_cut_off_is_refused(kept, bills, folder):
    path = bills()
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept) if kept == 0.5 else kept])
    with pytest.raises(DataError, match=r"not a complete Parquet file \(\d+ bytes, ends in"):
        open_source(folder)


def test_a_damaged_footer_is_refused(bills, folder):
    path = bills()
    content = bytearray(path.read_bytes())
    content[-40:-8] = b"\xff" * 32
    path.write_bytes(content)
    with pytest.raises(DataError, match="footer cannot be read"):
        open_source(folder)


def test_names_that_differ_only_in_case_are_refused(folder):
    table = pa.table({"customer_id": ["1"], "Amount": [1.0], "amount": [2.0]})
    pq.write_table(table, folder / "bills.parquet")
    with pytest.raises(ContractError, match="'Amount' and 'amount'"):
        open_source(folder)


def test_a_link_to_nothing_is_refused(folder):
    (folder / "bills.parquet").symlink_to(folder / "gone")
    with pytest.raises(DataError, match="a link to nothing"):
        open_source(folder)


def test_a_pipe_is_refused_at_once(folder):
    os.mkfifo(folder / "bills.parquet")
    with pytest.raises(DataError, match="a pipe or a device"):
        open_source(folder)
    (folder / "bills.parquet").unlink()
    (folder / "bills.csv").symlink_to("/dev/zero")
    with pytest.raises(DataError, match="a pipe or a device"):
        open_source(folder)


def test_two_files_for_one_table_are_refused(bills, csv, folder):
    bills()
    csv("bills.csv", "x\n")
    message = r"bills: bills\.parquet and bills\.csv both match it"
    with pytest.raises(ContractError, match=message):
        open_source(folder)


def test_a_folder_without_tables_is_refused(folder):
    with pytest.raises(ContractError, match=r"no table of the contract here\. .*it is empty"):
        open_source(folder)
    (folder / "kunden.parquet").touch()
    with pytest.raises(ContractError, match=r"kunden\.parquet"):
        open_source(folder)


def test_no_folder_at_all(tmp_path):
    with pytest.raises(DataError, match="there is no such folder or file"):
        open_source(tmp_path / "nowhere")


def damage(path, value: float) -> None:
    """Change one bit of a stored number."""
    content, stored = bytearray(path.read_bytes()), struct.pack("<d", value)
    content[content.index(stored) + 3] ^= 1
    path.write_bytes(content)


def test_a_page_that_is_not_what_its_checksum_says_is_refused(folder):
    rows = pa.table({"customer_id": ["1", "2"], "month": [JUNE, JUNE], "amount": [1.2345, 6.789]})
    path = folder / "bills.parquet"
    pq.write_table(
        rows,
        path,
        write_page_checksum=True,
        write_statistics=False,
        compression="none",
        use_dictionary=False,
        row_group_size=1,
    )
    assert open_source(folder).tables["bills"].count().to_pyarrow().as_py() == 2
    damage(path, 6.789)
    with pytest.raises(DataError, match="row group 2 of 2 does not match its checksum"):
        open_source(folder)


def test_pages_without_checksums_are_read(folder):
    rows = pa.table({"customer_id": ["1"], "month": [JUNE], "amount": [1.2345]})
    pq.write_table(rows, folder / "bills.parquet", compression="none", use_dictionary=False)
    assert open_source(folder).tables["bills"].count().to_pyarrow().as_py() == 1


def test_a_table_of_ones_own_is_verified_too(tmp_path):
    path = tmp_path / "t.parquet"
    rows = pa.table({"id": ["1", "2"], "fee": [1.2345, 6.789]})
    pq.write_table(
        rows,
        path,
        write_page_checksum=True,
        write_statistics=False,
        compression="none",
        use_dictionary=False,
    )
    damage(path, 1.2345)
    with pytest.raises(DataError, match="checksum"):
        open_table(path)


@pytest.mark.parametrize("kind", ["operator", "table"])
def test_five_hundred_parts_are_read_with_64_open_files(tmp_path, kind):
    folder = tmp_path / "bills"
    folder.mkdir()
    for part in range(500):
        rows = {"customer_id": [f"{part:03d}-{row}" for row in range(3)], "amount": [1.5] * 3}
        months = [MAY] * 3
        table = pa.table(rows | {"month": pa.array(months, pa.date32())})
        pq.write_table(table, folder / f"part-{part:05d}.parquet")
    people = {"customer_id": ["000-0"], "payment": ["prepaid"]}
    activated = pa.array([dt.date(2020, 1, 1)], pa.date32())
    customers = pa.table(people | {"activated_on": activated, "terminated_on": activated})
    pq.write_table(customers, tmp_path / "customers.parquet")
    code = {
        "operator": "import churnml; s = churnml.open_source(sys.argv[1])\n"
        "print(s.table('bills').count().to_pyarrow().as_py())",
        "table": "from churnml.datasets.flat import open_table\n"
        "t = open_table(pathlib.Path(sys.argv[1]) / 'bills')\n"
        "print(t.con.raw_sql(f'SELECT count(*) FROM {t.relation}').fetchone()[0])",
    }[kind]
    limit = "import pathlib, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
    done = subprocess.run(
        [sys.executable, "-c", limit + code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "1500", done.stderr
