"""Training and test parts."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnml.datasets.splits import forward_split, group_split
from churnml.errors import DataError, LabelWindowError, UsageError
from churnml.labels.window import Window

DAYS = [date(2026, month, 1) for month in range(1, 9)]


@pytest.mark.parametrize(
    ("window", "last_trained"),
    [(Window("0d", "2mo"), date(2026, 5, 1)), (Window("1mo", "2mo"), date(2026, 4, 1))],
)
def test_training_windows_end_before_testing_begins(window, last_trained):
    times = np.repeat(DAYS, 2)
    train, test = forward_split(times, window.end, test_dates=2)
    assert sorted(set(times[test])) == DAYS[-2:]
    assert max(times[train]) == last_trained
    assert window.end(last_trained) <= DAYS[-2]


def test_no_date_to_train_on_is_refused():
    with pytest.raises(LabelWindowError, match="no as_of is left to train on: 2 dates"):
        forward_split(DAYS[:2], Window("0d", "2mo").end, test_dates=1)


def test_no_date_to_test_on_is_refused():
    with pytest.raises(UsageError, match="test_dates is 0"):
        forward_split(DAYS, Window().end, test_dates=0)


@given(st.lists(st.integers(1, 5), min_size=2, max_size=60), st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_no_group_is_parted_and_no_row_is_lost(sizes, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    y = groups % 4 == 0
    train, test = group_split(y, groups, test_share=0.3, seed=seed)
    assert sorted([*train, *test]) == list(range(len(groups)))
    assert not set(groups[train]) & set(groups[test])
    assert len(train)
    assert len(test)


def test_parts_are_alike_in_the_target():
    y = np.random.default_rng(0).random(2_000) < 0.05
    train, test = group_split(y, test_share=0.3)
    assert len(test) == pytest.approx(600, abs=2)
    assert y[test].mean() == pytest.approx(y[train].mean(), abs=0.002)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_shares_out_of_range_are_refused(share):
    with pytest.raises(UsageError, match="test_share"):
        group_split([0, 1], test_share=share)


def test_a_single_customer_cannot_be_split():
    with pytest.raises(DataError, match="1 customers cannot be split"):
        group_split([0, 1], ["a", "a"])
