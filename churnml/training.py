"""Fit, test on what lies ahead, compare with baselines, refit on everything."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.config import Training as Settings
from churnml.dataset import Dataset, Task
from churnml.errors import DataError
from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.evaluation import (
    Estimate,
    base_rate,
    churn_metrics,
    regression,
    satisfaction_metrics,
)

Estimator = ChurnClassifier | SatisfactionRegressor
Metrics = dict[str, Estimate]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tested:
    """A model on rows that it has not seen.

    Attributes
    ----------
    metrics : dict of str to Estimate
    baselines : dict of str to dict of str to Estimate
        The same measures of ``base_rate`` and ``regression``.
    y, scores : array, shape (n,)
        What happened, and what was predicted.
    """

    metrics: Metrics
    baselines: dict[str, Metrics]
    y: NDArray[np.float64]
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class Fitted:
    """The estimator to keep, and what testing found.

    Attributes
    ----------
    estimator : ChurnClassifier or SatisfactionRegressor
        Refitted on all rows.
    tested : Tested
        Of an estimator that saw the training rows alone.
    """

    estimator: Estimator
    tested: Tested


def estimator_for(
    task: Task, settings: Settings, monotone: Mapping[str, int] | None = None, **options: Any
) -> Estimator:
    """An unfitted estimator of a task."""
    kind = ChurnClassifier if task == "churn" else SatisfactionRegressor
    directions = monotone if settings.monotone else None
    return kind(monotone=directions, random_state=settings.seed, **options)


def fit_and_test(
    task: Task, unfitted: Estimator, parts: tuple[Dataset, Dataset, Dataset]
) -> Fitted:
    """Fit on the first part, test on the second, refit on the third.

    Parameters
    ----------
    task : {"churn", "satisfaction"}
    unfitted : ChurnClassifier or SatisfactionRegressor
    parts : (Dataset, Dataset, Dataset)
        Training rows, test rows, and all rows.
    """
    from sklearn.base import clone

    train, test, everything = parts
    _log.info("training on %s rows with %s columns", f"{len(train):,}", train.X.shape[1])
    first = fit(clone(unfitted), train)
    _log.info("testing on %s rows", f"{len(test):,}")
    tested = measure(task, first, train, test)
    _log.info("refitting on all %s rows", f"{len(everything):,}")
    return Fitted(fit(clone(unfitted), everything), tested)


def fit(estimator: Estimator, data: Dataset) -> Estimator:
    """Fit an estimator to a dataset, one customer's rows never parted."""
    return estimator.fit(data.X, data.y.to_numpy(), groups=data.groups.to_numpy())


def measure(task: Task, estimator: Estimator, train: Dataset, test: Dataset) -> Tested:
    """A fitted estimator and its baselines on rows that none of them has seen."""
    y, groups = test.y.to_numpy(dtype=float), test.groups.to_numpy()
    metrics, scores = evaluate(task, estimator, test)
    line = regression(task, (train.X, train.y), test.X)
    rate = base_rate(train.y, len(test))
    plain = churn_metrics if task == "churn" else satisfaction_metrics
    baselines = {"base rate": plain(y, rate, groups), "regression": plain(y, line, groups)}
    return Tested(metrics, baselines, y, scores)


def evaluate(
    task: Task, estimator: Estimator, test: Dataset
) -> tuple[Metrics, NDArray[np.float64]]:
    """Measures of a fitted estimator with intervals over customers, and its scores."""
    y, groups = test.y.to_numpy(dtype=float), test.groups.to_numpy()
    if isinstance(estimator, ChurnClassifier):
        scores = estimator.predict_proba(test.X)[:, 1]
        return churn_metrics(y, scores, groups), scores
    scores = estimator.predict(test.X)
    metrics = satisfaction_metrics(
        y,
        scores,
        groups,
        dissatisfied=estimator.predict_dissatisfied(test.X),
        interval=estimator.predict_interval(test.X),
    )
    return metrics, scores


def importance(estimator: Estimator, X: pd.DataFrame, rows: int = 5_000) -> dict[str, float]:
    """Mean absolute contribution of each column, largest first, over a sample of rows."""
    step = max(len(X) // rows, 1)
    found = estimator.explain(X.iloc[::step]).abs().mean().sort_values(ascending=False)
    return {str(name): float(value) for name, value in found.items()}


def digest(data: Dataset) -> str:
    """SHA-256 of features, labels, customers and dates."""
    found = hashlib.sha256("\0".join(map(str, data.X.columns)).encode())
    for frame in (data.X, data.y, data.groups, data.times):
        found.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return found.hexdigest()


def require_enough(task: Task, data: Dataset, fewest: int) -> None:
    """Refuse to learn from too few of those who left, or too few answers.

    Raises
    ------
    DataError
        Says how many there are.
    """
    if task == "churn":
        rarer = int(min(data.y.sum(), len(data) - data.y.sum()))
        what = f"{int(data.y.sum())} of {len(data)} rows left"
    else:
        rarer, what = len(data), f"{len(data)} answered surveys"
    if rarer < fewest:
        raise DataError(
            f"{task}: {what}; at least {fewest} expected to learn from.",
            hint="Give more months or more customers.",
            count=rarer,
        )


def flat_metrics(found: Metrics, prefix: str = "") -> dict[str, float]:
    """Metrics as MLflow keeps them: the value, and the interval's ends beside it.

    >>> flat_metrics({"auc": Estimate(.8, .7, .9)})
    {'auc': 0.8, 'auc_low': 0.7, 'auc_high': 0.9}
    """
    flat: dict[str, float] = {}
    for name, estimate in found.items():
        ends: Sequence[tuple[str, float]] = (
            ("", estimate.value),
            ("_low", estimate.low),
            ("_high", estimate.high),
        )
        flat |= {f"{prefix}{name}{end}": value for end, value in ends if np.isfinite(value)}
    return flat
