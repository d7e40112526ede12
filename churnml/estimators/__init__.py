"""Estimators in scikit-learn's shape: who leaves and when, satisfaction, what offers change."""

from churnml.estimators.boosting import stripped, forks  # noqa: F401, I001 (for what they do, in this order)
from churnml.estimators.churn import ChurnClassifier
from churnml.estimators.hazard import ChurnHazard
from churnml.estimators.offers import OfferEffect
from churnml.estimators.satisfaction import SatisfactionRegressor

__all__ = ["ChurnClassifier", "ChurnHazard", "OfferEffect", "SatisfactionRegressor"]
