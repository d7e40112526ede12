"""What a model must beat."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from churnml.evaluation import auc, base_rate, calibration_line, r2, regression


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "tenure": random.integers(0, 72, 3_000).astype(float),
            "spend": random.lognormal(3, 2, 3_000),
            "plan": random.choice(["a", "b", None], 3_000),
            "online": random.random(3_000) < 0.5,
        }
    )
    frame.loc[::9, "tenure"] = np.nan
    odds = 1 - frame["tenure"].fillna(36) / 24 + (frame["plan"] == "a")
    return frame, odds.to_numpy(), random


def test_the_base_rate_is_the_mean():
    assert base_rate([0, 0, 0, 1], 3).tolist() == [0.25] * 3


def test_the_regression_finds_what_is_linear(table):
    X, odds, random = table
    y = (random.random(3_000) < 1 / (1 + np.exp(-odds))).astype(float)
    train, test = slice(0, 2_000), slice(2_000, 3_000)
    told = regression("churn", (X[train], y[train]), X[test])
    assert auc(y[test], told) > auc(y[test], odds[test]) - 0.02
    assert calibration_line(y[test], told)[0] == pytest.approx(1, abs=0.25)


def test_the_regression_of_scores_stays_on_the_scale(table):
    X, odds, random = table
    y = np.clip(60 + 20 * odds + random.normal(0, 10, 3_000), 0, 100)
    told = regression("satisfaction", (X[:2_000], y[:2_000]), X[2_000:])
    assert r2(y[2_000:], told) > 0.6
    assert told.min() >= 0
    assert told.max() <= 100


def test_the_regression_takes_what_it_has_not_seen(table):
    X, odds, _ = table
    y = (odds > 0).astype(float)
    strange = X.head(3).assign(plan=["new", None, "a"], tenure=[np.nan, -1e9, 1e9])
    assert np.isfinite(regression("churn", (X, y), strange)).all()
