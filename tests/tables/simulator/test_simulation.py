"""What `simulate` promises whatever it simulates: bytes, refusals, files."""

import contextlib
import hashlib
import os
import subprocess
import sys
import time
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnml.errors import OutputError, UsageError
from churnml.tables.contract import TABLES
from churnml.tables.simulator import simulate
from churnml.tables.simulator.simulation import BLOCK, customer_ids

USUAL = [name for name in TABLES if name != "ties"]
TRUTH = {
    "truth/hazard": ["customer_id", "month", "churn_probability", "satisfaction"],
    "truth/offer_effect": [
        "offer_id",
        "customer_id",
        "month",
        "probability_control",
        "probability_treated",
        "effect",
    ],
    "truth/complaint": ["complaint_id", "category", "subcategory"],
    "truth/reaction": ["customer_id", "offer", "reaction"],
}

KINDS = {
    "text": pa.string(),
    "date": pa.date32(),
    "month": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "integer": pa.int32(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_arguments_same_bytes_whatever_the_threads(folder, tmp_path):
    threads = pa.cpu_count()
    pa.set_cpu_count(1 if threads > 1 else 2)
    try:
        simulate(tmp_path, customers=3_000, months=12, seed=5)
    finally:
        pa.set_cpu_count(threads)
    assert digests(tmp_path) == digests(folder)


def test_another_seed_is_another_operator(folder, tmp_path):
    simulate(tmp_path, customers=3_000, months=12, seed=6)
    ours, theirs = digests(folder), digests(tmp_path)
    assert ours.keys() == theirs.keys()
    assert all(ours[name] != theirs[name] for name in ours)


def test_blocks_do_not_depend_on_each_other(tmp_path):
    simulate(tmp_path / "one", customers=BLOCK, months=2)
    rows = simulate(tmp_path / "two", customers=BLOCK + 500, months=2)
    one = pq.ParquetFile(tmp_path / "one" / "usage.parquet")
    two = pq.ParquetFile(tmp_path / "two" / "usage.parquet")
    assert two.num_row_groups == 2
    assert two.read_row_group(0).equals(one.read())
    customers = pq.read_table(tmp_path / "two" / "customers.parquet")
    assert len(customers["customer_id"].unique()) == BLOCK + 500
    for name, spec in TABLES.items():
        if spec.rows == "event":
            keys = pq.read_table(tmp_path / "two" / f"{name}.parquet")[spec.key[0]]
            assert len(keys.unique()) == rows[name]


def test_rows_are_counted(folder, tmp_path):
    rows = simulate(tmp_path, customers=200, months=3, last_month=date(2020, 1, 1))
    assert set(rows) == {*USUAL, *TRUTH}
    for name, count in rows.items():
        assert pq.ParquetFile(tmp_path / f"{name}.parquet").metadata.num_rows == count


@pytest.mark.parametrize("name", USUAL)
def test_tables_have_the_contracts_columns(folder, name):
    spec = TABLES[name]
    expected = {column.name: KINDS[column.kind] for column in spec.columns}
    if spec.rows != "state":
        expected["known_at"] = pa.timestamp("us")
    schema = pq.read_schema(folder / f"{name}.parquet")
    assert dict(zip(schema.names, schema.types, strict=True)) == expected


@pytest.mark.parametrize("name", TRUTH)
def test_truth_has_its_columns(folder, name):
    assert pq.read_schema(folder / f"{name}.parquet").names == TRUTH[name]


@pytest.mark.parametrize(("customers", "months"), [(1, 1), (7, 2)])
def test_the_smallest_operators_have_all_files(tmp_path, customers, months):
    rows = simulate(tmp_path, customers=customers, months=months)
    assert rows["customers"] >= customers
    assert len(digests(tmp_path)) == len(USUAL) + len(TRUTH)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"customers": 0}, "customers is 0. Give a number from 1"),
        ({"months": 0}, "months is 0. Give a number from 1 to 240"),
        ({"months": 241}, "months is 241."),
        ({"seed": -1}, "seed is -1. Give a number from 0"),
        ({"last_month": date(2026, 5, 2)}, "last_month is 2026-05-02. Give the first day"),
    ],
)
def test_arguments_out_of_range_are_refused(tmp_path, wrong, message):
    with pytest.raises(UsageError, match=message):
        simulate(tmp_path, **wrong)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_replaced_without_being_asked(tmp_path):
    (tmp_path / "bills.parquet").write_text("mine")
    with pytest.raises(OutputError, match=r"bills\.parquet already exists") as caught:
        simulate(tmp_path, customers=5, months=1)
    assert caught.value.status == 5
    assert [path.name for path in tmp_path.iterdir()] == ["bills.parquet"]
    assert (tmp_path / "bills.parquet").read_text() == "mine"
    (tmp_path / "bills.parquet").unlink()
    simulate(tmp_path, customers=5, months=1)
    before = (tmp_path / "bills.parquet").read_bytes()
    simulate(tmp_path, customers=6, months=1, overwrite=True)
    assert (tmp_path / "bills.parquet").read_bytes() != before


