"""Broken models are told what is wrong with them; honest ones are let alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from churnml.evaluation import (
    diagnose_churn,
    diagnose_satisfaction,
    regression,
)
from churnml.metrics import (
    churn_metrics,
    satisfaction_metrics,
)
from tests.evaluation.broken import churn_rows, honest, satisfaction_rows


def codes(found):
    return [one.code for one in found]


def churn_codes(y, p, **known):
    return codes(diagnose_churn(y, p, churn_metrics(y, p, draws=60), **known))


@pytest.fixture(scope="module")
def rows():
    return churn_rows()


@pytest.mark.parametrize("seed", range(3))
def test_an_honest_model_gets_no_complaint(seed):
    X, truth, y = churn_rows(seed=seed)
    half = np.arange(len(X)) % 2 == 0
    plain = regression("churn", (X[half], y[half]), X[~half])
    p = honest(truth)[~half]
    assert churn_codes(y[~half], p, truth=truth[~half], X=X[~half], regression=plain) == []


def test_the_truth_itself_gets_no_complaint(rows):
    X, truth, y = rows
    assert churn_codes(y, truth, truth=truth, X=X) == []


def test_a_shuffled_model_ranks_no_better_than_chance(rows):
    X, truth, y = rows
    shuffled = np.random.default_rng(0).permutation(honest(truth))
    (found,) = diagnose_churn(y, shuffled, churn_metrics(y, shuffled, draws=60), X=X, truth=truth)
    assert found.code == "no_better_than_chance"
    assert "AUC 0.5" in found.message or "AUC 0.4" in found.message


def test_a_model_turned_round_is_worse_than_chance(rows):
    _, truth, y = rows
    assert "worse_than_chance" in churn_codes(y, 1 - honest(truth))


def test_an_over_confident_and_an_under_confident_model(rows):
    _, truth, y = rows
    p = honest(truth)
    middle = logit(y.mean())
    spread = expit(middle + 2 * (logit(p) - middle))
    narrow = expit(middle + 0.5 * (logit(p) - middle))
    assert "over_confident" in churn_codes(y, spread)
    assert "under_confident" in churn_codes(y, narrow)
    (found,) = (
        one
        for one in diagnose_churn(y, spread, churn_metrics(y, spread, draws=60))
        if one.code == "over_confident"
    )
    assert "slope 0.5" in found.message


def test_probabilities_that_are_too_high_or_too_low_altogether(rows):
    _, truth, y = rows
    p = honest(truth)
    assert churn_codes(y, expit(logit(p) + 0.7)) == ["too_high"]
    assert churn_codes(y, expit(logit(p) - 0.7)) == ["too_low"]


def test_a_leaking_model_and_the_column_to_blame(rows):
    X, truth, y = rows
    leaking = X.assign(closed_account=np.where(y == 1, "yes", "no"))
    p = np.clip(np.where(y == 1, 0.9, 0.02) + 0.05 * honest(truth), 0, 1)
    found = diagnose_churn(y, p, churn_metrics(y, p, draws=60), X=leaking, truth=truth)
    assert codes(found)[-1] == "leak"
    assert found[-1].column == "closed_account"
    assert "'closed_account' alone nearly decides" in found[-1].message


@pytest.mark.parametrize(
    ("leaver", "stayer"), [(9.0, np.nan), (np.nan, 3.0)], ids=["filled", "empty"]
)
def test_a_column_filled_for_one_outcome_only_is_found(rows, leaver, stayer):
    X, truth, y = rows
    leaking = X.assign(ended=np.where(y == 1, leaver, stayer))
    p = honest(truth)
    assert churn_codes(y, p, X=leaking) == ["leak"]


def test_too_good_against_the_truth_without_any_column(rows):
    _, truth, y = rows
    p = expit(logit(honest(truth)) + 0.8 * (y - y.mean()))
    found = churn_codes(y, p, truth=truth)
    assert "too_good" in found
    assert "too_good" not in churn_codes(y, p)


def test_too_good_to_be_true_without_any_truth(rows):
    _, _, y = rows
    random = np.random.default_rng(0)
    assert "too_good" in churn_codes(
        y, np.clip(0.02 + 0.9 * y + random.normal(0, 0.01, y.size), 0, 1)
    )


def test_a_model_that_a_regression_beats(rows):
    X, _, y = rows
    half = np.arange(len(X)) % 2 == 0
    plain = regression("churn", (X[half], y[half]), X[~half])
    random = np.random.default_rng(0)
    worse = expit(0.5 * logit(plain) + 0.8 * random.normal(size=plain.size))
    assert "worse_than_regression" in churn_codes(y[~half], worse, regression=plain)


def test_one_outcome_alone_says_so():
    assert churn_codes([0, 0, 0], [0.1, 0.2, 0.3]) == ["one_outcome"]


def satisfaction_codes(y, told, interval=None, **known):
    metrics = satisfaction_metrics(y, told, interval=interval, draws=60)
    return codes(diagnose_satisfaction(y, told, metrics, **known))


@pytest.mark.parametrize("seed", range(3))
def test_an_honest_satisfaction_model_gets_no_complaint(seed):
    X, truth, y = satisfaction_rows(seed=seed)
    half = np.arange(len(X)) % 2 == 0
    told = regression("satisfaction", (X[half], y[half]), X[~half])
    width = np.quantile(np.abs(y[~half] - told), 0.9)
    interval = told - width, told + width
    known = {"truth": truth[~half], "X": X[~half], "regression": told}
    assert satisfaction_codes(y[~half], told, interval, **known) == []


def test_broken_satisfaction_models():
    X, truth, y = satisfaction_rows()
    told = 82 - X["waited"].to_numpy()
    shuffled = np.random.default_rng(0).permutation(told)
    assert satisfaction_codes(y, shuffled)[0] == "no_better_than_chance"
    assert "worse_than_chance" in satisfaction_codes(y, 150 - told)
    mean = told.mean()
    assert "over_confident" in satisfaction_codes(y, mean + 1.6 * (told - mean))
    assert "under_confident" in satisfaction_codes(y, mean + 0.6 * (told - mean))
    assert "too_low" in satisfaction_codes(y, told - 6)
    assert "too_high" in satisfaction_codes(y, told + 6)
    noisy = told + np.random.default_rng(1).normal(0, 6, y.size)
    assert "worse_than_regression" in satisfaction_codes(y, noisy, regression=told)
    assert "too_good" in satisfaction_codes(y, (y + truth) / 2, truth=truth)


def test_intervals_that_cover_too_little_or_too_much():
    X, _, y = satisfaction_rows()
    told = 82 - X["waited"].to_numpy()
    for width, word in ((6, "narrow"), (40, "wide")):
        metrics = satisfaction_metrics(y, told, interval=(told - width, told + width), draws=50)
        found = diagnose_satisfaction(y, told, metrics)
        assert "interval_coverage" in codes(found)
        assert any(f"too {word}" in one.message for one in found)


def test_a_satisfaction_leak_is_named():
    X, _, y = satisfaction_rows()
    told = 82 - X["waited"].to_numpy()
    found = diagnose_satisfaction(
        y, told, satisfaction_metrics(y, told, draws=50), X=X.assign(quality=y // 10)
    )
    assert [one.column for one in found] == ["quality"]


def test_one_score_for_everybody_is_said_in_so_many_words(rows):
    X, truth, y = rows
    same = np.full(y.size, y.mean())
    (found,) = diagnose_churn(y, same, churn_metrics(y, same, draws=20), X=X, truth=truth)
    assert found.code == "constant"
    assert f"probability {y.mean():.1%}" in found.message

    _, answers, _ = satisfaction_rows()
    told = np.full(answers.size, answers.mean() + 8)
    metrics = satisfaction_metrics(answers, told, draws=20)
    assert codes(diagnose_satisfaction(answers, told, metrics)) == ["constant", "too_high"]


def test_a_leak_shows_by_how_far_it_is_ahead_of_a_regression():
    random = np.random.default_rng(0)
    X, _, y = churn_rows(6_000)
    plain = regression("churn", (X, y), X)
    # The outcome with noise: an AUC of about .93, calibrated.
    score = 2.1 * y + random.normal(size=y.size)
    leaking = expit(2.1 * score - 2.1**2 / 2 + logit(y.mean()))
    assert churn_codes(y, leaking) == []
    assert churn_codes(y, leaking, regression=plain) == ["too_good"]
    assert churn_codes(y, leaking, regression=leaking) == []
