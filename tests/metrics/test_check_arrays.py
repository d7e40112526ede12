"""What measures are given and asked for: refused in words, whichever function it is given to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from churnml.config.settings import Costs
from churnml.datasets.splits import (
    forward_split,
    group_split,
)
from churnml.errors import DataError, SchemaError, UsageError
from churnml.evaluation import (
    age_band,
    base_rate,
    churn_slices,
    diagnose_satisfaction,
    evaluate_churn,
    evaluate_satisfaction,
    regression,
)
from churnml.metrics import (
    Campaign,
    Ranked,
    auc,
    average_precision,
    balance,
    bootstrap,
    brier,
    calibration_in_the_large,
    calibration_line,
    capture,
    churn_measures,
    churn_metrics,
    columns_alone,
    contact_gain,
    coverage,
    customer_value,
    dissatisfied_auc,
    expected_calibration_error,
    hidden_mean,
    lift,
    log_loss,
    mae,
    profit_curve,
    profit_measures,
    quadratic_kappa,
    r2,
    reliability,
    satisfaction_measures,
    satisfaction_metrics,
    share_of_possible,
    spearman,
    width,
)
from churnml.metrics.displays import (
    GainsDisplay,
    ProfitDisplay,
    ReasonsDisplay,
    ReliabilityDisplay,
    SatisfactionDisplay,
)

ROWS = 120
_random = np.random.default_rng(0)
P = _random.beta(1, 3, ROWS)
Y = (_random.random(ROWS) < P).astype(float)
SCORES = _random.normal(70, 12, ROWS).clip(0, 100)
X = pd.DataFrame({"age": _random.normal(size=ROWS), "tier": np.where(P > 0.2, "a", "b")})
TEXT = np.where(Y == 1, "yes", "no")

WEIGHTED = {
    "auc": lambda w: auc(Y, P, w),
    "average_precision": lambda w: average_precision(Y, P, w),
    "capture": lambda w: capture(Y, P, 0.1, w),
    "lift": lambda w: lift(Y, P, 0.1, w),
    "log_loss": lambda w: log_loss(Y, P, w),
    "brier": lambda w: brier(Y, P, w),
    "calibration_error": lambda w: expected_calibration_error(Y, P, w),
    "in_the_large": lambda w: calibration_in_the_large(Y, P, w),
    "line": lambda w: calibration_line(Y, P, w),
    "r2": lambda w: r2(SCORES, SCORES, w),
    "mae": lambda w: mae(SCORES, SCORES, w),
    "spearman": lambda w: spearman(SCORES, SCORES, w),
    "kappa": lambda w: quadratic_kappa(SCORES, SCORES, w),
    "dissatisfied_auc": lambda w: dissatisfied_auc(SCORES, -SCORES, w),
    "coverage": lambda w: coverage(SCORES, SCORES, SCORES, w),
    "width": lambda w: width(SCORES, SCORES, w),
    "hidden_mean": lambda w: hidden_mean(SCORES, w, 1.2),
    "balance": lambda w: balance(X, np.ones(ROWS), w),
    "campaign": lambda w: Campaign(Y, P, 100.0).maximum(w),
}
GROUPED = {
    "churn_metrics": lambda g: churn_metrics(Y, P, g, draws=2),
    "satisfaction_metrics": lambda g: satisfaction_metrics(SCORES, SCORES, g, draws=2),
    "reliability": lambda g: reliability(Y, P, g),
    "profit_curve": lambda g: profit_curve(Y, P, 9.0, g, draws=2),
    "share_of_possible": lambda g: share_of_possible("churn", Y, P, P, g, draws=2),
    "group_split": lambda g: group_split(Y, g),
    "evaluate_churn": lambda g: evaluate_churn(Y, P, g, draws=2),
    "evaluate_satisfaction": lambda g: evaluate_satisfaction(SCORES, SCORES, g, draws=2),
    "bootstrap": lambda g: bootstrap({"auc": Ranked(Y, P).auc}, g, draws=2),
}
LABELLED = {
    "auc": lambda y: auc(y, P),
    "log_loss": lambda y: log_loss(y, P),
    "reliability": lambda y: reliability(y, P),
    "churn_measures": lambda y: churn_measures(y, P),
    "churn_metrics": lambda y: churn_metrics(y, P),
    "profit_curve": lambda y: profit_curve(y, P, 9.0),
    "profit_measures": lambda y: profit_measures(y, P, 9.0),
    "share_of_possible": lambda y: share_of_possible("churn", y, P, P),
    "evaluate_churn": lambda y: evaluate_churn(y, P),
    "regression": lambda y: regression("churn", (X, y), X),
    "gains": lambda y: GainsDisplay.from_predictions(y, P),
    "reliability_display": lambda y: ReliabilityDisplay.from_predictions(y, P),
    "profit_display": lambda y: ProfitDisplay.from_predictions(y, P, value=9.0),
}


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (-np.ones(ROWS), "120 weights are negative.* -1 in row 0"),
        (np.r_[np.ones(ROWS - 1), np.nan], "1 weights are .*missing.* nan in row 119"),
        (np.r_[np.inf, np.ones(ROWS - 1)], "1 weights are .*infinite.* inf in row 0"),
        (np.zeros(ROWS), "all 120 weights are 0"),
        (np.ones(ROWS + 1), "121"),
        (np.ones(ROWS - 1), "119"),
        (np.ones((ROWS, 1)), r"\(120, 1\)|120 rows"),
        (["heavy"] * ROWS, "weights are not numbers: 'heavy'"),
    ],
)
def test_weights_that_are_none_are_refused(name, weight, message):
    with pytest.raises(DataError, match=message):
        WEIGHTED[name](weight)


@pytest.mark.parametrize("name", [name for name in WEIGHTED if name != "balance"])
def test_whole_weights_repeat_rows_and_may_be_a_list(name):
    weight = np.arange(ROWS) % 3
    assert WEIGHTED[name](weight.tolist()) == WEIGHTED[name](weight.astype(float))


def test_a_draw_of_no_one_is_no_error_of_a_ranking():
    assert np.isnan(Ranked(Y, P).auc(np.zeros(ROWS)))


@pytest.mark.parametrize("name", GROUPED)
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.arange(ROWS + 1), "121"),
        (np.arange(ROWS - 1), "119"),
        ([None] * ROWS, "customer of 120 of 120 rows"),
        (["a", None] * (ROWS // 2), "customer of 60 of 120 rows, such as row 1"),
        (np.ones((ROWS, 2)), r"\(120, 2\)"),
    ],
)
def test_customers_that_do_not_fit_are_refused(name, groups, message):
    with pytest.raises(DataError, match=message):
        GROUPED[name](groups)


@pytest.mark.parametrize("name", LABELLED)
def test_text_is_no_label_and_the_message_says_how_to_make_one(name):
    with pytest.raises(DataError, match=r"text \('no', 'yes'\).* y == 'yes' makes them"):
        LABELLED[name](TEXT)


@pytest.mark.parametrize("kind", [list, pd.Series, lambda y: pd.Series(y, dtype="category")])
def test_labels_may_be_of_any_kind_of_array(kind):
    assert auc(kind(Y == 1), pd.Series(P)) == auc(Y, P)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (lambda: auc(Y, np.c_[1 - P, P]), r"\(120, 2\).*predict_proba\(X\)\[:, 1\]"),
        (lambda: auc(Y[:, None], P), r"\(120, 1\).*the one column of y"),
        (lambda: auc(Y, P[:7]), r"y has shape \(120,\), the scores \(7,\)"),
        (lambda: auc(Y, TEXT), "scores are not numbers: 'no', 'yes'|'yes', 'no'"),
        (lambda: auc(None, None), "y holds nan"),
        (lambda: log_loss(Y, P + 1), "120 probabilities lie outside 0 to 1, such as 1"),
        (lambda: profit_curve(Y, P, "a"), "customer values are not numbers"),
        (lambda: profit_curve(Y, P, -1.0), "120 customer values .* such as -1"),
        (lambda: satisfaction_metrics(TEXT, SCORES), "scores are not numbers"),
        (lambda: share_of_possible("churn", Y, P, P[:3]), "the true probabilities"),
        (lambda: evaluate_churn(Y, P, baselines={"line": P[:3]}), "the baseline 'line'"),
        (lambda: regression("churn", (X, 0 * Y), X), "y is 0 in all 120 rows"),
        (lambda: regression("churn", (X, Y), X[:0]), "no rows to predict"),
        (lambda: regression("satisfaction", (X, SCORES[:5]), X), "have 120 rows, y 5"),
        (lambda: base_rate([], 3), "no rows"),
        (lambda: age_band(["old"]), "not numbers: 'old'"),
        (lambda: age_band(30), r"shape \(\)"),
        (lambda: auc([[0], [0, 1]], P), r"labels are not numbers \(\[0\], \[0, 1\]\)"),
        (lambda: forward_split([], lambda day: day), "no rows"),
        (lambda: balance(X, TEXT, P), "text"),
        (lambda: balance(X, Y, P, standing=-P), "weights are negative"),
        (lambda: SatisfactionDisplay.from_predictions(SCORES * np.nan, SCORES), "120 scores"),
        (lambda: SatisfactionDisplay.from_predictions(SCORES, SCORES * np.nan), "120 predictions"),
        (lambda: ReasonsDisplay.from_predictions(X), "contributions of tier are not numbers"),
    ],
)
def test_data_that_do_not_fit_are_refused(asked, message):
    with pytest.raises(DataError, match=message):
        asked()


@pytest.mark.parametrize(
    ("X_ahead", "message"),
    [(X[["tier"]], "lacks 1 of the 2 .*: age"), (X.assign(age="old"), "X.age is of type")],
)
def test_a_regression_predicts_from_the_columns_it_learnt_from(X_ahead, message):
    with pytest.raises(SchemaError, match=message):
        regression("churn", (X, Y), X_ahead)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (lambda: reliability(Y, P, bins=0), "bins is 0; a whole number of 1"),
        (lambda: reliability(Y, P, bins=-1), "bins is -1"),
        (lambda: expected_calibration_error(Y, P, bins=2.5), "bins is 2.5"),
        (lambda: reliability(Y, P, level=95), "level is 95; .* between 0 and 1.* 95 % is 0.95"),
        (lambda: quadratic_kappa(SCORES, SCORES, levels=[3, 2, 1]), r"levels are \[3, 2, 1\]"),
        (lambda: share_of_possible("x", Y, P, P), "task is 'x'; 'churn' or 'satisfaction'"),
        (lambda: regression("foo", (X, Y), X), "task is 'foo'"),
        (lambda: regression("churn", X, X), "train is of type DataFrame"),
        (lambda: regression("churn", (X.to_numpy(), Y), X), "of type ndarray; a DataFrame"),
        (lambda: hidden_mean(SCORES, P, "x"), "odds is 'x'; a number above 0"),
        (lambda: hidden_mean(SCORES, P, 1.2, step=0), "step is 0; a number above 0"),
        (lambda: churn_metrics(Y, P, seed=-1), "seed is -1; a whole number of 0"),
        (lambda: group_split(Y, seed="x"), "seed is 'x'"),
        (lambda: profit_curve(Y, P, 9.0, draws=0), "draws is 0"),
        (lambda: profit_curve(Y, P, 9.0, costs={"contact_cost": 1}), "type dict; a Costs"),
        (lambda: customer_value(P, costs=3), "type int; a Costs"),
        (lambda: contact_gain(Y, 9.0, {}), "type dict; a Costs"),
        (lambda: satisfaction_metrics(SCORES, SCORES, interval=(SCORES,)), "interval has 1"),
        (lambda: satisfaction_measures(SCORES, SCORES, threshold="low"), "threshold is 'low'"),
        (lambda: evaluate_churn(Y, P, baselines=[P]), "baselines is of type list; a Mapping"),
        (lambda: evaluate_churn(Y, P, slices=X.to_numpy()), "slices is of type ndarray"),
        (lambda: base_rate(Y, -1), "rows is -1"),
        (lambda: SatisfactionDisplay.from_predictions(SCORES, SCORES, bins=0), "bins is 0"),
        (lambda: ReasonsDisplay.from_predictions(np.ones((3, 2))), "ndarray; a DataFrame"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(asked, message):
    with pytest.raises(UsageError, match=message):
        asked()


def test_costs_of_the_settings_are_taken():
    assert contact_gain([1], 100.0, Costs(offer_cost=10)) > contact_gain([1], 100.0)


SATISFACTION = {
    "satisfaction_metrics": lambda y: satisfaction_metrics(y, SCORES, draws=2),
    "evaluate_satisfaction": lambda y: evaluate_satisfaction(y, SCORES, draws=2),
    "display": lambda y: SatisfactionDisplay.from_predictions(y, SCORES),
}


@pytest.mark.parametrize("name", SATISFACTION)
def test_answers_on_another_scale_are_refused(name):
    with pytest.raises(DataError, match=r"all 120 .* 0 to 10; .* Multiply the scores"):
        SATISFACTION[name](np.round(SCORES / 10))
    with pytest.raises(DataError, match="1 satisfaction scores lie outside 0 to 100, such as 101"):
        SATISFACTION[name](np.r_[101, SCORES[1:]])


def test_few_low_answers_and_predictions_beyond_the_scale_are_taken():
    low = np.r_[np.zeros(25), np.full(25, 10.0)]
    found = satisfaction_metrics(low, np.linspace(-20, 120, 50), draws=2)
    assert found["mae"].value > 0


@pytest.mark.parametrize("known", ["regression", "truth"])
@pytest.mark.parametrize("bad", [["No"] * 60, [50.0] * 59, [np.nan] * 60, [[50.0]] * 60])
def test_what_satisfaction_is_compared_with_is_checked(known, bad):
    answers = np.linspace(10, 90, 60)
    metrics = satisfaction_metrics(answers, answers, draws=5)
    with pytest.raises(DataError):
        diagnose_satisfaction(answers, answers, metrics, **{known: bad})


def test_customers_in_lists_of_several_lengths_and_a_column_twice_are_refused():
    y, p = np.arange(60) % 2, np.linspace(0.1, 0.9, 60)
    with pytest.raises(DataError, match="lists of several lengths"):
        churn_metrics(y, p, [[1], [1, 2]] * 30, draws=5)
    twice = pd.DataFrame(np.ones((60, 2)), columns=["a", "a"])
    with pytest.raises(DataError, match="'a' twice"):
        churn_slices(twice, y, p)
    with pytest.raises(DataError, match="y has shape"):
        columns_alone("churn", twice, y[:, None])
