"""scikit-learn's common checks, all of them."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from churnml.estimators import ChurnClassifier, ChurnHazard, SatisfactionRegressor

ESTIMATORS = (
    ChurnClassifier(repeats=1, n_jobs=1, max_rounds=60),
    # The checks' targets keep to no scale.
    SatisfactionRegressor(bounds=None, repeats=1, n_jobs=1, max_rounds=60),
    ChurnHazard(n_jobs=1, max_rounds=60),
)
NUMBER_OF_CHECKS = {"ChurnClassifier": 62, "SatisfactionRegressor": 58, "ChurnHazard": 48}


@parametrize_with_checks(ESTIMATORS)
def test_common_check(estimator, check):
    if check.func.__name__ == "check_array_api_input":
        pytest.skip("tries arrays of other libraries where SCIPY_ARRAY_API is set: it is not")
    check(estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: type(one).__name__)
def test_number_of_common_checks(estimator):
    found = list(estimator_checks_generator(estimator))
    assert len(found) == NUMBER_OF_CHECKS[type(estimator).__name__]
