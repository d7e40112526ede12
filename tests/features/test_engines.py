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


EXTRA_AS_OF = ("2026-03-01", "2026-05-15")


def _own(tables):
    """Features of two tables of one's own in an engine, as `OwnBuilder` makes them."""
    from churnml.config.settings import Config
    from churnml.features.own import OwnBuilder
    from churnml.features.view import gather, look
    from churnml.tables.source.extra.extra import Extra
    from churnml.tables.source.extra.table import declare
    from churnml.tables.source.source import ChangedTables

    columns = {
        "x": {"aggregate": ["last", "mean", "sum", "count", "trend", "days_since", "share"]},
        "y": {"expression": "x * x > 20", "aggregate": ["share", "count"]},
    }
    crm = {name: one | {"windows": ["1mo", "3mo"]} for name, one in columns.items()}
    extras = {}
    for name, told in (("crm", crm), ("clicks", columns | {"label": {"aggregate": "last"}})):
        time = {"time": "at"} if name == "clicks" else {}
        mapping = Extra(None, columns=told, **time).mapping
        rows = tables[name]
        extras[name] = declare(name, mapping, rows.columns, rows.schema())
        lag = asof.known_at(rows, extras[name].spec)
        tables = tables | {name: rows.mutate(known_at=lag)}
    found = ChangedTables(tables)
    found.extras = extras
    view = look(found, EXTRA_AS_OF, Config())
    builders = [OwnBuilder(one) for one in extras.values()]
    parts = {name: part for one in builders for name, part in one.parts(view).items()}
    row = gather(view.rows, parts)
    names = [feature.name for one in builders for feature in one.FEATURES]
    table = row.select("customer_id", "as_of", *names).order_by("as_of", "customer_id")
    return [
        {name: value for name, value in one.items() if name != "as_of"}
        for one in table.to_pyarrow().to_pylist()
    ]


@pytest.fixture(scope="module")
def own_frames(frames):
    """A monthly table and a table of events of the same customers."""
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng(2)
    who = sorted(set(frames["bills"]["customer_id"].to_pylist()))
    bills = frames["bills"].select(["customer_id", "month"]).to_pandas().drop_duplicates()
    bills["x"] = random.normal(3, 7, len(bills))
    bills.loc[::5, "x"] = np.nan
    at = np.datetime64("2026-01-01", "us") + random.integers(0, 150 * 86_400, 400) * np.timedelta64(
        1_000_000, "us"
    )
    clicks = pa.table(
        {
            "customer_id": random.choice(who, 400),
            "at": at,
            "x": random.normal(3, 7, 400),
            "label": random.choice(["a", "b"], 400),
        }
    )
    crm = pa.Table.from_pandas(bills, preserve_index=False)
    return {"crm": crm.set_column(1, "month", crm["month"].cast(pa.date32())), "clicks": clicks}


def test_own_columns_are_the_same_on_postgres(postgres, frames, own_frames, lazily):
    expected = _own(lazily(frames) | {n: ibis.memtable(f) for n, f in own_frames.items()})
    con = postgres["bills"].get_backend()
    there = {name: con.create_table(f"own_{name}", frame) for name, frame in own_frames.items()}
    assert _own(dict(postgres) | there) == expected
    assert any(one["crm_x_trend_3m"] is not None for one in expected)


def test_own_columns_are_the_same_on_spark(spark, frames, own_frames, lazily, tmp_path):
    expected = _own(lazily(frames) | {n: ibis.memtable(f) for n, f in own_frames.items()})
    con, there = spark["bills"].get_backend(), {}
    for name, frame in own_frames.items():
        pq.write_table(frame, tmp_path / f"{name}.parquet")
        there[name] = con.read_parquet(str(tmp_path / f"{name}.parquet"), table_name=f"own_{name}")
    assert _own(dict(spark) | there) == expected
