"""Histograms of a scoring: nothing about fewer than ten, and a PSI as if nothing were merged."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml.models.histograms import (
    FEWEST,
    ScoringRecord,
    count_scores,
    histograms,
    merged,
    psi_between,
    spread,
    summed_scores,
)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=20), st.booleans())
def test_no_bin_is_about_fewer_than_ten_and_nobody_is_lost(counts, in_order):
    bins = merged(counts, in_order=in_order)
    assert all(rows >= FEWEST for _places, rows in bins)
    assert sum(rows for _places, rows in bins) in (0, sum(counts))
    assert bool(bins) == (sum(counts) >= FEWEST)
    places = [place for group, _rows in bins for place in group]
    assert len(places) == len(set(places))


@given(st.lists(st.integers(10, 400), min_size=3, max_size=12))
def test_counts_that_are_large_enough_stay_as_they_are(counts):
    shares = np.full(len(counts), 1 / len(counts))
    assert spread(merged(counts, in_order=True), shares).tolist() == counts


def test_a_merged_bin_adds_to_a_psi_what_its_sum_does():
    shares = np.array([0.1, 0.3, 0.2, 0.4])
    bins = (((0, 1), 3000), ((2, 3), 1000))
    whole, before = np.array([0.75, 0.25]), np.array([0.4, 0.6])
    expected = float(((whole - before) * np.log(whole / before)).sum())
    assert psi_between(spread(bins, shares), shares) == pytest.approx(expected, abs=1e-3)


def test_the_record_comes_back_as_it_was_and_names_no_value(churn, customers):
    from churnml.models.drift import counted

    features = customers[["tenure", "费用", "plan", "online"]]
    scores = np.asarray(churn.estimator.oof_)
    halves = [scores[:300], scores[300:]]
    found = histograms(
        churn,
        "churn/1",
        counted(churn.inputs, features),
        summed_scores(count_scores(churn, half) for half in halves),
    )
    record = ScoringRecord(source="/data", as_of="2026-06-01", rows=600, models={"churn": found})
    content = record.to_bytes()
    assert ScoringRecord.from_bytes(content) == record
    assert found.scores.mean == pytest.approx(scores.mean(), abs=1e-6)
    assert sum(rows for _places, rows in found.scores.bins) == 600
    assert found.scores.psi < 0.05
    for word in ("basic", "plus", "max"):
        assert word not in content.decode()
    assert json.loads(content)["kind"] == "histograms"
    assert ScoringRecord.from_bytes(b'{"kind": "histograms"}') is None
    assert ScoringRecord.from_bytes(b"[1]") is None
