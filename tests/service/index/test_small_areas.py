"""The area model: known answers of three methods, and the grid."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from churnml.service.index.small_areas import fay_herriot, pool

Y = np.array([66, 75, 78, 80, 84, 70, 88, 73.0])
D = np.array([4, 9, 2, 6, 12, 3, 5, 8.0])
X = np.column_stack([np.ones(8), [-1, -0.5, 0, 0.5, 1, -1.2, 0.3, 0.2]])
NEARER = np.where(np.arange(8) == 0, 72, np.where(np.arange(8) == 6, 79, Y))


@pytest.mark.parametrize(
    ("method", "between", "estimate"),
    [
        ("reml", 15.375358, [66.746637, 74.484270, 77.952788]),
        ("ml", 9.984984, [67.033804, 74.350038, 77.940501]),
        ("fh", 15.287076, [66.750045, 74.482509, 77.952623]),
    ],
)
def test_eight_areas(method, between, estimate):
    found = fay_herriot(Y, D, X, method=method)
    assert round(found.between, 6) == between
    assert found.estimate[:3].round(6).tolist() == estimate


def test_eight_areas_errors():
    found = fay_herriot(Y, D, X)
    assert found.beta.round(6).tolist() == [77.589833, 7.973243]
    assert found.mse[:3].round(6).tolist() == [3.932704, 7.346015, 1.972046]


@pytest.mark.parametrize("method", ["reml", "ml", "fh"])
def test_areas_that_do_not_differ_lie_on_the_line(method):
    found = fay_herriot(NEARER, D, X, method=method)
    assert found.between == 0
    assert found.beta.round(6).tolist() == [77.123564, 5.597983]
    assert found.estimate == pytest.approx(X @ found.beta)


def test_areas_that_do_not_differ_have_an_error_still():
    found = fay_herriot(NEARER, D, X)
    assert found.mse[:3].round(6).tolist() == [3.165478, 1.484719, 4.448594]


def test_the_grid_never_makes_all_areas_read_alike():
    found = pool(NEARER, D, X)
    line = X @ fay_herriot(NEARER, D, X).beta
    assert np.abs(found.estimate - line).max() > 0.2
    assert (found.own > 0).all()


def test_the_grid_lies_between_the_line_and_the_areas_own_means():
    found, fitted = pool(Y, D, X), fay_herriot(Y, D, X)
    assert found.estimate == pytest.approx(fitted.estimate, abs=0.6)
    assert found.variance.sum() < 0.9 * D.sum()
    assert (np.diff(found.own[np.argsort(D)]) < 0).all()


def test_an_area_without_answers_is_predicted_with_a_wider_interval():
    with_one = pool(np.r_[Y, np.nan], np.r_[D, np.inf], np.vstack([X, [1, 0.1]]))
    without = pool(Y, D, X)
    assert with_one.estimate[:8] == pytest.approx(without.estimate)
    assert with_one.own[8] == 0
    assert with_one.variance[8] > with_one.variance[:8].max()


def test_finer_grids_say_the_same():
    few, many = pool(Y, D, X), pool(Y, D, X, points=2000)
    assert few.estimate == pytest.approx(many.estimate, abs=0.01)
    assert few.variance == pytest.approx(many.variance, rel=0.01)


MILK = Path(os.environ.get("CHURNML_MILK", "milk.csv"))


@pytest.mark.skipif(not MILK.is_file(), reason="CHURNML_MILK names no copy of R's milk as CSV")
@pytest.mark.parametrize(
    ("method", "between", "limit", "estimate", "fit"),
    [
        ("reml", 0.018550222, 0.018550335, [1.021970, 1.047602], [12.677478, -15.35496, -6.54896]),
        ("ml", 0.015517550, 0.015517509, [1.016173, 1.043697], [12.771174, -15.54235, -6.73635]),
        ("fh", 0.016420270, 0.016420264, [1.017976, 1.044964], [12.762051, -15.5241, -6.7181]),
    ],
)
def test_milk(method, between, limit, estimate, fit):
    """As R's package sae has it; under GPL-2, and so not part of this package."""
    milk = pd.read_csv(MILK)
    areas = pd.get_dummies(milk["MajorArea"].astype(str), drop_first=True).to_numpy(float)
    x = np.column_stack([np.ones(len(milk)), areas])
    found = fay_herriot(milk["yi"], milk["SD"] ** 2, x, method=method, tolerance=1e-4)
    assert found.between == pytest.approx(between, abs=5e-9)
    assert found.estimate[:2].round(6).tolist() == estimate
    assert found.log_likelihood == pytest.approx(fit[0], abs=5e-6)
    assert [found.aic, found.bic] == pytest.approx(fit[1:], abs=5e-5)
    exact = fay_herriot(milk["yi"], milk["SD"] ** 2, x, method=method)
    assert exact.between == pytest.approx(limit, abs=5e-9)
