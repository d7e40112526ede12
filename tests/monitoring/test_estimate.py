"""The AUC that calibrated probabilities foretell."""

import numpy as np
import pytest

from churnml.metrics import auc
from churnml.monitoring.estimate import expected_auc


def test_known_answer():
    assert expected_auc([0.9, 0.6, 0.4, 0.1]) == pytest.approx(0.825)
    assert expected_auc([0.1, 0.9], [0, 5]) == pytest.approx(0.5)
    assert np.isnan(expected_auc([]))


def test_where_each_probability_is_true_it_is_the_auc_to_come():
    rng = np.random.default_rng(0)
    p = rng.beta(1, 12, 200_000)
    y = rng.random(p.size) < p
    assert expected_auc(p) == pytest.approx(auc(y.astype(int), p), abs=0.005)


def test_rows_count_as_often_as_they_are():
    p, rows = np.array([0.1, 0.4, 0.7]), np.array([3, 2, 1])
    assert expected_auc(p, rows) == pytest.approx(expected_auc(np.repeat(p, rows)))
