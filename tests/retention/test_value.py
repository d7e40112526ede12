"""What customers and offers are worth, to the yuan."""

import numpy as np
import pytest

from churnml.retention.value import (
    customer_values,
    monthly_chances,
    offer_gain,
    survival_of_stayers,
)


def test_known_value_and_gains():
    value = customer_values([0.4 * 100], np.ones((1, 12)))
    assert value[0] == pytest.approx(480, abs=1e-9)
    asked = {"acceptance": 0.3, "cost": 60, "contact": 2}
    assert offer_gain([-0.05], value, **asked)[0] == pytest.approx(4.00, abs=1e-9)
    assert offer_gain([0.01], value, **asked)[0] == pytest.approx(-24.80, abs=1e-9)


def test_interest_makes_later_months_count_less():
    value = customer_values([1.0], np.ones((1, 24)), rate=0.08)
    assert value[0] == pytest.approx(sum(1.08 ** (-t / 12) for t in range(1, 25)))


def test_a_stayer_stays_through_the_window_and_then_takes_her_chances():
    within = monthly_chances([0.19], 2)
    assert within[0] == pytest.approx([0.1, 0.19])
    stays = survival_of_stayers(within, window=2, months=4)
    assert stays[0] == pytest.approx([1, 1, 0.9, 0.81])


def test_hazards_of_their_own_months_are_kept():
    within = 1 - np.cumprod([[0.9, 0.8, 0.7]], axis=1)
    stays = survival_of_stayers(within, window=1, months=5)
    assert stays[0] == pytest.approx([1, 0.8, 0.56, 0.392, 0.2744])
