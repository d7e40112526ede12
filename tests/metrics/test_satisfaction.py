"""Measures of satisfaction against SciPy, scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import mean_absolute_error, r2_score

from churnml.errors import DataError
from churnml.metrics import coverage, dissatisfied_auc, mae, r2, spearman, width


@pytest.fixture
def scores():
    random = np.random.default_rng(0)
    y = random.integers(0, 11, 300) * 10.0
    return y, y + random.normal(0, 20, 300), random.integers(1, 4, 300)


def test_measures_are_those_of_scipy_and_scikit_learn(scores):
    y, told, weight = scores
    assert r2(y, told, weight) == pytest.approx(r2_score(y, told, sample_weight=weight))
    assert mae(y, told, weight) == pytest.approx(mean_absolute_error(y, told, sample_weight=weight))
    assert spearman(y, told) == pytest.approx(spearmanr(y, told)[0])


def test_the_mean_explains_nothing():
    assert r2([0, 50, 100], [50, 50, 50]) == 0
    assert np.isnan(r2([50, 50], [0, 100]))
    assert np.isnan(spearman([50, 50], [0, 100]))


def test_who_sits_on_the_threshold_is_dissatisfied():
    assert dissatisfied_auc([60, 60.1], [0.9, 0.1]) == 1.0
    assert dissatisfied_auc([50, 80], [0.9, 0.1], threshold=40) != 1.0


def test_intervals_are_closed():
    low, high = [0, 50, 50], [50, 100, 90]
    assert coverage([50, 50, 100], low, high) == pytest.approx(2 / 3)
    assert width(low, high) == pytest.approx(140 / 3)
    assert coverage([50, 50, 100], low, high, np.array([0, 0, 1])) == 0


@pytest.mark.parametrize("told", [[1.0], [1.0, np.nan], [1.0, np.inf]])
def test_what_cannot_be_compared_is_refused(told):
    with pytest.raises(DataError):
        r2([1.0, 2.0], told)
    with pytest.raises(DataError):
        mae([], [])
