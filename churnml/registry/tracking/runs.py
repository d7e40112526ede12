"""Open a run and log to it: tags, parameters, data, files, metrics, nested runs."""

from __future__ import annotations

import json
import os
import socket
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from churnml.base.files import crash_point
from churnml.errors import ModelError
from churnml.errors.masking import masked, without_secrets
from churnml.models.signature import typed_columns
from churnml.registry.own_tags import PREFIX, own_tag, read_own_tag
from churnml.registry.store import Store, mlflow_errors
from churnml.registry.tracking.experiments import NOTE
from churnml.registry.tracking.revision import revision
from churnml.registry.tracking.run import Child, Curve, Item, TrainingRecord

_PROCESS = "process"
_PARENT = "mlflow.parentRunId"
_PARAM_LENGTH = 6000
_BATCH = 1000
_DIGEST = 12


@contextmanager
def opened(store: Store, experiment: str, training: TrainingRecord) -> Iterator[str]:
    """Open a run that always ends as finished, failed or killed."""
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


def find_parent(store: Store, run_id: str) -> str:
    """The experiment of the run that another shall belong to.

    Raises
    ------
    ModelError
        If there is no such run.
    """
    from mlflow.exceptions import MlflowException

    try:
        return str(store.client.get_run(run_id).info.experiment_id)
    except MlflowException:
        raise ModelError(
            f"parent_run_id {run_id!r}: no such run in {store.uri}.",
            hint="Give mlflow.active_run().info.run_id, with MLFLOW_TRACKING_URI where that "
            "run is.",
            value=run_id,
        ) from None


def _tags(training: TrainingRecord) -> dict[str, str]:
    from mlflow.tracking.context.registry import resolve_tags

    origin = training.model.origin
    given = {
        "churnml.version": training.model.versions.get("churnml", ""),
        "churnml.task": training.model.task,
        "churnml.kind": origin.kind,
        "churnml.window": " .. ".join(origin.window),
        own_tag("data_digest"): origin.digest,
        own_tag("settings_digest"): origin.config,
        own_tag(_PROCESS): f"{socket.gethostname()}:{os.getpid()}",
    }
    given |= {_PARENT: training.parent} if training.parent else {}
    given |= {f"label.{name}": str(value) for name, value in origin.label.items() if value}
    tags = {**resolve_tags(), **revision(), **given, **training.tags}
    return {name: without_secrets(str(value)) for name, value in tags.items() if value}


def _end_abandoned(store: Store, experiment: str) -> None:
    """End this machine's runs whose process was killed."""
    host = socket.gethostname()
    running = store.client.search_runs([experiment], "attributes.status = 'RUNNING'")
    for run in running:
        owner, _, pid = read_own_tag(run.data.tags, _PROCESS).rpartition(":")
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


def describe(store: Store, run_id: str, training: TrainingRecord, notes: str) -> None:
    """Log the run's note, parameters and data."""
    store.client.set_tag(run_id, NOTE, without_secrets(notes))
    _log_params(store, run_id, training.params)
    # MLflow looks for the same data first, and fails where another run adds them meanwhile.
    with store.alone():
        store.client.log_inputs(run_id, datasets=[_dataset(training)])


def _log_params(store: Store, run_id: str, params: Mapping[str, Any]) -> None:
    from mlflow.entities import Param

    texts = {name: without_secrets(str(value)) for name, value in params.items()}
    kept = [Param(name, text[:_PARAM_LENGTH]) for name, text in texts.items()]
    store.client.log_batch(run_id, params=kept)


def _dataset(training: TrainingRecord) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data, origin = training.data, training.model.origin
    schema = typed_columns(training.model).to_dict()
    profile = {"rows": data.rows, "customers": origin.customers, "as_of": list(origin.as_of)}
    place = without_secrets(data.source)
    entity = Dataset(
        name=data.name,
        # In full it would push everything else out of the run list; a tag has it.
        digest=data.digest[:_DIGEST],
        source_type=place.partition("://")[0] if "://" in place else "local",
        source=json.dumps({"uri": place}),
        schema=json.dumps({"mlflow_colspec": schema, "target": data.target}),
        profile=json.dumps(profile),
    )
    return DatasetInput(entity, [InputTag("mlflow.data.context", "training")])


