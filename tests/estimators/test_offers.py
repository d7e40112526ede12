"""What offers change: effects with known truth, no evidence without differences, plain state."""

import json

import numpy as np
import pandas as pd
import pytest

from churnml.errors import DataError, UsageError
from churnml.estimators import OfferEffect
from churnml.metrics.effects import qini

QUICK = {"max_rounds": 30, "folds": 3}


def draw(seed, rows=2400, kind="differs"):
    """Two offers: one keeps the young, the other nobody; a third of the rows is control."""
    random = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "age": random.integers(18, 80, rows).astype(float),
            "bill": random.gamma(2, 40, rows),
            "brand": random.choice(["a", "b", "c"], rows),
        }
    )
    offer = random.choice(np.array(["data", "rebate", None], object), rows)
    chance = 0.3 + 0.2 * (X["bill"] > 100)
    if kind == "differs":
        chance = chance - 0.25 * ((offer == "data") & (X["age"] < 45))
    if kind == "same":
        chance = chance - 0.15 * (offer == "data")
    y = (random.random(rows) < chance).astype(int)
    return X, y, offer


@pytest.fixture(scope="module")
def data():
    return draw(0)


@pytest.fixture(scope="module")
def fitted(data):
    X, y, offer = data
    return OfferEffect(**QUICK).fit(X, y, offer=offer, propensity={"data": 1 / 3, "rebate": 1 / 3})


def test_who_is_kept_by_which_offer(data, fitted):
    X = data[0]
    found = fitted.effect(X)
    assert list(found.columns) == fitted.offers_ == ["data", "rebate"]
    assert found.index.equals(X.index)
    young = X["age"] < 45
    assert found.loc[young, "data"].mean() < -0.12
    assert found.loc[~young, "data"].mean() > found.loc[young, "data"].mean() + 0.08
    assert abs(fitted.mean_effect_["rebate"]) < 3 * fitted.mean_error_["rebate"]
    assert 0.2 < fitted.kept_["data"] <= 2


def test_intervals_hold_the_effects_and_the_truth_of_most(data, fitted):
    X = data[0]
    low, high = fitted.effect_interval(X)
    middle = fitted.effect(X)
    assert ((low <= middle) & (middle <= high)).all(axis=None)
    narrow, wide = (fitted.effect_interval(X, level) for level in (0.5, 0.99))
    assert ((wide.high - wide.low) > (narrow.high - narrow.low)).all(axis=None)


def test_doubly_robust_scores_have_the_effect_as_their_mean(data, fitted):
    _, y, offer = data
    plain = y[offer == "data"].mean() - y[[one is None for one in offer]].mean()
    assert fitted.scores_["data"].mean() == pytest.approx(plain, abs=0.02)
    found = qini(fitted.scores_["data"], -fitted.oof_effect_["data"])
    assert found.p_above < 0.01


def test_without_differences_everybody_has_the_mean_effect():
    X, y, offer = draw(3, kind="same")
    found = OfferEffect(**QUICK).fit(X, y, offer=offer)
    spread = found.effect(X)["data"].std()
    assert found.mean_effect_["data"] == pytest.approx(-0.15, abs=0.06)
    assert spread < 0.04


def test_leaving_nothing_out_finds_differences_that_are_not_there():
    X, y, offer = draw(5, kind="none")
    honest = OfferEffect(**QUICK).fit(X, y, offer=offer, propensity=2 / 3)
    naive = OfferEffect(**QUICK | {"folds": 1}).fit(X, y, offer=offer, propensity=2 / 3)
    tested = [qini(one.scores_["data"], -one.oof_effect_["data"]) for one in (honest, naive)]
    assert tested[0].p_above > 0.01
    assert tested[1].p_above < 1e-3


def test_what_was_not_drawn_by_lot_is_corrected():
    random = np.random.default_rng(2)
    risk = random.random(6000)
    X = pd.DataFrame({"risk": risk, "other": random.random(6000)})
    treated = random.random(6000) < 0.15 + 0.7 * risk
    y = random.random(6000) < 0.1 + 0.4 * risk - 0.05 * treated
    plain = y[treated].mean() - y[~treated].mean()
    found = OfferEffect(folds=3).fit(X, y, offer=np.where(treated, "data", None))
    assert plain > 0.02
    assert found.mean_effect_["data"] == pytest.approx(-0.05, abs=0.035)
    assert found.propensity_["data"].corr(pd.Series(risk)) > 0.8


def test_the_order_of_rows_and_columns_changes_nothing(data, fitted):
    X, y, offer = data
    order = np.random.default_rng(0).permutation(len(X))
    again = OfferEffect(**QUICK).fit(
        X.iloc[order][["brand", "bill", "age"]],
        y[order],
        offer=offer[order],
        propensity={"data": 1 / 3, "rebate": 1 / 3},
    )
    pd.testing.assert_frame_equal(again.effect(X), fitted.effect(X))


def test_state_is_plain_and_gives_the_same_to_the_bit(data, fitted):
    state, texts = fitted.to_state()
    made = OfferEffect.from_state(json.loads(json.dumps(state)), texts)
    assert made.effect(data[0]).equals(fitted.effect(data[0]))
    assert made.effect_interval(data[0]).high.equals(fitted.effect_interval(data[0]).high)


def test_contributions_tell_the_columns_of_an_effect(data, fitted):
    told = fitted.explain(data[0].iloc[:50], "data")
    assert list(told.columns) == list(data[0].columns)
    raw = fitted.effect(data[0].iloc[:50])["data"]
    assert told.sum(axis=1).corr(raw) > 0.9
    assert told["age"].abs().mean() > told["brand"].abs().mean()


def test_rows_of_one_customer_stay_together(data):
    X, y, offer = data
    groups = np.arange(len(X)) // 4
    found = OfferEffect(**QUICK).fit(X, y, offer=offer, groups=groups)
    assert found.mean_error_["data"] > 0


def test_rows_that_are_alike_are_customers_of_their_own():
    random = np.random.default_rng(0)
    X = pd.DataFrame({"young": random.random(4000) < 0.5})
    offer = random.choice(np.array(["data", None], object), 4000)
    kept = (offer == "data") & X["young"]
    y = random.random(4000) < np.where(kept, 0.1, 0.4)
    found = OfferEffect(**QUICK).fit(X, y, offer=offer, propensity=0.5)
    effect = found.effect(pd.DataFrame({"young": [True, False]}))["data"]
    assert effect[0] == pytest.approx(-0.3, abs=0.08)
    assert effect[1] == pytest.approx(0.0, abs=0.08)
    assert len(found.scores_) == 4000


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"offer": None}, UsageError, "offer is missing"),
        ({"offer": ["data"] * 2400}, DataError, "no row is control"),
        ({"offer": [None] * 2400}, DataError, "every row is control"),
        ({"offer": ["data"]}, DataError, "1 values for 2400 rows"),
        ({"y": [2] * 2400}, DataError, "neither 0 nor 1"),
        ({"propensity": 1.0}, DataError, "missing or 0"),
        ({"propensity": {"data": 0.5}}, DataError, "nothing of the offer 'rebate'"),
    ],
)
def test_what_teaches_nothing_is_refused(data, change, error, message):
    X, y, offer = data
    asked = {"y": y, "offer": offer, "propensity": None} | change
    with pytest.raises(error, match=message):
        OfferEffect(**QUICK).fit(
            X, asked["y"], offer=asked["offer"], propensity=asked["propensity"]
        )


def test_two_folds_are_too_few(data):
    X, y, offer = data
    with pytest.raises(UsageError, match="3 or more"):
        OfferEffect(folds=2).fit(X, y, offer=offer)
