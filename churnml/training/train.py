"""Models trained, tested ahead in time, and kept."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from churnml.base.placing import ReadPlaces, input_first, require_apart
from churnml.config.settings import Config
from churnml.datasets import dataset, nonresponse
from churnml.datasets.dataset import Dataset, Task
from churnml.errors import UsageError
from churnml.evaluation.drift import drift_notes, drift_table
from churnml.evaluation.simulated_truth import with_possible
from churnml.features import declared
from churnml.labels import window as labels
from churnml.metrics import Estimate, flat_metrics
from churnml.models.bundle import Model, Origin, require_free
from churnml.registry import versions as registry
from churnml.tables.checked import checked, opened
from churnml.tables.source import Source
from churnml.training import fit as training
from churnml.training import record as recording
from churnml.training.record import Finished
from churnml.training.system_metrics import Watch
from churnml.training.tune import Search

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
    suspects : list of dict
        Of a flat table: columns that look like outcomes, as `churnml.datasets.leakage.Suspect`.
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
    suspects: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The training as plain data, for ``--json``."""
        found = {
            name: getattr(self, name)
            for name in ("task", "name", "model_uri", "run_id", "model_version", "alias")
        }
        found |= {"rows": self.rows, "dates": self.dates, "notes": self.notes}
        found |= {"suspects": self.suspects}
        found["metrics"] = flat_metrics(self.metrics)
        found["baselines"] = {
            name: flat_metrics(metrics) for name, metrics in self.baselines.items()
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
    watch = Watch()
    source = opened(location, mapping, config)
    source = source.until(until) if until else source
    with input_first(lambda: checked(source, config).accepted()):
        _require_place(track, out, overwrite, source.read)
    clean = checked(source, config).accepted()
    dates = dataset.plan_dates(clean, task, config)
    settings = dataset.settings(task, config)
    first, last = dates.all[0], dates.all[-1]
    _log.info("building features at %d dates, %s to %s", len(dates.all), first, last)
    data = dataset.build_dataset(clean, task, dates.all, config=config, max_rows=settings.max_rows)
    train = data.at(dates.train)
    if task == "hazard":
        train = dataset.censored(train, dates.test[0], settings.gap)
    training.require_enough(task, train, _fewest(config, task))
    train, data, response, told = _weighed(task, clean, train, data, config)
    found = declared(clean.tables)
    monotone = {one.name: one.direction for one in found if one.direction and one.name in data.X}
    unfitted = training.estimator_for(task, settings, monotone)
    unfitted, search = training.improved(task, unfitted, train, settings)
    fitted = training.fit_and_test(task, unfitted, (train, data.at(dates.test), data))
    fitted, possible = with_possible(fitted, location, task, settings)
    model = _described(fitted, data, _operator_origin(task, config, dates.all, data), found)
    model = replace(model, bands=config.scoring.band_percentiles)
    before = _before(fitted, train, _operator_origin(task, config, dates.train, train), found)
    parts = {"train": len(train), "test": len(fitted.tested.y), "all": len(data)}
    days = {name: [str(day) for day in getattr(dates, name)] for name in ("train", "test", "all")}
    drift = drift_table(before, data, dates)
    notes = (
        _source_notes(source)
        + _wrong(fitted)
        + possible
        + _search_notes(search)
        + told
        + drift_notes(drift)
    )
    place = _place(location, mapping)
    done = Finished(
        task,
        model,
        before,
        fitted,
        parts,
        days,
        notes,
        settings,
        watch,
        place,
        search=search,
        drift=drift,
        balance=None if response is None else response.balance,
    )
    return _keep(done, data, location, track=track, out=out, overwrite=overwrite)


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
    reading: Mapping[str, str | None] | None = None,
    config: Config,
    track: bool = True,
    out: str | None = None,
    overwrite: bool = False,
) -> Trained:
    """Train on a table of one's own, tested on customers held out, and keep the model."""
    from churnml.datasets.flat import Reading, open_table, read_training
    from churnml.datasets.splits import group_split

    watch = Watch()
    if task == "hazard":
        raise UsageError(
            "A hazard is learned from operator tables, month by month, not from a table.",
            hint="Train churn on a table of your own.",
        )
    if target is None:
        raise UsageError("A table of your own needs --target.", hint="Name its target column.")
    place = Path(path)
    with input_first(lambda: open_table(place, reading=Reading(**(reading or {})))):
        _require_place(track, out, overwrite, ReadPlaces(places=(place,), tables=(place,)))
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
        reading=Reading(**(reading or {})),
        availability=config.availability,
        set_aside_limit=config.validation.set_aside_limit,
    )
    data = flat_dataset(table)
    training.require_enough(task, data, _fewest(config, task))
    train, test = group_split(data.y, data.groups, test_share=_TEST_SHARE)
    settings = dataset.settings(task, config)
    unfitted = training.estimator_for(task, settings)
    unfitted, search = training.improved(task, unfitted, data.rows(train), settings)
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
    model = replace(model, bands=config.scoring.band_percentiles)
    before = _before(fitted, data.rows(train), origin, ())
    parts = {"train": len(train), "test": len(test), "all": len(data)}
    notes = table.notes + _wrong(fitted) + _search_notes(search)
    done = Finished(task, model, before, fitted, parts, {}, notes, settings, watch, {}, search)
    trained = _keep(done, data, path, track=track, out=out, overwrite=overwrite)
    return replace(trained, suspects=[one.to_dict() for one in table.suspects])


