"""Scores into probabilities."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit

from churnml.estimators.calibration import Calibration, fit_calibration, level_bag
from churnml.metrics import calibration_line, expected_calibration_error


def _outcomes(odds, seed=0):
    random = np.random.default_rng(seed)
    return (random.random(odds.size) < 1 / (1 + np.exp(-odds))).astype(float)


def _chances(odds):
    return 1 / (1 + np.exp(-odds))


@pytest.mark.parametrize("rate", [-4.0, -1.0, 2.0])
@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_scores_off_by_a_line_are_put_right(rate, factor):
    truth = np.random.default_rng(1).normal(rate, 1, 40_000)
    y = _outcomes(truth)
    found = fit_calibration(factor * truth[None] + 1, y, np.ones(y.size), members=1)
    assert found.knots == []
    np.testing.assert_allclose(found.log_odds(factor * truth + 1), truth, atol=0.35)
    assert calibration_line(y, _chances(found.log_odds(factor * truth + 1)))[0] == pytest.approx(1)


def test_scores_off_by_a_bend_are_put_right_and_keep_their_order():
    random = np.random.default_rng(2)
    score = random.normal(-2, 1, 40_000)
    # Who scores low never leaves, all others are alike.
    truth = np.where(score < -2.3, -8.0, -1.7)
    y = _outcomes(truth)
    found = fit_calibration(score[None], y, np.ones(y.size), members=1)
    ahead = random.normal(-2, 1, 40_000)
    outcome = _outcomes(np.where(ahead < -2.3, -8.0, -1.7), seed=3)
    straight = fit_calibration(score[None, :500], y[:500], np.ones(500), members=1)
    assert found.knots
    assert expected_calibration_error(outcome, _chances(found.log_odds(ahead))) < 0.012
    assert expected_calibration_error(outcome, _chances(straight.log_odds(ahead))) > 0.02
    assert (np.diff(found.log_odds(np.linspace(-30, 30, 5_000))) > 0).all()


def test_a_straight_line_is_kept_where_nothing_bends():
    bent = 0
    for seed in range(20):
        truth = np.random.default_rng(seed).normal(-2, 1, 3_000)
        y = _outcomes(truth, seed + 100)
        bent += bool(fit_calibration(truth[None], y, np.ones(y.size), members=1).knots)
    assert bent <= 1


def test_a_larger_bag_is_made_steeper_by_what_its_scores_scatter_less():
    random = np.random.default_rng(4)
    truth = random.normal(-1, 1, 60_000)
    members = truth + random.normal(0, 0.8, (15, truth.size))
    y = _outcomes(truth)
    ones = np.ones(y.size)
    held_out, bag = members[:3], members.mean(axis=0)
    of_bag = fit_calibration(held_out, y, ones, members=15)
    of_scores = fit_calibration(held_out, y, ones, members=3)
    steep = [calibration_line(y, _chances(one.log_odds(bag)))[0] for one in (of_bag, of_scores)]
    assert steep[0] == pytest.approx(1, abs=0.05)
    assert steep[1] > 1.1


def test_secants_carry_a_score_from_the_base_to_its_log_odds():
    found = Calibration(
        slope=1.2, intercept=0.3, knots=[-3.0, -1.0, 0.5], slopes=[1.0, 2.0, 0.05, 0.7], shift=-0.4
    )
    raw = np.r_[np.linspace(-8, 8, 401), -2.0, -2.0 + 1e-9]
    carried = found.secant(raw, -2.0) * (raw - -2.0)
    expected = found.log_odds(raw) - found.log_odds(np.array([-2.0]))
    np.testing.assert_allclose(carried, expected, atol=1e-9)
    assert (found.secant(raw, -2.0) > 0).all()


def test_a_state_gives_the_same_bytes():
    found = Calibration(
        slope=1.2, intercept=0.3, knots=[-3.0, -1.0], slopes=[1.0, 2.0, 0.05], shift=-0.4
    )
    again = Calibration.from_state(json.loads(json.dumps(found.to_state())))
    raw = np.linspace(-9, 9, 99)
    assert again.log_odds(raw).tobytes() == found.log_odds(raw).tobytes()


def test_the_bag_is_as_high_as_its_members_whether_straight_or_bent():
    rng = np.random.default_rng(0)
    members = rng.normal(-3.5, 1, 4_000) + rng.normal(0, 0.6, (4, 4_000))
    weight = rng.uniform(0.5, 2, 4_000)
    straight = Calibration(slope=0.9, intercept=0.2)
    for before in (
        straight,
        Calibration(
            slope=0.9, intercept=0.2, knots=[-4.0, -3.0, -2.0], slopes=[1.0, 1.1, 0.9, 0.8]
        ),
    ):
        after = level_bag(before, members, weight)
        wanted = np.average(expit(before.log_odds(members)).mean(axis=0), weights=weight)
        bag = members.mean(axis=0)
        lower = np.average(expit(before.log_odds(bag)), weights=weight)
        assert lower < 0.95 * wanted
        reached = np.average(expit(after.log_odds(bag)), weights=weight)
        assert reached == pytest.approx(wanted, rel=1e-9)
        # The slope stays.
        moved = after.log_odds(bag) - before.log_odds(bag)
        assert moved == pytest.approx(np.full(bag.size, moved[0]), abs=1e-12)
