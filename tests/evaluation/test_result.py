"""An evaluation as data: complete, escaped, and short where it shows itself."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from churnml.config.settings import Costs
from churnml.evaluation import (
    evaluate_churn,
    evaluate_satisfaction,
)
from churnml.metrics import (
    profit_curve,
    reliability,
    share_of_possible,
)
from tests.evaluation.broken import churn_rows, honest, satisfaction_rows


@pytest.fixture(scope="module")
def found():
    X, truth, y = churn_rows(3_000)
    few = np.where(np.arange(3_000) < 20, "few", "many")
    return evaluate_churn(
        y,
        honest(truth),
        np.arange(3_000),
        model="<churn & 1>",
        slices=X[["brand"]].replace("mzone", "<script>alert(1)</script>").assign(few=few),
        value=1_000.0,
        baselines={"base rate": np.full(3_000, y.mean())},
        truth=truth,
        X=X,
        draws=30,
    )


def test_everything_is_plain_data(found):
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["metrics"]["auc_low"] < plain["metrics"]["auc"] < plain["metrics"]["auc_high"]
    assert plain["baselines"]["base rate"]["auc"] == 0.5
    assert plain["possible"]["auc_share"] < 1
    assert plain["possible"]["auc_of_truth"] > plain["metrics"]["auc"]
    assert len(plain["reliability"]) == 10
    assert {one["column"] for one in plain["slices"]} == {"brand", "few"}
    assert plain["profit"]["best_share"]["value"] > 0
    assert len(plain["profit"]["curve"]["profit"]) == 101
    assert plain["diagnosis"] == []
    assert plain["rows"] == plain["customers"] == 3_000


def test_it_shows_itself_in_one_line_and_in_escaped_html(found):
    line = repr(found)
    assert "\n" not in line
    assert "3,000 rows" in line
    assert "Nothing wrong found" in line
    page = found._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;churn &amp; 1&gt;" in page
    assert len(page) < 12_000


def test_the_elderly_brand_is_named(found):
    assert found.elderly.startswith("The brand for the elderly (老年")
    assert "as well as the others" in found.elderly
    X, truth, y = churn_rows()
    p, senior = truth.copy(), (X["brand"] == "senior").to_numpy()
    p[senior] = np.random.default_rng(0).permutation(p[senior])
    worse = evaluate_churn(y, p, slices=X[["brand"]], draws=20)
    assert "is served worse" in worse.elderly
    assert evaluate_churn(y, p, draws=2).elderly == ""


def test_satisfaction_comes_with_intervals_and_what_is_possible():
    X, truth, y = satisfaction_rows()
    told = 82 - X["waited"].to_numpy()
    found = evaluate_satisfaction(
        y,
        told,
        dissatisfied=np.clip((80 - told) / 60, 0, 1),
        interval=(told - 17, told + 17),
        slices=pd.DataFrame({"hall": np.arange(len(y)) % 3}),
        truth=truth,
        draws=20,
    )
    plain = found.to_dict()
    assert 0 < plain["possible"]["r2_share"] < 1
    assert 0 < plain["metrics"]["quadratic_kappa"] < 1
    assert plain["metrics"]["interval_coverage"] > 0.8
    assert plain["profit"] is None
    assert "mean error" in found._repr_html_()


def test_reliability_by_hand_and_with_intervals_of_some_width():
    y = np.r_[np.zeros(90), np.ones(10), np.zeros(50), np.ones(50)]
    low, high = reliability(y, np.repeat([0.1, 0.6], 100), bins=2)
    assert (low.observed, high.observed) == (0.1, 0.5)
    assert (low.predicted, high.predicted) == pytest.approx((0.1, 0.6))
    # Wilson's interval of 10 in 100.
    assert (low.low, low.high) == pytest.approx((0.0552, 0.1744), abs=1e-4)
    (never,) = reliability(np.zeros(20), np.full(20, 0.1))
    assert (never.low, never.observed) == (0, 0)
    assert never.high > 0.1


def test_rows_of_one_customer_make_reliability_less_sure():
    y, p = np.tile([1.0, 0, 0, 0, 0], 200), np.full(1_000, 0.2)
    alone, alike = reliability(y, p), reliability(np.repeat(y, 5), np.repeat(p, 5))
    together = reliability(np.repeat(y, 5), np.repeat(p, 5), np.repeat(np.arange(1_000), 5))
    assert (together[0].low, together[0].high) == pytest.approx((alone[0].low, alone[0].high))
    assert alike[0].low > alone[0].low


def test_the_profit_curve_is_the_campaign_on_a_grid():
    _, truth, y = churn_rows(2_000)
    costs = Costs(offer_cost=30)
    found = profit_curve(y, truth, 800.0, costs=costs, draws=50)
    assert found.profit[0] == 0
    assert found.everybody == pytest.approx(y.mean() * (0.3 * 770 - 2) - (1 - y.mean()) * 32)
    assert max(found.profit) <= found.maximum.value + 1e-9
    assert all(low <= high for low, high in zip(found.low, found.high, strict=True))
    assert 0 < found.best_share.value < 1
    assert "yuan per customer" in repr(found)


def test_the_share_of_the_possible_starts_at_chance():
    """A ratio of AUCs would call a coin more than half of what can be known."""
    _, truth, y = churn_rows(4_000)
    coin = np.random.default_rng(0).random(4_000)
    guessed = share_of_possible("churn", y, coin, truth, draws=30)["auc_share"]
    assert guessed.low < 0 < guessed.high
    own, best = np.random.default_rng(1).normal(0, 1, 4_000) + 2 * truth, truth
    found = share_of_possible("churn", y, own, best, draws=5)
    share = (roc_auc_score(y, own) - 0.5) / (roc_auc_score(y, best) - 0.5)
    assert found["auc_share"].value == pytest.approx(share, abs=1e-12)


def test_the_share_of_the_possible_is_one_for_the_truth_itself():
    _, truth, y = churn_rows(1_000)
    for name, one in share_of_possible("churn", y, truth, truth, draws=5).items():
        assert name == "auc_of_truth" or (one.low, one.value, one.high) == (1, 1, 1)
    _, level, answers = satisfaction_rows(1_000)
    assert share_of_possible("satisfaction", answers, level, level, draws=5)["r2_share"].value == 1
