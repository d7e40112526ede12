"""Fit, test on what lies ahead, compare with baselines, refit on everything."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml import __version__
from churnml.base.files import output_errors
from churnml.base.tasks import WITHIN
from churnml.config.settings import HazardSettings, SatisfactionSettings
from churnml.config.settings import TrainingSettings as Settings
from churnml.datasets.dataset import Dataset, Task
from churnml.errors import DataError, UsageError
from churnml.estimators import ChurnClassifier, ChurnHazard, SatisfactionRegressor
from churnml.evaluation import (
    Finding,
    base_rate,
    booster,
    diagnose_churn,
    diagnose_satisfaction,
    regression,
)
from churnml.metrics import (
    Estimate,
    churn_metrics,
    satisfaction_metrics,
)
from churnml.metrics.survival import horizon_metrics, known_outcomes

if TYPE_CHECKING:
    from churnml.training.tune import Search

Estimator = ChurnClassifier | SatisfactionRegressor | ChurnHazard
_SIZES = ("folds", "repeats", "max_rounds")
_MAIN = 2
"""Months of the horizon by which a hazard is drawn and sliced: that of the churn label."""

Metrics = dict[str, Estimate]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tested:
    """A model on rows that it has not seen.

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


@dataclass(frozen=True)
class Fitted:
    """The estimator to keep, and what testing found.

    Attributes
    ----------
    estimator : ChurnClassifier or SatisfactionRegressor
        Refitted on all rows.
    tested : Tested
        Of ``first``.
    first : ChurnClassifier or SatisfactionRegressor
        Before the refit: it saw the training rows alone.
    """

    estimator: Estimator
    tested: Tested
    first: Estimator


def estimator_for(
    task: Task, settings: Settings, monotone: Mapping[str, int] | None = None, **options: Any
) -> Estimator:
    """An unfitted estimator of a task.

    Parameters
    ----------
    task : {"churn", "satisfaction", "hazard"}
    settings : Training
        Its section of the settings.
    monotone : dict of str to int, optional
        How churn moves with a column; satisfaction is held to the opposite.
    """
    directions = monotone if settings.monotone else None
    if isinstance(settings, HazardSettings):
        return ChurnHazard(
            months=settings.months,
            folds=settings.folds or 4,
            max_rounds=settings.max_rounds,
            max_person_months=settings.max_person_months,
            monotone=directions,
            random_state=settings.seed,
            **options,
        )
    options = {name: getattr(settings, name) for name in _SIZES} | options
    if task == "churn":
        return ChurnClassifier(monotone=directions, random_state=settings.seed, **options)
    if isinstance(settings, SatisfactionSettings):
        options = {"interval_by": settings.interval_by} | options
    opposite = {name: -sign for name, sign in (directions or {}).items()} or None
    return SatisfactionRegressor(monotone=opposite, random_state=settings.seed, **options)


def improved(
    task: Task, unfitted: Estimator, train: Dataset, settings: Settings
) -> tuple[Estimator, Search | None]:
    """An unfitted estimator with the settings that a search within the budget finds.

    The search sees the training rows alone. What it tried lies in ``.churnml`` in the
    working folder, so that the same training goes on where a stopped one was.

    Raises
    ------
    UsageError
        If the task's estimator cannot be searched.
    """
    if settings.budget is None:
        return unfitted, None
    if not isinstance(unfitted, ChurnClassifier | SatisfactionRegressor):
        raise UsageError(f"{task}: there is no search for this task.", hint="Leave out --budget.")
    from churnml.training.tune import Trial, search

    def told(trial: Trial) -> None:
        _log.info("trial %d: loss %.5f%s", trial.number, trial.loss, ", given up" * trial.pruned)

    _log.info("searching for better settings for %s", settings.budget)
    found = search(
        unfitted,
        train.X,
        train.y.to_numpy(),
        train.groups.to_numpy(),
        seconds=_seconds(settings.budget),
        journal=_journal(unfitted, train),
        progress=told,
    )
    return unfitted.set_params(**found.params), found


def _seconds(budget: str) -> float:
    return float(budget[:-1]) * {"s": 1, "m": 60, "h": 3600}[budget[-1]]


def _journal(unfitted: Estimator, train: Dataset) -> Path:
    """One file for each training: the same rows and settings by the same release."""
    what = f"{__version__} {type(unfitted).__name__} {unfitted.get_params()} {digest(train)}"
    folder = Path(".churnml")
    with output_errors(folder):
        folder.mkdir(exist_ok=True)
    return folder / f"search-{hashlib.sha256(what.encode()).hexdigest()[:16]}.journal"


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
    if train.weights is not None:
        _log.info("training without weights, to compare")
        without, _ = evaluate(task, fit(clone(unfitted), replace(train, weights=None)), test)
        tested = replace(tested, baselines=tested.baselines | {"unweighted": without})
    _log.info("refitting on all %s rows", f"{len(everything):,}")
    return Fitted(fit(clone(unfitted), everything), tested, first)


