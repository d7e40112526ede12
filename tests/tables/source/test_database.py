"""Tables in a DuckDB file, and what is told of a database that cannot be read."""

import datetime as dt
import subprocess
import sys

import duckdb
import pytest

from churnml.errors import ContractError, DataError, UsageError
from churnml.tables.source import open_source

ROWS = "SELECT 8613800138000 AS customer_id, DATE '2026-06-01' AS month, 12.34 AS amount"


@pytest.fixture
def database(tmp_path):
    def make(*statements):
        path = tmp_path / "crm.duckdb"
        with duckdb.connect(str(path)) as con:
            for statement in statements:
                con.execute(statement)
        return path

    return make


def test_tables_and_views_by_the_contract_s_names(database):
    path = database(f"CREATE TABLE bills AS {ROWS}", "CREATE VIEW customers AS SELECT 'a' AS x")
    source = open_source(path)
    assert list(source.bindings) == ["customers", "bills"]
    assert source.tables["bills"].to_pyarrow().to_pylist() == [
        {
            "customer_id": "8613800138000",
            "month": dt.date(2026, 6, 1),
            "amount": 12.34,
            "known_at": dt.datetime(2026, 7, 1),
        }
    ]
    assert len(source.fingerprint()) == 64


def test_names_of_every_kind_are_quoted(database, tmp_path):
    name = 'x"; DROP TABLE t; --'
    quoted = name.replace('"', '""')
    path = database(
        'CREATE SCHEMA "客户 库"',
        f'CREATE TABLE "客户 库"."{quoted}" AS {ROWS}',
        "CREATE TABLE t AS SELECT 1 AS one",
    )
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(f"tables: {{bills: {{file: '客户 库.{name}'}}}}", encoding="utf-8")
    source = open_source(path, mapping=mapping)
    assert source.tables["bills"].count().to_pyarrow().as_py() == 1
    source.con.disconnect()
    with duckdb.connect(str(path)) as con:
        assert con.sql("SELECT one FROM t").fetchall() == [(1,)]


def test_the_file_is_opened_for_reading_only(database):
    path = database(f"CREATE TABLE bills AS {ROWS}")
    path.chmod(0o444)
    before = path.read_bytes()
    assert open_source(path).tables["bills"].count().to_pyarrow().as_py() == 1
    assert path.read_bytes() == before


def test_types_that_only_a_database_has(database):
    path = database(
        "CREATE TYPE paid AS ENUM ('prepaid', 'postpaid')",
        "CREATE TABLE customers AS SELECT uuid() AS customer_id, "
        "DATE '2020-01-01' AS activated_on, NULL AS terminated_on, 'prepaid'::paid AS payment, "
        "1985::HUGEINT AS birth_year",
    )
    (row,) = open_source(path).tables["customers"].to_pyarrow().to_pylist()
    assert (row["payment"], row["terminated_on"], row["birth_year"]) == ("prepaid", None, 1985)
    assert len(row["customer_id"]) == 36


def test_a_file_that_another_process_writes_to_is_told_with_its_holder(database):
    path = database(f"CREATE TABLE bills AS {ROWS}")
    script = (
        f"import duckdb, sys; c = duckdb.connect({str(path)!r}); "
        "print(flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1)
    holder.stdout.readline()
    try:
        with pytest.raises(DataError, match=rf"open for writing in .* \(PID {holder.pid}\)"):
            open_source(path)
    finally:
        holder.communicate()
    assert open_source(path).tables["bills"].count().to_pyarrow().as_py() == 1


def test_what_is_no_database(tmp_path):
    path = tmp_path / "customers.txt"
    path.write_text("customer_id,payment\n" * 10)
    with pytest.raises(DataError, match="neither a folder nor a DuckDB file"):
        open_source(path)


def test_a_database_without_the_contract_s_tables(database, tmp_path):
    path = database(f"CREATE TABLE zhangdan AS {ROWS}")
    with pytest.raises(ContractError, match="It has zhangdan; name yours in a mapping"):
        open_source(path)
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("tables: {bills: {file: zhangdon}}")
    with pytest.raises(ContractError, match=r"no table zhangdon.* Did you mean zhangdan\?"):
        open_source(path, mapping=mapping)


def test_a_database_that_cannot_be_reached_keeps_its_password():
    with pytest.raises(DataError, match=r"postgresql://localhost/crm: cannot be reached") as caught:
        open_source("postgresql://me:geheim@localhost:1/crm")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "module", "extra"),
    [
        ("postgresql://localhost/crm", "psycopg", "postgres"),
        ("spark://a.b", "pyspark.sql", "spark"),
    ],
)
def test_an_extra_that_is_not_installed_is_named(address, module, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "ibis.backends.postgres", raising=False)
    with pytest.raises(UsageError, match=f"needs the extra '{extra}'. Run pip install"):
        open_source(address)


@pytest.mark.parametrize("limits", [{"memory_limit": "many"}, {"threads": 0}])
def test_limits_that_are_none(limits, customers, folder):
    with pytest.raises(UsageError, match="memory_limit, threads"):
        open_source(folder, **limits)


def test_limits_are_kept(customers, folder):
    source = open_source(folder, memory_limit="512MB", threads=1)
    query = "SELECT current_setting('memory_limit'), current_setting('threads')"
    assert source.con.raw_sql(query).fetchall() == [("488.2 MiB", 1)]


@pytest.mark.parametrize("threads", [1, 64])
def test_half_of_the_memory_is_left_to_others(customers, folder, threads):
    source = open_source(folder, threads=threads)
    query = "SELECT current_setting('memory_limit')"
    (ours,) = source.con.raw_sql(query).fetchone()
    (theirs,) = duckdb.connect().execute(query).fetchone()
    half = float(theirs.split()[0]) / 0.8 / 2
    number, unit = ours.split()
    gigabytes = float(number) / (1024 if unit == "MiB" else 1)
    most = max(3, threads * 0.5) * 1e9 / 2**30
    assert gigabytes == pytest.approx(min(half, most), abs=0.1)


def test_a_closed_source_lets_others_write(database):
    path = database(f"CREATE TABLE bills AS {ROWS}")
    write = f"import duckdb; duckdb.connect({str(path)!r}).execute('CREATE TABLE more AS SELECT 1')"
    with open_source(path):
        assert subprocess.run([sys.executable, "-c", write], check=False).returncode == 1
    assert subprocess.run([sys.executable, "-c", write], check=False).returncode == 0
