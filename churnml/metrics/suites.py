"""The measures that a model is told by, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.base.tasks import TASKS, of_task
from churnml.metrics import calibration, satisfaction
from churnml.metrics.bootstrap import Estimate, Measure, bootstrap
from churnml.metrics.check_arrays import (
    check_answers,
    check_groups,
    check_labels,
    check_pair,
    numbers,
)
from churnml.metrics.check_options import check_draws, check_number
from churnml.metrics.ranking import TOP_SHARES, Ranked, auc


def churn_measures(y: ArrayLike, p: ArrayLike) -> dict[str, Measure]:
    """Functions of row weights, by name: ranking, top shares and probabilities.

    Parameters
    ----------
    y : array, shape (n,)
        1 for those who left.
    p : array, shape (n,)
        Their probabilities.
    """
    labels, chances = calibration.check_probabilities(y, p)
    ranked = Ranked(labels, chances)
    measures: dict[str, Measure] = {
        "auc": ranked.auc,
        "average_precision": ranked.average_precision,
    }
    for share in TOP_SHARES:
        percent = f"{round(100 * share):02d}"
        measures[f"lift_top_{percent}pct"] = partial(ranked.lift, share)
        measures[f"capture_top_{percent}pct"] = partial(ranked.capture, share)
    return measures | calibration.probability_measures(labels, chances, ranked)


def satisfaction_measures(
    y: ArrayLike,
    prediction: ArrayLike,
    *,
    dissatisfied: ArrayLike | None = None,
    interval: tuple[ArrayLike, ArrayLike] | None = None,
    threshold: float = satisfaction.DISSATISFIED,
) -> dict[str, Measure]:
    """Functions of row weights, by name, of satisfaction predictions.

    Parameters
    ----------
    y : array, shape (n,)
        From 0 to 100.
    prediction : array, shape (n,)
        On the same scale; beyond its ends is nothing wrong.
    dissatisfied : array, shape (n,), optional
        Probabilities of a score at or below ``threshold``; else low predictions stand
        for them.
    interval : (array, array), optional
        Low and high ends.
    threshold : float, default 60

    Raises
    ------
    DataError
        Scores outside 0 to 100, or on a scale from 0 to 10; rows that do not fit.
    UsageError
        An ``interval`` that is not a pair.
    """
    scores, predicted = check_pair(check_answers(y), prediction)
    dissatisfied_labels = (scores <= check_number("threshold", threshold)).astype(float)
    measures: dict[str, Measure] = {
        "r2": satisfaction.r2_measure(scores, predicted),
        "spearman": satisfaction.spearman_measure(scores, predicted),
        "quadratic_kappa": satisfaction.kappa_measure(scores, predicted),
        "mae": satisfaction.mae_measure(scores, predicted),
    }
    if dissatisfied is None:
        measures["auc_dissatisfied"] = Ranked(dissatisfied_labels, -predicted).auc
    else:
        _, risk = calibration.check_probabilities(
            dissatisfied_labels, dissatisfied, name="dissatisfied"
        )
        measures["auc_dissatisfied"] = Ranked(dissatisfied_labels, risk).auc
        measures["log_loss_dissatisfied"] = calibration.log_loss_measure(dissatisfied_labels, risk)
    if interval is not None:
        measures |= satisfaction.interval_measures(scores, interval)
    return measures


def churn_metrics(
    y: ArrayLike,
    p: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    draws: int = 200,
    seed: int = 0,
) -> dict[str, Estimate]:
    """All churn measures with 95 % intervals over customers.

    Parameters
    ----------
    y : array, shape (n,)
        1 for those who left.
    p : array, shape (n,)
        Their probabilities.
    groups : array, shape (n,), optional
        The customer of each row; else every row is one.
    draws : int, default 200
        At least 1.
    seed : int
        At least 0.

    Returns
    -------
    dict of str to Estimate

    Raises
    ------
    DataError
        Labels other than 0 and 1, no probabilities, rows or customers that do not fit.
    UsageError
        ``draws`` or ``seed`` out of range.

    Examples
    --------
    >>> found = churn_metrics([0, 0, 1, 1, 0], [.1, .2, .9, .4, .5], draws=20)
    >>> round(found["auc"].value, 3)
    0.833
    """
    check_draws(draws, seed)
    labels, chances = calibration.check_probabilities(y, p)
    codes = check_groups(groups, labels.size)
    # Sorted once here, no draw has to be sorted again.
    order = np.argsort(-chances, kind="stable")
    customers = labels.size if codes is None else codes[order]
    measures = churn_measures(labels[order], chances[order])
    return bootstrap(measures, customers, draws=draws, seed=seed)


def satisfaction_metrics(
    y: ArrayLike,
    prediction: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    dissatisfied: ArrayLike | None = None,
    interval: tuple[ArrayLike, ArrayLike] | None = None,
    draws: int = 200,
    seed: int = 0,
) -> dict[str, Estimate]:
    """All satisfaction measures with 95 % intervals over customers.

    Parameters
    ----------
    y, prediction, dissatisfied, interval
        As of `satisfaction_measures`.
    groups, draws, seed
        As of `churn_metrics`.

    Returns
    -------
    dict of str to Estimate

    Raises
    ------
    DataError, UsageError
        As of `satisfaction_measures` and `churn_metrics`.

    Examples
    --------
    >>> found = satisfaction_metrics([20, 50, 90, 100], [40, 50, 80, 90], draws=20)
    >>> found["spearman"].value, found["mae"].value
    (1.0, 10.0)
    """
    check_draws(draws, seed)
    measures = satisfaction_measures(y, prediction, dissatisfied=dissatisfied, interval=interval)
    rows = np.asarray(y).size
    codes = check_groups(groups, rows)
    return bootstrap(measures, rows if codes is None else codes, draws=draws, seed=seed)


def flat_metrics(metrics: Mapping[str, Estimate], prefix: str = "") -> dict[str, float]:
    """Flatten metrics for MLflow: the value and the interval's ends.

    >>> flat_metrics({"auc": Estimate(.8, .7, .9)})
    {'auc': 0.8, 'auc_low': 0.7, 'auc_high': 0.9}
    """
    ends = {"": "value", "_low": "low", "_high": "high"}
    return {
        f"{prefix}{name}{end}": getattr(estimate, which)
        for name, estimate in metrics.items()
        for end, which in ends.items()
        if np.isfinite(getattr(estimate, which))
    }


def metrics_frame(of: Mapping[str, Mapping[str, Estimate]]) -> pd.DataFrame:
    """A row for each model and measure, with the ends of its interval.

    >>> metrics_frame({"churn/3": {"auc": Estimate(.8, .7, .9)}})
         model measure  value  low  high
    0  churn/3     auc    0.8  0.7   0.9
    """
    rows = [
        (model, measure, one.value, one.low, one.high)
        for model, measures in of.items()
        for measure, one in measures.items()
    ]
    return pd.DataFrame(rows, columns=["model", "measure", "value", "low", "high"])


@dataclass(frozen=True, kw_only=True)
class Suite:
    """How the scores of a task are measured.

    Attributes
    ----------
    check : function
        Outcomes as numbers, or a `DataError` for what cannot be one.
    positives : function
        Whether what the task is about happened to each row: who left, who was dissatisfied.
    rarer : function
        How many outcomes there are to learn from or to judge by: of the rarer kind, or all.
    skill : function
        What one array of scores reaches, more for better: AUC, or R² of the best rising line.
    measures : function
        Of outcomes and the contract's score columns: functions of row weights, by name.
    metrics : function
        The same with intervals over customers.
    """

    check: Callable[[ArrayLike], NDArray[np.float64]]
    positives: Callable[[NDArray[np.float64]], NDArray[np.bool_]]
    rarer: Callable[[NDArray[np.float64]], int]
    skill: Callable[[NDArray[np.float64], NDArray[np.float64]], float]
    measures: Callable[[ArrayLike, Mapping[str, ArrayLike]], dict[str, Measure]]
    metrics: Callable[..., dict[str, Estimate]]


def _left(y: NDArray[np.float64]) -> NDArray[np.bool_]:
    # The months of a hazard too: above 0 for those who left.
    return y > 0


def _rarer(y: NDArray[np.float64]) -> int:
    left = int(_left(y).sum())
    return min(left, len(y) - left)


def _rising_r2(y: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    return float(max(np.corrcoef(y, scores)[0, 1], 0.0) ** 2)


def _satisfaction_columns(scores: Mapping[str, ArrayLike]) -> dict[str, Any]:
    low, high = scores.get("satisfaction_low"), scores.get("satisfaction_high")
    return {
        "prediction": scores["satisfaction"],
        "dissatisfied": scores.get("dissatisfied_probability"),
        "interval": None if low is None or high is None else (low, high),
    }


SUITES: Mapping[str, Suite] = {
    "churn": Suite(
        check=check_labels,
        positives=_left,
        rarer=_rarer,
        skill=auc,
        measures=lambda y, scores: churn_measures(y, scores["churn_probability"]),
        metrics=lambda y, scores, groups=None, **draws: churn_metrics(
            y, scores["churn_probability"], groups, **draws
        ),
    ),
    "satisfaction": Suite(
        check=partial(numbers, "answers"),
        positives=lambda y: y <= satisfaction.DISSATISFIED,
        rarer=len,
        skill=_rising_r2,
        measures=lambda y, scores: satisfaction_measures(y, **_satisfaction_columns(scores)),
        metrics=lambda y, scores, groups=None, **draws: satisfaction_metrics(
            y, groups=groups, **_satisfaction_columns(scores), **draws
        ),
    ),
}
"""By task; a hazard is measured as churn within some months (`churnml.metrics.survival`)."""


def suite(task: str) -> Suite:
    """How a task's scores are measured, under its own score columns.

    >>> suite("churn") is SUITES["churn"]
    True
    """
    found = of_task(task, SUITES)
    declared = TASKS[task]
    if declared.measured_as == task:
        return found
    theirs = TASKS[declared.measured_as].score

    def renamed(scores: Mapping[str, ArrayLike]) -> Mapping[str, ArrayLike]:
        return {theirs: scores[declared.score]}

    return replace(
        found,
        measures=lambda y, scores: found.measures(y, renamed(scores)),
        metrics=lambda y, scores, *groups, **draws: found.metrics(
            y, renamed(scores), *groups, **draws
        ),
    )
