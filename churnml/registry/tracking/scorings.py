"""The experiment ``scoring``: what became of each scoring's inputs and scores, never a customer.

One run for each scoring, with its histograms, and one for each monitoring, with charts by
month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from churnml.base.scratch import temporary_folder
from churnml.errors.masking import masked, without_secrets
from churnml.models.histograms import ScoringRecord
from churnml.registry.store import Store, mlflow_errors, open_store, store_exists, store_uri
from churnml.registry.tracking.experiments import NOTE

EXPERIMENT = "scoring"
_ARTIFACT = "_histograms.json"
_KIND = "churnml.scoring"
_SOURCE, _AS_OF, _ENDED, _FOLDER = (
    f"churnml.{name}" for name in ("place", "as_of", "at", "scores")
)
_CARD = (
    "Every run is a scoring, with the histograms of its inputs and scores and without any "
    "customer, or a monitoring, whose charts go by month: a step is a year "
    "and a month, 202606."
)


def record_scoring(record: ScoringRecord) -> None:
    """Record a published scoring as a run.

    Parameters
    ----------
    record : ScoringRecord
        With ``ended_at`` and ``folder``.

    Raises
    ------
    ModelError
        If the store cannot be reached or written.
    """
    models = {task: one.version for task, one in record.models.items()}
    tags = {
        _KIND: "scoring",
        _SOURCE: record.source,
        _AS_OF: record.as_of or "",
        _ENDED: record.ended_at,
        _FOLDER: record.folder,
        **{f"churnml.{task}_model": version for task, version in models.items()},
    }
    metrics: dict[str, float] = {"rows": record.rows}
    for task, one in record.models.items():
        metrics |= {f"{task}_mean": one.scores.mean} if one.scores else {}
        moved = [column.drift - column.usual for column in one.inputs.values()]
        metrics |= {f"{task}_drift_max": max([0.0, *moved])}
    title = f"scores at {record.as_of}" if record.as_of else "scores of a table"
    bare = replace(record, ended_at="", folder="")
    _log_run(title, tags, metrics, {_ARTIFACT: bare.to_bytes().decode()})


def attach_report(*, source: str, as_of: str, ended_at: str, name: str, page: str) -> bool:
    """Put a page, in which no customer is, beside the run of its scoring.

    Parameters
    ----------
    source, as_of, ended_at : str
        As the scoring was recorded.
    name : str
        Of the artifact.
    page : str

    Returns
    -------
    bool
        Whether there is such a run.

    Raises
    ------
    ModelError
        If the store cannot be read or written.
    """
    location = store_uri()
    if not store_exists(location):
        return False
    store = open_store(location)
    with mlflow_errors(location):
        experiment = store.client.get_experiment_by_name(EXPERIMENT)
        runs = [] if experiment is None else _all_runs(store, experiment.experiment_id)
        asked = {_SOURCE: without_secrets(source), _AS_OF: as_of, _ENDED: ended_at}
        for run in runs:
            if asked.items() <= run.data.tags.items():
                store.client.log_text(run.info.run_id, page, name)
                return True
    return False


def record_monitoring(
    *,
    source: str,
    as_of: date,
    months: Sequence[date],
    curves: Mapping[str, Sequence[float | None]],
    files: Mapping[str, str],
) -> None:
    """Record a monitoring as a run, with a chart by month for each measure.

    Parameters
    ----------
    source : str
    as_of : date
    months : sequence of date
    curves : mapping of str to sequence
        By measure, one value a month; None where there is none.
    files : mapping of str to str
        Texts by file name, about no customer.

    Raises
    ------
    ModelError
        If the store cannot be reached or written.
    """
    tags = {_KIND: "monitoring", _SOURCE: source, _AS_OF: as_of.isoformat()}
    points = [
        (f"by_month/{name}", float(value), day)
        for name, values in curves.items()
        for day, value in zip(months, values, strict=True)
        if value is not None
    ]
    _log_run(f"monitoring at {as_of}", tags, {}, files, points)


def recorded_scorings(source: str) -> list[ScoringRecord]:
    """The recorded scorings of a source, the earliest first; none where there is no store.

    Parameters
    ----------
    source : str
        As `ScoringRecord.source`.

    Raises
    ------
    ModelError
        If the store cannot be read.
    """
    location = store_uri()
    if not store_exists(location):
        return []
    store = open_store(location)
    with mlflow_errors(location):
        experiment = store.client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            return []
        runs = _all_runs(store, experiment.experiment_id)
        found = [
            _read(store, run)
            for run in runs
            if run.data.tags.get(_SOURCE) == without_secrets(source)
        ]
    return sorted((one for one in found if one), key=lambda one: (one.as_of or "", one.ended_at))


def _all_runs(store: Store, experiment: str) -> list[Any]:
    runs, token = [], None
    while True:
        page = store.client.search_runs(
            [experiment],
            f"tags.`{_KIND}` = 'scoring' and attributes.status = 'FINISHED'",
            page_token=token,
        )
        runs += list(page)
        token = page.token
        if not token:
            return runs


def _read(store: Store, run: Any) -> ScoringRecord | None:
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    with temporary_folder() as folder:
        try:
            path = download_artifacts(
                artifact_uri=f"{run.info.artifact_uri}/{_ARTIFACT}",
                dst_path=str(folder),
                tracking_uri=store.uri,
            )
            record = ScoringRecord.from_bytes(Path(path).read_bytes())
        except (OSError, MlflowException):
            # Somebody removed the file; the month is scored again.
            return None
    tags = run.data.tags
    return record and replace(record, ended_at=tags.get(_ENDED, ""), folder=tags.get(_FOLDER, ""))


def _log_run(
    title: str,
    tags: Mapping[str, str],
    metrics: Mapping[str, float],
    files: Mapping[str, str],
    points: Sequence[tuple[str, float, date]] = (),
) -> None:
    from mlflow.entities import Metric, RunTag

    store = open_store()
    with mlflow_errors(store.uri):
        experiment = _ensure(store)
        given = [RunTag(name, value) for name, value in masked(dict(tags)).items() if value]
        run = store.client.create_run(experiment, run_name=title)
        now = run.info.start_time
        measured = [Metric(name, float(value), now, 0) for name, value in metrics.items()]
        for name, value, day in points:
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
            step = day.year * 100 + day.month
            measured.append(Metric(name, value, int(moment.timestamp() * 1000), step))
        store.client.log_batch(run.info.run_id, metrics=measured, tags=given)
        for name, text in files.items():
            store.client.log_text(run.info.run_id, text, name)
        store.client.set_terminated(run.info.run_id)


def _ensure(store: Store) -> str:
    with store.alone():
        existing = store.client.get_experiment_by_name(EXPERIMENT)
        if existing is None:
            made = str(store.client.create_experiment(EXPERIMENT, store.artifacts))
            store.client.set_experiment_tag(made, NOTE, _CARD)
            return made
        if existing.lifecycle_stage == "deleted":
            store.client.restore_experiment(existing.experiment_id)
        return str(existing.experiment_id)
