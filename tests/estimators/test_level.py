"""A bag is as high on the mean as its members, each calibrated on rows it had not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from churnml.estimators import ChurnClassifier, ChurnHazard
from churnml.estimators import churn as churn_module
from churnml.estimators import hazard as hazard_module
from churnml.estimators.boosting.hazard_bag import HazardBag


@pytest.fixture(scope="module")
def rows():
    """Noise in many columns: members differ, and their mean is narrower."""
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.normal(size=(1_500, 12)), columns=[f"x{at}" for at in range(12)])
    return X, expit(-2.5 + 1.2 * X["x0"].to_numpy()), random


def noted(monkeypatch, module, name):
    """What a function of a module was given, while it goes on working."""
    original, given = getattr(module, name), {}

    def watched(*arguments):
        given["arguments"] = arguments
        return original(*arguments)

    monkeypatch.setattr(module, name, watched)
    return given


@pytest.mark.parametrize("linear_start", [False, True, None])
def test_a_classifier_of_one_repeat_is_levelled(rows, monkeypatch, linear_start):
    X, chance, random = rows
    y = (random.random(len(X)) < chance).astype(int)
    given = noted(monkeypatch, churn_module, "level_bag")
    model = ChurnClassifier(
        repeats=1, folds=3, max_rounds=30, learning_rate=0.3, linear_start=linear_start, n_jobs=1
    ).fit(X, y)
    before, members, weight = given["arguments"]
    assert members.shape == (3, len(X))
    # These are all rows: the members' mean is the bag.
    raw = np.sort(members.mean(axis=0))
    own = np.sort(model.bag_.score(model.encoder_.matrix(_values(model, X)), 1))
    assert raw == pytest.approx(own, abs=1e-5)
    wanted = np.average(expit(before.log_odds(members)).mean(axis=0), weights=weight)
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(wanted, rel=1e-5)
    assert model.calibration_.slope == before.slope
    # Held-out probabilities are of single members, and stay.
    assert np.nanmean(model.oof_) == pytest.approx(y.mean(), rel=1e-6)


def test_a_classifier_of_many_repeats_is_left_alone(rows, monkeypatch):
    X, chance, random = rows
    y = (random.random(len(X)) < chance).astype(int)
    given = noted(monkeypatch, churn_module, "level_bag")
    ChurnClassifier(repeats=2, folds=2, max_rounds=10, n_jobs=1).fit(X, y)
    assert given == {}


def test_every_month_of_a_hazard_is_levelled(rows, monkeypatch):
    X, chance, random = rows
    month = random.geometric(chance)
    y = np.where(month <= 3, month, -3)
    given = noted(monkeypatch, hazard_module, "level_months")
    model = ChurnHazard(months=3, folds=3, max_rounds=30, learning_rate=0.3, n_jobs=1).fit(X, y)
    before, bag, _growing = given["arguments"]
    matrix = model.encoder_.matrix(_values(model, X))
    for at in range(3):
        seen = matrix[np.abs(y) > at]
        rows_of = np.column_stack([seen, np.full(len(seen), at + 1, np.float32)])
        members = [
            HazardBag(start=bag.start, texts=[text], boosters=[booster]).score(rows_of)
            for text, booster in zip(bag.texts, bag.boosters, strict=True)
        ]
        wanted = expit(before[at].log_odds(np.array(members))).mean()
        found = model.predict_hazard(X)[np.abs(y) > at, at].mean()
        assert found == pytest.approx(wanted, rel=1e-6)
        assert replace(model.calibrations_[at], intercept=0, shift=0) == replace(
            before[at], intercept=0, shift=0
        )


def _values(model, X):
    from churnml.estimators.encoding.sample import score_values

    return score_values(model, X)[1]
