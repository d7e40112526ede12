"""Model metrics as functions over arrays, with confidence intervals over customers."""

from churnml.metrics.balance import (
    balance,
    hidden_mean,
)
from churnml.metrics.bootstrap import (
    Estimate,
    bootstrap,
    format_estimate,
    paired_difference,
)
from churnml.metrics.calibration import (
    brier,
    calibration_in_the_large,
    calibration_line,
    expected_calibration_error,
    log_loss,
)
from churnml.metrics.oracle import (
    share_of_possible,
)
from churnml.metrics.profit import (
    Campaign,
    contact_gain,
    customer_value,
    profit_measures,
)
from churnml.metrics.profit_curve import (
    ProfitCurve,
    profit_curve,
)
from churnml.metrics.ranking import (
    Ranked,
    auc,
    average_precision,
    capture,
    lift,
)
from churnml.metrics.reliability import (
    Bin,
    reliability,
)
from churnml.metrics.satisfaction import (
    coverage,
    dissatisfied_auc,
    mae,
    quadratic_kappa,
    r2,
    spearman,
    width,
)
from churnml.metrics.suites import (
    churn_measures,
    churn_metrics,
    flat_metrics,
    metrics_frame,
    satisfaction_measures,
    satisfaction_metrics,
)
from churnml.metrics.univariate import (
    columns_alone,
)

__all__ = [
    "Bin",
    "Campaign",
    "Estimate",
    "ProfitCurve",
    "Ranked",
    "auc",
    "average_precision",
    "balance",
    "bootstrap",
    "brier",
    "calibration_in_the_large",
    "calibration_line",
    "capture",
    "churn_measures",
    "churn_metrics",
    "columns_alone",
    "contact_gain",
    "coverage",
    "customer_value",
    "dissatisfied_auc",
    "expected_calibration_error",
    "flat_metrics",
    "format_estimate",
    "hidden_mean",
    "lift",
    "log_loss",
    "mae",
    "metrics_frame",
    "paired_difference",
    "profit_curve",
    "profit_measures",
    "quadratic_kappa",
    "r2",
    "reliability",
    "satisfaction_measures",
    "satisfaction_metrics",
    "share_of_possible",
    "spearman",
    "width",
]