def fit(estimator: Estimator, data: Dataset) -> Estimator:
    """Fit an estimator to a dataset, one customer's rows never parted."""
    weights = None if data.weights is None else data.weights.to_numpy()
    return estimator.fit(
        data.X, data.y.to_numpy(), groups=data.groups.to_numpy(), sample_weight=weights
    )


def measure(task: Task, estimator: Estimator, train: Dataset, test: Dataset) -> Tested:
    """A fitted estimator and its baselines on rows that none of them has seen."""
    if task == "hazard":
        return _measure_hazard(cast(ChurnHazard, estimator), train, test)
    y, groups = test.y.to_numpy(dtype=float), test.groups.to_numpy()
    metrics, scores = evaluate(task, estimator, test)
    simpler = _simpler(task, train, test)
    plain = churn_metrics if task == "churn" else satisfaction_metrics
    baselines = {name: plain(y, told, groups) for name, told in simpler.items()}
    diagnose = diagnose_churn if task == "churn" else diagnose_satisfaction
    wrong = diagnose(y, scores, metrics, groups, regression=simpler["regression"])
    return Tested(metrics, baselines, y, scores, test, diagnosis=wrong)


def _simpler(
    task: Literal["churn", "satisfaction"], train: Dataset, test: Dataset
) -> dict[str, NDArray[np.float64]]:
    """What simpler models, of the same rows, say of the test rows."""
    known = (train.X, train.y)
    return {
        "base rate": base_rate(train.y, len(test)),
        "regression": regression(task, known, test.X, train.groups),
        "one booster": booster(task, known, test.X),
    }


def evaluate(
    task: Task, estimator: Estimator, test: Dataset
) -> tuple[Metrics, NDArray[np.float64]]:
    """Measures of a fitted estimator with intervals over customers, and its scores."""
    y, groups = test.y.to_numpy(dtype=float), test.groups.to_numpy()
    if isinstance(estimator, ChurnHazard):
        within = estimator.predict_within(test.X, WITHIN)
        return _at_horizons(test, within), within[:, WITHIN.index(_MAIN)]
    if isinstance(estimator, ChurnClassifier):
        scores = estimator.predict_proba(test.X)[:, 1]
        return churn_metrics(y, scores, groups), scores
    found = estimator.foretell(test.X)
    metrics = satisfaction_metrics(
        y,
        found.mean,
        groups,
        dissatisfied=found.dissatisfied,
        interval=(found.low, found.high),
    )
    return metrics, found.mean


def _measure_hazard(estimator: ChurnHazard, train: Dataset, test: Dataset) -> Tested:
    """A hazard and its baselines at each horizon; drawn at the one of the churn label."""
    within = estimator.predict_within(test.X)
    metrics = _at_horizons(test, within[:, [months - 1 for months in WITHIN]])
    simpler: list[dict[str, NDArray[np.float64]]] = []
    for horizon in WITHIN:
        known, left = known_outcomes(train.y, train.times, horizon)
        if 0 < left.sum() < left.size:
            rows = replace(train.rows(np.flatnonzero(known)), y=pd.Series(left, name="churned"))
            simpler.append(_simpler("churn", rows, test))
        else:
            # Nothing was seen so far ahead: what is known of less is all there is.
            simpler += simpler[-1:]
    baselines = {
        name: _at_horizons(test, np.column_stack([one[name] for one in simpler]))
        for name in simpler[0]
    }
    known, left = known_outcomes(test.y, test.times, _MAIN)
    rows = test.rows(np.flatnonzero(known))
    return Tested(metrics, baselines, left, within[known, _MAIN - 1], rows, within[known])


def _at_horizons(test: Dataset, within: NDArray[np.float64]) -> Metrics:
    return horizon_metrics(test.y, within, WITHIN, test.groups, test.times)


def importance(estimator: Estimator, X: pd.DataFrame, rows: int = 5_000) -> dict[str, float]:
    """Mean absolute contribution of each column, largest first, over a sample of rows."""
    step = max(len(X) // rows, 1)
    found = estimator.explain(X.iloc[::step]).abs().mean().sort_values(ascending=False)
    return {str(name): float(value) for name, value in found.items()}


def digest(data: Dataset) -> str:
    """SHA-256 of features, labels, customers and dates; the order of rows is of no account."""
    parts = (data.X, data.y, data.groups, data.times)
    rows = [pd.util.hash_pandas_object(part, index=False).to_numpy() for part in parts]
    found = hashlib.sha256("\0".join(map(str, data.X.columns)).encode())
    found.update(np.column_stack(rows)[np.lexsort(rows)].tobytes())
    return found.hexdigest()


def require_enough(task: Task, data: Dataset, fewest: int) -> None:
    """Refuse to learn from too few of those who left, or too few answers.

    Raises
    ------
    DataError
        Says how many there are.
    """
    if task in ("churn", "hazard"):
        left = int((data.y > 0).sum())
        rarer = min(left, len(data) - left)
        what = f"{left} of {len(data)} rows left"
    else:
        rarer, what = len(data), f"{len(data)} answered surveys"
    if rarer < fewest:
        raise DataError(
            f"{task}: {what}; at least {fewest} expected to learn from.",
            hint="Give more months or more customers.",
            count=rarer,
        )