def _weighed(
    task: Task, source: Source, train: Dataset, data: Dataset, config: Config
) -> tuple[Dataset, Dataset, nonresponse.Response | None, list[str]]:
    """Training rows and all rows, weighed against non-response where that is asked for."""
    if task != "satisfaction":
        return train, data, None, []
    parts, response, notes = nonresponse.weighed(source, (train, data), config)
    return parts[0], parts[1], response, notes


def _fewest(config: Config, task: Task) -> int:
    if task == "satisfaction":
        return config.satisfaction.min_answers
    return dataset.settings(task, config).min_positives


def _require_place(track: bool, out: str | None, overwrite: bool, read: ReadPlaces) -> None:
    if not track and out is None:
        raise UsageError("--no-track keeps no model.", hint="Name a folder with --out.")
    if out is not None:
        require_apart(out, read)
        require_free(out, overwrite=overwrite)


def _search_notes(search: Search | None) -> list[str]:
    return [] if search is None else [search.note()]


def _wrong(fitted: training.Fitted) -> list[str]:
    return [f"The test says: {one.message}" for one in fitted.tested.diagnosis]


def _source_notes(source: Source) -> list[str]:
    return [f"Table {name} is absent, and so are its features." for name in source.missing]


def _place(location: str, mapping: Path | None) -> dict[str, str]:
    """Where the tables lie, so that the next command finds them from any folder."""
    found = {registry.SOURCE: location if "://" in location else str(Path(location).absolute())}
    return found | ({registry.MAPPING: str(mapping.absolute())} if mapping else {})


def _operator_origin(task: Task, config: Config, days: tuple[date, ...], data: Dataset) -> Origin:
    settings = dataset.settings(task, config)
    window = labels.Window(settings.gap, settings.horizon)
    label: dict[str, Any] = {"gap": settings.gap, "horizon": settings.horizon}
    if task == "churn":
        label["definition"] = config.churn.definition
    if task == "hazard":
        label["definition"] = config.hazard.definition
        label["silence_months"] = config.hazard.silence_months
        last = data.y[(data.times == days[-1]).to_numpy()]
        # The last date's outcomes are known for as long as those who stayed were seen.
        window = labels.Window(settings.gap, f"{int(last.abs().max())}mo")
    return Origin(
        name=task,
        kind="operator",
        label=label,
        as_of=tuple(str(day) for day in days),
        window=(str(days[0]), str(window.end(days[-1]))),
        rows=len(data),
        customers=int(data.groups.nunique()),
        digest=training.digest(data),
        config=config.digest(),
    )


def _described(
    fitted: training.Fitted, data: Dataset, origin: Origin, found: tuple[Any, ...]
) -> Model:
    from churnml.models.profile import describe

    return describe(
        fitted.estimator,
        data.X,
        origin=origin,
        features=found,
        # Scores of rows that the tested estimator had not seen rank new ones fairly.
        reference=fitted.tested.scores,
        customers=data.groups,
        times=data.times if data.times.notna().any() else None,
    )


def _before(
    fitted: training.Fitted, train: Dataset, origin: Origin, found: tuple[Any, ...]
) -> Model:
    """The model before the refit, with what it was trained on."""
    own = replace(
        origin,
        rows=len(train),
        customers=int(train.groups.nunique()),
        digest=training.digest(train),
    )
    return _described(replace(fitted, estimator=fitted.first), train, own, found)


def _keep(
    done: Finished, data: Dataset, source: str, *, track: bool, out: str | None, overwrite: bool
) -> Trained:
    from churnml.models import bundle
    from churnml.registry import tracking

    done = replace(done, model=replace(done.model, tested=_evidence(done, data)))
    found = recording.record(done, data, source)
    if out is not None:
        bundle.save(done.model, out, overwrite=overwrite)
    if track:
        _log.info("logging the run and registering the model in MLflow")
        logged = tracking.log_training(found)
    else:
        logged = tracking.Logged(model_uri=str(out))
    tested = done.fitted.tested
    return Trained(
        done.task,
        done.model.origin.name,
        logged.model_uri,
        logged.run_id,
        logged.model_version,
        logged.alias,
        tested.metrics,
        tested.baselines,
        done.rows,
        done.dates,
        done.notes,
    )


def _evidence(done: Finished, data: Dataset) -> dict[str, Any]:
    """What the model card will tell; it travels with the model."""
    from churnml.evaluation.summary import Outcome, evidence

    tested = done.fitted.tested
    customers = tested.rows.groups.to_numpy()
    return evidence(
        Outcome(done.task, tested.rows.X, tested.y, tested.scores, customers),
        metrics=tested.metrics,
        baselines=tested.baselines,
        importance=training.importance(done.fitted.estimator, data.X),
        rows=done.rows,
        dates=done.dates,
        notes=done.notes,
    )


def flat_dataset(table: Any) -> Dataset:
    """A flat table as a dataset without dates."""
    nowhen = pd.Series([None] * len(table), dtype=object, name="as_of")
    return Dataset(X=table.X, y=table.y, groups=table.groups, times=nowhen)
