"""Changes with their interval, their two parts, interviews needed, and three groups."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnml.metrics.intervals import wilson
from churnml.service.index.change import change, covariance, mix_and_true
from churnml.service.index.planner import to_be_within, to_see_a_change, to_see_a_share
from churnml.service.index.standing import holm, standings


def test_interviews_to_see_a_change():
    assert round(to_see_a_share(0.769, 0.791)) == 5562
    assert round(to_see_a_change(20**2, 2.2), 1) == 1297.3
    assert round(to_see_a_change(20**2, 2.2, explained=0.1, design=1.25), 1) == 1459.5
    assert round(to_see_a_change(20**2, 5), 1) == 251.2
    assert round(to_see_a_change(20**2, 1)) == 6279


def test_interviews_for_one_cell():
    assert round(to_be_within(2.5, variance=20**2), 1) == 245.9
    assert round(to_be_within(2.5, variance=20**2, customers=300), 1) == 135.1


def test_mix_and_true_change():
    found = mix_and_true(
        shares=[0.5, 0.3, 0.2],
        shares_before=[0.4, 0.35, 0.25],
        means=[80, 76, 70],
        means_before=[78, 75, 71],
        variances=[5.2, 5.2, 5.2],
    )
    assert round(found.mix.value, 9) == 0.6
    assert round(found.true.value, 9) == 1.0
    # Shares are known, means are not: the mix is sharp, the true change is not.
    assert found.mix.high - found.mix.low < (found.true.high - found.true.low) / 5


def test_a_mean_may_fall_though_everybody_is_happier():
    found = mix_and_true(
        shares=[0.2, 0.8],
        shares_before=[0.5, 0.5],
        means=[86, 72],
        means_before=[85, 71],
        variances=[1, 1],
    )
    assert (round(found.mix.value, 9), round(found.true.value, 9)) == (-4.2, 1.0)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_mix_and_true_leave_no_rest(seed):
    rng = np.random.default_rng(seed)
    now, before = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4))
    m1, m0 = rng.uniform(0, 100, 4), rng.uniform(0, 100, 4)
    found = mix_and_true(
        shares=now, shares_before=before, means=m1, means_before=m0, variances=np.ones(4)
    )
    assert found.mix.value + found.true.value == pytest.approx(now @ m1 - before @ m0)


def test_customers_who_answered_twice_make_a_change_sharper():
    now = pd.Series([0.5, -0.5, 0.2], ["a", "b", "c"])
    before = pd.Series([0.4, -0.4, 0.9], ["b", "a", "d"])
    assert covariance(now, before) == pytest.approx(0.5 * -0.4 + -0.5 * 0.4)
    wide = change(78, 77, 2.0)
    assert (wide.value, round(wide.high - wide.low, 4)) == (1, round(2 * 1.959964 * 2**0.5, 4))


def test_groups_instead_of_ranks():
    # 2.5 errors away is far for one cell, and not for one of twenty.
    assert standings([-2.5], [1.0]) == ["below"]
    assert standings([-2.5, *[0.1] * 19], [1.0] * 20) == ["not told apart"] * 20
    assert standings([4.0, -4.0, 0.0], [1.0, 1.0, 0.0]) == ["above", "below", "not told apart"]
    # Few answers: an error that is itself uncertain.
    assert standings([-2.5], [1.0], [4]) == ["not told apart"]


def test_holm_is_never_below_what_it_is_given():
    assert holm([0.01, 0.04, 0.03]).round(9).tolist() == [0.03, 0.06, 0.06]
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_wilson_intervals_of_a_share():
    for share, count, low, high in ((0.791, 1000, 0.76471, 0.81506), (0.9, 10, 0.59585, 0.98212)):
        assert [round(float(end), 5) for end in wilson(share, count)] == [low, high]
