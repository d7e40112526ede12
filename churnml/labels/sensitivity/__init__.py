"""How much the churn rate depends on the definition of churn."""

from churnml.labels.sensitivity.table import label_sensitivity

__all__ = ["label_sensitivity"]
