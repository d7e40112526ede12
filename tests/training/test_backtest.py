"""The backtest: trained on the past alone, seen and never seen customers, ageing."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.base import BaseEstimator

from churnml.datasets.dataset import Dataset
from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.metrics import Estimate
from churnml.training.backtest import backtest
from churnml.training.backtest_result import Age, Backtest

MONTHS = [date(2026, month, 1) for month in range(1, 10)]
QUICK = {"repeats": 1, "folds": 2, "max_rounds": 60, "n_jobs": 1}


def window_end(day: date) -> date:
    """Two months later."""
    return day.replace(month=day.month + 2)


def drifting(drift: float, customers: int = 500, seed: int = 0) -> Dataset:
    """Customers of many months; what drives them out turns from one column to another."""
    random = np.random.default_rng(seed)
    parts = []
    for number, day in enumerate(MONTHS):
        first, second = random.normal(size=(2, customers))
        turned = drift * number / (len(MONTHS) - 1)
        odds = -1.5 + 1.6 * ((1 - turned) * first + turned * second)
        left = random.random(customers) < expit(odds)
        names = [f"c{at:04d}" for at in range(customers)]
        parts.append(
            pd.DataFrame({"a": first, "b": second, "y": left * 1.0, "who": names, "at": day})
        )
    rows = pd.concat(parts, ignore_index=True)
    return Dataset(X=rows[["a", "b"]], y=rows["y"], groups=rows["who"], times=rows["at"])


class Memory(BaseEstimator):
    """Knows what happened to everyone it has seen, and nothing else."""

    leaving_column_ = 1

    def fit(self, X, y, groups, sample_weight=None):
        self.seen_ = dict(zip(X["number"], y, strict=True))
        return self

    def predict_proba(self, X):
        p = np.array([0.1 + 0.8 * self.seen_.get(number, 0.5) for number in X["number"]])
        return np.column_stack([1 - p, p])


@pytest.fixture(scope="module")
def found():
    return backtest(
        "churn",
        drifting(1.0),
        MONTHS[-4:],
        window_end,
        ChurnClassifier(**QUICK),
        train_months=2,
        draws=60,
    )


def test_a_month_s_training_ends_as_long_before_it_as_the_label_looks(found):
    assert [one.as_of for one in found.months] == MONTHS[-4:]
    for one in found.months:
        assert len(one.trained) == 2
        assert window_end(one.trained[-1]) == one.as_of
    assert {one.rows for one in found.months} == {500}
    assert {one.unseen_rows for one in found.months} == {125}


def test_models_age_where_the_world_turns(found):
    assert [(one.months, one.models) for one in found.ages] == [(0, 4), (1, 3), (2, 2), (3, 1)]
    fresh, *older = found.ages
    assert fresh.change.value == fresh.change.low == fresh.change.high == 0
    assert older[-1].change.high < 0
    assert older[-1].measure.value < fresh.measure.value
    assert found.conclusion.startswith("Worse than a fresh model from ")
    mean = np.mean([one.metrics["auc"].value for one in found.months])
    assert fresh.measure.value == pytest.approx(mean)


def test_models_do_not_age_where_nothing_changes():
    still = backtest(
        "churn", drifting(0.0, 800), MONTHS[-2:], window_end, ChurnClassifier(**QUICK), draws=60
    )
    assert abs(still.ages[1].change.value) < 0.02
    assert still.conclusion.startswith("No ageing seen up to 1 month: AUC ")


def test_the_fresh_models_are_measured_on_the_very_same_months(found):
    by_month = [one.metrics["auc"].value for one in found.months]
    for one in found.ages:
        # Who is two months old is so at the last two dates.
        assert one.fresh.value == pytest.approx(np.mean(by_month[one.months :]))
        assert one.change.value == pytest.approx(one.measure.value - one.fresh.value)


def estimate(value, spread=0.01):
    return Estimate(value, value - spread, value + spread)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([0.0], "Whether models age is not seen: that takes two test months."),
        (
            [0.0, 0.008, -0.004],
            "No ageing seen up to 2 months: AUC -0.004 (-0.014 to +0.006) against a fresh model.",
        ),
        (
            [0.0, -0.002, -0.02, -0.03],
            "Worse than a fresh model from 2 months on; at 3: "
            "AUC -0.030 (-0.040 to -0.020) against a fresh model.",
        ),
        (
            [0.0, -0.02, -0.002],
            "Worse than a fresh model at 1 month; at 2: "
            "AUC -0.002 (-0.012 to +0.008) against a fresh model.",
        ),
        (
            [0.0, -0.02, -0.03, -0.002],
            "Worse than a fresh model at 1 and 2 months; at 3: "
            "AUC -0.002 (-0.012 to +0.008) against a fresh model.",
        ),
        ([0.0, float("nan")], "Whether models age is not seen: that takes two test months."),
    ],
)
def test_the_conclusion_in_words(changes, says):
    level = estimate(0.8)
    ages = [
        Age(months=at, models=1, measure=level, fresh=level, change=estimate(change))
        for at, change in enumerate(changes)
    ]
    assert Backtest("churn", [], ages).conclusion == says


def test_customers_never_seen_are_known_only_by_what_they_are_like():
    random = np.random.default_rng(0)
    customers = 400
    # Every customer's own fate, which only their number tells.
    fate = np.tile(random.random(customers) < 0.3, len(MONTHS)) * 1.0
    rows = pd.DataFrame(
        {
            "number": np.tile(np.arange(customers) * 1.0, len(MONTHS)),
            "who": np.tile([f"c{at:04d}" for at in range(customers)], len(MONTHS)),
            "at": np.repeat(MONTHS, customers),
        }
    )
    data = Dataset(X=rows[["number"]], y=pd.Series(fate), groups=rows["who"], times=rows["at"])
    (one,) = backtest("churn", data, MONTHS[-1:], window_end, Memory(), draws=40).months
    assert one.metrics["auc"].value == 1
    assert one.unseen["auc"].value == 0.5


def test_it_is_plain_data_and_shows_itself(found):
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["months"][0]["trained"] == ["2026-03-01", "2026-04-01"]
    assert plain["months"][0]["metrics"]["auc_low"] < plain["months"][0]["metrics"]["auc"]
    assert set(plain["ages"][1]) == {"months", "models", "measure", "fresh", "change"}
    assert plain["conclusion"] == found.conclusion
    assert found.conclusion in found._repr_html_()
    assert "4 months, 2026-06-01 to 2026-09-01" in repr(found)
    assert "<table>" in found._repr_html_()
    assert {len(row) for row in found.rows()} == {len(found.columns())}
    assert {len(row) for row in found.age_rows()} == {len(found.age_columns())}


def test_its_months_are_a_frame(found):
    table = found.to_pandas().set_index("as_of")
    assert len(table) == len(found.months)
    one = found.months[1]
    row = table.loc[pd.Timestamp(one.as_of)]
    assert (row["rows"], row["positives"]) == (one.rows, one.positives)
    assert (row["auc"], row["auc_high"]) == (one.metrics["auc"].value, one.metrics["auc"].high)
    assert row["trained_until"] == pd.Timestamp(one.trained[-1])
    assert table.index.dtype == table["trained_until"].dtype == "datetime64[s]"


def test_satisfaction_is_measured_by_its_ranking():
    data = drifting(0.0, 120)
    answers = (80 - 10 * data.X["a"] + 8 * data.X["b"]).clip(0, 100).rename("score")
    told = Dataset(X=data.X, y=answers, groups=data.groups, times=data.times)
    estimator = SatisfactionRegressor(**(QUICK | {"max_rounds": 20}))
    found = backtest("satisfaction", told, MONTHS[-1:], window_end, estimator, draws=20)
    assert found.measure == "spearman"
    assert found.months[0].metrics["spearman"].value > 0.5
    assert found.months[0].unseen["r2"].value > 0.2


def test_the_figure_falls_where_models_get_worse(found):
    from churnml.metrics.displays import ageing

    left, right = ageing.backtest(found.to_dict(), "AUC").axes
    seen = left.get_lines()[0].get_ydata()
    assert seen.tolist() == [one.metrics["auc"].value for one in found.months]
    drawn = right.get_lines()[0].get_ydata()
    assert drawn.tolist() == [one.change.value for one in found.ages]
    assert drawn[0] == 0 > drawn[-1]
    assert "better" in right.get_ylabel().partition("worse")[2]


def test_a_small_change_is_drawn_small(found):
    from churnml.metrics.displays import ageing

    plain = found.to_dict()
    for one in plain["ages"]:
        one["change"] = {"value": 0.001, "low": 0.0, "high": 0.002}
    right = ageing.backtest(plain, "AUC").axes[1]
    low, high = right.get_ylim()
    assert low == -high
    assert high > 10 * 0.002


def test_the_spread_over_months_stands_beside_the_intervals(found):
    over = found.over_months
    for name in ("auc", "calibration_slope", "log_loss", "calibration_in_the_large"):
        values = [one.metrics[name].value for one in found.months]
        assert over[name].mean == pytest.approx(np.mean(values))
        assert over[name].sd == pytest.approx(np.std(values, ddof=1))
        assert (over[name].low, over[name].high) == (min(values), max(values))
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["over_months"]["auc"]["mean"] == over["auc"].mean
    page = found._repr_html_()
    assert "for the time of these rows" in page
    assert "sd of a month" in page


def test_one_month_has_no_spread(found):
    alone = Backtest("churn", found.months[:1], found.ages[:1])
    assert np.isnan(alone.over_months["auc"].sd)
    assert alone.to_dict()["over_months"]["auc"]["sd"] is None
    assert [row[2] for row in alone.spread_rows()] == ["–"] * 4
