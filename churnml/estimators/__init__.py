"""Estimators: churn probabilities, when customers leave, satisfaction; in scikit-learn's shape."""

from churnml.estimators.boosting import stripped, forks  # noqa: F401, I001 (for what they do, in this order)
from churnml.estimators.churn import ChurnClassifier
from churnml.estimators.hazard import ChurnHazard
from churnml.estimators.satisfaction import SatisfactionRegressor

__all__ = ["ChurnClassifier", "ChurnHazard", "SatisfactionRegressor"]
