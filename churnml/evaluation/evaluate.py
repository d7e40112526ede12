"""Evaluate predictions given as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from churnml.config.settings import Costs
from churnml.evaluation.diagnosis import Finding, diagnose_churn, diagnose_satisfaction
from churnml.evaluation.result import Evaluation
from churnml.evaluation.slices import Slice, churn_slices, satisfaction_slices
from churnml.metrics import satisfaction
from churnml.metrics.calibration import check_probabilities
from churnml.metrics.check_arrays import Floats, Ints, check_answers, check_groups, check_pair
from churnml.metrics.check_options import check_kind
from churnml.metrics.oracle import share_of_possible
from churnml.metrics.profit_curve import profit_curve
from churnml.metrics.reliability import Bin, mean_reliability, reliability
from churnml.metrics.suites import churn_metrics, satisfaction_metrics


def evaluate_churn(
    y: ArrayLike,
    p: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    model: str = "",
    slices: pd.DataFrame | None = None,
    value: ArrayLike | None = None,
    costs: Costs | None = None,
    baselines: Mapping[str, ArrayLike] | None = None,
    truth: ArrayLike | None = None,
    X: pd.DataFrame | None = None,
    draws: int = 200,
    seed: int = 0,
) -> Evaluation:
    """Evaluate churn probabilities and diagnose them.

    Parameters
    ----------
    y : array, shape (n,)
        1 for those who left.
    p : array, shape (n,)
        Their probabilities.
    groups : array, shape (n,), optional
        The customer of each row; else every row is one.
    model : str, optional
        A name to show.
    slices : DataFrame, shape (n, k), optional
        Ways to cut the customers: brand, tier, region, …
    value : array, shape (n,), or float, optional
        What keeping each customer is worth, yuan; without it there is no profit.
    costs : Costs, optional
    baselines : mapping of str to array, optional
        Simpler predictions of the same rows. The one called ``regression`` must be beaten.
    truth : array, shape (n,), optional
        The true probabilities, where somebody knows them.
    X : DataFrame, shape (n, m), optional
        What the model read, to find the column that leaks.
    draws : int, default 200
    seed : int

    Returns
    -------
    Evaluation

    Raises
    ------
    DataError
        Labels other than 0 and 1, no probabilities, rows or customers that do not fit.
    UsageError
        Settings out of range; costs, baselines or frames of another type.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> truth = random.beta(1, 6, 3000)
    >>> y = random.random(3000) < truth
    >>> evaluate_churn(y, truth, model="the truth", draws=20)
    Evaluation(the truth: 3,000 rows, auc 0.78... (0.7... to ...); Nothing wrong found.)
    """
    labels, _ = check_probabilities(y, p)
    rows = labels.size
    baselines = _checked(labels, baselines, slices=slices, X=X)
    groups = codes = check_groups(groups, rows)
    metrics = churn_metrics(y, p, groups, draws=draws, seed=seed)
    return Evaluation(
        task="churn",
        model=model,
        rows=rows,
        customers=_customers(codes, rows),
        positives=int(np.sum(np.asarray(y, np.float64))),
        metrics=metrics,
        baselines={
            name: churn_metrics(y, one, groups, draws=draws, seed=seed)
            for name, one in baselines.items()
        },
        possible={}
        if truth is None
        else share_of_possible("churn", y, p, truth, groups, draws=draws, seed=seed),
        reliability=reliability(y, p, groups),
        slices=[] if slices is None else churn_slices(slices, y, p, groups, draws=draws, seed=seed),
        profit=None
        if value is None
        else profit_curve(y, p, value, groups, costs=costs, draws=draws, seed=seed),
        diagnosis=diagnose_churn(
            y, p, metrics, groups, regression=baselines.get("regression"), truth=truth, X=X
        ),
    )


def evaluate_satisfaction(
    y: ArrayLike,
    prediction: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    model: str = "",
    dissatisfied: ArrayLike | None = None,
    interval: tuple[ArrayLike, ArrayLike] | None = None,
    slices: pd.DataFrame | None = None,
    baselines: Mapping[str, ArrayLike] | None = None,
    truth: ArrayLike | None = None,
    X: pd.DataFrame | None = None,
    draws: int = 200,
    seed: int = 0,
) -> Evaluation:
    """Evaluate satisfaction predictions and diagnose them.

    Parameters
    ----------
    y : array, shape (n,)
        From 0 to 100.
    prediction : array, shape (n,)
        On the same scale; beyond its ends is nothing wrong.
    groups : array, shape (n,), optional
        The customer of each row; else every row is one.
    model : str, optional
        A name to show.
    dissatisfied : array, shape (n,), optional
        Probabilities of a score of at most 60.
    interval : (array, array), optional
        Low and high ends of 90 % intervals.
    slices, baselines, truth, X, draws, seed : optional
        As of `evaluate_churn`; ``truth`` is the true satisfaction.

    Returns
    -------
    Evaluation

    Raises
    ------
    DataError
        Scores outside 0 to 100, or from 0 to 10; rows or customers that do not fit.
    UsageError
        As of `evaluate_churn`; an ``interval`` that is not a pair.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> truth = random.normal(75, 10, 2000).clip(0, 100)
    >>> y = (truth + random.normal(0, 10, 2000)).clip(0, 100)
    >>> evaluate_satisfaction(y, truth, draws=20)
    Evaluation(satisfaction: 2,000 rows, r2 0.4... (0.4... to 0.5...); Nothing wrong found.)
    """
    scores = check_answers(y)
    baselines = _checked(scores, baselines, slices=slices, X=X)
    groups = codes = check_groups(groups, scores.size)
    metrics = satisfaction_metrics(
        y, prediction, groups, dissatisfied=dissatisfied, interval=interval, draws=draws, seed=seed
    )
    labels = (scores <= satisfaction.DISSATISFIED).astype(float)
    return Evaluation(
        task="satisfaction",
        model=model,
        rows=scores.size,
        customers=_customers(codes, scores.size),
        positives=int(labels.sum()),
        metrics=metrics,
        baselines={
            name: satisfaction_metrics(y, one, groups, draws=draws, seed=seed)
            for name, one in baselines.items()
        },
        possible={}
        if truth is None
        else share_of_possible(
            "satisfaction", y, prediction, truth, groups, draws=draws, seed=seed
        ),
        reliability=[] if dissatisfied is None else reliability(labels, dissatisfied, groups),
        slices=[]
        if slices is None
        else satisfaction_slices(
            slices, y, prediction, groups, interval=interval, draws=draws, seed=seed
        ),
        diagnosis=diagnose_satisfaction(
            y, prediction, metrics, groups, regression=baselines.get("regression"), truth=truth, X=X
        ),
    )


def _checked(
    known: Floats,
    baselines: Mapping[str, ArrayLike] | None,
    **frames: pd.DataFrame | None,
) -> Mapping[str, Any]:
    for name, frame in frames.items():
        if frame is not None:
            check_kind(name, frame, pd.DataFrame)
    if baselines is None:
        return {}
    check_kind("baselines", baselines, Mapping, hint='{"regression": predictions}, say.')
    for name, predicted in baselines.items():
        check_pair(known, predicted, name=f"predictions of the baseline {name!r}")
    return baselines


def _customers(codes: Ints | None, rows: int) -> int:
    return rows if codes is None else int(codes.max()) + 1


@dataclass(frozen=True, kw_only=True)
class Evaluator:
    """How models of a task are evaluated.

    Attributes
    ----------
    evaluate : function
        All of an evaluation, as `evaluate_churn`.
    options : function
        Of the score columns, the customers' value and the costs: what ``evaluate`` takes
        besides the scores.
    diagnose : function
        What is wrong with scores, as `diagnose_churn`.
    reliability, slices : function
        The rows in groups by score, and by kind of customer.
    """

    evaluate: Callable[..., Evaluation]
    options: Callable[[Mapping[str, Any], Any, Costs], dict[str, Any]]
    diagnose: Callable[..., list[Finding]]
    reliability: Callable[..., list[Bin]]
    slices: Callable[..., list[Slice]]


EVALUATORS: Mapping[str, Evaluator] = {
    "churn": Evaluator(
        evaluate=evaluate_churn,
        options=lambda scores, value, costs: {"value": value, "costs": costs},
        diagnose=diagnose_churn,
        reliability=reliability,
        slices=churn_slices,
    ),
    "satisfaction": Evaluator(
        evaluate=evaluate_satisfaction,
        options=lambda scores, value, costs: {
            "dissatisfied": scores["dissatisfied_probability"],
            "interval": (scores["satisfaction_low"], scores["satisfaction_high"]),
        },
        diagnose=diagnose_satisfaction,
        reliability=mean_reliability,
        slices=satisfaction_slices,
    ),
}
"""By the task as which a model is measured."""
