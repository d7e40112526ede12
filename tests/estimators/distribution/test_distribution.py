"""Distributions of scores: shares, means, and intervals that cover."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnml.estimators.distribution.distribution import (
    Distribution,
    Index,
    Outcomes,
    fit_distribution,
)
from churnml.estimators.distribution.slopes import mean_slopes


def _survey(rows, seed):
    """Predictions, and answers of 1 to 10 brought to 0 to 100, most of them 100."""
    random = np.random.default_rng(seed)
    mood = random.normal(95, 12, rows)
    answer = ((mood + random.normal(0, 20, rows)) / 10).round().clip(1, 10)
    return mood, (answer - 1) / 9 * 100


def _continuous(rows, seed):
    random = np.random.default_rng(seed)
    mood = random.normal(50, 10, rows)
    return mood, np.clip(mood + random.normal(0, 1, rows) * (5 + mood / 5), 0, 100)


def _mixed(rows, seed):
    """Answers on scales of 1 to 5 and 0 to 100 in one column: atoms among many values."""
    random = np.random.default_rng(seed)
    mood = random.normal(75, 10, rows)
    exact = np.clip(mood + random.normal(0, 15, rows), 0, 100).round()
    return mood, np.where(random.random(rows) < 0.7, (exact / 25).round() * 25, exact)


def _outcomes(law, rows=4_000, seed=0, label=None):
    mood, y = law(rows, seed)
    odds = (60 - mood) / 15
    return Outcomes(
        index=Index(mood, odds), y=y, weight=np.ones(rows), group=np.arange(rows), label=label
    )


def _fit(law, rows=4_000, *, coverage=0.9, **options):
    return fit_distribution(_outcomes(law, rows, **options), coverage=coverage, cut=60.0)


def _index(mood):
    mood = np.asarray(mood, float)
    return Index(mood, (60 - mood) / 15)


SMALL = _fit(_survey, 600)


@pytest.mark.parametrize("law", [_survey, _continuous, _mixed])
@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_intervals_cover_scores_never_seen(law, coverage):
    found = _fit(law, coverage=coverage)
    ahead, outcome = law(20_000, seed=1)
    low, high = found.interval(found.at(_index(ahead)))
    assert ((low <= outcome) & (outcome <= high)).mean() == pytest.approx(coverage, abs=0.025)
    assert (high - low).mean() < 0.95 * np.ptp(outcome)


def test_kinds_of_customers_have_intervals_of_their_own_where_enough_answered():
    random = np.random.default_rng(0)
    kind = random.choice(["calm", "moody"], 6_000)
    few = np.arange(6_000) < 100

    def answers(rows, kinds):
        mood = random.normal(50, 5, rows)
        spread = np.where(kinds == "moody", 20, 4)
        return mood, np.clip(mood + random.normal(0, 1, rows) * spread, 0, 100).round()

    mood, y = answers(6_000, kind)
    label = np.where(few, "few", kind).astype(object)
    seen = Outcomes(
        index=_index(mood), y=y, weight=np.ones(y.size), group=np.arange(y.size), label=label
    )
    found = fit_distribution(seen, coverage=0.9, cut=60.0)
    assert set(found.masses) == {"calm", "moody"}
    ahead = random.choice(np.array(["calm", "moody"], object), 10_000)
    mood, y = answers(10_000, ahead)
    shares = found.at(_index(mood))

    def covered(low, high, kind):
        return ((low <= y) & (y <= high))[ahead == kind].mean()

    own, common = found.interval(shares, ahead), found.interval(shares)
    for one in ("calm", "moody"):
        assert covered(*own, one) == pytest.approx(0.9, abs=0.03)
        assert abs(covered(*common, one) - 0.9) > 0.05


def test_an_atom_at_the_top_stays_inside():
    found = _fit(_survey)
    _, high = found.interval(found.at(_index([90.0, 100.0, 110.0])))
    assert high.tolist() == [100.0, 100.0, 100.0]


def test_few_rows_get_the_whole_scale():
    seen = Outcomes(
        index=_index(np.arange(5.0)), y=np.arange(5.0), weight=np.ones(5), group=np.arange(5)
    )
    found = fit_distribution(seen, coverage=0.9, cut=60.0)
    low, high = found.interval(found.at(_index([0.0, 2.0, 9.0])))
    assert (low.tolist(), high.tolist()) == ([0.0] * 3, [4.0] * 3)


def test_rows_of_one_customer_count_as_one():
    mood, y = _continuous(8, 0)
    seen = Outcomes(index=_index(mood), y=y, weight=np.ones(8), group=np.arange(8) // 2)
    assert fit_distribution(seen, coverage=0.85, cut=60.0).mass == 1.0
    alone = Outcomes(index=_index(mood), y=y, weight=np.ones(8), group=np.arange(8))
    assert fit_distribution(alone, coverage=0.85, cut=60.0).mass < 1.0


def test_a_scale_s_ends_lie_in_the_outermost_intervals_where_scores_are_many():
    found = fit_distribution(_outcomes(_continuous), coverage=0.9, cut=60.0, ends=(-10.0, 110.0))
    assert (found.lowest[0], found.thresholds[-1]) == (-10.0, 110.0)
    assert (found.lowest[1:] > found.thresholds[:-1]).all()


@pytest.mark.parametrize("law", [_survey, _continuous, _mixed])
def test_shares_below_the_cut_are_told_exactly(law):
    mood, y = law(4_000, 0)
    found = _fit(law)
    shares = found.below(found.at(_index(mood)), 60)
    assert shares.mean() == pytest.approx((y <= 60).mean(), abs=0.01)


def test_shares_fall_as_the_prediction_rises():
    found = _fit(_survey)
    rising = found.at(_index(np.linspace(50, 130, 50)))
    assert (np.diff(found.below(rising, 60)) <= 0).all()
    assert found.below(rising, -1).tolist() == [0.0] * 50
    assert found.below(rising, 100).tolist() == [1.0] * 50


@given(score=st.floats(-1e6, 1e6), odds=st.floats(-1e3, 1e3))
@settings(max_examples=60, deadline=None)
def test_any_index_has_a_distribution_with_its_mean_on_the_scale(score, odds):
    found = SMALL
    index = Index(np.array([score]), np.array([odds]))
    shares = found.at(index)[0]
    assert (np.diff(shares) >= 0).all()
    assert shares[0] >= 0
    assert shares[-1] == 1
    mean = np.diff(np.r_[0, shares]) @ found.thresholds
    assert found.mean(index)[0] == pytest.approx(mean, abs=1e-9)


@given(
    score=st.floats(0, 130), odds=st.floats(-5, 5), near=st.sampled_from([0.0, 1e-12, 1e-8, 1.0])
)
@settings(max_examples=60, deadline=None)
def test_slopes_carry_both_indices_to_the_mean(score, odds, near):
    found = SMALL
    base = Index(np.array([94.0]), np.array([-2.0]))
    index = Index(np.array([94.0 + near * (score - 94)]), np.array([-2.0 + near * (odds + 2)]))
    by_score, by_odds = mean_slopes(found, base, index)
    assert by_score[0] >= 0 >= by_odds[0]
    reached = by_score * (index.score - base.score) + by_odds * (index.odds - base.odds)
    assert reached[0] == pytest.approx((found.mean(index) - found.mean(base))[0], abs=1e-9)


def test_weights_move_the_distribution():
    mood, y = _survey(4_000, 0)
    seen = Outcomes(
        index=_index(mood), y=y, weight=np.where(y < 70, 3.0, 1.0), group=np.arange(4_000)
    )
    heavy = fit_distribution(seen, coverage=0.9, cut=60.0)
    index = _index(mood)
    assert heavy.mean(index).mean() < _fit(_survey).mean(index).mean() - 3


def test_a_state_gives_the_same_intervals():
    label = np.array(["gotone"] * 500, object)
    found = fit_distribution(_outcomes(_survey, 500, label=label), coverage=0.9, cut=60.0)
    again = Distribution.from_state(json.loads(json.dumps(found.to_state())))
    index = _index(_survey(500, 1)[0])
    assert again.mean(index).tobytes() == found.mean(index).tobytes()
    assert again.masses == found.masses
    for ours, theirs in zip(
        found.interval(found.at(index), label), again.interval(again.at(index), label), strict=True
    ):
        assert ours.tobytes() == theirs.tobytes()
