"""Models trained, tested ahead in time, and kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from churnml import dataset, labels, training
from churnml.bundle import Model, Origin
from churnml.config import Config, Training
from churnml.dataset import Dataset, Dates, Task
from churnml.errors import OutputError, UsageError
from churnml.evaluation import Estimate
from churnml.features import declared
from churnml.pipeline.sources import checked, opened
from churnml.source import Source

Metrics = dict[str, Estimate]
_TEST_SHARE = 0.25
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Attributes
    ----------
    task : {"churn", "satisfaction"}
    name : str
        The registered name.
    model_uri : str
        What ``score`` and MLflow take.
    run_id, model_version, alias : str or None
        ``None`` where nothing was tracked.
    metrics : dict of str to Estimate
        On rows ahead in time, or held out, that the tested model had not seen.
    baselines : dict of str to dict of str to Estimate
    rows : dict of str to int
        ``train``, ``test``, ``all``.
    dates : dict of str to list of str
        The ``as_of`` dates of each; empty for a flat table.
    notes : list of str
        What the user should know, such as columns left out.
    """

    task: Task
    name: str
    model_uri: str
    run_id: str | None
    model_version: str | None
    alias: str | None
    metrics: Metrics
    baselines: dict[str, Metrics]
    rows: dict[str, int]
    dates: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The training as plain data, for ``--json``."""
        found = {
            name: getattr(self, name)
            for name in ("task", "name", "model_uri", "run_id", "model_version", "alias")
        }
        found |= {"rows": self.rows, "dates": self.dates, "notes": self.notes}
        found["metrics"] = training.flat_metrics(self.metrics)
        found["baselines"] = {
            name: training.flat_metrics(metrics) for name, metrics in self.baselines.items()
        }
        return found


def train_source(
    task: Task,
    location: str,
    *,
    until: str | None = None,
    mapping: Path | None = None,
    config: Config,
    track: bool = True,
    out: str | None = None,
    overwrite: bool = False,
) -> Trained:
    """Train on operator tables, forward in time, and keep the model."""
    started = datetime.now(UTC)
    _require_place(track, out, overwrite)
    source = opened(location, mapping, config)
    source = source.until(until) if until else source
    clean = checked(source, config).accepted()
    dates = dataset.plan_dates(clean, task, config)
    settings = dataset.settings(task, config)
    first, last = dates.all[0], dates.all[-1]
    _log.info("building features at %d dates, %s to %s", len(dates.all), first, last)
    data = dataset.build_dataset(clean, task, dates.all, config=config, max_rows=settings.max_rows)
    train = data.at(dates.train)
    training.require_enough(task, train, _fewest(config, task))
    found = declared(clean.tables)
    monotone = {one.name: one.direction for one in found if one.direction and one.name in data.X}
    unfitted = training.estimator_for(task, settings, monotone)
    fitted = training.fit_and_test(task, unfitted, (train, data.at(dates.test), data))
    origin = _operator_origin(task, config, dates, data)
    model = _described(fitted, data, origin, found)
    parts = {"train": len(train), "test": len(fitted.tested.y), "all": len(data)}
    days = {name: [str(day) for day in getattr(dates, name)] for name in ("train", "test", "all")}
    kept = _Kept(task, model, fitted, parts, days, _source_notes(source), settings, started)
    return _keep(kept, data, location, track=track, out=out, overwrite=overwrite)


def train_table(
    task: Task,
    path: str,
    *,
    id: str | None,
    target: str | None,
    scale: str | None,
    positive: str | None,
    drop: Sequence[str],
    group: str | None,
    name: str | None,
    config: Config,
    track: bool = True,
    out: str | None = None,
    overwrite: bool = False,
) -> Trained:
    """Train on a table of one's own, tested on customers held out, and keep the model."""
    from churnml.evaluation import group_split
    from churnml.flat import read_training

    started = datetime.now(UTC)
    if target is None:
        raise UsageError("A table of your own needs --target.", hint="Name its target column.")
    _require_place(track, out, overwrite)
    _log.info("reading %s", path)
    table = read_training(
        path,
        task=task,
        target=target,
        id=id,
        group=group,
        drop=drop,
        positive=positive,
        scale=scale,
        set_aside_limit=config.validation.set_aside_limit,
    )
    data = flat_dataset(table)
    training.require_enough(task, data, _fewest(config, task))
    train, test = group_split(data.y, data.groups, test_share=_TEST_SHARE)
    unfitted = training.estimator_for(task, dataset.settings(task, config))
    fitted = training.fit_and_test(task, unfitted, (data.rows(train), data.rows(test), data))
    origin = Origin(
        name=name or f"{task}-{Path(path).name.split('.')[0]}",
        kind="table",
        label={"target": target, "positive": positive, "scale": scale},
        rows=len(data),
        customers=int(data.groups.nunique()),
        digest=training.digest(data),
        config=config.digest(),
        table=table.signature,
    )
    model = _described(fitted, data, origin, ())
    parts = {"train": len(train), "test": len(test), "all": len(data)}
    settings = dataset.settings(task, config)
    kept = _Kept(task, model, fitted, parts, {}, table.notes, settings, started)
    return _keep(kept, data, path, track=track, out=out, overwrite=overwrite)


