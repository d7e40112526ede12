"""Slices: who is served worse, named only where chance does not explain it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from churnml.errors import DataError
from churnml.evaluation import age_band, churn_slices, satisfaction_slices, tenure_band
from churnml.metrics.significance import auc_influence, holm, standard_error
from tests.evaluation.broken import churn_rows, honest, satisfaction_rows


def test_a_slice_that_is_ranked_at_random_is_worse_and_comes_first():
    X, truth, y = churn_rows()
    p, senior = honest(truth), (X["brand"] == "senior").to_numpy()
    p[senior] = np.random.default_rng(0).permutation(p[senior])
    frame = pd.DataFrame({"brand": X["brand"], "half": np.arange(len(X)) % 2})
    worst, *others = churn_slices(frame, y, p, draws=50)
    assert (worst.column, worst.value, worst.worse) == ("brand", "senior", True)
    assert worst.metrics["auc"].low < 0.55 < worst.metrics["auc"].high + 0.1
    assert worst.difference < -0.05
    assert not any(one.worse for one in others)
    assert {one.column for one in others} == {"brand", "half"}
    assert [one.difference for one in others] == sorted(one.difference for one in others)


def test_an_honest_model_has_no_worse_slice():
    named = 0
    for seed in range(5):
        X, truth, y = churn_rows(4_000, seed)
        frame = pd.DataFrame({"brand": X["brand"], "age": X["noise"] > 0})
        named += any(one.worse or one.off for one in churn_slices(frame, y, honest(truth), draws=2))
    assert named <= 1


def test_a_missed_level_is_off_though_the_ranking_is_good():
    X, truth, y = churn_rows()
    p = np.where(X["brand"] == "mzone", truth / 2, truth)
    found = {one.value: one for one in churn_slices(X[["brand"]], y, p, draws=20)}
    assert found["mzone"].off
    assert not found["mzone"].worse
    assert found["mzone"].metrics["calibration_in_the_large"].low > 0
    assert not found["gotone"].off


def test_slices_hold_the_measures_of_their_rows_alone():
    X, truth, y = churn_rows(3_000)
    found = churn_slices(X[["brand"]], y, truth, draws=20)
    assert sum(one.rows for one in found) == 3_000
    for one in found:
        rows = (X["brand"] == one.value).to_numpy()
        assert one.metrics["auc"].value == pytest.approx(roc_auc_score(y[rows], truth[rows]))
        assert one.positives == y[rows].sum()
        others = [other for other in found if other.value != one.value]
        mean = np.average(
            [other.metrics["auc"].value for other in others],
            weights=[other.positives for other in others],
        )
        assert one.difference == pytest.approx(one.metrics["auc"].value - mean)


def test_not_every_value_is_worse_where_the_column_itself_tells_much():
    random = np.random.default_rng(0)
    contract = random.choice(["monthly", "one year", "two years"], 9_000)
    level = pd.Series(contract).map({"monthly": -0.3, "one year": -2.0, "two years": -3.5})
    truth = expit(level.to_numpy() + random.normal(0, 0.8, 9_000))
    y = random.random(9_000) < truth
    found = churn_slices(pd.DataFrame({"contract": contract}), y, truth, draws=20)
    assert all(one.metrics["auc"].value < roc_auc_score(y, truth) - 0.08 for one in found)
    assert not any(one.worse for one in found)


def test_slices_too_small_say_so_and_come_last():
    _, truth, y = churn_rows(2_000)
    tier = np.where(np.arange(2_000) < 60, "diamond", "standard")
    *_, last = churn_slices(pd.DataFrame({"tier": tier}), y, truth, draws=5)
    assert last.value == "diamond"
    assert last.note == "too small: fewer than 10 leavers"
    assert last.metrics == {}
    assert np.isnan(last.p_worse)
    # A number is said where it names nobody.
    y[:60] = (np.arange(60) < 10).astype(float)
    *_, last = churn_slices(pd.DataFrame({"tier": tier}), y, truth, draws=5)
    assert last.note == "too small: 10 leavers"
    assert not last.hidden
    # Nor may those who stayed be counted.
    y[:60] = (np.arange(60) < 57).astype(float)
    *_, last = churn_slices(pd.DataFrame({"tier": tier}), y, truth, draws=5)
    assert last.note == "too small: fewer than 10 stayed"
    told = last.to_dict()
    assert (told["hidden"], told["positives"], told["happened"]) == (True, None, None)
    (whole,) = churn_slices(pd.DataFrame({"all": ["x"] * 2_000}), y, truth, draws=5)
    assert not whole.worse


def test_missing_values_are_a_slice_of_their_own():
    X, truth, y = churn_rows(2_000)
    brand = X["brand"].astype(object).where(X["brand"] != "senior", None)
    values = {one.value for one in churn_slices(pd.DataFrame({"brand": brand}), y, truth, draws=2)}
    assert values == {"gotone", "easyown", "mzone", "not recorded"}


def test_satisfaction_is_cut_by_its_error():
    X, truth, y = satisfaction_rows()
    told = np.where(X["noise"] > 1, truth.mean() - 15, truth)
    frame = pd.DataFrame({"hall": np.where(X["noise"] > 1, "far", "near")})
    worst, best = satisfaction_slices(frame, y, told, interval=(told - 15, told + 15), draws=20)
    assert (worst.value, worst.worse, worst.off) == ("far", True, True)
    assert worst.metrics["mae"].value > best.metrics["mae"].value
    assert worst.metrics["interval_coverage"].value < best.metrics["interval_coverage"].value
    assert worst.difference == pytest.approx(best.metrics["mae"].value - worst.metrics["mae"].value)


def test_a_frame_of_another_length_is_refused():
    with pytest.raises(DataError, match="has 1 rows, the labels 2"):
        churn_slices(pd.DataFrame({"a": [1]}), [0, 1], [0.1, 0.2])


def test_the_error_of_an_auc_is_that_of_many_samples():
    areas, errors = [], []
    for seed in range(300):
        random = np.random.default_rng(seed)
        y = np.repeat([0, 1], 60)
        score = random.normal(y, 1)
        # Every customer twice: as sure as once.
        area, moved = auc_influence(np.tile(y, 2), np.tile(score, 2))
        areas.append(area)
        errors.append(standard_error(moved, np.tile(np.arange(120), 2)))
    assert np.mean(errors) == pytest.approx(np.std(areas), rel=0.1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_holm_only_raises_and_keeps_the_order(chances):
    found = holm(chances)
    assert (found >= np.array(chances)).all()
    assert (found <= 1).all()
    assert found.min() == pytest.approx(min(1, len(chances) * min(chances)))
    order = np.argsort(chances, kind="stable")
    assert (np.diff(found[order]) >= 0).all()


def test_bands_hold_their_lower_end():
    assert tenure_band([0, 182, 364.9, 365, 730, 1826, 9e9]).tolist() == [
        "under 6 months",
        "6 to 12 months",
        "6 to 12 months",
        "1 to 2 years",
        "2 to 5 years",
        "5 years or more",
        "5 years or more",
    ]
    assert age_band([25, 40, 60, np.nan]).tolist() == [
        "25 to 39",
        "40 to 59",
        "60 or older",
        "not recorded",
    ]


def named(values: list[str], groups: list[int] | None = None) -> dict[str, int]:
    """The rows of each slice of one column."""
    rows = len(values)
    y = np.arange(rows) % 2
    frame = pd.DataFrame({"place": values})
    return {
        one.value: one.rows
        for one in churn_slices(frame, y, np.full(rows, 0.5), groups, draws=5)
        if one.column == "place"
    }


def test_values_of_fewer_than_ten_customers_are_not_named():
    values = ["north"] * 40 + ["south"] * 30 + ["a village"] * 6 + ["a farm"] * 5
    assert named(values) == {"north": 40, "south": 30, "rare values": 11}


def test_a_hidden_value_cannot_be_told_from_the_total():
    values = ["north"] * 40 + ["south"] * 30 + ["a village"] * 9
    assert named(values) == {"north": 40, "rare values": 39}
    assert named(["north"] * 40 + ["a village"] * 9) == {}


def test_rows_of_one_customer_count_once():
    values = ["north"] * 40 + ["south"] * 30 + ["a village"] * 20
    groups = [*range(70), *[70, 71] * 10]
    assert named(values, groups) == {"north": 40, "rare values": 50}


def test_ten_customers_are_named():
    assert named(["north"] * 40 + ["a village"] * 10) == {"north": 40, "a village": 10}


def test_few_answers_are_no_secret_of_their_mean():
    random = np.random.default_rng(3)
    y, tier = random.uniform(0, 100, 500), np.where(np.arange(500) < 30, "diamond", "standard")
    *_, last = satisfaction_slices(pd.DataFrame({"tier": tier}), y, y, draws=5)
    assert last.note == "too small: 30 answers"
    assert not last.hidden
    assert last.to_dict()["happened"] == pytest.approx(y[:30].mean())
