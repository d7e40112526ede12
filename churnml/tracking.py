"""A training into MLflow: what `churnml.record` says of it, logged by one loop.

No row of a customer is among it: numbers, figures, the columns' names and types, a digest
of the data, and the model, which holds none either. A run that fails on the way ends as
failed and leaves no registered version; one whose process was killed is ended by the next.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml import bundle, registry
from churnml.durable import crash_point
from churnml.errors import ModelError, UsageError
from churnml.model import Model
from churnml.record import (
    Data,
    Item,
    Logged,
    Training,
    headline,
    items,
    origin_params,
    requirements,
)
from churnml.signature import signature
from churnml.store import (
    Store,
    mlflow_errors,
    mlflow_quietly,
    open_store,
    quiet,
    without_secrets,
)

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel, ModelVersion

__all__ = [
    "Data",
    "Logged",
    "Training",
    "headline",
    "log_training",
    "origin_params",
    "save_mlflow_model",
    "save_training",
]

MODEL_NAME = "model"
LOADER = "churnml.scoring.pyfunc"
"""The module through which MLflow loads the model."""

_PROCESS = "churnml.process"
_NOTE = "mlflow.note.content"
_PARAM_LENGTH = 6000
_METRIC_NAME = re.compile(r"[A-Za-z0-9_\-. :/]+")
_log = logging.getLogger(__name__)


def save_training(training: Training, folder: str | Path, *, overwrite: bool = False) -> Logged:
    """Keep a training as a bundle in a folder, without MLflow.

    Raises
    ------
    OutputError
        If something stands there, or it cannot be written.
    """
    bundle.save(training.model, folder, overwrite=overwrite)
    return Logged(model_uri=str(folder))


def log_training(training: Training, *, store: Store | None = None) -> Logged:
    """Keep a training as an MLflow run with a registered model version.

    The first version of a name becomes its ``champion``, a later one its ``challenger``.

    Parameters
    ----------
    training : Training
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
    with mlflow_errors(store.uri), _run(store, training) as run_id:
        _log_numbers(store, run_id, training)
        for item in items(training):
            _log_item(store, run_id, item)
        logged = _log_model(store, run_id, training.model)
        crash_point("model:stored")
        version, alias = _register(store, run_id, logged, training)
    name = training.model.origin.name
    _log.info("registered %s/%s as %s", name, version, alias)
    return Logged(f"models:/{name}/{version}", run_id, version, alias)


def _check(training: Training) -> None:
    name = training.model.origin.name
    if not name or re.search(r"[/:]", name):
        raise UsageError(
            f"Model name {name!r}: a name without / and : expected.", hint="Choose another --name."
        )
    odd = [name for name in training.metrics if not _METRIC_NAME.fullmatch(name)]
    if odd:
        raise UsageError(f"Metric names {odd}: only letters, digits and _ - . : / are possible.")


@contextmanager
def _run(store: Store, training: Training) -> Iterator[str]:
    """A run that ends, whatever happens, as finished, failed or killed."""
    experiment = _experiment(store, training.model.task)
    _end_abandoned(store, experiment)
    started = training.started
    run = store.client.create_run(
        experiment,
        start_time=int(started.timestamp() * 1000) if started else None,
        tags=_tags(training),
        run_name=training.title,
    )
    run_id = run.info.run_id
    crash_point("run:started")
    try:
        yield run_id
    except BaseException as error:
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        with suppress(Exception):
            store.client.set_terminated(run_id, status)
        raise
    store.client.set_terminated(run_id)


def _experiment(store: Store, name: str) -> str:
    """The task's experiment, made if it is not there."""
    with store.alone():
        found = store.client.get_experiment_by_name(name)
        if found is None:
            note = {_NOTE: f"Trainings of **{name}** models by churnml."}
            return store.client.create_experiment(name, store.artifacts, note)
        if found.lifecycle_stage == "deleted":
            store.client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)


def _tags(training: Training) -> dict[str, str]:
    from mlflow.tracking.context.registry import resolve_tags

    origin = training.model.origin
    given = {
        "churnml.version": training.model.versions.get("churnml", ""),
        "churnml.task": training.model.task,
        "churnml.kind": origin.kind,
        "churnml.window": " .. ".join(origin.window),
        _PROCESS: f"{socket.gethostname()}:{os.getpid()}",
        _NOTE: training.notes,
    }
    given |= {f"label.{name}": str(value) for name, value in origin.label.items()}
    tags = {**resolve_tags(), **given, **training.tags}
    return {name: without_secrets(str(value)) for name, value in tags.items() if value}