def _fewest(config: Config, task: Task) -> int:
    return config.churn.min_positives if task == "churn" else config.satisfaction.min_answers


def _require_place(track: bool, out: str | None, overwrite: bool) -> None:
    if not track and out is None:
        raise UsageError("--no-track keeps no model.", hint="Name a folder with --out.")
    if out is not None and Path(out).exists() and not overwrite:
        raise OutputError(
            f"{out}: stands there already.", hint="Give --overwrite to replace it.", file=out
        )


def _source_notes(source: Source) -> list[str]:
    return [f"Table {name} is absent, and so are its features." for name in source.missing]


def _operator_origin(task: Task, config: Config, dates: Dates, data: Dataset) -> Origin:
    settings = dataset.settings(task, config)
    window = labels.Window(settings.gap, settings.horizon)
    label: dict[str, Any] = {"gap": settings.gap, "horizon": settings.horizon}
    if task == "churn":
        label["definition"] = config.churn.definition
    return Origin(
        name=task,
        kind="operator",
        label=label,
        as_of=tuple(str(day) for day in dates.all),
        window=(str(dates.all[0]), str(window.end(dates.all[-1]))),
        rows=len(data),
        customers=int(data.groups.nunique()),
        digest=training.digest(data),
        config=config.digest(),
    )


def _described(
    fitted: training.Fitted, data: Dataset, origin: Origin, found: tuple[Any, ...]
) -> Model:
    from churnml.profile import describe

    return describe(
        fitted.estimator,
        data.X,
        origin=origin,
        features=found,
        # Scores of rows that the tested estimator had not seen rank new ones fairly.
        reference=fitted.tested.scores,
        customers=data.groups,
    )


@dataclass(frozen=True)
class _Kept:
    """What there is to keep of a training."""

    task: Task
    model: Model
    fitted: training.Fitted
    rows: dict[str, int]
    dates: dict[str, list[str]]
    notes: list[str]
    settings: Training
    started: datetime


def _keep(
    kept: _Kept, data: Dataset, source: str, *, track: bool, out: str | None, overwrite: bool
) -> Trained:
    from churnml import bundle, tracking

    record = _record(kept, data, source)
    if out is not None:
        bundle.save(kept.model, out, overwrite=overwrite)
    if track:
        _log.info("logging the run and registering the model in MLflow")
        logged = tracking.log_training(record)
    else:
        logged = tracking.Logged(model_uri=str(out))
    tested = kept.fitted.tested
    return Trained(
        kept.task,
        kept.model.origin.name,
        logged.model_uri,
        logged.run_id,
        logged.model_version,
        logged.alias,
        tested.metrics,
        tested.baselines,
        kept.rows,
        kept.dates,
        kept.notes,
    )


def _record(kept: _Kept, data: Dataset, source: str) -> Any:
    from churnml import tracking
    from churnml.reports import cards, figures

    tested, model = kept.fitted.tested, kept.model
    weights = training.importance(kept.fitted.estimator, data.X)
    drivers = {column.name: column.driver for column in model.inputs}
    drawn = {"importance": lambda: figures.importance(weights, drivers)}
    if kept.task == "churn":
        drawn["gains"] = lambda: figures.gains(tested.y, tested.scores)
        drawn["calibration"] = lambda: figures.calibration(tested.y, tested.scores)
    else:
        drawn["predicted_and_answered"] = lambda: figures.score_against_actual(
            tested.y, tested.scores
        )
    metrics = training.flat_metrics(tested.metrics)
    for name, found in tested.baselines.items():
        metrics |= training.flat_metrics(found, f"baseline.{name.replace(' ', '_')}.")
    params = tracking.origin_params(model) | {
        f"estimator.{name}": value
        for name, value in kept.fitted.estimator.get_params(deep=False).items()
        if name != "monotone"
    }
    return tracking.Training(
        model=model,
        title=_title(model),
        data=tracking.Data(
            name=Path(source).name or source,
            source=source,
            digest=model.origin.digest,
            rows=len(data),
            target=str(data.y.name),
        ),
        params=params | settings_params(kept.settings),
        metrics=metrics | {f"rows.{name}": count for name, count in kept.rows.items()},
        importance=weights,
        figures=drawn,
        notes=cards.training_card(
            model, tested.metrics, tested.baselines, kept.rows, kept.dates, kept.notes
        ),
        started=kept.started,
    )


def settings_params(settings: Training) -> dict[str, Any]:
    """The settings of a task, as parameters of its run."""
    return {f"settings.{name}": value for name, value in settings.model_dump().items()}


def _title(model: Model) -> str:
    """A run's name that a person can read.

    Operator: task, label and last date; table: task and registered name.
    """
    origin = model.origin
    if origin.kind == "table":
        return f"{model.task} · {origin.name}"
    label = origin.label
    what = [model.task, *([label["definition"]] if "definition" in label else [])]
    return " · ".join([*what, str(label["horizon"]), origin.as_of[-1][:7]])


def flat_dataset(table: Any) -> Dataset:
    """A flat table as a dataset without dates."""
    nowhen = pd.Series([None] * len(table), dtype=object, name="as_of")
    return Dataset(table.X, table.y, table.groups, nowhen)
