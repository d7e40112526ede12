"""The estimator: known answers, exact cases, and an oracle of its own for clusters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from churnml.service.index.prediction_powered import (
    effective_answers,
    explained,
    prediction_powered,
    tuning,
)

Y = np.array([80, 60, 100, 90, 70, 40, 100, 80.0])
F = np.array([78, 66, 88, 84, 74, 60, 90, 76.0])
REST = np.array([70, 75, 80, 85, 90, 65, 72, 78, 82, 88, 68, 74, 79, 81, 77, 83.0])
W = np.array([1, 2, 0.5, 1, 1.5, 0.8, 1.2, 1])
EVERYBODY = float(np.r_[F, REST].mean())


@pytest.mark.parametrize(
    ("weight", "tuned", "value", "error"),
    [
        (None, 0.0, 77.5, 7.258001),
        (None, 0.5, 77.8125, 5.444525),
        (None, 1.0, 78.125, 3.659625),
        (W, 0.0, 75.222222, 6.596247),
        (W, 0.5, 76.201389, 4.803383),
        (W, 1.0, 77.180556, 3.050913),
    ],
)
def test_known_answers(weight, tuned, value, error):
    found = prediction_powered(Y, F, EVERYBODY, weight=weight, tuned=tuned)
    assert EVERYBODY == 77.625
    assert round(found.value, 6) == value
    assert round(found.variance**0.5, 6) == error
    assert found.freedom == 7
    low, high = found.interval()
    half = student.ppf(0.975, 7) * error
    assert round(student.ppf(0.975, 7), 6) == 2.364624
    assert low == pytest.approx(max(value - half, 0), abs=1e-5)
    assert high == pytest.approx(min(value + half, 100), abs=1e-5)


@pytest.mark.parametrize(
    ("weight", "tuned", "value"),
    [
        (None, 0.5, 77.96875),
        (None, 1.0, 78.4375),
        (W, 0.0, 75.222222),
        (W, 0.5, 76.357639),
        (W, 1.0, 77.493056),
    ],
)
def test_the_point_is_that_of_the_published_form(weight, tuned, value):
    """With the customers who did not answer alone as the population."""
    found = prediction_powered(Y, F, float(REST.mean()), weight=weight, tuned=tuned)
    assert round(found.value, 6) == value


def test_both_tunings_are_clipped_here():
    assert tuning(Y, F, np.ones(8)) == 1.0
    assert tuning(Y, F, W) == 1.0


def test_constant_predictions_leave_the_weighted_mean():
    found = prediction_powered(Y, np.full(8, 66.6), 66.6, weight=W)
    assert tuning(Y, np.full(8, 66.6), W) == 0.0
    assert found.value == pytest.approx(np.average(Y, weights=W))


def test_predictions_that_are_off_by_a_constant_are_exact():
    found = prediction_powered(F + 7, F, EVERYBODY, weight=W)
    assert found.value == pytest.approx(EVERYBODY + 7)
    assert found.variance == pytest.approx(0, abs=1e-20)


def test_answers_of_one_cluster_vary_together():
    clusters = np.array(["a", "a", "b", "b", "c", "c", "d", "d"])
    found = prediction_powered(Y, F, EVERYBODY, weight=W, tuned=0.5, clusters=clusters)
    rest = Y - 0.5 * F
    moved = W * (rest - np.average(rest, weights=W)) / W.sum()
    sums = [moved[clusters == one].sum() for one in "abcd"]
    assert found.variance == pytest.approx(4 / 3 * np.square(sums).sum())
    assert found.freedom == 3
    assert np.square(found.influence).sum() == pytest.approx(found.variance)


def test_two_answers_of_a_customer_are_one_answer_that_weighs_as_much():
    twice = prediction_powered(
        [70, 90, 60, 80],
        [75, 75, 70, 72],
        74,
        weight=[0.5, 0.5, 1, 2],
        clusters=["a", "a", "b", "c"],
        tuned=1,
    )
    once = prediction_powered([80, 60, 80], [75, 70, 72], 74, weight=[1, 1, 2], tuned=1)
    assert twice.value == pytest.approx(once.value)
    assert twice.variance == pytest.approx(once.variance)


def test_a_large_sample_of_a_small_population_is_known_better():
    small = prediction_powered(Y, F, EVERYBODY, tuned=0.0, population=24)
    assert small.variance == pytest.approx(7.258001**2 * (1 - 8 / 24), rel=1e-5)
    assert prediction_powered(Y, F, EVERYBODY, tuned=0.0, population=8).variance == 0
    large = prediction_powered(Y, F, EVERYBODY, tuned=0.0, population=161)
    assert large.variance == pytest.approx(7.258001**2, rel=1e-5)


def test_one_answer_has_no_error():
    assert np.isnan(prediction_powered([80], [70], 71).variance)
    assert np.isnan(prediction_powered([80], [70], 71).interval()).all()


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(0, 100), st.floats(0.1, 10)), min_size=3, max_size=30
    )
)
def test_tuned_predictions_never_cost_more_than_they_bring(rows):
    """Of all trusts from 0 to 1 the tuned one has the least variance about its own means."""
    y, f, w = map(np.array, zip(*rows, strict=True))
    best = tuning(y, f, w)
    about_y, about_f = (one - np.average(one, weights=w) for one in (y, f))

    def size(trust):
        return np.sum(w**2 * (about_y - trust * about_f) ** 2)

    assert all(size(best) <= size(trust) * (1 + 1e-9) + 1e-6 for trust in np.linspace(0, 1, 11))


def test_interviews_saved_follow_from_the_correlation():
    assert round(effective_answers(913, 27_795, 0.3)) == 1000
    assert explained(Y, F, 0.0, W) == 0
    assert 0.5 < explained(Y, F, 1.0, W) < 1
