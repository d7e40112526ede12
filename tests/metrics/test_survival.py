"""Chances within several months, on outcomes written out by hand."""

import numpy as np
import pytest

from churnml.metrics.survival import horizon_metrics, known_outcomes


def test_a_date_tells_a_horizon_only_where_somebody_was_seen_to_stay_so_long():
    outcome = [1, 3, -6, 2, -2, 1, -1]
    times = ["a", "a", "a", "b", "b", "c", "c"]
    known, left = known_outcomes(outcome, times, 2)
    assert known.tolist() == [True, True, True, True, True, False, False]
    assert left.tolist() == [1, 0, 0, 1, 0]
    known, left = known_outcomes(outcome, times, 3)
    assert known.tolist() == [True] * 3 + [False] * 4
    assert left.tolist() == [1, 1, 0]
    assert known_outcomes([], [], 1)[0].size == 0


def test_the_truth_is_calibrated_at_every_horizon_and_what_is_unknown_is_left_out():
    random = np.random.default_rng(0)
    hazard = random.uniform(0.01, 0.2, 8_000)
    first = random.geometric(hazard)
    seen = np.where(np.arange(8_000) % 2 == 0, 6, 2)
    outcome = np.where(first <= seen, first, -seen)
    within = np.column_stack([1 - (1 - hazard) ** months for months in (1, 2, 3, 6)])
    found = horizon_metrics(outcome, within, (1, 2, 3, 6), np.arange(8_000) // 4, seen, draws=50)
    for months in (1, 2, 3, 6):
        slope = found[f"calibration_slope_{months}mo"]
        assert slope.low < 1 < slope.high
        assert found[f"calibration_error_{months}mo"].value < 0.02
        assert found[f"auc_{months}mo"].low > 0.6
    alone = horizon_metrics(
        outcome[seen == 2],
        within[seen == 2],
        (1, 2, 3, 6),
        np.arange(4_000),
        seen[seen == 2],
        draws=50,
    )
    assert {name.rsplit("_", 1)[1] for name in alone} == {"1mo", "2mo"}


def test_counting_who_left_early_on_dates_that_do_not_reach_would_flatter_nobody():
    outcome = np.array([1, -6, -6, -6, 1, 1, -1])
    times = ["long"] * 4 + ["short"] * 3
    _, left = known_outcomes(outcome, times, 6)
    assert left.mean() == pytest.approx(0.25)
