"""Uplift and Qini: known answers, ties together, and what doubly robust scores say."""

import numpy as np
import pytest

from churnml.errors import DataError
from churnml.metrics.effects import effects_by_fifth, gain_curve, mean_effect, qini
from churnml.metrics.uplift import difference_of_means, uplift_curve

Y = [0, 0, 0, 0, 1, 0, 0, 1, 1, 1]
TREATED = [0] * 5 + [1] * 5
RISING = [0, 0.1, 0.2, 0.3, 0.4] * 2
FIRST = [1] + [0] * 9


def in_row_order(score):
    return np.asarray(score, float) - np.arange(len(score)) * 1e-6


@pytest.mark.parametrize(
    ("score", "definition", "area", "less_chord"),
    [
        (RISING, "qini", 1.2000, 0.2000),
        (RISING, "fixed_ratio", 1.2000, 0.2000),
        (RISING, "gain", 2.4000, 0.4000),
        (in_row_order(RISING), "qini", 1.2283, 0.2283),
        (in_row_order(RISING), "fixed_ratio", 1.0000, 0.0000),
        (in_row_order(RISING), "gain", 2.6033, 0.6033),
        (FIRST, "qini", 0.9000, -0.1000),
        (FIRST, "fixed_ratio", 0.9000, -0.1000),
        (FIRST, "gain", 1.8000, -0.2000),
        (in_row_order(FIRST), "qini", 0.2000, -0.8000),
        (in_row_order(FIRST), "fixed_ratio", -0.1000, -1.1000),
        (in_row_order(FIRST), "gain", 0.2167, -1.7833),
    ],
)
def test_known_answers(score, definition, area, less_chord):
    curve = uplift_curve(Y, TREATED, score, definition=definition)
    assert round(curve.area, 4) == area
    assert round(curve.area_less_chord, 4) == less_chord
    assert curve.extra[-1] == pytest.approx(4.0 if definition == "gain" else 2.0)


@pytest.mark.parametrize("definition", ["qini", "fixed_ratio", "gain"])
def test_the_order_of_rows_changes_nothing(definition):
    order = np.random.default_rng(0).permutation(10)
    one = uplift_curve(Y, TREATED, RISING, definition=definition)
    other = uplift_curve(
        np.array(Y)[order], np.array(TREATED)[order], np.array(RISING)[order], definition=definition
    )
    assert one.area == pytest.approx(other.area, abs=1e-12)


def test_an_arm_without_rows_is_refused():
    with pytest.raises(DataError, match="all 10 rows are treated"):
        uplift_curve(Y, [1] * 10, RISING)


@pytest.mark.parametrize(
    ("one", "other", "low", "high", "difference"),
    [
        ((3_894, 21_307), (2_262, 21_306), 0.069954, 0.083226, 0.076590),
        ((3_238, 21_387), (2_262, 21_306), 0.038894, 0.051572, 0.045233),
        ((267, 21_307), (122, 21_306), 0.005000, 0.008610, 0.006805),
        ((189, 21_387), (122, 21_306), 0.001499, 0.004723, 0.003111),
    ],
)
def test_differences_of_a_known_experiment(one, other, low, high, difference):
    """Hillstrom's arms, by their counts."""
    y, treated = [], []
    for arm, (hits, rows) in ((1, one), (0, other)):
        y += [1] * hits + [0] * (rows - hits)
        treated += [arm] * rows
    value, error = difference_of_means(y, treated)
    assert round(value, 6) == difference
    assert round(value - 1.959964 * error, 6) == pytest.approx(low, abs=2e-6)
    assert round(value + 1.959964 * error, 6) == pytest.approx(high, abs=2e-6)


def test_qini_is_the_area_between_the_curve_and_its_chord():
    random = np.random.default_rng(3)
    scores, priority = random.normal(size=500), random.integers(0, 20, 500)
    curve = gain_curve(scores, priority, points=500, draws=1)
    area = np.trapezoid(curve.kept / 1000 - curve.share * curve.kept[-1] / 1000, curve.share)
    assert qini(scores, priority).value == pytest.approx(area, abs=1e-4)


def test_qini_of_ties_is_nothing_and_of_opposites_opposite():
    scores = np.random.default_rng(0).normal(size=100)
    assert qini(scores, np.ones(100)).value == pytest.approx(0, abs=1e-12)
    up, down = qini(scores, np.arange(100.0)), qini(scores, -np.arange(100.0))
    assert up.value == pytest.approx(-down.value)
    assert up.error == pytest.approx(down.error)


def test_errors_are_over_customers():
    scores = np.random.default_rng(0).normal(size=200)
    twice = np.repeat(scores, 2)
    customers = np.repeat(np.arange(200), 2)
    assert mean_effect(twice, customers).error == pytest.approx(mean_effect(scores).error)
    alone = qini(scores, scores)
    assert qini(twice, twice, customers).error == pytest.approx(alone.error, rel=0.02)


def test_intervals_of_the_qini_cover():
    """Two thousand draws; the truth is the covariance of effect and rank."""
    random, covered, draws = np.random.default_rng(0), 0, 2000
    for _ in range(draws):
        priority = random.normal(size=300)
        scores = -0.3 * priority + random.normal(0, 2, 300)
        found = qini(scores, priority)
        # E[X (F(X) - 1/2)] of a normal is 1 / (2 sqrt(pi)).
        covered += found.low <= 0.3 / (2 * np.sqrt(np.pi)) <= found.high
    assert 0.925 <= covered / draws <= 0.985


def test_fifths_are_in_the_order_of_the_predicted_effect():
    predicted = np.linspace(-0.1, 0.1, 100)
    found = effects_by_fifth(2 * predicted, predicted)
    assert [one.rows for one in found] == [20] * 5
    assert [one.effect.value for one in found] == sorted(one.effect.value for one in found)
    assert found[0].effect.value == pytest.approx(2 * found[0].predicted)