def test_tables_that_were_not_simulated_are_never_replaced(tmp_path):
    bills = pa.table({"customer_id": ["1"], "amount": [1.0]})
    pq.write_table(bills, tmp_path / "bills.parquet")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match=r"bills\.parquet already exists and was not simul"):
            simulate(tmp_path, customers=5, months=1, overwrite=overwrite)
    assert pq.read_table(tmp_path / "bills.parquet").equals(bills)
    assert [path.name for path in tmp_path.iterdir()] == ["bills.parquet"]


def test_a_folder_of_something_else_is_left_alone_without_being_asked(tmp_path):
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(OutputError, match=r"not empty: it holds report.html\.") as caught:
        simulate(tmp_path, customers=5, months=1)
    assert caught.value.status == 5
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    simulate(tmp_path, customers=5, months=1, overwrite=True)
    assert (tmp_path / "report.html").read_text() == "mine"


def test_what_a_killed_simulation_left_is_no_obstacle(tmp_path):
    (tmp_path / "truth").mkdir()
    (tmp_path / ".simulate-x").mkdir()
    (tmp_path / ".simulate-x" / "bills.parquet").write_text("half")
    assert simulate(tmp_path, customers=5, months=1)["customers"] >= 5


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file: cannot be written"):
        simulate(tmp_path / "file", customers=5, months=1)


def test_nothing_is_left_of_a_simulation_that_failed(tmp_path):
    code = (
        "import resource, sys; from churnml.tables.simulator import simulate; "
        "from churnml.errors import OutputError; import signal; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try: simulate(sys.argv[1], customers=500, months=6)\n"
        "except OutputError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "cannot be written" in done.stdout
    assert [path.name for path in tmp_path.rglob("*")] == ["truth"]


def test_progress_is_shown_on_a_terminal_only_when_asked(tmp_path):
    import fcntl
    import pty
    import struct
    import sys
    import termios

    def shown(folder, *, progress, terminal):
        code = f"from churnml import simulate; simulate({str(tmp_path / folder)!r}, customers=5, "
        code += f"months=1, progress={progress})"
        reader, writer = pty.openpty() if terminal else os.pipe()
        if terminal:
            fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        done = subprocess.run(
            [sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, stderr=writer
        )
        os.close(writer)
        text = b""
        # A terminal whose other end is closed ends with an error, a pipe with nothing.
        with contextlib.suppress(OSError):
            while piece := os.read(reader, 4096):
                text += piece
        os.close(reader)
        return done.stdout, text

    assert shown("quiet", progress=False, terminal=True) == (b"", b"")
    assert shown("piped", progress=True, terminal=False) == (b"", b"")
    out, told = shown("loud", progress=True, terminal=True)
    assert out == b""
    assert b"simulate" in told


def test_ids_are_unique_text_of_twelve_digits_some_with_leading_zeros():
    ids = customer_ids(0, 100_000)
    assert len(set(ids)) == len(ids)
    assert {len(one) for one in ids} == {12}
    assert 0.2 < sum(one.startswith("0") for one in ids) / len(ids) < 0.5
    assert customer_ids(40_000, 40_002) == ids[40_000:40_002]


@pytest.mark.benchmark
def test_how_long_twenty_thousand_customers_take(tmp_path):
    started = time.perf_counter()
    simulate(tmp_path, customers=20_000, months=24)
    seconds = time.perf_counter() - started
    print(f"20,000 customers x 24 months: {seconds:.1f} s")
    assert pq.ParquetFile(tmp_path / "customers.parquet").metadata.num_rows > 20_000


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_customers(tmp_path):
    def peak(customers):
        code = (
            "import re, sys; from pathlib import Path; from churnml import simulate; "
            "simulate(sys.argv[1], customers=int(sys.argv[2])); "
            # ru_maxrss would begin with what the parent held.
            "status = Path('/proc/self/status').read_text(); "
            "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) / 1024)"
        )
        command = [sys.executable, "-c", code, str(tmp_path / str(customers)), str(customers)]
        return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    one_block, six_blocks = peak(BLOCK), peak(6 * BLOCK)
    assert six_blocks < 600
    assert six_blocks - one_block < 150
