"""The hold-out: by hash, stratified, whole households, and what it can see."""

import numpy as np
import pandas as pd
import pytest

from churnml.errors import UsageError
from churnml.metrics.power import control_needed, detectable_effect
from churnml.retention.hold_out import draw_hold_out, sight


@pytest.mark.parametrize(
    ("before", "after", "alone", "tenth", "tenth_total", "fifth_total"),
    [
        (0.038, 0.026, 3_373, 2_146, 21_459, 11_689),
        (0.04, 0.03, 5_298, 3_268, 32_678, 17_925),
        (0.04, 0.035, 22_660, 13_235, 132_341, 73_535),
        (0.031, 0.028, 49_932, 28_835, 288_342, 160_654),
        (0.10, 0.08, 3_211, 1_927, 19_265, 10_636),
    ],
)
def test_known_sizes(before, after, alone, tenth, tenth_total, fifth_total):
    assert control_needed(before, after) == pytest.approx(alone, abs=1)
    small = control_needed(before, after, ratio=9)
    assert small == pytest.approx(tenth, abs=1)
    assert 10 * small == pytest.approx(tenth_total, abs=10)
    assert 5 * control_needed(before, after, ratio=4) == pytest.approx(fifth_total, abs=5)


def test_known_detectable_effect():
    assert round(100 * detectable_effect(0.035, 2457, 2446), 2) == 1.47


def drawn(ids, priority, **more):
    asked = {"share": 0.1, "campaign": "spring", "seed": 1} | more
    return draw_hold_out(ids, priority, **asked)


def test_every_part_of_the_priority_is_held_out_alike():
    ids = [f"c{one}" for one in range(20_000)]
    priority = np.random.default_rng(0).gamma(1.0, 10, len(ids))
    held = drawn(ids, priority)
    parts = pd.qcut(priority, 10, labels=False)
    counts = np.bincount(parts[held], minlength=10)
    assert (np.abs(counts - 200) <= 1).all()


def test_the_order_of_rows_and_other_customers_of_a_part_change_nothing():
    ids = np.array([f"c{one}" for one in range(1000)], object)
    priority = np.random.default_rng(0).random(1000)
    held = drawn(ids, priority)
    order = np.random.default_rng(1).permutation(1000)
    assert np.array_equal(drawn(ids[order], priority[order]), held[order])
    assert not np.array_equal(drawn(ids, priority, campaign="autumn"), held)
    assert not np.array_equal(drawn(ids, priority, seed=2), held)


def test_households_are_held_out_whole():
    houses = np.repeat([f"h{one}" for one in range(400)], 3)
    held = drawn(houses, np.random.default_rng(0).random(1200), share=0.3)
    by_house = pd.Series(held).groupby(houses).nunique()
    assert (by_house == 1).all()
    assert 0.25 < held.mean() < 0.35


def test_small_lists_are_held_out_about_as_often():
    shares = [drawn([f"{s}-{i}" for i in range(7)], range(7), seed=s).mean() for s in range(400)]
    assert np.mean(shares) == pytest.approx(0.1, abs=0.02)


def test_shares_that_are_none_are_refused():
    with pytest.raises(UsageError, match=r"10 % is 0\.1"):
        drawn(["a"], [1], share=10)


def test_what_it_sees_is_said_and_more_is_proposed_where_it_is_too_small():
    enough = sight(treated=45_000, held_out=5_000, rate=0.04, expected=0.012)
    assert enough.proposed is None
    assert "would be seen with 80 %" in enough.say()
    small = sight(treated=16_200, held_out=1_800, rate=0.04, expected=0.010)
    assert small.proposed == pytest.approx(0.2, abs=0.015)
    assert "A hold-out of" in small.say()
    never = sight(treated=900, held_out=100, rate=0.04, expected=0.002)
    assert never.proposed is None
    assert "No hold-out of this list" in never.say()
