"""The same tables, checks and rows set aside on PostgreSQL and on Spark."""

import datetime as dt

import ibis
import pytest

from churnml.errors import ContractError, DataError, UsageError
from churnml.tables.simulator import simulate
from churnml.tables.source import open_source
from churnml.tables.validation import quarantine, validate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def duck(tmp_path_factory):
    folder = tmp_path_factory.mktemp("duck")
    simulate(folder, customers=100, months=4, seed=1)
    return open_source(folder)


@pytest.fixture(scope="module")
def postgres(postgres_server, duck):
    """The operator in a PostgreSQL database."""
    return _filled(postgres_server("tables"), duck)


def _filled(address, source):
    con = ibis.connect(address)
    for name, binding in source.bindings.items():
        con.create_table(name, binding.rows.typed.to_pyarrow())
    con.raw_sql(
        "CREATE VIEW loose AS SELECT customer_id, month::text AS month, amount FROM bills"
    ).close()
    con.disconnect()
    return address


def rows(table, key):
    return table.order_by(*key).to_pyarrow().to_pylist()


def test_postgres_has_the_same_rows(postgres, duck):
    source = open_source(postgres)
    for name, table in duck.tables.items():
        key = [
            column for column in table.columns if column.endswith(("_id", "month", "valid_from"))
        ]
        assert rows(source.tables[name], key) == rows(table, key), name


def test_postgres_is_validated_and_never_written_to(postgres, duck, tmp_path):
    source = open_source(postgres)
    assert validate(source).report.counts == validate(duck).report.counts
    part = validate(source, until="2026-04-01").report.counts
    assert part == validate(duck, until="2026-04-01").report.counts
    con = ibis.connect(postgres)
    before = con.list_tables()
    con.raw_sql("INSERT INTO complaints SELECT * FROM complaints LIMIT 2").close()
    con.con.commit()
    found = validate(open_source(postgres))
    assert [(one.code, one.count) for one in found.report.breaches] == [("C06", 2)]
    assert quarantine(found, tmp_path / "bad") == {"complaints": 2}
    assert con.list_tables() == before
    con.disconnect()


def test_postgres_types_that_would_have_to_be_converted_are_refused(postgres, tmp_path):
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("tables: {bills: {file: loose}}")
    with pytest.raises(ContractError, match=r"bills\.month: of type string in the database; month"):
        open_source(postgres, mapping=mapping).tables["bills"]


@pytest.fixture(scope="module")
def spark(spark_session, duck):
    """The operator as tables of a Spark schema."""
    session = spark_session
    session.sql("CREATE DATABASE crm")
    for name in ("customers", "bills", "complaints"):
        session.read.parquet(duck.bindings[name].origin).write.saveAsTable(f"crm.{name}")
    session.sql("CREATE DATABASE zoned")
    session.sql(
        "CREATE TABLE zoned.contacts AS SELECT 't' AS contact_id, '1' AS customer_id, "
        "TIMESTAMP '2026-06-01 01:00:00 UTC' AS started_at, 'app' AS channel"
    )
    return session


def test_spark_has_the_same_rows(spark, duck):
    source = open_source("spark://spark_catalog.crm")
    for name in ("customers", "complaints"):
        key = [c for c in duck.tables[name].columns if c.endswith(("_id", "valid_from"))]
        assert rows(source.tables[name], key) == rows(duck.tables[name], key), name
    counts = {one.table: one for one in validate(duck).report.counts}
    assert all(one == counts[one.table] for one in validate(source).report.counts)


def test_spark_s_zoned_timestamps_need_a_zone(spark, tmp_path):
    with pytest.raises(UsageError, match="contacts: started_at have a time zone"):
        open_source("spark://spark_catalog.zoned")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("timezone: Asia/Shanghai")
    table = open_source("spark://spark_catalog.zoned", mapping=mapping).tables["contacts"]
    assert table.started_at.to_pyarrow().to_pylist() == [dt.datetime(2026, 6, 1, 9)]


def test_a_spark_schema_that_is_not_there(spark):
    with pytest.raises(DataError, match=r"spark://spark_catalog\.gone: cannot be read"):
        open_source("spark://spark_catalog.gone")
