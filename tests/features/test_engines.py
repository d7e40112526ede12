"""The same features, to the last bit, on DuckDB, PostgreSQL and Spark."""

import ibis
import pyarrow.parquet as pq
import pytest

from churnml.features import build_features, write_features
from churnml.tables import asof
from churnml.tables.contract import TABLES

AS_OF = ("2026-05-15", "2026-06-01")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def frames(generate):
    return generate(5, customers=30)


@pytest.fixture(scope="module")
def expected(frames, lazily):
    return build_features(lazily(frames), AS_OF).to_pyarrow()


def with_known_at(tables):
    return {
        name: table.mutate(known_at=asof.known_at(table, TABLES[name]))
        for name, table in tables.items()
    }


@pytest.fixture(scope="module")
def postgres(postgres_server, frames):
    """The operator in a PostgreSQL database."""
    con = ibis.connect(postgres_server("features"))
    yield with_known_at({name: con.create_table(name, f) for name, f in frames.items()})
    con.disconnect()


@pytest.fixture(scope="module")
def spark(frames, spark_session, tmp_path_factory):
    """The operator as views of a Spark session."""
    folder = tmp_path_factory.mktemp("spark")
    con = ibis.pyspark.connect(spark_session.newSession())
    tables = {}
    for name, frame in frames.items():
        pq.write_table(frame, folder / f"{name}.parquet")
        tables[name] = con.read_parquet(str(folder / f"{name}.parquet"), table_name=name)
    return with_known_at(tables)


def test_postgres_says_the_same(postgres, expected, tmp_path):
    assert build_features(postgres, AS_OF).to_pyarrow().to_pydict() == expected.to_pydict()
    assert write_features(postgres, AS_OF, tmp_path / "features.parquet") == expected.num_rows
    assert pq.read_table(tmp_path / "features.parquet").to_pydict() == expected.to_pydict()


def test_spark_says_the_same(spark, expected):
    assert build_features(spark, AS_OF).to_pyarrow().to_pydict() == expected.to_pydict()
