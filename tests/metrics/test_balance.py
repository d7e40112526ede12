"""Differences between those who answered and everybody."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml.errors import DataError
from churnml.metrics import balance, hidden_mean

FRAME = pd.DataFrame(
    {
        "age": [20.0, 30.0, 40.0, np.nan],
        "brand": pd.Series(["gotone", "gotone", "senior", None], dtype="str"),
        "constant": [1.0] * 4,
    }
)


def test_differences_in_standard_deviations_by_hand():
    found = balance(FRAME, [True, True, False, False], [1.0, 3.0, 0.0, 0.0])
    row = found[found["feature"] == "age"].iloc[0]
    spread = np.std([20.0, 30.0, 40.0])
    assert row["known"] == 0.75
    assert (row["everybody"], row["answered"], row["weighted"]) == (30.0, 25.0, 27.5)
    assert row["before"] == pytest.approx(-5 / spread)
    assert row["after"] == pytest.approx(-2.5 / spread)


def test_levels_and_missing_numbers_have_rows_of_their_own():
    found = balance(FRAME, [True, True, False, True], [1.0, 1.0, 0.0, 2.0])
    brand = found[found["feature"] == "brand"].set_index("level")
    assert set(brand.index) == {"gotone", "senior", "missing"}
    assert brand.loc["gotone", "everybody"] == 0.5
    assert brand.loc["gotone", "answered"] == pytest.approx(2 / 3)
    assert brand.loc["gotone", "weighted"] == 0.5
    ages = found[found["feature"] == "age"]
    assert ages["level"].isna().sum() == 1
    assert (ages["level"] == "missing").sum() == 1
    assert "constant" not in set(found["feature"])


def test_the_largest_difference_comes_first():
    found = balance(FRAME, [True, True, False, False], np.ones(4))
    assert found["before"].abs().is_monotonic_decreasing


def test_rows_may_stand_for_several_customers():
    found = balance(
        pd.DataFrame({"age": [20.0, 40.0]}), [True, False], [1.0, 0.0], standing=[1.0, 3.0]
    )
    assert found.loc[0, "everybody"] == 35.0


def test_nobody_who_answered_is_refused():
    with pytest.raises(DataError, match="nobody answered"):
        balance(FRAME, np.zeros(4, bool), np.ones(4))
    with pytest.raises(DataError, match="4 rows"):
        balance(FRAME, [True], [1.0])


@given(st.floats(0.5, 2.0))
def test_hidden_reasons_move_the_mean_against_the_odds(odds):
    found = hidden_mean([40.0, 70.0, 100.0], [1.0, 2.0, 1.0], odds)
    assert np.sign(round(70 - found, 9)) == np.sign(round(np.log(odds), 9))


def test_a_hidden_reason_is_undone_where_its_strength_is_known():
    random = np.random.default_rng(0)
    score = random.normal(70, 15, 200_000)
    # Rarely answered surveys: odds and chance are nearly the same.
    answered = random.random(score.size) < 0.02 * 1.2 ** ((score - 70) / 10)
    some = score[answered]
    assert some.mean() > 72
    assert hidden_mean(some, np.ones(some.size), 1.2) == pytest.approx(score.mean(), abs=0.7)
