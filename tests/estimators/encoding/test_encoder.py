"""Columns into one matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from churnml.errors import DataError
from churnml.estimators.encoding import encoder as encoding
from churnml.estimators.encoding.encoder import Encoder, fit_encoder
from churnml.estimators.encoding.frames import read_frame


def _fit(frame, y=None, rank=None):
    rows = len(frame)
    y = np.zeros(rows) if y is None else np.asarray(y, float)
    rank = np.arange(rows) if rank is None else rank
    values = read_frame(frame, [None] * frame.shape[1])
    return fit_encoder(values, y, np.ones(rows), rank)


def _matrix(encoder, frame):
    kinds = {column.name: column.kind for column in encoder.columns}
    return encoder.matrix(read_frame(frame, [kinds[name] for name in frame]))


def test_a_missing_number_stays_missing_where_training_had_some():
    encoder, matrix = _fit(pd.DataFrame({"x": [1.0, np.nan, 3.0]}))
    assert np.isnan(matrix[1, 0])
    assert np.isnan(_matrix(encoder, pd.DataFrame({"x": [np.nan]}))[0, 0])


def test_a_missing_number_becomes_the_median_where_training_had_none():
    encoder, _ = _fit(pd.DataFrame({"x": [1.0, 5.0, 30.0]}))
    assert _matrix(encoder, pd.DataFrame({"x": [np.nan]})).tolist() == [[5.0]]


def test_few_levels_have_a_column_each_and_missing_one_more():
    encoder, matrix = _fit(pd.DataFrame({"plan": ["a", "b", None, "c"]}))
    assert matrix.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    assert _matrix(encoder, pd.DataFrame({"plan": ["new"]})).tolist() == [[0, 0, 0, 0]]


def test_two_levels_share_a_column():
    _, matrix = _fit(pd.DataFrame({"plan": ["a", "b", "a"]}))
    assert matrix.tolist() == [[0], [1], [0]]


def test_many_levels_are_their_smoothed_mean_and_unseen_ones_the_mean_of_all():
    levels = [f"l{number:02d}" for number in range(20)]
    y = np.repeat([0.0, 1.0], 200)
    encoder, matrix = _fit(pd.DataFrame({"town": np.repeat(levels, 20)}), y)
    assert matrix.shape == (400, 1)
    ahead = _matrix(encoder, pd.DataFrame({"town": ["l00", "l19", "new", None]}))[:, 0]
    # Twenty rows and twenty rows' worth of the mean of all.
    assert ahead.tolist() == pytest.approx([0.25, 0.75, 0.5, 0.5])


def test_a_training_row_sees_only_the_groups_before_its_own():
    levels = [f"l{number:02d}" for number in range(20)]
    town = np.r_[["l00"] * 4, np.repeat(levels[1:], 20)]
    y = np.r_[[1.0, 0.0, 1.0, 0.0], np.tile([0.0, 1.0], 190)]
    rank = np.r_[[5, 2, 2, 9], np.arange(10, 390)]
    _, matrix = _fit(pd.DataFrame({"town": town}), y, rank)
    prior = 0.5
    # In the order of ranks: rows 1 and 2 (one group), row 0, row 3.
    before = {1: (0, 0), 2: (0, 0), 0: (1, 2), 3: (2, 3)}
    expected = [(before[row][0] + 20 * prior) / (before[row][1] + 20) for row in range(4)]
    assert matrix[:4, 0].tolist() == pytest.approx(expected)


def test_unseen_values_are_counted_and_missing_ones_are_not():
    encoder, _ = _fit(pd.DataFrame({"plan": ["a", "b"], "x": [1.0, 2.0]}))
    frame = pd.DataFrame({"plan": ["A", "a", None, "c "], "x": [1.0, 2.0, 3.0, 4.0]})
    kinds = [{"plan": "category", "x": "number"}[name] for name in frame]
    assert encoder.unseen(read_frame(frame, kinds)) == {"plan": 2}


def test_columns_are_encoded_in_the_order_of_their_names():
    encoder, _ = _fit(pd.DataFrame({"z": [1.0, 2.0], "a": ["x", "y"], "m": [1.0, 2.0]}))
    assert [column.name for column in encoder.columns] == ["a", "m", "z"]
    assert encoder.owners.tolist() == [0, 1, 2]


def test_a_state_gives_the_same_encoder():
    plans = ["a"] * 10 + [None] + ["b"] * 11
    encoder, _ = _fit(pd.DataFrame({"plan": plans, "x": [np.nan, *range(21)]}))
    assert Encoder.from_state(encoder.to_state()) == encoder


@pytest.mark.parametrize("levels", [4, 30])
def test_a_level_that_few_customers_have_is_saved_without_its_name(levels):
    common = [f"l{number:02d}" for number in range(levels)] * 12
    frame = pd.DataFrame({"town": [*common, *["Li's house"] * 40]})
    y = np.random.default_rng(0).random(len(frame))
    # Forty rows, yet of one customer.
    rank = np.r_[np.arange(len(common)), np.full(40, len(common))]
    encoder, _ = _fit(frame, y, rank)
    state = encoder.to_state()
    assert "Li's" not in str(state)
    assert "l00" in str(state)
    saved = Encoder.from_state(state)
    assert np.array_equal(_matrix(saved, frame), _matrix(encoder, frame))
    assert saved.to_state() == state
    unseen = saved.unseen(read_frame(pd.DataFrame({"town": ["Li's house", "new"]}), [None]))
    assert unseen == {"town": 1}


def test_too_many_levels_are_refused(monkeypatch):
    monkeypatch.setattr(encoding, "MOST_LEVELS", 3)
    with pytest.raises(DataError, match="'name' has 4 different texts"):
        _fit(pd.DataFrame({"name": list("abcd")}))