def log_item(store: Store, run_id: str, item: Item) -> None:
    """Log a text, a table or a figure as a file of the run."""
    if isinstance(item.content, str):
        store.client.log_text(run_id, without_secrets(item.content), item.path)
    elif isinstance(item.content, Mapping):
        columns = {name: masked(list(values)) for name, values in item.content.items()}
        store.client.log_table(run_id, columns, item.path)
    else:
        with warnings.catch_warnings():
            # Where no font has Chinese characters, boxes must do; the tables have the names.
            warnings.filterwarnings("ignore", "Glyph .* missing from")
            store.client.log_figure(run_id, item.content(), item.path)


def log_metrics(store: Store, run_id: str, training: TrainingRecord, models: Sequence[str]) -> None:
    """Log the run's metrics, to its models too, and its curves."""
    from mlflow.entities import Metric

    moment = store.client.get_run(run_id).info.start_time
    data = training.data
    for model in models:
        linked = {
            "model_id": model,
            "dataset_name": data.name,
            "dataset_digest": data.digest[:_DIGEST],
        }
        store.client.log_batch(
            run_id,
            metrics=[Metric(n, float(v), moment, 0, **linked) for n, v in training.metrics.items()],
        )
    _log_curves(store, run_id, training.curves, moment)


def _log_curves(store: Store, run_id: str, curves: Mapping[str, Curve], moment: int) -> None:
    from mlflow.entities import Metric

    points = []
    for name, curve in curves.items():
        steps = curve.steps or range(1, len(curve.values) + 1)
        times = [int(one.timestamp() * 1000) for one in curve.moments] or [moment] * len(steps)
        points += [
            Metric(name, float(value), at, step)
            for value, step, at in zip(curve.values, steps, times, strict=True)
        ]
    for start in range(0, len(points), _BATCH):
        store.client.log_batch(run_id, metrics=points[start : start + _BATCH])


def log_children(children: Sequence[Child], *, store: Store, run_id: str) -> list[str]:
    """Log nested runs, such as the folds of a training or the trials of a search.

    Parameters
    ----------
    children : sequence of Child
        Each may have children of its own.
    store : Store
    run_id : str
        The run that they belong to.

    Returns
    -------
    list of str
        Their run ids, in order; those of grandchildren are not among them.
    """
    if not children:
        return []
    with mlflow_errors(store.uri):
        parent = store.client.get_run(run_id)
        inherited = {
            name: value
            for name, value in parent.data.tags.items()
            if name.startswith(("churnml.", PREFIX, "label.", "mlflow.source.", "mlflow.user"))
        }
        # The UI lists the latest first.
        return [
            _log_child(child, store, parent, inherited, later=len(children) - number)
            for number, child in enumerate(children)
        ]


def _log_child(
    child: Child, store: Store, parent: Any, inherited: Mapping[str, str], *, later: int
) -> str:
    tags = {**inherited, "churnml.child": child.kind, _PARENT: parent.info.run_id}
    moment = parent.info.start_time + later
    experiment = parent.info.experiment_id
    run = store.client.create_run(experiment, moment, masked({**tags, **child.tags}), child.title)
    run_id: str = run.info.run_id
    if child.notes:
        store.client.set_tag(run_id, NOTE, without_secrets(child.notes))
    _log_params(store, run_id, child.params)
    single = {name: Curve([value], steps=[0]) for name, value in child.metrics.items()}
    _log_curves(store, run_id, single | dict(child.curves), moment)
    log_children(child.children, store=store, run_id=run_id)
    now = int(time.time() * 1000)
    ended = now if child.seconds is None else moment + int(1000 * child.seconds)
    store.client.set_terminated(run_id, "FAILED" if child.failed else "FINISHED", ended)
    return run_id
