"""Measures of models, as functions over arrays; each with an interval over customers."""

from churnml.evaluation.alone import columns_alone
from churnml.evaluation.balance import balance, hidden_mean
from churnml.evaluation.bands import age_band, tenure_band
from churnml.evaluation.baselines import base_rate, booster, regression
from churnml.evaluation.calibration import (
    brier,
    calibration_in_the_large,
    calibration_line,
    expected_calibration_error,
    log_loss,
)
from churnml.evaluation.diagnosis import Finding, diagnose_churn, diagnose_satisfaction
from churnml.evaluation.evaluating import evaluate_churn, evaluate_satisfaction
from churnml.evaluation.intervals import Estimate, bootstrap, paired_difference
from churnml.evaluation.metrics import (
    HEADLINE,
    churn_measures,
    churn_metrics,
    flat_metrics,
    satisfaction_measures,
    satisfaction_metrics,
)
from churnml.evaluation.possible import share_of_possible
from churnml.evaluation.profit import Campaign, contact_gain, customer_value, profit_measures
from churnml.evaluation.profit_curve import ProfitCurve, profit_curve
from churnml.evaluation.ranking import Ranked, auc, average_precision, capture, lift
from churnml.evaluation.reliability import Bin, reliability
from churnml.evaluation.results import Evaluation
from churnml.evaluation.satisfaction import (
    coverage,
    dissatisfied_auc,
    mae,
    quadratic_kappa,
    r2,
    spearman,
    width,
)
from churnml.evaluation.slices import Slice, churn_slices, satisfaction_slices
from churnml.evaluation.splits import forward_split, group_split

__all__ = [
    "HEADLINE",
    "Bin",
    "Campaign",
    "Estimate",
    "Evaluation",
    "Finding",
    "ProfitCurve",
    "Ranked",
    "Slice",
    "age_band",
    "auc",
    "average_precision",
    "balance",
    "base_rate",
    "booster",
    "bootstrap",
    "brier",
    "calibration_in_the_large",
    "calibration_line",
    "capture",
    "churn_measures",
    "churn_metrics",
    "churn_slices",
    "columns_alone",
    "contact_gain",
    "coverage",
    "customer_value",
    "diagnose_churn",
    "diagnose_satisfaction",
    "dissatisfied_auc",
    "evaluate_churn",
    "evaluate_satisfaction",
    "expected_calibration_error",
    "flat_metrics",
    "forward_split",
    "group_split",
    "hidden_mean",
    "lift",
    "log_loss",
    "mae",
    "paired_difference",
    "profit_curve",
    "profit_measures",
    "quadratic_kappa",
    "r2",
    "regression",
    "reliability",
    "satisfaction_measures",
    "satisfaction_metrics",
    "satisfaction_slices",
    "share_of_possible",
    "spearman",
    "tenure_band",
    "width",
]
