"""Spark builds the features and scores that DuckDB does, to the bit, and counts every row."""

import json
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import churnml
from churnml.errors import ModelError, OutputError, UsageError
from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.features import build_features, declared
from churnml.features.writing import save_features
from churnml.models import bundle
from churnml.models.bundle import Origin
from churnml.models.profile import describe
from churnml.scoring.executor import Found, library_versions
from churnml.scoring.on_spark import RowSums, require_alike, require_same

AS_OF = "2026-06-01"
QUICK = {"max_rounds": 10, "folds": 2, "repeats": 1, "linear_start": False}
SETTINGS = {"scoring": {"batch_rows": 200}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """300 customers of an operator that has its two required tables only."""
    place = tmp_path_factory.mktemp("operator")
    churnml.simulate(place, customers=300, months=14, seed=1)
    for path in place.glob("*.parquet"):
        if path.stem not in ("customers", "bills"):
            path.unlink()
    customers = pd.read_parquet(place / "customers.parquet")
    customers.loc[customers.index[:3], "payment"] = "barter"
    customers.to_parquet(place / "customers.parquet", index=False)
    return place


@pytest.fixture(scope="module")
def models(folder, tmp_path_factory):
    """Two bundles that read the features; what they predict is made up."""
    place = tmp_path_factory.mktemp("models")
    X = build_features(folder, AS_OF).to_pandas().drop(columns=["customer_id", "as_of"])
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


def rows(place):
    return pq.read_table(str(place)).sort_by("customer_id")


def test_spark_builds_and_scores_what_duckdb_does(folder, models, spark_session, tmp_path):
    options = models | {"config": SETTINGS}
    here = churnml.score(folder, AS_OF, out=tmp_path / "here", **options)
    zone = spark_session.conf.get("spark.sql.session.timeZone")
    source = churnml.open_source(folder, engine="spark")
    there = churnml.score(source, AS_OF, out=tmp_path / "there", **options)
    assert rows(tmp_path / "there").equals(rows(tmp_path / "here"))
    assert rows(tmp_path / "there").schema.equals(rows(tmp_path / "here").schema)
    apart = {"parts", "started_at", "ended_at", "engine"}
    ours, theirs = there.to_dict(), here.to_dict()
    assert {k: v for k, v in ours.items() if k not in apart} == {
        k: v for k, v in theirs.items() if k not in apart
    }
    assert there.rows.quarantined == 2
    assert len(there.parts) == 2
    there.verify()
    assert there.engine["master"] == "local[2]"
    hidden = {"_histograms.json", "_manifest.json", *(part.name for part in there.parts)}
    assert {path.name for path in (tmp_path / "there").iterdir()} == hidden
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    histograms = [
        json.loads((tmp_path / at / "_histograms.json").read_bytes()) for at in ("here", "there")
    ]
    assert histograms[0] == histograms[1]
    with pytest.raises(OutputError, match="holds a complete result"):
        churnml.score(source, AS_OF, out=tmp_path / "there", **options)

    # The user's own session is as it was.
    assert spark_session.conf.get("spark.sql.session.timeZone") == zone
    assert source.fingerprint() == churnml.open_source(folder).fingerprint()
    source.close()
    assert spark_session.range(2).count() == 2


@pytest.mark.slow
def test_features_become_a_folder_of_parts(folder, spark_session, tmp_path):
    source = churnml.open_source(folder, engine="spark")
    save_features(folder, as_of=AS_OF, out=tmp_path / "here.parquet")
    made = save_features(source, as_of=AS_OF, out=tmp_path / "there.parquet", config=SETTINGS)
    assert made.rows == len(rows(tmp_path / "here.parquet"))
    assert (
        rows(tmp_path / "there.parquet").to_pydict() == rows(tmp_path / "here.parquet").to_pydict()
    )
    with pytest.raises(OutputError, match="a folder of features already exists there"):
        save_features(source, as_of=AS_OF, out=tmp_path / "there.parquet")
    with pytest.raises(OutputError, match="not a folder of features of churnml alone"):
        save_features(source, as_of=AS_OF, out=tmp_path, overwrite=True)
    made = tmp_path / "there.parquet"
    again = save_features(source, as_of=AS_OF, out=made, overwrite=True)
    assert again.rows == len(rows(made))


def test_a_shortened_or_doubled_result_is_refused(tmp_path):
    expected = RowSums(rows=5, customers=5, keys="17")
    require_same(expected, expected, tmp_path)
    for found in (
        RowSums(rows=4, customers=4, keys="16"),
        RowSums(rows=6, customers=5, keys="20"),
        RowSums(rows=5, customers=5, keys="18"),
    ):
        with pytest.raises(OutputError, match="5 rows of 5 customers were to be scored; nothing"):
            require_same(expected, found, tmp_path)


def test_executors_of_another_kind_are_refused(tmp_path):
    here = library_versions()
    require_alike([Found(host="a", versions=here)], tmp_path)
    other = Found(host="node7", versions=here | {"lightgbm": "3.3.5"})
    with pytest.raises(ModelError, match=r"executor on node7 has lightgbm 3\.3\.5; here is"):
        require_alike([Found(host="a", versions=here), other], tmp_path)
    with pytest.raises(ModelError, match="On the executor on a: golden"):
        require_alike([Found(host="a", versions=here, problem="golden rows")], tmp_path)
    with pytest.raises(OutputError, match="executor on a does not see it"):
        require_alike([Found(host="a", versions=here, blind=True)], tmp_path / "staging")


@pytest.mark.parametrize(
    ("name", "engine", "message"),
    [
        ("", "sparkle", "--engine sparkle: not available. Use duckdb or spark"),
        ("a.duckdb", "spark", "one file; Spark reads folders"),
        ("postgresql://host/db", "spark", "read by the database itself"),
        ("spark://a.b", "duckdb", "read by spark itself"),
    ],
)
def test_engines_that_do_not_read_a_source(name, engine, message, folder, tmp_path):
    place = name if "://" in name else folder / name
    if name.endswith(".duckdb"):
        place = tmp_path / name
        place.touch()
    with pytest.raises(UsageError, match=message) as refused:
        churnml.score(place, AS_OF, out=tmp_path / "out", engine=engine)
    assert refused.value.status == 2
    assert not (tmp_path / "out").exists()


def test_a_table_of_one_s_own_is_scored_here(tmp_path):
    frame = pd.DataFrame({"id": ["a"], "x": [1.0]})
    with pytest.raises(UsageError, match="--engine spark is for operator tables"):
        churnml.score(frame, out=tmp_path / "out", id="id", engine="spark")


def test_without_java_it_is_said_what_to_install(folder, tmp_path, monkeypatch):
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    monkeypatch.setattr(SparkContext, "_active_spark_context", None)
    with pytest.raises(
        UsageError, match=r"Spark needs Java, and there is none here\. Install Java"
    ):
        churnml.open_source(folder, engine="spark")
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(UsageError, match=r"needs the extra 'spark'\. Run pip install 'churnml\[sp"):
        churnml.open_source(folder, engine="spark")