def _end_abandoned(store: Store, experiment: str) -> None:
    """End the runs of this machine whose process was killed before it could."""
    host = socket.gethostname()
    running = store.client.search_runs([experiment], "attributes.status = 'RUNNING'")
    for run in running:
        owner, _, pid = run.data.tags.get(_PROCESS, "").rpartition(":")
        if owner == host and pid.isdigit() and not _alive(int(pid)):
            store.client.set_terminated(run.info.run_id, "KILLED")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _log_numbers(store: Store, run_id: str, training: Training) -> None:
    from mlflow.entities import Metric, Param

    run = store.client.get_run(run_id)
    moment = run.info.start_time
    texts = {name: without_secrets(str(value)) for name, value in training.params.items()}
    store.client.log_batch(
        run_id,
        metrics=[Metric(n, float(v), moment, 0) for n, v in training.metrics.items()],
        params=[Param(name, text[:_PARAM_LENGTH]) for name, text in texts.items()],
    )
    store.client.log_inputs(run_id, datasets=[_dataset(training)])


def _dataset(training: Training) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data, origin = training.data, training.model.origin
    schema = signature(training.model).inputs.to_dict()
    profile = {"rows": data.rows, "customers": origin.customers, "as_of": list(origin.as_of)}
    entity = Dataset(
        name=data.name,
        # The column of the store is this short.
        digest=data.digest[:36],
        source_type="local",
        source=json.dumps({"uri": without_secrets(data.source)}),
        schema=json.dumps({"mlflow_colspec": schema, "target": data.target}),
        profile=json.dumps(profile),
    )
    return DatasetInput(entity, [InputTag("mlflow.data.context", "training")])


def _log_item(store: Store, run_id: str, item: Item) -> None:
    if isinstance(item.content, str):
        store.client.log_text(run_id, item.content, item.path)
        return
    with warnings.catch_warnings():
        # Where no font has Chinese characters, boxes must do; the table beside has the names.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        store.client.log_figure(run_id, item.content(), item.path)


def _log_model(store: Store, run_id: str, model: Model) -> LoggedModel:
    """The model as MLflow keeps one, read back and tried before it counts."""
    from mlflow.entities import LoggedModelOutput

    client = store.client
    logged = client.create_logged_model(
        client.get_run(run_id).info.experiment_id,
        name=MODEL_NAME,
        source_run_id=run_id,
        model_type=model.task,
    )
    try:
        with tempfile.TemporaryDirectory(prefix="churnml-") as folder:
            path = Path(folder) / MODEL_NAME
            save_mlflow_model(model, path, run_id=run_id, model_id=logged.model_id)
            client.log_model_artifacts(logged.model_id, str(path))
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        _read_back(store, logged, model)
    except BaseException:
        with suppress(Exception):
            client.finalize_logged_model(logged.model_id, "FAILED")
        raise
    return client.finalize_logged_model(logged.model_id, "READY")


def save_mlflow_model(
    model: Model, path: Path, *, run_id: str | None = None, model_id: str | None = None
) -> None:
    """Write a folder that is an MLflow model with the bundle inside.

    Parameters
    ----------
    model : Model
    path : Path
        Absent.
    run_id, model_id : str, optional
        Of MLflow, where it is to be logged.
    """
    mlflow_quietly()
    import mlflow.pyfunc
    from mlflow.models import Model as MlflowModel

    with tempfile.TemporaryDirectory(prefix="churnml-") as folder:
        data = Path(folder) / "bundle"
        bundle.save(model, data)
        with quiet("mlflow.pyfunc"):
            mlflow.pyfunc.save_model(
                str(path),
                loader_module=LOADER,
                data_path=str(data),
                mlflow_model=MlflowModel(run_id=run_id, model_uuid=model_id, model_id=model_id),
                signature=signature(model),
                input_example=bundle.golden_rows(model).head(3),
                pip_requirements=requirements(model),
            )
    for cache in path.rglob("__pycache__"):
        shutil.rmtree(cache, ignore_errors=True)


def _read_back(store: Store, logged: LoggedModel, model: Model) -> None:
    from mlflow.models import Model as MlflowModel

    with registry.downloaded(store, logged.artifact_location) as folder:
        kept = MlflowModel.load(str(folder))
        fresh = registry.load_folder(folder)
    if kept.signature != signature(model):
        raise ModelError(f"MLflow did not keep the signature of model {model.origin.name}.")
    bundle.check_golden(fresh, exact=True)


def _register(
    store: Store, run_id: str, logged: LoggedModel, training: Training
) -> tuple[str, str]:
    """A new version with its alias, or neither."""
    name = training.model.origin.name
    with store.alone(), store.current():
        registry.ensure_name(store, name, training.model.task)
        version: ModelVersion = store.client.create_model_version(
            name,
            source=f"models:/{logged.model_id}",
            run_id=run_id,
            tags={"churnml.task": training.model.task},
            description=training.notes or None,
            model_id=logged.model_id,
        )
        crash_point("version:registered")
        try:
            alias = registry.give_alias(store, name, str(version.version))
        except BaseException:
            store.client.delete_model_version(name, version.version)
            raise
    crash_point("alias:given")
    return str(version.version), alias
