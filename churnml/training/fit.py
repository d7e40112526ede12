"""Fit, test on held-out rows, refit on everything."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.base import clone

from churnml import __version__
from churnml.base.files import output_errors
from churnml.base.progress import minutes
from churnml.base.tasks import TASKS, TaskName
from churnml.config.settings import Config
from churnml.config.settings import TrainingSettings as Settings
from churnml.datasets import dataset
from churnml.datasets.dataset import Dataset, digest
from churnml.datasets.drawn import representative
from churnml.errors import UsageError
from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.evaluation.drift import drift_notes, drift_table
from churnml.evaluation.held_out import Estimator, Tested, evaluate, importance, measure
from churnml.evaluation.simulated_truth import with_possible
from churnml.evaluation.summary import Predictions, evidence
from churnml.models.model import Model, Origin, estimator_class
from churnml.models.profile import describe
from churnml.training.split import Split

if TYPE_CHECKING:
    import pandas as pd

    from churnml.training.tune import Search

_SIZES = ("folds", "repeats", "max_rounds")
_log = logging.getLogger(__name__)
_MINUTE = 60.0


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The result of a training, in memory.

    Attributes
    ----------
    model : Model
        Refitted on all rows, with what testing found.
    before : Model
        As it was tested: it has seen the training rows alone.
    tested : Tested
        How good ``before`` is on the test rows.
    split : Split
    settings : Training
        The section of the settings that belongs to the task.
    notes : list of str
        What the user should know.
    search : Search, optional
        For better settings.
    drift : DataFrame, optional
        Of the features, by date.
    """

    model: Model
    before: Model
    tested: Tested
    split: Split
    settings: Settings
    notes: list[str] = field(default_factory=list)
    search: Search | None = None
    drift: pd.DataFrame | None = None

    def count_rows(self) -> dict[str, int]:
        """Rows trained on, tested on (a hazard: those with a known outcome), and of all."""
        return self.split.count_rows() | {"test": len(self.tested.y)}


def fit_and_test(task: TaskName, split: Split, *, config: Config) -> Fitted:
    """Fit to the training rows, test on the rows held out, refit to all of them.

    Parameters
    ----------
    task : {"churn", "satisfaction", "hazard"}
    split : Split
    config : Config
    """
    settings = dataset.settings(task, config)
    unfitted = estimator_for(task, settings, _directions(split))
    unfitted, search = tune(task, unfitted, split.train, settings)
    _log.info(
        "training on %s rows with %s columns", f"{len(split.train):,}", split.train.X.shape[1]
    )
    started = time.monotonic()
    first = fit(clone(unfitted), split.train)
    seconds = (time.monotonic() - started) * len(split.all) / max(len(split.train), 1)
    tested = _test(task, unfitted, first, split)
    longer = f": about {minutes(seconds)}" if seconds >= _MINUTE else ""
    _log.info("refitting on all %s rows%s", f"{len(split.all):,}", longer)
    last = fit(clone(unfitted), split.all)
    wrong = [f"The test says: {one.message}" for one in tested.diagnosis]
    found: list[str] = []
    if split.origin.kind == "operator":
        tested, found = with_possible(tested, split.source, task, settings)
    before = _described(first, _alike(task, split.train), split.before, split, tested)
    drift = (
        None if split.dates is None else drift_table(before, _alike(task, split.all), split.dates)
    )
    notes = [
        *split.notes,
        *wrong,
        *found,
        *([] if search is None else [search.note()]),
        *([] if drift is None else drift_notes(drift)),
    ]
    model = _described(last, _alike(task, split.all), split.origin, split, tested)
    model = replace(
        model,
        bands=config.scoring.band_percentiles,
        tested=_summary(task, last, split, tested, notes),
    )
    return Fitted(
        model=model,
        before=before,
        tested=tested,
        split=split,
        settings=settings,
        notes=notes,
        search=search,
        drift=drift,
    )


def _directions(split: Split) -> dict[str, int]:
    columns = split.all.X
    return {
        one.name: one.direction for one in split.features if one.direction and one.name in columns
    }


