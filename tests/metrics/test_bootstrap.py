"""Bootstrap intervals over customers."""

from __future__ import annotations

import numpy as np
import pytest

from churnml.errors import DataError, UsageError
from churnml.metrics import (
    Ranked,
    bootstrap,
    churn_measures,
    churn_metrics,
    paired_difference,
)
from churnml.metrics.bootstrap import Distance
from churnml.metrics.suites import satisfaction_metrics


def _mean_of(values):
    return lambda weight: float(np.average(values, weights=weight))


def test_intervals_of_a_mean_are_as_wide_as_theory_says():
    values = np.random.default_rng(0).normal(10, 3, 900)
    found = bootstrap({"mean": _mean_of(values)}, 900, draws=1_000)["mean"]
    assert found.value == pytest.approx(values.mean())
    half = 1.96 * values.std() / 30
    assert found.low == pytest.approx(found.value - half, rel=0.01)
    assert found.high == pytest.approx(found.value + half, rel=0.01)


def test_customers_are_drawn_not_rows():
    values = np.repeat(np.random.default_rng(0).normal(0, 1, 100), 9)
    customers = np.repeat([f"c{number:03d}" for number in range(100)], 9)
    by_customer = bootstrap({"mean": _mean_of(values)}, customers, draws=500)["mean"]
    by_row = bootstrap({"mean": _mean_of(values)}, 900, draws=500)["mean"]
    widths = [found.high - found.low for found in (by_customer, by_row)]
    assert widths[0] == pytest.approx(3 * widths[1], rel=0.15)


@pytest.mark.slow
def test_intervals_of_an_auc_cover_the_truth():
    covered = 0
    for seed in range(150):
        random = np.random.default_rng(seed)
        y = (random.random(300) < 0.3).astype(float)
        ranked = Ranked(y, random.normal(y, 1))
        found = bootstrap({"auc": ranked.auc}, 300, draws=200, seed=seed)["auc"]
        # The chance that a normal at 1 exceeds one at 0, both of variance 1.
        covered += found.low <= 0.76025 <= found.high
    assert 0.89 <= covered / 150 <= 0.99


def test_the_same_seed_draws_the_same():
    values = np.random.default_rng(0).normal(size=50)
    first, second, other = (
        bootstrap({"mean": _mean_of(values)}, 50, draws=50, seed=seed) for seed in (1, 1, 2)
    )
    assert first == second != other


def test_a_difference_on_the_same_draws_is_surer_than_two_intervals():
    random = np.random.default_rng(0)
    y = (random.random(2_000) < 0.3).astype(float)
    score = random.normal(y, 1)
    one, other = Ranked(y, score), Ranked(y, score + random.normal(0, 0.3, 2_000))
    found = bootstrap(
        {"one": one.auc, "more": paired_difference(one.auc, other.auc)}, 2_000, draws=300
    )
    assert found["more"].high - found["more"].low < (found["one"].high - found["one"].low) / 2
    assert found["more"].value == pytest.approx(one.auc() - other.auc())


def test_a_measure_that_is_not_defined_says_so():
    found = bootstrap({"auc": Ranked([1, 1], [1, 2]).auc}, 2, draws=5)["auc"]
    assert str(found) == "not defined"
    assert np.isnan(found.low)


@pytest.mark.parametrize(("draws", "level"), [(0, 0.95), (10, 0.0), (10, 1.0)])
def test_settings_out_of_range_are_refused(draws, level):
    with pytest.raises(UsageError, match=r"(draws|level) is"):
        bootstrap({}, 3, draws=draws, level=level)


def test_no_rows_are_refused():
    with pytest.raises(DataError, match="no rows"):
        bootstrap({}, np.array([]))


def test_rows_that_a_measure_does_not_have_are_told_with_its_name():
    y, p = [0, 1, 0], [0.1, 0.2, 0.3]
    for name in ("brier", "auc"):
        with pytest.raises(DataError, match=r"brier.* 4 weights|\(4,\); \(3,\) was expected"):
            bootstrap({name: churn_measures(y, p)[name]}, ["a", "b", "b", "c"], draws=2)


@pytest.mark.parametrize("seed", range(6))
def test_the_interval_of_a_calibration_error_holds_it_and_comes_near_0_by_chance(seed):
    random = np.random.default_rng(seed)
    p = random.beta(1, 6, 4_000)
    found = churn_metrics(random.random(4_000) < p, p, draws=100)["calibration_error"]
    assert 0 <= found.low <= found.value <= found.high
    assert found.low < 0.004 < found.value


def test_the_interval_of_a_calibration_error_holds_the_true_one():
    covered = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        p = random.beta(2, 8, 2_000)
        # Off by this much, everywhere.
        y = random.random(2_000) < p + 0.04
        error = churn_measures(y, p)["calibration_error"]
        found = bootstrap({"error": error}, 2_000, draws=60, seed=seed)["error"]
        assert found.low <= found.value <= found.high
        covered += found.low <= 0.04 <= found.high
    assert covered >= 36


def test_a_distance_is_a_measure_like_any_other_but_for_its_interval():
    values = np.random.default_rng(0).normal(0, 1, 400)

    def away(weight):
        return abs(float(np.average(values, weights=weight)))

    plain, less = (bootstrap({"away": one}, 400)["away"] for one in (away, Distance(away)))
    assert plain.value == less.value
    assert (less.low, less.high) <= (plain.low, plain.high)


def test_all_measures_of_a_task_come_at_once():
    random = np.random.default_rng(0)
    y = (random.random(500) < 0.2).astype(float)
    found = churn_metrics(y, np.clip(y * 0.3 + random.random(500) / 2, 0, 1), draws=20)
    assert {"auc", "lift_top_01pct", "capture_top_20pct", "log_loss", "calibration_slope"} <= set(
        found
    )
    assert all(one.low <= one.value <= one.high for name, one in found.items() if "auc" in name)
    scores = random.integers(0, 11, 500) * 10.0
    told = satisfaction_metrics(
        scores, scores + 5, interval=(scores - 5, scores + 5), dissatisfied=(scores <= 60) * 0.8
    )
    assert told["interval_coverage"].value == 1
    assert told["auc_dissatisfied"].value == 1
