"""How much the churn rate depends on what counts as leaving."""

from churnml.labels.sensitivity.table import label_sensitivity

__all__ = ["label_sensitivity"]
