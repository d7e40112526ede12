"""When customers leave: chances month by month on customers whose law is known."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from churnml.errors import DataError, SchemaError, UsageError
from churnml.estimators import ChurnHazard
from churnml.estimators.boosting.person_months import PersonMonthRows, expand, thin
from churnml.metrics import auc, calibration_line, expected_calibration_error

QUICK = {"max_rounds": 60, "folds": 2, "learning_rate": 0.1, "n_jobs": 1}
MONTHS = np.arange(1, 7)


def hazards(frame: pd.DataFrame) -> np.ndarray:
    """The true chances of leaving in each month, of those still there."""
    odds = -3.2 - frame["tenure"] / 24 + 0.9 * frame["complaints"] + (frame["plan"] == "basic")
    # Complaints are forgotten, so what they do to the hazard fades.
    fade = 0.25 * frame["complaints"].to_numpy()[:, None] * (MONTHS - 1)
    return 1 / (1 + np.exp(-(odds.to_numpy()[:, None] - fade)))


def customers(rows: int, seed: int = 0):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "tenure": random.integers(0, 72, rows).astype(float),
            "complaints": random.poisson(0.5, rows).astype(float),
            "plan": random.choice(["basic", "family", "gold"], rows),
            "noise": random.normal(size=rows),
        }
    )
    frame.loc[random.random(rows) < 0.05, "noise"] = np.nan
    leaves = random.random((rows, 6)) < hazards(frame)
    first = np.where(leaves.any(axis=1), leaves.argmax(axis=1) + 1, 99)
    seen = random.integers(1, 7, rows)
    return frame, np.where(first <= seen, first, -seen), first


@pytest.fixture(scope="module")
def learned():
    frame, y, _ = customers(6_000)
    return ChurnHazard(**QUICK).fit(frame, y), frame, y


@pytest.fixture(scope="module")
def ahead():
    return customers(8_000, seed=1)


def truth(frame: pd.DataFrame) -> np.ndarray:
    return 1 - np.cumprod(1 - hazards(frame), axis=1)


def test_every_horizon_is_calibrated_and_ranks_nearly_as_the_truth(learned, ahead):
    model, _, _ = learned
    frame, _, first = ahead
    within, possible = model.predict_within(frame), truth(frame)
    for at, month in enumerate(MONTHS):
        left = (first <= month).astype(float)
        slope, _ = calibration_line(left, within[:, at])
        assert 0.85 < slope < 1.15
        assert expected_calibration_error(left, within[:, at]) < 0.015
        assert auc(left, within[:, at]) > auc(left, possible[:, at]) - 0.012


def test_the_fading_of_an_effect_is_learned(learned):
    model, frame, _ = learned
    calm = frame.iloc[:300].assign(complaints=0.0)
    rise = model.predict_hazard(calm.assign(complaints=3.0)) / model.predict_hazard(calm)
    assert np.median(rise[:, 0]) > 1.3 * np.median(rise[:, 5])


def test_censoring_does_not_bias_the_chances():
    frame, y, first = customers(6_000, seed=2)
    short = np.where(np.abs(y) > 2, -2, y)
    within = ChurnHazard(**QUICK).fit(frame, short).predict_within(frame, (1, 2))
    # Half of the customers were seen for less than three months, some for one.
    assert within[:, 1].mean() == pytest.approx((first <= 2).mean(), abs=0.012)


@settings(max_examples=25, deadline=None)
@given(
    tenure=st.floats(-1e6, 1e6, width=32),
    complaints=st.one_of(st.none(), st.floats(0, 1e4, width=32)),
    plan=st.one_of(st.none(), st.text(max_size=5)),
)
def test_curves_never_fall(learned, tenure, complaints, plan):
    model, _, _ = learned
    row = pd.DataFrame(
        {"tenure": [tenure], "complaints": [complaints], "plan": [plan], "noise": [np.nan]}
    ).astype({"complaints": float, "plan": object})
    curve = model.predict_within(row)[0]
    assert (np.diff(curve) >= 0).all()
    assert 0 < curve[0] <= curve[-1] < 1
    assert (model.predict_within(row, (1, 2, 3, 6))[0] == curve[[0, 1, 2, 5]]).all()
    assert model.predict(row)[0] == curve[-1]


def test_a_hazard_is_what_leaves_of_those_still_there(learned):
    model, frame, _ = learned
    some = frame.head(50)
    left = 1 - np.cumprod(1 - model.predict_hazard(some), axis=1)
    assert np.allclose(left, model.predict_within(some), atol=1e-12)


def test_one_row_has_the_same_chances_alone_and_whatever_the_order(learned):
    model, frame, _ = learned
    whole = model.predict_within(frame)
    assert (model.predict_within(frame.iloc[[17]]) == whole[17]).all()
    turned = frame[frame.columns[::-1]].assign(more=1)
    assert (model.predict_within(turned) == whole).all()
    assert model.predict_within(frame.head(0)).shape == (0, 6)


def test_the_order_of_rows_does_not_matter():
    frame, y, _ = customers(800)
    groups = np.arange(800) % 300
    mixed = np.random.default_rng(3).permutation(800)
    one = ChurnHazard(**QUICK).fit(frame, y, groups=groups)
    two = ChurnHazard(**QUICK).fit(frame.iloc[mixed], y[mixed], groups=groups[mixed])
    assert (one.predict_hazard(frame) == two.predict_hazard(frame)).all()


def test_the_state_gives_the_same_chances_to_the_bit(learned):
    model, frame, _ = learned
    state, texts = model.to_state()
    again = ChurnHazard.from_state(json.loads(json.dumps(state)), texts)
    assert (again.predict_hazard(frame) == model.predict_hazard(frame)).all()
    assert again.explain(frame.head(5)).equals(model.explain(frame.head(5)))


def test_contributions_tell_rows_apart_as_the_hazard_does(learned):
    model, frame, _ = learned
    rows = frame.iloc[:40].assign(noise=0.5, tenure=20.0, plan="basic", complaints=0.0)
    rows.loc[rows.index[1], "complaints"] = 3.0
    hazard = model.predict_hazard(rows)[:2, 0]
    odds = np.log(hazard / (1 - hazard))
    told = model.explain(rows, month=1)
    assert list(told.columns) == list(frame.columns)
    difference = told.iloc[1] - told.iloc[0]
    assert difference.idxmax() == "complaints"
    assert difference.sum() == pytest.approx(odds[1] - odds[0], rel=0.25)


def test_a_monotone_column_is_obeyed():
    frame, y, _ = customers(1_500, seed=4)
    model = ChurnHazard(**QUICK, monotone={"noise": 1}).fit(frame, y)
    row = pd.concat([frame.head(1)] * 9, ignore_index=True).assign(noise=np.linspace(-3, 3, 9))
    assert (np.diff(model.predict_hazard(row), axis=0) >= 0).all()


def test_thinning_keeps_all_who_left_and_shifts_nothing():
    frame, y, first = customers(6_000, seed=5)
    many = expand(y, np.ones(y.size))
    few = thin(many, 6_000, seed=0)
    assert len(few) == pytest.approx(6_000, rel=0.03)
    assert few.left.sum() == many.left.sum()
    assert few.weight[few.left].tolist() == [1.0] * int(few.left.sum())
    assert few.weight.sum() == pytest.approx(len(many), rel=0.03)
    model = ChurnHazard(**QUICK, max_person_months=6_000).fit(frame, y)
    assert model.predict_within(frame, (6,)).mean() == pytest.approx((first <= 6).mean(), abs=0.02)


def test_person_months_are_read_as_if_they_were_a_matrix():
    matrix = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(4, 3))
    months = expand(np.array([2, -3, 1, -1]), np.ones(4))
    rows = PersonMonthRows(matrix, months)
    whole = np.concatenate(list(rows.chunks()))
    assert whole[:, -1].tolist() == [1, 2, 1, 2, 3, 1, 1]
    assert (whole[:, :-1] == matrix[[0, 0, 1, 1, 1, 2, 3]]).all()
    assert months.left.tolist() == [False, True, False, False, False, True, False]
    assert (rows[3] == whole[3]).all()


def test_boosters_stop_by_customers_that_they_have_not_seen():
    random = np.random.default_rng(6)
    frame = pd.DataFrame(random.normal(size=(1_500, 6))).add_prefix("x")
    y = np.where(random.random(1_500) < 0.3, random.integers(1, 7, 1_500), -6)
    model = ChurnHazard(folds=2, learning_rate=0.1, n_jobs=1).fit(frame, y)
    # Nothing is to be learned: the chances stay close to the mean, and growing ends soon.
    assert max(booster.num_trees() for booster in model.boosters_) < 60
    assert model.predict(frame).std() < 0.06


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, -2, 0, -1], "not months"),
        ([1, -2, 1.5, -1], "not months"),
        ([1, -2, np.nan, -1], "missing"),
        ([-1, -2, -3, -1], "in 0 of"),
        ([1, 1, 1, 1], "in 4 of 4"),
    ],
)
def test_outcomes_that_are_none_are_refused(y, message):
    with pytest.raises(DataError, match=message):
        ChurnHazard().fit(pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]}), y)


@pytest.mark.parametrize(
    "wrong",
    [{"months": 0}, {"num_leaves": (1,)}, {"folds": 0}, {"learning_rate": 0.0}, {"max_rounds": 0}],
)
def test_parameters_out_of_range_are_refused_by_name(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        ChurnHazard(**wrong).fit(pd.DataFrame({"a": [1.0, 2.0]}), [1, -1])


def test_what_cannot_be_told_is_refused(learned):
    model, frame, _ = learned
    with pytest.raises(UsageError, match="months 1 to 6"):
        model.predict_within(frame, (7,))
    with pytest.raises(SchemaError, match="tenure"):
        model.predict_hazard(frame.drop(columns="tenure"))
    assert model.unseen(frame.head(3).assign(plan="never")) == {"plan": 3}
    assert clone(model).get_params() == model.get_params()


def test_score_is_the_share_of_pairs_ranked_rightly():
    random = np.random.default_rng(5)
    frame, y, _ = customers(120, seed=3)
    model = ChurnHazard(**QUICK).fit(frame, y)
    weight = random.uniform(0, 2, len(y))
    chance = model.predict(frame)
    right = pairs = 0.0
    for i, j in itertools.product(range(len(y)), repeat=2):
        if y[i] > 0 and (y[j] > y[i] or -y[j] >= y[i]):
            pairs += weight[i] * weight[j]
            right += (
                weight[i] * weight[j] * ((chance[i] > chance[j]) + (chance[i] == chance[j]) / 2)
            )
    assert model.score(frame, y, weight) == pytest.approx(right / pairs, abs=1e-12)
    assert model.score(frame, y) > 0.6
    assert np.isnan(model.score(frame, np.full(len(y), -3)))


def test_verbose_prints_a_line_for_each_booster(capsys):
    frame, y, _ = customers(120, seed=3)
    ChurnHazard(**QUICK, verbose=1).fit(frame, y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["booster 1 of 2", "booster 2 of 2"]
