"""Columns that are left out, and those that must stay."""

import numpy as np
import pandas as pd
import pytest

from churnml.datasets.flat.uninformative import tells_target, useless

ROWS = 400
RANDOM = np.random.default_rng(0)
EACH = np.arange(ROWS)
INCOMES = RANDOM.choice(200_000, ROWS, replace=False).astype(float)
TRAFFIC = RANDOM.choice(10**10, ROWS, replace=False) ** RANDOM.uniform(0.4, 1, ROWS)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([np.nan] * ROWS, "empty"),
        (["a"] * ROWS, "always 'a'"),
        ([2015.0] * ROWS, "always 2015"),
        ([f"user-{at}" for at in EACH], "nearly every value differs"),
        (EACH + 1.0, "numbers the rows"),
        (EACH[::-1] * 3.0, "numbers the rows"),
        (RANDOM.permutation(ROWS) + 5_000.0, "every value differs, like row numbers"),
        (13_800_000_000.0 + RANDOM.choice(10**8, ROWS), "11 digits, like telephone numbers"),
    ],
)
def test_says_nothing_or_names_the_customer(values, why):
    assert why in useless(pd.Series(values), EACH)


@pytest.mark.parametrize(
    "values",
    [
        INCOMES,
        np.floor(TRAFFIC),
        RANDOM.gamma(2, 40, ROWS),
        [f"plan-{at % 40}" for at in EACH],
        ["yes" if at % 3 else None for at in EACH],
        [1.0 if at % 2 else np.nan for at in EACH],
    ],
)
def test_describes_the_customer(values):
    assert useless(pd.Series(values), EACH) is None


def test_few_rows_may_all_differ():
    assert useless(pd.Series([f"plan-{at}" for at in range(10)]), np.arange(10)) is None


def test_an_id_that_repeats_with_its_group_is_one_still():
    groups = np.repeat(np.arange(100), 4)

    assert useless(pd.Series([f"user-{at}" for at in groups]), groups)
    assert useless(pd.Series([f"user-{at}" for at in groups]), EACH) is None


def test_ages_of_dates_may_all_differ():
    assert useless(pd.Series(EACH + 0.0), EACH, dates=True) is None


Y = np.repeat([0.0, 1.0], [300, 100])


@pytest.mark.parametrize(
    "values",
    [
        np.where(Y == 1, "Churned", "Stayed"),
        Y * 5,
        [None if one == 0 else f"reason {at % 6}" for at, one in enumerate(Y)],
    ],
)
def test_a_copy_of_the_target_tells_it(values):
    assert tells_target(pd.Series(values), Y)


@pytest.mark.parametrize(
    "values",
    [
        np.where(np.arange(ROWS) < 299, "Stayed", "Churned"),
        [f"city {at % 200}" for at in np.arange(ROWS) * 7],
        RANDOM.random(ROWS),
        ["a"] * ROWS,
    ],
)
def test_what_only_goes_along_with_the_target_stays(values):
    assert not tells_target(pd.Series(values), Y)


def test_a_copy_of_a_score_tells_it():
    scores = RANDOM.integers(0, 11, ROWS) * 10.0

    assert tells_target(pd.Series(scores / 10), scores)
    assert not tells_target(pd.Series(np.round(scores / 20)), scores)


def test_too_few_of_the_rarer_class_prove_nothing():
    y = np.repeat([0.0, 1.0], [195, 5])

    assert not tells_target(pd.Series(np.where(y == 1, "gone", "here")), y)
