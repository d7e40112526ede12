"""Rows in an order of their own, and folds that part no group."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from churnml.estimators.boosting.folds import assign_folds, content_hash, order_rows
from churnml.estimators.encoding.frames import read_frame


def _ordered(frame, y, groups=None, weight=None):
    values = read_frame(frame, [None] * frame.shape[1])
    weight = np.ones(len(y)) if weight is None else weight
    rows = order_rows(content_hash(values, y), weight, groups)
    return rows, frame.iloc[rows.take].reset_index(drop=True), y[rows.take]


FRAME = pd.DataFrame({"a": [1.0, 2.0, np.nan, 2.0, 1.0], "b": ["x", "y", "x", "y", "x"]})
Y = np.array([0.0, 1.0, 0.0, 1.0, 1.0])


@given(st.permutations(range(5)), st.permutations(["a", "b"]))
@settings(max_examples=20, deadline=None)
def test_neither_the_order_of_rows_nor_of_columns_matters(rows, columns):
    _, expected, expected_y = _ordered(FRAME, Y)
    shuffled = FRAME.iloc[list(rows)][list(columns)].reset_index(drop=True)
    _, found, y = _ordered(shuffled, Y[list(rows)])
    pd.testing.assert_frame_equal(found[["a", "b"]], expected)
    assert y.tolist() == expected_y.tolist()


def test_rows_that_are_alike_become_one_of_their_weight():
    rows, frame, _ = _ordered(FRAME, Y)
    assert len(frame) == 4
    assert sorted(rows.weight) == [1.0, 1.0, 1.0, 2.0]
    assert rows.place[1] == rows.place[3]


def test_rows_of_other_groups_stay_apart():
    rows, frame, _ = _ordered(FRAME, Y, groups=np.array(["p", "p", "q", "q", "q"]))
    assert len(frame) == 5
    assert rows.group[rows.place[0]] == rows.group[rows.place[1]] != rows.group[rows.place[3]]


def test_rows_without_weight_are_left_out():
    rows, frame, _ = _ordered(FRAME, Y, weight=np.array([1.0, 1.0, 0.0, 1.0, 1.0]))
    assert rows.place[2] == -1
    assert len(frame) == 3


def test_group_names_do_not_matter():
    one, _, _ = _ordered(FRAME, Y, groups=np.array([7, 7, 1, 1, 3]))
    other, _, _ = _ordered(FRAME, Y, groups=np.array(["b", "b", "a", "a", "c"]))
    assert one.take.tolist() == other.take.tolist()
    assert one.group.tolist() == other.group.tolist()


@given(st.integers(2, 5), st.integers(0, 100), st.lists(st.integers(1, 4), min_size=10))
@settings(max_examples=30, deadline=None)
def test_folds_part_no_group_and_are_alike_in_the_target(folds, seed, sizes):
    group = np.repeat(np.arange(len(sizes)), sizes)
    # A third of the groups left, with all of their rows.
    y = (group % 3 == 0).astype(float)
    fold = assign_folds(y, group, folds=folds, seed=seed)
    assert set(fold) == set(range(folds))
    of_group = pd.Series(fold).groupby(group)
    assert (of_group.nunique() == 1).all()
    counts = pd.crosstab(of_group.first(), np.arange(len(sizes)) % 3 == 0)
    assert (counts.max() - counts.min()).max() <= 1


def test_other_seeds_draw_other_folds():
    y, group = np.zeros(100), np.arange(100)
    first, second = (assign_folds(y, group, folds=5, seed=seed) for seed in (0, 1))
    assert (first != second).any()
