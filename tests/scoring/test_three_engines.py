"""2,000 customers: the same features and scores, to the bit, on DuckDB, PostgreSQL and Spark."""

import json

import ibis
import numpy as np
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
def sources(folder, postgres_server, spark_session):
    """The operator on each engine."""
    address = postgres_server("three_engines")
    duck = churnml.open_source(folder)
    con = ibis.connect(address)
    for name, binding in duck.bindings.items():
        con.create_table(name, binding.rows.typed.to_pyarrow())
    con.disconnect()
    return {
        "duckdb": duck,
        "postgres": churnml.open_source(address),
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
