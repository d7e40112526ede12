"""Change points that are rare where nothing changes, and changes told apart."""

import numpy as np
import pytest

from churnml.service.quality.change_points import change_points, smoothed
from churnml.service.quality.word_of_mouth import tell_apart


def share_found(draws, *, months=24, step=0.0, seed=0):
    random, found = np.random.default_rng(seed), 0
    for _draw in range(draws):
        series = random.normal(size=months)
        series[months // 2 :] += step
        points = change_points(series, np.ones(months))
        near = [point for point in points if abs(point.place - months // 2) <= 2]
        found += bool(near if step else points)
    return found / draws


def test_a_flat_series_seldom_alarms_and_a_step_is_found():
    assert share_found(150) < 0.04
    assert share_found(100, step=2.0, seed=1) > 0.72


@pytest.mark.slow
@pytest.mark.parametrize("months", [24, 36, 60])
def test_of_a_thousand_flat_series_fewer_than_three_in_a_hundred_alarm(months):
    assert share_found(1_000, months=months) < 0.03


@pytest.mark.slow
def test_a_step_of_two_standard_errors_is_found():
    assert share_found(1_000, step=2.0, seed=1) > 0.75


def test_a_month_with_few_answers_cannot_alarm():
    random = np.random.default_rng(3)
    series, errors = random.normal(40, 2, 24), np.full(24, 2.0)
    series[10:14], errors[10:14] = 80.0, 60.0
    assert change_points(series, errors) == []
    errors[10:14] = 2.0
    assert [point.place for point in change_points(series, errors)] == [10, 14]


def test_a_short_series_and_the_last_two_months_have_no_change_point():
    step = np.r_[np.full(6, 0.0), np.full(5, 50.0)]
    assert change_points(step, np.ones(11)) == []
    late = np.r_[np.zeros(22), 50.0, 50.0]
    assert all(point.place <= 21 for point in change_points(late, np.ones(24)))


def test_a_step_is_told_with_its_interval_and_its_months():
    random = np.random.default_rng(2)
    series = np.r_[np.full(12, 40.0), np.full(12, 46.0)] + random.normal(0, 1.0, 24)
    (point,) = change_points(series, np.ones(24))
    assert point.place == 12
    assert point.first <= 12 <= point.last
    assert point.low < 6 < point.high


def test_months_without_a_value_are_passed_over():
    series = np.r_[np.full(12, 0.0), np.full(12, 9.0)] + np.tile([0.1, -0.1], 12)
    series[[3, 15]] = np.nan
    assert [point.place for point in change_points(series, np.ones(24))] == [12]


def test_a_yearly_wave_is_no_change_where_years_can_be_compared():
    months = np.tile(np.arange(1, 13), 4)
    wave = 3 * np.sin(2 * np.pi * months / 12) + np.random.default_rng(1).normal(0, 1, 48)
    assert change_points(wave, np.ones(48)) != []
    assert change_points(wave, np.ones(48), list(months)) == []


def test_the_eye_sees_a_smooth_line_that_keeps_straight_lines():
    line = np.arange(10.0) * 2 + 5
    assert smoothed(line, np.ones(10)) == pytest.approx(line)
    line[4] = np.nan
    assert smoothed(line, np.ones(10))[4] == pytest.approx(13)


def test_mix_and_true_change_by_hand():
    change = tell_apart(([0.4, 0.35, 0.25], [0.5, 0.3, 0.2]), ([78, 75, 71], [80, 76, 70]))
    assert (round(change.mix, 6), round(change.true, 6)) == (0.6, 1.0)
    old, new = np.dot([0.4, 0.35, 0.25], [78, 75, 71]), np.dot([0.5, 0.3, 0.2], [80, 76, 70])
    assert change.mix + change.true == pytest.approx(new - old) == pytest.approx(1.6)


def test_a_fall_that_is_a_rise_of_everyone():
    change = tell_apart(([0.5, 0.5], [0.2, 0.8]), ([85, 71], [86, 72]))
    assert (round(change.mix, 6), round(change.true, 6)) == (-4.2, 1.0)


def test_both_intervals_cover_and_the_mix_is_sharp():
    random = np.random.default_rng(0)
    weights = ([0.4, 0.35, 0.25], [0.5, 0.3, 0.2])
    before, after, error = np.array([78.0, 75, 71]), np.array([80.0, 76, 70]), 1.8
    truth = tell_apart(weights, (before, after))
    covered = np.zeros(2)
    for _draw in range(1_000):
        noise = random.normal(0, error, (2, 3))
        found = tell_apart(weights, (before + noise[0], after + noise[1]), (error**2, error**2))
        covered += (
            found.mix_low <= truth.mix <= found.mix_high,
            found.true_low <= truth.true <= found.true_high,
        )
    assert covered / 1_000 == pytest.approx([0.95, 0.95], abs=0.02)
    assert found.true_high - found.true_low > 5 * (found.mix_high - found.mix_low)
