"""What training hands to the estimators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from churnml.config.settings import ChurnSettings, SatisfactionSettings
from churnml.datasets.dataset import Dataset
from churnml.training import fit as training

DIRECTIONS = {"wait": 1, "tenure": -1}


@pytest.fixture(scope="module")
def answers():
    random = np.random.default_rng(0)
    X = pd.DataFrame({"wait": random.exponential(10, 300), "tenure": random.random(300)})
    y = pd.Series(np.clip(90 - X["wait"] + random.normal(0, 8, 300), 0, 100))
    who = pd.Series([f"c{at}" for at in range(300)])
    return Dataset(X=X, y=y, groups=who, times=pd.Series(["2026-05-01"] * 300))


def test_satisfaction_is_held_to_the_opposite_of_churn_s_directions():
    held = {"monotone": True}
    churn = training.estimator_for("churn", ChurnSettings(**held), DIRECTIONS)
    satisfaction = training.estimator_for("satisfaction", SatisfactionSettings(**held), DIRECTIONS)
    assert churn.monotone == {"wait": 1, "tenure": -1}
    assert satisfaction.monotone == {"wait": -1, "tenure": 1}
    assert (
        training.estimator_for("satisfaction", SatisfactionSettings(), DIRECTIONS).monotone is None
    )


def test_intervals_are_by_brand_where_nothing_else_is_said():
    found = training.estimator_for("satisfaction", SatisfactionSettings())
    assert found.interval_by == "lifecycle_brand"
    other = training.estimator_for("satisfaction", SatisfactionSettings(interval_by="hall"))
    assert other.interval_by == "hall"


def test_weights_of_rows_count_in_the_fit(answers):
    def fitted(weights):
        unfitted = training.estimator_for(
            "satisfaction", SatisfactionSettings(), repeats=1, max_rounds=30, n_jobs=1
        )
        return training.fit(unfitted, replace(answers, weights=weights)).predict(answers.X)

    plain = fitted(None)
    heavy = fitted(pd.Series(np.where(answers.y < 75, 5.0, 1.0)))
    assert heavy.mean() < plain.mean() - 2
    assert fitted(pd.Series(np.ones(300))).tobytes() == plain.tobytes()
