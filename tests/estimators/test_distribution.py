"""Distributions of scores and intervals that cover."""

from __future__ import annotations

import json

import numpy as np
import pytest

from churnml.estimators.distribution import Distribution, fit_distribution


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


@pytest.mark.parametrize("law", [_survey, _continuous])
@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_intervals_cover_scores_never_seen(law, coverage):
    prediction, y = law(4_000, seed=0)
    found = fit_distribution(prediction, y, np.ones(y.size), coverage=coverage)
    ahead, outcome = law(20_000, seed=1)
    low, high = found.interval(ahead)
    assert ((low <= outcome) & (outcome <= high)).mean() == pytest.approx(coverage, abs=0.025)
    assert (high - low).mean() < 0.95 * np.ptp(y)


def test_an_atom_at_the_top_stays_inside():
    prediction, y = _survey(4_000, seed=0)
    found = fit_distribution(prediction, y, np.ones(y.size), coverage=0.9)
    _, high = found.interval(np.array([90.0, 100.0, 110.0]))
    assert high.tolist() == [100.0, 100.0, 100.0]


def test_few_rows_get_the_whole_scale():
    found = fit_distribution(np.arange(5.0), np.arange(5.0), np.ones(5), coverage=0.9)
    low, high = found.interval(np.array([0.0, 2.0, 9.0]))
    assert (low.tolist(), high.tolist()) == ([0.0] * 3, [4.0] * 3)


def test_shares_below_a_threshold_fall_as_the_prediction_rises():
    prediction, y = _survey(4_000, seed=0)
    found = fit_distribution(prediction, y, np.ones(y.size), coverage=0.9)
    shares = found.below(np.linspace(50, 130, 50), 60)
    assert (np.diff(shares) <= 0).all()
    assert found.below(prediction, 60).mean() == pytest.approx((y <= 60).mean(), abs=0.02)
    assert found.below(prediction[:3], -1).tolist() == [0.0, 0.0, 0.0]
    assert found.below(prediction[:3], 100).tolist() == [1.0, 1.0, 1.0]


def test_a_state_gives_the_same_intervals():
    prediction, y = _survey(500, seed=0)
    found = fit_distribution(prediction, y, np.ones(y.size), coverage=0.9)
    again = Distribution.from_state(json.loads(json.dumps(found.to_state())))
    for ours, theirs in zip(found.interval(prediction), again.interval(prediction), strict=True):
        assert ours.tobytes() == theirs.tobytes()
