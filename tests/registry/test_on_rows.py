"""Several fitted models compared on the same rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score

import churnml
from churnml.errors import DataError, UsageError

QUICK = {"repeats": 1, "folds": 2, "max_rounds": 30, "n_jobs": 1}


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    X = pd.DataFrame({"use": random.normal(size=900), "noise": random.normal(size=900)})
    return X, (random.random(900) < 1 / (1 + np.exp(2 - 3 * X["use"] ** 2))).astype(int)


@pytest.fixture(scope="module")
def models(rows):
    X, y = rows[0][:500], rows[1][:500]
    return LogisticRegression().fit(X, y), churnml.ChurnClassifier(**QUICK).fit(X, y)


def test_differences_are_paired_and_the_better_is_told_apart(rows, models):
    X, y = rows[0][500:], rows[1][500:]
    line, bag = models
    found = churnml.compare([line, bag, bag], X, y)
    assert found.models == ("LogisticRegression", "ChurnClassifier", "ChurnClassifier 2")
    table = found.to_pandas().set_index(["measure", "model"])
    area = table.loc["auc"]
    expected = [roc_auc_score(y, one.predict_proba(X)[:, 1]) for one in (line, bag, bag)]
    assert np.allclose(area["value"], expected)
    assert area.loc["ChurnClassifier", "difference"] == pytest.approx(expected[1] - expected[0])
    assert area.loc["ChurnClassifier", "difference_low"] > 0
    assert np.isnan(area.loc["LogisticRegression", "difference"])
    same = churnml.compare({"one": bag, "same": bag}, X, y).to_pandas().query("model == 'same'")
    # Pairs of equal models never differ, however they vary from draw to draw.
    assert (same[["difference", "difference_low", "difference_high"]] == 0).all(axis=None)
    assert "apart" in repr(found)
    assert "<table>" in found._repr_html_()
    assert found.to_dict()["rows"] == 400


def test_intervals_are_over_customers(rows, models):
    X, y = rows[0][500:], rows[1][500:]
    thrice = pd.concat([X] * 3), np.tile(y, 3)
    plain = churnml.compare(list(models), X, y)
    repeated = churnml.compare(list(models), *thrice, groups=np.tile(np.arange(len(X)), 3))
    assert repeated.customers == plain.customers == 400
    pd.testing.assert_frame_equal(repeated.to_pandas(), plain.to_pandas())


def test_scores_and_months_of_leaving_are_compared_too(rows):
    X, y = rows
    scores = churnml.compare(
        [
            LinearRegression().fit(X, y),
            churnml.SatisfactionRegressor(bounds=(0, 1), dissatisfied=0, **QUICK).fit(X, y),
        ],
        X,
        y,
    )
    assert list(dict.fromkeys(one.measure for one in scores.measured)) == ["r2", "spearman", "mae"]
    month = np.where(y, 2, -6)
    hazard = churnml.ChurnHazard(max_rounds=30, folds=2, n_jobs=1).fit(X, month)
    (first, _) = churnml.compare([hazard, hazard], X, month).measured
    assert first.estimate.value == hazard.score(X, month) > 0.6


def test_what_cannot_be_compared_is_said(rows, models):
    X, y = rows
    line, bag = models
    with pytest.raises(UsageError, match="two or more models, got 1"):
        churnml.compare([bag], X, y)
    with pytest.raises(UsageError, match="X and y are missing"):
        churnml.compare([line, bag], X)
    with pytest.raises(UsageError, match=r"compare.*takes fitted estimators"):
        churnml.compare(line, bag)
    with pytest.raises(UsageError, match="which is not a fitted model"):
        churnml.compare([bag, LogisticRegression()], X, y)
    with pytest.raises(UsageError, match=r"predict different things: .* a score"):
        churnml.compare([bag, LinearRegression().fit(X, y)], X, y)
    with pytest.raises(DataError, match="neither of the labels of training"):
        churnml.compare([line, bag], X, np.where(y, "left", "stayed"))
    with pytest.raises(DataError, match="all 900 outcomes are the same"):
        churnml.compare([line, bag], X, np.zeros(900, int))
