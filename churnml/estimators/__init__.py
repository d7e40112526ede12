"""Estimators: churn probabilities and satisfaction scores, in scikit-learn's shape."""

from churnml.estimators.churn import ChurnClassifier
from churnml.estimators.satisfaction import SatisfactionRegressor

__all__ = ["ChurnClassifier", "SatisfactionRegressor"]
