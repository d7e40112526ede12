"""Log a training: run, files, models, version."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from churnml.base.files import crash_point
from churnml.errors import UsageError
from churnml.models import bundle
from churnml.models.cards import mlflow_notes as cards
from churnml.registry import versions as registry
from churnml.registry.store import Store, mlflow_errors, open_store
from churnml.registry.tracking import experiments, runs
from churnml.registry.tracking import mlflow_model as models
from churnml.registry.tracking.links import run_links, run_pictures
from churnml.registry.tracking.run import Logged, TrainingRecord, items

_METRIC_NAME = re.compile(r"[A-Za-z0-9_\-. :/]+")
_log = logging.getLogger(__name__)


def save_training(
    training: TrainingRecord, folder: str | Path, *, overwrite: bool = False
) -> Logged:
    """Save a training as a bundle in a folder, without MLflow.

    Raises
    ------
    OutputError
        If something stands there, or it cannot be written.
    """
    bundle.save(training.model, folder, overwrite=overwrite)
    return Logged(model_uri=str(folder))


def log_training(training: TrainingRecord, *, store: Store | None = None) -> Logged:
    """Log a training as an MLflow run with a registered model version.

    The first version of a name becomes its ``champion``, unless it must not lead; a later one
    its ``challenger``.

    Parameters
    ----------
    training : TrainingRecord
    store : Store, optional
        By default that of the working folder or of ``MLFLOW_TRACKING_URI``.

    Returns
    -------
    Logged

    Raises
    ------
    ModelError
        If the store cannot be reached or written, or the model that it gives back is not
        the one that was logged.
    """
    _check(training)
    store = store or open_store()
    with mlflow_errors(store.uri):
        experiment = _experiment(store, training)
        with runs.opened(store, experiment, training) as run_id:
            version, alias = _keep(store, experiment, run_id, training)
    name = training.model.origin.name
    _log.info("registered %s/%s as %s", name, version, alias)
    return Logged(
        model_uri=f"models:/{name}/{version}", run_id=run_id, model_version=version, alias=alias
    )


def _experiment(store: Store, training: TrainingRecord) -> str:
    """The experiment that the run belongs to.

    Raises
    ------
    ModelError
        If there is no such parent run.
    """
    if training.parent is not None:
        parent = runs.find_parent(store, training.parent)
        if training.experiment is None:
            return parent
    if training.experiment is not None:
        return experiments.ensure_named(store, training.experiment)
    return experiments.ensure(store, training.model.task)


def _check(training: TrainingRecord) -> None:
    name = training.model.origin.name
    if not name or re.search(r"[/:]", name):
        raise UsageError(
            f"Model name {name!r}: a name without / and : expected.", hint="Choose another --name."
        )
    names = [*training.metrics, *training.curves]
    for child in training.children:
        names += [*child.metrics, *child.curves]
    odd = [name for name in names if not _METRIC_NAME.fullmatch(name)]
    if odd:
        raise UsageError(f"Metric names {odd}: only letters, digits and _ - . : / are possible.")


def _keep(store: Store, experiment: str, run_id: str, training: TrainingRecord) -> tuple[str, str]:
    """Log everything of the run; return its version and alias."""
    text = cards.padded(training.notes).rstrip()
    notes = f"{text}\n\n{run_links(experiment, run_id, training)}"
    runs.describe(store, run_id, training, notes)
    for item in items(training):
        runs.log_item(store, run_id, item)
    logged, digest = models.log_model(store, run_id, training.model, registry.MODEL_NAME)
    measured = [logged.model_id]
    if training.before is not None:
        before, _ = models.log_model(store, run_id, training.before, registry.BEFORE_REFIT)
        measured.append(before.model_id)
    crash_point("model:stored")
    runs.log_metrics(store, run_id, training, measured)
    runs.log_children(training.children, store=store, run_id=run_id)
    card = f"{text}\n\n{run_pictures(experiment, run_id, training)}"
    return models.register(store, run_id, logged, training, digest, card)