def _test(task: TaskName, unfitted: Estimator, first: Estimator, split: Split) -> Tested:
    train, test = split.train, split.test
    _log.info("testing on %s rows", f"{len(test):,}")
    tested = measure(task, first, train, test)
    # Weights of a sample are no choice that could be compared.
    if train.weights is None or not TASKS[task].surveyed:
        return tested
    _log.info("training without weights, to compare")
    without, _ = evaluate(task, fit(clone(unfitted), replace(train, weights=None)), test)
    return replace(tested, baselines=tested.baselines | {"unweighted": without})


def _described(
    estimator: Estimator, data: Dataset, origin: Origin, split: Split, tested: Tested
) -> Model:
    return describe(
        estimator,
        data.X,
        origin=origin,
        features=split.features,
        # Scores of rows that the tested estimator had not seen rank new ones fairly.
        reference=tested.scores,
        customers=data.groups,
        times=data.times if data.times.notna().any() else None,
    )


def _alike(task: TaskName, data: Dataset) -> Dataset:
    """Rows that are distributed as the source's are, where a sample has kept all who left."""
    if data.weights is None or TASKS[task].surveyed:
        return data
    return data.rows(representative(data.weights))


def _summary(
    task: TaskName, estimator: Estimator, split: Split, tested: Tested, notes: list[str]
) -> dict[str, Any]:
    """The test summary for the model card, stored with the model."""
    return evidence(
        Predictions(
            task=task,
            X=tested.rows.X,
            y=tested.y,
            scores=tested.scores,
            customers=tested.rows.groups.to_numpy(),
            regions=tested.rows.regions,
        ),
        metrics=tested.metrics,
        baselines=tested.baselines,
        importance=importance(estimator, split.all.X),
        rows=split.count_rows() | {"test": len(tested.y)},
        dates=split.list_dates(),
        notes=notes,
    )


def estimator_for(
    task: TaskName, settings: Settings, monotone: Mapping[str, int] | None = None, **options: Any
) -> Estimator:
    """An unfitted estimator of a task.

    Parameters
    ----------
    task : {"churn", "satisfaction", "hazard"}
    settings : Training
        Its section of the settings.
    monotone : dict of str to int, optional
        How churn moves with a column; the scores of a task follow in its direction.
    """
    turn = TASKS[task].direction
    signs = (monotone or {}) if settings.monotone else {}
    directions = {name: turn * sign for name, sign in signs.items()} or None
    found = _OPTIONS[task](settings) | {"monotone": directions, "random_state": settings.seed}
    return estimator_class(task)(**found | options)


def _bag_options(settings: Any) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in _SIZES}


def _satisfaction_options(settings: Any) -> dict[str, Any]:
    return _bag_options(settings) | {"interval_by": settings.interval_by}


def _hazard_options(settings: Any) -> dict[str, Any]:
    names = ("months", "max_rounds", "max_person_months")
    return {name: getattr(settings, name) for name in names} | {"folds": settings.folds or 4}


_OPTIONS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "churn": _bag_options,
    "satisfaction": _satisfaction_options,
    "hazard": _hazard_options,
}


def tune(
    task: TaskName, unfitted: Estimator, train: Dataset, settings: Settings
) -> tuple[Estimator, Search | None]:
    """Search for better settings within the budget; return an unfitted estimator.

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

    def log_trial(trial: Trial) -> None:
        _log.info("trial %d: loss %.5f%s", trial.number, trial.loss, ", given up" * trial.pruned)

    _log.info("searching for better settings for %s", settings.budget)
    found = search(
        unfitted,
        train.X,
        train.y.to_numpy(),
        train.groups.to_numpy(),
        seconds=_seconds(settings.budget),
        journal=_journal(unfitted, train),
        progress=log_trial,
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


def fit(estimator: Estimator, data: Dataset) -> Estimator:
    """Fit an estimator to a dataset, keeping each customer's rows together."""
    weights = None if data.weights is None else data.weights.to_numpy()
    return estimator.fit(
        data.X, data.y.to_numpy(), groups=data.groups.to_numpy(), sample_weight=weights
    )
