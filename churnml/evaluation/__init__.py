"""Evaluate models on labelled rows: baselines, slices, diagnosis, comparison of two models."""

from churnml.evaluation.baselines import (
    base_rate,
    booster,
    regression,
)
from churnml.evaluation.diagnosis import (
    Finding,
    diagnose_churn,
    diagnose_satisfaction,
)
from churnml.evaluation.evaluate import (
    evaluate_churn,
    evaluate_satisfaction,
)
from churnml.evaluation.result import (
    Evaluation,
)
from churnml.evaluation.segments import (
    age_band,
    tenure_band,
)
from churnml.evaluation.slices import (
    Slice,
    churn_slices,
    satisfaction_slices,
)

__all__ = [
    "Evaluation",
    "Finding",
    "Slice",
    "age_band",
    "base_rate",
    "booster",
    "churn_slices",
    "diagnose_churn",
    "diagnose_satisfaction",
    "evaluate_churn",
    "evaluate_satisfaction",
    "regression",
    "satisfaction_slices",
    "tenure_band",
]
