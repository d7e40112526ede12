"""Real tables: the estimators stay at least as good as they were found to be.

Reads ``../shared/data`` beside the project, which is no part of it; skipped without it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.metrics import (
    auc,
    calibration_line,
    coverage,
    dissatisfied_auc,
    expected_calibration_error,
    spearman,
)

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SEEDS = range(1, 4)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real tables are not here"),
]


def _ibm():
    frame = pd.read_csv(DATA / "ibm_telco.csv")
    y = (frame["Churn"] == "Yes").to_numpy(float)
    frame["TotalCharges"] = pd.to_numeric(frame["TotalCharges"], errors="coerce")
    return frame.drop(columns=["customerID", "Churn"]), y, None


def _tv():
    frame = pd.read_csv(DATA / "tv_subscriptions.csv")
    costs = [name for name in frame if name.startswith("C_")]
    return frame.drop(columns=["id", "target", *costs]), frame["target"].to_numpy(float), None


def _edw():
    frame = pd.read_csv(DATA / "edw_cdr.csv", na_values=["\\N"])
    X = frame.drop(columns=["customerid", "churn"])
    return X, frame["churn"].to_numpy(float), frame["customerid"].to_numpy()


def _beijing():
    frame = pd.read_csv(DATA / "beijing_mobile_voice.csv")
    names = list(frame)
    answers = names[names.index("是否遇到过网络问题") : names.index("用户描述.1") + 1]
    scores = names[1:5]
    y = (frame[scores[0]].to_numpy(float) - 1) / 9 * 100
    return frame.drop(columns=["用户id", *scores, *answers]), y


def _split(y, groups, seed):
    if groups is None:
        return train_test_split(np.arange(y.size), test_size=0.3, random_state=seed, stratify=y)
    parts = GroupShuffleSplit(1, test_size=0.3, random_state=seed)
    return next(parts.split(np.arange(y.size), y, groups))


@pytest.mark.parametrize(
    ("read", "least"), [(_ibm, 0.846), (_tv, 0.715), (_edw, 0.687)], ids=["ibm", "tv", "edw"]
)
def test_churn_is_ranked_and_calibrated(read, least):
    X, y, groups = read()
    found = []
    for seed in SEEDS:
        train, test = _split(y, groups, seed)
        inside = None if groups is None else groups[train]
        model = ChurnClassifier(random_state=seed).fit(X.iloc[train], y[train], groups=inside)
        told = model.predict_proba(X.iloc[test])[:, 1]
        found.append(
            (
                auc(y[test], told),
                calibration_line(y[test], told)[0],
                expected_calibration_error(y[test], told),
            )
        )
    ranking, slope, error = np.mean(found, axis=0)
    assert ranking > least
    assert slope == pytest.approx(1, abs=0.12)
    assert error < 0.025


def _crps(y, shares, levels):
    """The continuous ranked probability score, in points."""
    missed = (shares[:, :-1] - (y[:, None] <= levels[:-1])) ** 2
    return float((missed @ np.diff(levels)).mean())


def test_satisfaction_is_ranked_and_its_intervals_cover():
    X, y = _beijing()
    found = []
    for seed in SEEDS:
        train, test = _split(y, None, seed)
        model = SatisfactionRegressor(random_state=seed).fit(X.iloc[train], y[train])
        ahead = X.iloc[test]
        found.append(
            (
                spearman(y[test], model.predict(ahead)),
                dissatisfied_auc(y[test], model.predict_dissatisfied(ahead)),
                coverage(y[test], *model.predict_interval(ahead)),
                _crps(y[test], model.predict_distribution(ahead), model.levels_),
            )
        )
        assert 0.87 <= found[-1][2] <= 0.93
    ranking, unhappy, covered, distance = np.mean(found, axis=0)
    assert ranking > 0.23
    assert unhappy > 0.69
    assert covered == pytest.approx(0.9, abs=0.02)
    # Of the shares of all answers: 11.1; of quantile boosting: 10.6.
    assert distance < 10.55
