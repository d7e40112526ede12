"""Scores and reasons against the bare boosters."""

from __future__ import annotations

from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

import churnml
from churnml.datasets.flat import read_training
from churnml.models.bundle import golden_rows, load, predict
from churnml.models.compiled import compile_trees
from churnml.models.model import Origin
from churnml.models.profile import describe
from churnml.scoring.reasons import reasons
from tests.benchmarks.boosters import BAG, COLUMNS, bag_of, grown, leavers, rows_of, saved
from tests.benchmarks.measuring import FULL, in_turns, rates, seconds

ROWS = 50_000 if FULL else 15_000
STREAMED = 300_000 if FULL else 30_000
ROUNDS = 5 if FULL else 3
SHIPPED = Path(__file__).parents[2] / "models"
SHAPE = f"{BAG} boosters of 500 × 63, {COLUMNS} columns"


@pytest.fixture(scope="module")
def classifier():
    return grown()


@pytest.fixture(scope="module")
def text(classifier):
    return classifier.booster_.model_to_string()


def bare(boosters, matrix, threads):
    return np.mean(
        [one.predict(matrix, raw_score=True, num_threads=threads) for one in boosters], axis=0
    )


@pytest.mark.benchmark
@pytest.mark.parametrize("threads", [1, 2])
def test_scores_against_the_bare_boosters(text, classifier, record, threads):
    estimator, rows = bag_of(text, threads), rows_of(ROWS, seed=3)
    matrix = rows.to_numpy()
    boosters = [lgb.Booster(model_str=text) for _ in range(BAG)]
    ours, theirs, plain = in_turns(
        lambda: estimator.predict_proba(rows),
        lambda: bare(boosters, matrix, threads),
        lambda: [classifier.predict_proba(rows, num_threads=threads) for _ in range(BAG)],
        rounds=ROUNDS,
    )
    shape = {"topic": f"Scores: {SHAPE}", "size": f"{ROWS:,} rows, n_jobs={threads}"}
    record(**shape, what="frame to probabilities", **rates(ROWS, ours, theirs), least=0.95)
    record(**shape, what="LGBMClassifier on pandas", **rates(ROWS, plain, theirs))


@pytest.mark.benchmark
def test_compiled_trees_against_the_bare_boosters(classifier, record, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    trees = None if FULL else 100
    text = classifier.booster_.model_to_string(num_iteration=trees)
    rows = rows_of(ROWS, seed=3)
    matrix = rows.to_numpy()
    plain = bag_of(text)
    model = describe(plain, rows.head(2_000), origin=Origin(), reference=np.linspace(0, 1, 1001))
    fast = compile_trees(model).estimator
    boosters = [lgb.Booster(model_str=text) for _ in range(BAG)]
    ours, theirs = in_turns(
        lambda: fast.predict_proba(rows), lambda: bare(boosters, matrix, 1), rounds=ROUNDS
    )
    record(
        topic="Scores by compiled trees (engine.trees: lleaves)",
        what="frame to probabilities",
        size=f"{BAG} boosters of {trees or 500} × 63, {ROWS:,} rows",
        **rates(ROWS, ours, theirs),
        least=3,
    )


@pytest.mark.benchmark
def test_streamed_scores_against_the_bare_boosters(text, record, tmp_path):
    rows = rows_of(STREAMED, seed=4)
    table = tmp_path / "wide.parquet"
    rows.assign(
        customer_id=[f"{number:07d}" for number in range(STREAMED)], left=leavers(rows)
    ).to_parquet(table)
    learned = read_training(table, task="churn", target="left", id="customer_id")
    saved(bag_of(text), learned.X.head(20_000), learned.signature, tmp_path / "model")
    matrix = rows.to_numpy()
    boosters = [lgb.Booster(model_str=text) for _ in range(BAG)]
    outputs = iter(range(ROUNDS))

    def stream():
        churnml.score(
            table,
            id="customer_id",
            churn_model=tmp_path / "model",
            out=tmp_path / f"scores{next(outputs)}",
            reasons=0,
            config={"engine": {"threads": 1}},
        )

    stream()  # What is imported at the first use is no part of it.
    ours, theirs = in_turns(stream, lambda: bare(boosters, matrix, 1), rounds=ROUNDS - 1)
    record(
        topic=f"Scores: {SHAPE}",
        what="Parquet to scores to Parquet",
        size=f"{STREAMED:,} rows",
        **rates(STREAMED, ours, theirs),
        least=0.9,
    )


@pytest.mark.benchmark
@pytest.mark.parametrize(("task", "least"), [("churn", 0.9), ("satisfaction", 0.8)])
def test_shipped_models_against_their_bare_boosters(task, least, record):
    model = load(SHIPPED / task / "data" / "bundle")
    model.estimator.set_params(n_jobs=1)
    rows = golden_rows(model).sample(ROWS, replace=True, random_state=0, ignore_index=True)
    _, matrix = model.estimator._matrix(rows)
    bags = model.estimator._explained()
    ours, theirs = in_turns(
        lambda: predict(model, rows),
        lambda: [bare(bag.boosters, matrix, 1) for bag in bags],
        rounds=ROUNDS + 2,
    )
    record(
        topic="Scores of the shipped models",
        what=task,
        size=f"{ROWS:,} rows",
        **rates(ROWS, ours, theirs),
        least=least,
    )


@pytest.mark.benchmark
def test_reasons_against_a_plain_run_and_pred_contrib(record):
    model = load(SHIPPED / "churn" / "data" / "bundle")
    model.estimator.set_params(n_jobs=1)
    rows = golden_rows(model).sample(ROWS, replace=True, random_state=0, ignore_index=True)
    few = 1_000
    _, matrix = model.estimator._matrix(rows)
    (bag,) = model.estimator._explained()
    boosters = bag.boosters
    reasons(model, rows, 3)
    with_reasons, plain, contrib = in_turns(
        lambda: (predict(model, rows), reasons(model, rows, 3)),
        lambda: predict(model, rows),
        lambda: [one.predict(matrix[:few], pred_contrib=True, num_threads=1) for one in boosters],
        rounds=ROUNDS,
    )
    contrib = [one * ROWS / few for one in contrib]
    topic, size = "Reasons of the shipped churn model", f"{ROWS:,} rows"
    record(
        topic=topic,
        what="scores with 3 reasons, against scores alone",
        size=size,
        **seconds(with_reasons, plain),
        most=5,
    )
    own = [one - other for one, other in zip(with_reasons, plain, strict=True)]
    record(
        topic=topic,
        what="reasons, against pred_contrib",
        size=f"{size}; {few:,} of pred_contrib",
        **rates(ROWS, own, contrib),
        least=7,
    )
