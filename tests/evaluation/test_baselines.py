"""What a model must beat."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from churnml.evaluation import base_rate, booster, regression
from churnml.metrics import auc, calibration_line, r2


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
    assert np.isfinite(booster("churn", (X, y), strange)).all()


def test_the_booster_finds_what_no_line_does(table):
    X, _, random = table
    bent = ((X["tenure"].fillna(36) - 36).abs() > 18) ^ (X["plan"] == "a")
    y = (random.random(3_000) < np.where(bent, 0.6, 0.1)).astype(float)
    train, test = slice(0, 2_000), slice(2_000, 3_000)
    line, trees = (one("churn", (X[train], y[train]), X[test]) for one in (regression, booster))
    assert auc(y[test], trees) > 0.75 > auc(y[test], line) + 0.1


def test_the_booster_of_scores_stays_on_the_scale(table):
    X, odds, random = table
    y = np.clip(90 + 20 * odds + random.normal(0, 10, 3_000), 0, 100)
    told = booster("satisfaction", (X[:2_000], y[:2_000]), X[2_000:])
    assert r2(y[2_000:], told) > 0.5
    assert told.max() <= 100


@pytest.mark.parametrize("kind", ["weak", "strong"])
def test_the_penalty_of_the_regression_fits_the_signal(kind):
    """Sixty columns of noise want a heavy penalty, six that decide everything a light one."""
    random = np.random.default_rng(1)
    columns, weight = (60, 0.0) if kind == "weak" else (6, 4.0)
    X = pd.DataFrame(random.normal(size=(1_200, columns))).rename(columns="x{}".format)
    y = (random.random(1_200) < 1 / (1 + np.exp(-weight * X.sum(axis=1)))).astype(float)
    told = regression("churn", (X[:600], y[:600]), X[600:])
    if kind == "weak":
        assert told.std() < 0.05
    else:
        assert told.std() > 0.4


def test_rows_of_one_customer_do_not_lighten_the_penalty():
    """Noise that is the same in all of a customer's rows is no signal in other customers."""
    random = np.random.default_rng(2)
    X = pd.DataFrame(random.normal(size=(60, 20))).rename(columns="x{}".format)
    X = X.loc[X.index.repeat(20)].reset_index(drop=True)
    groups = np.repeat(np.arange(60), 20)
    y = np.repeat((np.arange(60) % 2).astype(float), 20)
    parted, kept = (regression("churn", (X, y), X, one) for one in (None, groups))
    assert kept.std() < 0.5 * parted.std()


def test_all_rows_are_learnt_from():
    """What the last rows alone show is found in a table above any sample."""
    random = np.random.default_rng(3)
    X = pd.DataFrame({"rare": np.zeros(60_001), "plain": random.normal(size=60_001)})
    y = (random.random(60_001) < 0.2).astype(float)
    X.loc[1::3, "rare"], y[1::3] = 1.0, 1.0
    groups = np.arange(60_001) // 3
    told = regression("churn", (X, y), X.iloc[:2], groups)
    assert told[1] > 0.9 > 0.3 > told[0]
