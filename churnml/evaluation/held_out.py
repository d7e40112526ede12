"""Evaluate a fitted estimator and its baselines on held-out rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.tasks import TASKS, WITHIN, TaskName, of_task
from churnml.datasets.dataset import Dataset, left_within
from churnml.estimators import ChurnClassifier, ChurnHazard, SatisfactionRegressor
from churnml.evaluation.baselines import base_rate, booster, regression
from churnml.evaluation.diagnosis import Finding
from churnml.evaluation.evaluate import EVALUATORS
from churnml.metrics import Estimate
from churnml.metrics.suites import suite
from churnml.metrics.survival import horizon_metrics, known_outcomes
from churnml.models.model import predict_scores

Estimator = ChurnClassifier | SatisfactionRegressor | ChurnHazard
Metrics = dict[str, Estimate]
_MAIN = 2
"""Months of the horizon by which a hazard is drawn and sliced: that of the churn label."""


@dataclass(frozen=True, kw_only=True)
class Tested:
    """The results of a model on held-out rows.

    Attributes
    ----------
    metrics : dict of str to Estimate
    baselines : dict of str to dict of str to Estimate
        The same measures of the base rate, a regression and one shy booster.
    y, scores : array, shape (n,)
        What happened, and what was predicted.
    rows : Dataset
        The rows themselves.
    within : array, shape (n, months), or None
        Of a hazard: chances of leaving within 1, 2, ... months.
    diagnosis : list of Finding
        What is wrong with the scores; of churn and satisfaction alone.
    """

    metrics: Metrics
    baselines: dict[str, Metrics]
    y: NDArray[np.float64]
    scores: NDArray[np.float64]
    rows: Dataset
    within: NDArray[np.float64] | None = None
    diagnosis: list[Finding] = field(default_factory=list)


def measure(task: TaskName, estimator: Estimator, train: Dataset, test: Dataset) -> Tested:
    """Evaluate a fitted estimator and its baselines on held-out rows."""
    if TASKS[task].measured_within is not None:
        return _measure_hazard(cast(ChurnHazard, estimator), train, test)
    y, groups = test.y.to_numpy(dtype=float), test.groups.to_numpy()
    metrics, scores = evaluate(task, estimator, test)
    simpler = _simpler(task, train, test)
    measured, name = suite(task).metrics, TASKS[task].score
    baselines = {who: measured(y, {name: one}, groups) for who, one in simpler.items()}
    diagnose = of_task(task, EVALUATORS).diagnose
    wrong = diagnose(y, scores, metrics, groups, regression=simpler["regression"])
    return Tested(
        metrics=metrics, baselines=baselines, y=y, scores=scores, rows=test, diagnosis=wrong
    )


def _simpler(task: TaskName, train: Dataset, test: Dataset) -> dict[str, NDArray[np.float64]]:
    """Predict the test rows with simpler models trained on the same rows."""
    known = (train.X, train.y)
    return {
        "base rate": base_rate(train.y, len(test)),
        "regression": regression(task, known, test.X, train.groups),
        "one booster": booster(task, known, test.X),
    }


def evaluate(
    task: TaskName, estimator: Estimator, test: Dataset
) -> tuple[Metrics, NDArray[np.float64]]:
    """Compute a fitted estimator's metrics with intervals over customers, and its scores."""
    declared = TASKS[task]
    scores = predict_scores(task, estimator, test.X)
    if declared.measured_within is not None:
        within = np.column_stack([scores[name] for name in declared.scores])
        return _at_horizons(test, within), scores[declared.score]
    y, groups = test.y.to_numpy(dtype=float), test.groups.to_numpy()
    return suite(task).metrics(y, scores, groups), scores[declared.score]


def _measure_hazard(estimator: ChurnHazard, train: Dataset, test: Dataset) -> Tested:
    """Evaluate a hazard and its baselines at each horizon; figures are of the churn label's."""
    declared = TASKS["hazard"]
    within = estimator.predict_within(test.X)
    metrics = _at_horizons(test, within[:, [months - 1 for months in WITHIN]])
    simpler: list[dict[str, NDArray[np.float64]]] = []
    for horizon in WITHIN:
        rows = left_within(train, horizon)
        if rows.y.nunique() > 1:
            simpler.append(_simpler(declared.measured_as, rows, test))
        else:
            # Nothing was seen so far ahead: what is known of less is all there is.
            simpler += simpler[-1:]
    baselines = {
        name: _at_horizons(test, np.column_stack([one[name] for one in simpler]))
        for name in simpler[0]
    }
    known, left = known_outcomes(test.y, test.times, _MAIN)
    rows = test.rows(np.flatnonzero(known))
    return Tested(
        metrics=metrics,
        baselines=baselines,
        y=left,
        scores=within[known, _MAIN - 1],
        rows=rows,
        within=within[known],
    )


def _at_horizons(test: Dataset, within: NDArray[np.float64]) -> Metrics:
    return horizon_metrics(test.y, within, WITHIN, test.groups, test.times)


def importance(estimator: Estimator, X: pd.DataFrame, rows: int = 5_000) -> dict[str, float]:
    """Mean absolute contribution of each column, largest first, over a sample of rows."""
    step = max(len(X) // rows, 1)
    found = estimator.explain(X.iloc[::step]).abs().mean().sort_values(ascending=False)
    return {str(name): float(value) for name, value in found.items()}
