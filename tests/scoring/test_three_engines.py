"""2,000 customers: the same features and scores, to the bit, on DuckDB, PostgreSQL and Spark."""

import datetime as dt
import json

import ibis
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import churnml
from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.features import build_features, declared
from churnml.features.writing import save_features
from churnml.models import bundle
from churnml.models.bundle import Origin
from churnml.models.profile import describe

AS_OF = "2026-06-01"
QUICK = {"max_rounds": 30, "folds": 2, "repeats": 1, "linear_start": False}
# Scored in parts that differ from engine to engine.
CONFIG = {"scoring": {"batch_rows": 400}}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("operator")
    churnml.simulate(place, customers=2_000, months=24, seed=3)
    return place


@pytest.fixture(scope="module")
def database(postgres_server):
    return postgres_server("three_engines")


@pytest.fixture(scope="module")
def built(folder):
    return build_features(folder, AS_OF).to_pyarrow()


@pytest.fixture(scope="module")
def models(built, tmp_path_factory):
    """Two bundles that read every feature; what they predict is made up."""
    place = tmp_path_factory.mktemp("models")
    X = built.to_pandas().drop(columns=["customer_id", "as_of"])
    random = np.random.default_rng(0)
    spent = X["arpu_mean_3m_yuan"].rank(pct=True).fillna(0.5)
    learned = {
        "churn": (ChurnClassifier(**QUICK), random.random(len(X)) < spent),
        "satisfaction": (SatisfactionRegressor(**QUICK), 100 * spent * random.random(len(X))),
    }
    for task, (estimator, y) in learned.items():
        model = describe(estimator.fit(X, y), X, features=declared(), origin=Origin(name=task))
        bundle.save(model, place / task)
    return {f"{task}_model": str(place / task) for task in learned}


@pytest.fixture(scope="module")
def sources(folder, database, spark_session):
    """The operator on each engine."""
    duck = churnml.open_source(folder)
    con = ibis.connect(database)
    for name, binding in duck.bindings.items():
        con.create_table(name, binding.rows.typed.to_pyarrow())
    con.disconnect()
    return {
        "duckdb": duck,
        "postgres": churnml.open_source(database),
        "spark": churnml.open_source(folder, engine="spark"),
    }


def rows(place):
    return pq.read_table(str(place)).sort_by("customer_id")


def test_features_and_scores_are_the_same_to_the_bit(sources, built, models, tmp_path):
    features, scores, counts = {}, {}, {}
    for engine, source in sources.items():
        place = tmp_path / f"{engine}.parquet"
        assert source.engine == engine
        save_features(source, as_of=AS_OF, out=place, config=CONFIG)
        features[engine] = rows(place)
        out = tmp_path / engine
        made = churnml.score(source, AS_OF, out=out, config=CONFIG, **models)
        scores[engine] = rows(out)
        kept = json.loads((out / "_histograms.json").read_bytes())["models"]
        counts[engine] = {task: one["inputs"] for task, one in kept.items()}
        assert made.rows.scored == built.num_rows
    names = [feature.name for feature in declared(sources["duckdb"].tables)]
    assert built.column_names == ["customer_id", "as_of", *names]
    for engine in ("postgres", "spark"):
        for name in built.column_names:
            one, other = features[engine][name], features["duckdb"][name]
            assert one.type == other.type, (engine, name)
            assert one.to_pylist() == other.to_pylist(), (engine, name)
        assert scores[engine].equals(scores["duckdb"]), engine
        assert counts[engine] == counts["duckdb"], engine


def test_spark_fills_a_table_of_the_database(sources, models, database, tmp_path):
    out = database.replace("?", "/public.churn_scores?")
    source = sources["spark"]
    table = churnml.score(source, AS_OF, out=out, config=CONFIG, **models).to_pandas()
    folder = churnml.score(source, AS_OF, out=tmp_path / "scores", config=CONFIG, **models)
    expected = folder.to_pandas().sort_values("customer_id", ignore_index=True)
    table = table.sort_values("customer_id", ignore_index=True)
    flat = [name for name in expected if not name.endswith("reasons")]
    pd.testing.assert_frame_equal(table[flat], expected[flat], check_exact=True, check_dtype=False)


OWN = """
complaints: {coded: coded.parquet}
extra:
  visits:
    file: visits.parquet
    time: at
    columns:
      minutes: {aggregate: [sum, mean, last], windows: [30d, 3mo], unit: minutes}
      long: {expression: minutes > 20, aggregate: share, windows: 3mo}
      seen: {expression: minutes >= 0, aggregate: [count, days_since], windows: 3mo}
  plan:
    file: plan.parquet
    columns:
      fee: {aggregate: last, unit: yuan}
      level: {aggregate: last, kind: category}
"""


def test_own_columns_friends_and_coded_complaints_are_the_same_on_spark(spark_session, tmp_path):
    place = tmp_path / "operator"
    churnml.simulate(
        place, customers=300, months=14, seed=4, contagion=1.0, own_words=True, uncoded=0.5
    )
    random = np.random.default_rng(5)
    ids = pd.read_parquet(place / "customers.parquet")["customer_id"].unique()
    at = pd.Timestamp("2026-04-30") - pd.to_timedelta(random.integers(0, 2e7, 900), unit="s")
    late = pd.to_timedelta(random.choice([1, 40], 900), unit="D")
    visits = pd.DataFrame({"customer_id": random.choice(ids, 900), "at": at})
    visits = visits.assign(minutes=random.exponential(15, 900).round(1), known_at=at + late)
    visits.to_parquet(tmp_path / "visits.parquet", index=False)
    since = [dt.date(2025, 1, 1) + dt.timedelta(days=int(x)) for x in random.integers(0, 500, 300)]
    plan = pd.DataFrame({"customer_id": random.choice(ids, 300, replace=False)})
    plan = plan.assign(
        valid_from=since,
        fee=random.choice([29.0, 59.0], 300),
        level=random.choice(["basic", "plus"], 300),
    )
    plan.to_parquet(tmp_path / "plan.parquet", index=False)
    (tmp_path / "mapping.yaml").write_text(OWN)
    churnml.complaint_record(place, as_of="2026-05-01", coded=tmp_path / "coded.parquet")
    frames = {}
    for engine in ("duckdb", "spark"):
        source = churnml.open_source(place, mapping=tmp_path / "mapping.yaml", engine=engine)
        save_features(source, as_of="2026-05-01", out=tmp_path / f"{engine}.parquet")
        frames[engine] = rows(tmp_path / f"{engine}.parquet").to_pydict()
    assert frames["spark"] == frames["duckdb"]
    for name in ("visits_minutes_sum_3m", "plan_level_last", "ties_left_6m_count"):
        assert any(frames["duckdb"][name]), name
