"""Ridge fits against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from churnml.estimators.boosting.ridge import fit_lines


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 4))
    y = (random.random(400) < 1 / (1 + np.exp(-(x[:, 0] - 0.5 * x[:, 1] - 1)))).astype(float)
    return x, y, random.integers(1, 4, 400).astype(float)


def test_the_logistic_fit_is_scikit_learns(data):
    x, y, weight = data
    (_, line) = fit_lines(x, y, weight, loss="logistic", penalties=(100.0, 10.0))
    theirs = LogisticRegression(C=0.1, tol=1e-8).fit(x, y, sample_weight=weight)
    np.testing.assert_allclose(line.weights, theirs.coef_[0], atol=1e-4)
    assert line.intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_the_squared_fit_is_scikit_learns(data):
    x, y, weight = data
    (line,) = fit_lines(x, y, weight, loss="squared", penalties=(10.0,))
    theirs = Ridge(alpha=10.0).fit(x, y, sample_weight=weight)
    np.testing.assert_allclose(line.weights, theirs.coef_, atol=1e-6)


def test_a_weight_of_the_wrong_sign_is_left_out(data):
    x, y, weight = data
    signs = np.array([-1, -1, 0, 0])
    (line,) = fit_lines(x, y, weight, loss="logistic", penalties=(1.0,), signs=signs)
    assert line.weights[0] == 0
    assert line.weights[1] < 0


@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_equal_columns_and_a_perfect_split_are_solved(loss):
    x = np.repeat(np.linspace(-1, 1, 50)[:, None], 2, axis=1)
    y = (x[:, 0] > 0).astype(float)
    (line,) = fit_lines(x, y, np.ones(50), loss=loss, penalties=(3.0,))
    assert np.isfinite(line.weights).all()
    assert line.weights[0] == pytest.approx(line.weights[1])
