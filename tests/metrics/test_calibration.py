"""Measures of probabilities against scikit-learn and known truth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from churnml.errors import DataError
from churnml.metrics import (
    brier,
    calibration_in_the_large,
    calibration_line,
    churn_measures,
    expected_calibration_error,
    log_loss,
)


@pytest.fixture(scope="module")
def truth():
    random = np.random.default_rng(0)
    odds = random.normal(-2, 1.2, 60_000)
    chance = 1 / (1 + np.exp(-odds))
    return odds, chance, (random.random(odds.size) < chance).astype(float)


def test_log_loss_and_brier_are_scikit_learns(truth):
    _, chance, y = truth
    weight = np.random.default_rng(1).integers(0, 4, y.size)
    assert log_loss(y, chance, weight) == pytest.approx(
        sklearn_log_loss(y, chance, sample_weight=weight)
    )
    assert brier(y, chance, weight) == pytest.approx(
        brier_score_loss(y, chance, sample_weight=weight)
    )


def test_sure_and_wrong_costs_much_but_not_infinitely():
    assert 30 < log_loss([1], [0.0]) < 40


def test_true_probabilities_are_calibrated(truth):
    _, chance, y = truth
    slope, intercept = calibration_line(y, chance)
    assert slope == pytest.approx(1, abs=0.03)
    assert intercept == pytest.approx(0, abs=0.06)
    assert expected_calibration_error(y, chance) < 0.006
    assert calibration_in_the_large(y, chance) == pytest.approx(0, abs=0.003)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_slopes_tell_over_confidence_from_shyness(truth, factor):
    odds, _, y = truth
    told = 1 / (1 + np.exp(-factor * odds))
    assert calibration_line(y, told)[0] == pytest.approx(1 / factor, abs=0.05)


def test_probabilities_that_are_too_high_are_told(truth):
    odds, _, y = truth
    told = 1 / (1 + np.exp(-(odds + 1)))
    assert calibration_in_the_large(y, told) < -0.05
    assert expected_calibration_error(y, told) > 0.05
    assert calibration_line(y, told)[1] == pytest.approx(-1, abs=0.05)


@pytest.mark.parametrize("rows", [3_000, 60_000])
def test_prepared_measures_are_the_plain_ones(truth, rows):
    _, chance, y = (part[:rows] for part in truth)
    measures = churn_measures(y, chance)
    ones = np.ones(rows)
    assert measures["log_loss"](ones) == pytest.approx(log_loss(y, chance))
    assert measures["brier"](ones) == pytest.approx(brier(y, chance))
    assert measures["calibration_error"](ones) == pytest.approx(
        expected_calibration_error(y, chance)
    )
    assert measures["calibration_slope"](ones) == pytest.approx(
        calibration_line(y, chance)[0], abs=1e-3
    )


def test_one_outcome_or_one_probability_has_no_slope():
    assert np.isnan(calibration_line([1, 1], [0.2, 0.4])[0])
    assert np.isnan(calibration_line([1, 0], [0.3, 0.3])[0])


@pytest.mark.parametrize("p", [[0.5, 1.2], [-0.1, 0.5]])
def test_scores_that_are_no_probabilities_are_refused(p):
    with pytest.raises(DataError, match="1 probabilities lie outside 0 to 1"):
        log_loss([0, 1], p)


@pytest.mark.parametrize("factor", [0.1, 0.5, 2, 3, 10, 40])
def test_the_slope_is_found_however_over_or_under_confident_the_model_is(factor):
    random = np.random.default_rng(0)
    odds = np.clip(random.normal(-1.5, 1.2, 8_000), -4, 4) / max(factor / 5, 1)
    y = random.random(8_000) < 1 / (1 + np.exp(-odds))
    true, _ = calibration_line(y, 1 / (1 + np.exp(-odds)))
    slope, _ = calibration_line(y, 1 / (1 + np.exp(-factor * odds)))
    assert slope == pytest.approx(true / factor, rel=1e-6)


@pytest.mark.parametrize("rows", [100, 30_001])
def test_one_probability_for_all_has_no_slope(rows):
    y = np.arange(rows) % 7 == 0
    slope = churn_measures(y, np.full(rows, 0.1417))["calibration_slope"]
    assert np.isnan(slope(np.ones(rows)))
