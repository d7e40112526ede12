"""Measures of models, as functions over arrays; each with an interval over customers."""

from churnml.evaluation.baselines import base_rate, regression
from churnml.evaluation.calibration import (
    brier,
    calibration_in_the_large,
    calibration_line,
    expected_calibration_error,
    log_loss,
)
from churnml.evaluation.intervals import Estimate, bootstrap, paired_difference
from churnml.evaluation.metrics import (
    HEADLINE,
    churn_measures,
    churn_metrics,
    satisfaction_measures,
    satisfaction_metrics,
)
from churnml.evaluation.ranking import Ranked, auc, average_precision, capture, lift
from churnml.evaluation.satisfaction import (
    coverage,
    dissatisfied_auc,
    mae,
    r2,
    spearman,
    width,
)
from churnml.evaluation.splits import forward_split, group_split

__all__ = [
    "HEADLINE",
    "Estimate",
    "Ranked",
    "auc",
    "average_precision",
    "base_rate",
    "bootstrap",
    "brier",
    "calibration_in_the_large",
    "calibration_line",
    "capture",
    "churn_measures",
    "churn_metrics",
    "coverage",
    "dissatisfied_auc",
    "expected_calibration_error",
    "forward_split",
    "group_split",
    "lift",
    "log_loss",
    "mae",
    "paired_difference",
    "r2",
    "regression",
    "satisfaction_measures",
    "satisfaction_metrics",
    "spearman",
    "width",
]
