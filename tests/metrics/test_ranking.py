"""Ranking measures against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from churnml.errors import DataError, UsageError
from churnml.metrics import Ranked, auc, average_precision, capture, lift

ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 8), st.integers(0, 3)), min_size=5, max_size=60
)


def _arrays(rows):
    y, score, weight = (np.array(part, float) for part in zip(*rows, strict=True))
    # Both outcomes occur, each with some weight.
    y[:2], weight[:2] = (0, 1), 1
    return y, score, weight


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_measures_are_scikit_learns_with_ties_and_weights(rows):
    y, score, weight = _arrays(rows)
    ranked = Ranked(y, score)
    assert ranked.auc(weight) == pytest.approx(roc_auc_score(y, score, sample_weight=weight))
    assert ranked.average_precision(weight) == pytest.approx(
        average_precision_score(y, score, sample_weight=weight)
    )


@given(ROWS)
@settings(max_examples=40, deadline=None)
def test_weights_are_repeated_rows(rows):
    y, score, weight = _arrays(rows)
    again = np.repeat(np.arange(y.size), weight.astype(int))
    one, other = Ranked(y, score), Ranked(y[again], score[again])
    for share in (0.1, 0.5, 1.0):
        assert one.capture(share, weight) == pytest.approx(other.capture(share))
    assert one.auc(weight) == pytest.approx(other.auc())


def test_top_shares_by_hand():
    y, score = [1, 0, 1, 0, 0, 0, 0, 0, 0, 1], np.arange(10)[::-1]
    assert capture(y, score, 0.1) == pytest.approx(1 / 3)
    assert lift(y, score, 0.1) == pytest.approx(10 / 3)
    assert capture(y, score, 0.3) == pytest.approx(2 / 3)
    assert capture(y, score, 1.0) == 1.0


def test_a_tie_is_shared_out_and_counts_half():
    y, score = [1, 0, 0, 0], [1, 1, 1, 1]
    assert auc(y, score) == 0.5
    assert capture(y, score, 0.5) == 0.5
    assert average_precision(y, score) == 0.25


def test_one_outcome_alone_has_no_auc():
    assert np.isnan(auc([1, 1], [1, 2]))
    assert np.isnan(average_precision([0, 0], [1, 2]))
    assert np.isnan(capture([0, 0], [1, 2], 0.5))


@pytest.mark.parametrize(
    ("y", "score", "message"),
    [
        ([0, 1], [1], "shape"),
        ([], [], "no rows"),
        ([0, 2], [1, 2], r"y holds 2.0 in 1 of 2 rows"),
        ([0, 1], [1, np.nan], "1 scores are missing"),
    ],
)
def test_what_cannot_be_ranked_is_refused(y, score, message):
    with pytest.raises(DataError, match=message):
        Ranked(y, score)


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_shares_out_of_range_are_refused(share):
    with pytest.raises(UsageError, match="share is"):
        capture([0, 1], [1, 2], share)
