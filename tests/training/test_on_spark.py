"""A model learned from features that Spark built, and from a sample drawn there."""

import pandas as pd
import pytest

import churnml
from churnml.datasets.dataset import build_dataset
from churnml.errors import UsageError

QUICK = {"folds": 2, "repeats": 1, "max_rounds": 10, "min_positives": 2}
MONTHS = {"train_months": 3, "test_months": 1}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """400 customers of an operator that has its two required tables only."""
    place = tmp_path_factory.mktemp("operator")
    churnml.simulate(place, customers=400, months=14, seed=1)
    for path in place.glob("*.parquet"):
        if path.stem not in ("customers", "bills"):
            path.unlink()
    return place


def test_training_rows_are_the_same_and_a_sample_is_said(folder, spark_session, tmp_path):
    source = churnml.open_source(folder, engine="spark")
    days = ["2026-02-01", "2026-03-01"]
    here, there = build_dataset(folder, "churn", days), build_dataset(source, "churn", days)
    pd.testing.assert_frame_equal(there.X, here.X)
    for name in ("y", "groups", "times", "regions"):
        pd.testing.assert_series_equal(getattr(there, name), getattr(here, name))
    assert there.weights is None

    config = {"churn": QUICK | MONTHS | {"max_rows": 1000}}
    trained = churnml.train(source, "churn", config=config, track=False, out=tmp_path / "model")
    assert 900 < trained.rows["all"] <= 1000
    (note,) = [note for note in trained.notes if note.startswith("Learned from ")]
    assert f"Learned from {trained.rows['all']:,} of about 1," in note
    assert "rows of customers who left (weight 1)" in note
    model = churnml.load_model(tmp_path / "model")
    # Weighted, the model is as sure of leaving as the whole says, not as the sample.
    whole = build_dataset(folder, "churn", days)
    chance = model.estimator.predict_proba(whole.X)[:, 1].mean()
    assert 0.5 < chance / whole.y.mean() < 2


def test_a_table_of_one_s_own_is_not_learned_on_spark(tmp_path):
    with pytest.raises(UsageError, match="--engine spark is for operator tables"):
        churnml.train(
            tmp_path / "a.csv", "churn", target="left", engine="spark", track=False, out="m"
        )
