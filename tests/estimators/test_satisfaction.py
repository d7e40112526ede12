"""The satisfaction regressor as its users meet it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from churnml.errors import DataError, UsageError
from churnml.estimators import SatisfactionRegressor
from churnml.metrics import (
    calibration_in_the_large,
    calibration_line,
    coverage,
    dissatisfied_auc,
    spearman,
)

QUICK = {"repeats": 1, "max_rounds": 60, "n_jobs": 1}


@pytest.fixture(scope="module")
def table(satisfaction_table):
    return satisfaction_table(1_500)


@pytest.fixture(scope="module")
def fitted(table):
    return SatisfactionRegressor(**QUICK).fit(*table)


@pytest.fixture(scope="module")
def ahead(satisfaction_table):
    return satisfaction_table(6_000, seed=1)


def test_scores_rank_customers_never_seen_and_stay_on_the_scale(fitted, ahead):
    X, y = ahead
    found = fitted.predict(X)
    assert spearman(y, found) > 0.5
    assert (found >= 0).all()
    assert (found <= 100).all()


def test_intervals_cover_nine_scores_of_ten(fitted, ahead):
    X, y = ahead
    low, high = fitted.predict_interval(X)
    assert 0.87 <= coverage(y, low, high) <= 0.93
    assert (low <= high).all()


def test_dissatisfied_probabilities_are_calibrated(fitted, ahead):
    X, y = ahead
    found = fitted.predict_dissatisfied(X)
    unhappy = (y <= 60).astype(float)
    assert dissatisfied_auc(y, found) > 0.75
    assert calibration_line(unhappy, found)[0] == pytest.approx(1, abs=0.2)
    assert calibration_in_the_large(unhappy, found) == pytest.approx(0, abs=0.03)


def test_too_few_dissatisfied_are_told_from_the_distribution(table):
    X, y = table
    content = y > 60
    y = y.copy()
    content[np.flatnonzero(~content)[:5]] = True
    found = SatisfactionRegressor(**QUICK).fit(X[content], y[content])
    chance = found.predict_dissatisfied(X)
    assert found.dissatisfied_bag_ is None
    assert 0 < chance.mean() < 0.05


def test_contributions_and_base_add_up_to_the_score(fitted, table):
    X, _ = table
    total = fitted.explain(X).sum(axis=1) + fitted.base_score_
    np.testing.assert_allclose(total, fitted.predict(X), atol=1e-9)


def test_mean_interval_and_dissatisfaction_come_from_one_distribution(fitted, ahead):
    X, _ = ahead
    shares = fitted.predict_distribution(X)
    assert shares.shape == (len(X), fitted.levels_.size)
    assert (np.diff(shares, axis=1) >= 0).all()
    assert (shares[:, -1] == 1).all()
    chance = np.diff(shares, axis=1, prepend=0)
    found = fitted.predict_all(X)
    np.testing.assert_allclose(chance @ fitted.levels_, found.mean, atol=1e-9)
    at = np.searchsorted(fitted.levels_, 60, side="right") - 1
    assert found.dissatisfied.tobytes() == shares[:, at].tobytes()
    assert ((found.low <= found.mean) & (found.mean <= found.high)).all()
    assert set(found.low) <= set(fitted.levels_) | set(found.mean)


def test_shares_are_calibrated_at_every_level(fitted, ahead):
    X, y = ahead
    below = (y[:, None] <= fitted.levels_).mean(axis=0)
    np.testing.assert_allclose(fitted.predict_distribution(X).mean(axis=0), below, atol=0.03)


def test_the_distribution_is_sharper_than_that_of_all(fitted, table, ahead):
    X, y = ahead
    gaps = np.diff(fitted.levels_)
    below = y[:, None] <= fitted.levels_[:-1]

    def crps(shares):
        return ((shares[:, :-1] - below) ** 2 @ gaps).mean()

    everybody = (table[1][:, None] <= fitted.levels_).mean(axis=0)
    assert crps(fitted.predict_distribution(X)) < 0.85 * crps(np.tile(everybody, (len(y), 1)))


def test_intervals_cover_each_value_of_a_column(table, ahead):
    X, y = ahead
    found = SatisfactionRegressor(**QUICK, interval_by="hall").fit(*table)
    assert set(found.distribution_.masses) == {"east", "west", "north"}
    low, high = found.predict_interval(X.assign(hall="elsewhere"))
    common = SatisfactionRegressor(**QUICK).fit(*table)
    assert [end.tolist() for end in common.predict_interval(X.assign(hall="elsewhere"))] == [
        low.tolist(),
        high.tolist(),
    ]
    low, high = found.predict_interval(X)
    for hall in ("east", "west", "north"):
        there = (X["hall"] == hall).to_numpy()
        assert coverage(y[there], low[there], high[there]) == pytest.approx(0.9, abs=0.04)
    state, boosters = found.to_state()
    again = SatisfactionRegressor.from_state(json.loads(json.dumps(state)), boosters)
    assert again.predict_interval(X)[0].tobytes() == low.tobytes()


def test_an_absent_column_to_have_intervals_by_is_passed_over(table):
    found = SatisfactionRegressor(**QUICK, interval_by="brand").fit(*table)
    plain = SatisfactionRegressor(**QUICK).fit(*table)
    assert found.distribution_.to_state() == plain.distribution_.to_state()


def test_the_same_data_give_the_same_model_whatever_their_order(table):
    X, y = table
    order = np.random.default_rng(3).permutation(len(X))
    one = SatisfactionRegressor(**QUICK).fit(X, y)
    other = SatisfactionRegressor(**QUICK | {"n_jobs": 2}).fit(X.iloc[order], y[order])
    assert json.dumps(one.to_state()) == json.dumps(other.to_state())


def test_a_saved_state_predicts_the_same_bytes(fitted, table):
    X, _ = table
    state, boosters = fitted.to_state()
    again = SatisfactionRegressor.from_state(json.loads(json.dumps(state)), boosters)
    assert again.predict(X).tobytes() == fitted.predict(X).tobytes()
    assert again.predict_dissatisfied(X).tobytes() == fitted.predict_dissatisfied(X).tobytes()
    assert again.predict_distribution(X).tobytes() == fitted.predict_distribution(X).tobytes()
    for ours, theirs in zip(again.predict_interval(X), fitted.predict_interval(X), strict=True):
        assert ours.tobytes() == theirs.tobytes()
    assert again.explain(X).equals(fitted.explain(X))
    assert again.to_state() == fitted.to_state()


def test_a_batch_changes_no_byte(fitted, table):
    X, _ = table
    together = (fitted.predict(X), *fitted.predict_interval(X), fitted.predict_dissatisfied(X))
    for row in range(20):
        one = X.iloc[[row]]
        alone = (fitted.predict(one), *fitted.predict_interval(one))
        alone += (fitted.predict_dissatisfied(one),)
        assert [part[row] for part in together] == [part[0] for part in alone]


def test_no_row_gives_no_score(fitted, table):
    X, _ = table
    nobody = X.iloc[:0]
    assert fitted.predict(nobody).shape == (0,)
    assert fitted.predict_dissatisfied(nobody).shape == (0,)
    assert [end.shape for end in fitted.predict_interval(nobody)] == [(0,), (0,)]


@pytest.mark.parametrize(
    ("value", "message"),
    [(100.5, "1 scores outside 0 to 100 .row 3: 100.5"), (np.nan, "NaN"), (np.inf, "infinity")],
)
def test_scores_off_the_scale_are_refused(table, value, message):
    X, y = table
    spoilt = y.copy()
    spoilt[2] = value
    with pytest.raises(DataError, match=message):
        SatisfactionRegressor(**QUICK).fit(X, spoilt)


def test_bounds_the_wrong_way_round_are_refused(table):
    with pytest.raises(UsageError, match="bounds"):
        SatisfactionRegressor(bounds=(100, 0)).fit(*table)


def test_scores_follow_monotone_directions(table):
    X, y = table
    found = SatisfactionRegressor(**QUICK, monotone={"wait_minutes": -1}).fit(X, y)
    swept = X.iloc[[0] * 60].assign(wait_minutes=np.linspace(0, 60, 60))
    assert (np.diff(found.predict(swept)) <= 1e-12).all()
    assert (np.diff(found.predict_dissatisfied(swept)) >= -1e-12).all()
    assert np.ptp(found.predict_dissatisfied(swept)) > 0.1


def test_a_single_score_is_learned(table):
    X, _ = table
    found = SatisfactionRegressor(**QUICK).fit(X, np.full(len(X), 80.0))
    np.testing.assert_allclose(found.predict(X), 80)
    low, high = found.predict_interval(X)
    assert set(low) == set(high) == {80.0}
