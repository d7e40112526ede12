"""Train models, test them on held-out rows, and save them."""

from __future__ import annotations

import html
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.base.dates import parse_date
from churnml.base.placing import ReadPlaces, input_first, require_apart
from churnml.base.tasks import TASKS, TaskName, find_task
from churnml.base.text import quoted
from churnml.config.settings import ConfigGiven, as_config, with_setting
from churnml.datasets.flat import Reading, open_table
from churnml.datasets.flat.frame import Frame, is_frame, name_of, table_file
from churnml.errors import UsageError
from churnml.metrics import Estimate, flat_metrics, format_estimate, metrics_frame
from churnml.models import bundle
from churnml.registry.tracking import Logged, log_training
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source
from churnml.training.fit import Fitted, fit_and_test
from churnml.training.offers import (
    FittedOffers,
    fit_offers,
    operator_experiment,
    record_offers,
    table_experiment,
)
from churnml.training.record import record
from churnml.training.split import split_operator, split_table
from churnml.training.system_metrics import Watch

if TYPE_CHECKING:
    import pandas as pd

Metrics = dict[str, Estimate]
_EFFECTS = ("offers",)
"""Tasks learned from an experiment, not from outcomes alone."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, repr=False)
class Trained:
    """A finished training.

    Attributes
    ----------
    task : {"churn", "satisfaction", "hazard"}
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
        Of a flat table: columns that look like outcomes.
    offers : dict or None
        Of the task ``offers``: the verdict, each offer's effect, and the answers to the questions.
    """

    task: TaskName
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
    offers: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The training as plain data, for ``--json``."""
        plain = ("task", "name", "model_uri", "run_id", "model_version", "alias")
        return {
            **{name: getattr(self, name) for name in plain},
            "rows": self.rows,
            "dates": self.dates,
            "notes": self.notes,
            "suspects": self.suspects,
            "metrics": flat_metrics(self.metrics),
            "baselines": {name: flat_metrics(found) for name, found in self.baselines.items()},
        } | ({} if self.offers is None else {"offers": self.offers})

    def to_pandas(self) -> pd.DataFrame:
        """A row for each measure of the model, then of its baselines, with its interval."""
        return metrics_frame({"model": self.metrics, **self.baselines})

    def __repr__(self) -> str:
        return f"Trained({self.model_uri}: tested on {self.rows['test']:,} rows)"

    def _repr_html_(self) -> str:
        from churnml.evaluation.html import table

        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        columns = ("measure", "model", *self.baselines)
        title = f"{self.name}: {self.model_uri}"
        return f"{table(title, columns, self.metric_rows())}<ul>{notes}</ul>"

    def metric_rows(self) -> list[tuple[str, ...]]:
        """The headline measures, of the model with intervals and of its baselines without."""
        sides = self.baselines.values()
        return [
            (
                name,
                format_estimate(self.metrics[name]),
                *(format_estimate(one.get(name), alone=True) for one in sides),
            )
            for name in TASKS[self.task].headline
            if name in self.metrics
        ]


def train(
    data: Source | Location | Frame,
    task: TaskName,
    *,
    until: date | str | None = None,
    id: str | None = None,
    target: str | None = None,
    scale: str | tuple[float, float] | Mapping[str, float] | None = None,
    positive: str | None = None,
    drop: str | Sequence[str] = (),
    group: str | None = None,
    time: str | None = None,
    offer: str | None = None,
    control: str | None = None,
    name: str | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    budget: str | None = None,
    engine: str | None = None,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    accept_suspects: bool = False,
    track: bool = True,
    parent_run_id: str | None = None,
    experiment: str | None = None,
    out: Location | None = None,
    overwrite: bool = False,
) -> Trained:
    """Train, test and register a model.

    Operator tables are trained on forward in time and tested on the last months; a table of
    one's own is tested on a quarter of its customers, held out. What is kept was then
    refitted on all rows.

    Parameters
    ----------
    data : Source, path, or data frame
        Operator tables; or, where ``id`` or ``target`` is given, a table of one's own: a
        file, or a frame of pandas, polars, Arrow, DuckDB or Ibis.
    task : {"churn", "satisfaction", "hazard", "offers"}
    until : date, optional
        Read nothing of operator tables at or after it, labels included; of a table with
        ``time`` only rows whose labels were known by then.
    id, target : str, optional
        Columns of a table of one's own.
    scale : str, (worst, best) or mapping, optional
        Of satisfaction: ``1:10``, ``5:1`` where 1 is best, or words with scores.
    positive : str, optional
        The target's value that means that the customer left.
    drop : str, or sequence of str
        Columns to leave out.
    group : str, optional
        The column whose rows belong together and are never parted.
    time : str, optional
        The column of the date that each row stands for: the model is then tested on the last
        months, trained on those whose labels were known by then, and dates become days
        before the row's own.
    offer, control : str, optional
        Of the task offers: the column that names each row's offer, and its value for those
        who were offered nothing.
    name : str, optional
        The registered name; by default ``<task>-<file stem>``, of a frame ``<task>-frame``.
    sheet, encoding, delimiter : str, optional
        How the file is to be read, where it does not tell.
    budget : str, optional
        Time for a search of better settings first, as ``5m``.
    engine : {"duckdb", "spark"}, optional
        What reads a folder of operator tables and builds the features; by default DuckDB. From
        Spark at most ``max_rows`` rows come here: customers drawn by hash, of the training
        months all who left, with the weights that make up for it (said in the notes).
    mapping : path, optional
        The operator's own names, codes and units.
    config : Config, path or mapping, optional
    accept_suspects : bool, default False
        Whether a model that learned from columns reported as outcomes may become champion;
        else it is registered as challenger.
    track : bool, default True
        Whether to record the run in MLflow; without it, ``out`` is needed.
    parent_run_id : str, optional
        The MLflow run that this one shall belong to, such as
        ``mlflow.active_run().info.run_id``.
    experiment : str, optional
        The name of the MLflow experiment; by default the parent's, else that of the task.
    out : path, optional
        A folder to save the model into.
    overwrite : bool, default False
        Whether a model that stands there may be replaced.

    Returns
    -------
    Trained

    Raises
    ------
    UsageError
        If options do not belong together.
    DataError
        If the input is refused, or is too little to learn from.
    ModelError
        If the model cannot be registered.
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> import churnml, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = churnml.simulate(f"{folder}/operator", customers=800, months=14)
    >>> quick = churnml.Config.model_validate(
    ...     {"churn": {"folds": 2, "repeats": 1, "max_rounds": 10, "min_positives": 2}}
    ... )
    >>> trained = churnml.train(
    ...     f"{folder}/operator", "churn", config=quick, track=False, out=f"{folder}/model"
    ... )
    >>> trained.name, sorted(trained.rows)
    ('churn', ['all', 'test', 'train'])
    """
    watch = Watch()
    under: dict[str, Any] = {"parent": parent_run_id, "experiment": experiment}
    if not track and any(under.values()):
        raise UsageError("parent_run_id and experiment are for runs that are tracked.")
    settings = as_config(config)
    named = find_task(task).name
    drop = (drop,) if isinstance(drop, str) else tuple(drop)
    if budget is not None:
        settings = with_setting(settings, f"{named}.budget", budget)
    _require_kept(track, out)
    said = {"sheet": sheet, "encoding": encoding, "delimiter": delimiter}
    if id is None and target is None and not is_frame(data):
        own = {"scale": scale, "positive": positive, "drop": drop or None, "group": group}
        own |= {"time": time}
        _refuse(own | {"name": name, "offer": offer, "control": control} | said)
        source = as_source(data, mapping=mapping, config=settings, engine=engine)
        source = source.until(until) if until else source
        with input_first(lambda: check(source, settings).accepted()):
            _require_place(out, overwrite, source.read)
        clean = check(source, settings).accepted()
        if named in _EFFECTS:
            found = fit_offers(operator_experiment(clean, settings), settings)
            return _keep_offers(found, watch, under, track=track, out=out, overwrite=overwrite)
        fitted = fit_and_test(named, split_operator(clean, named, config=settings), config=settings)
        return _keep(fitted, watch, under, track=track, out=out, overwrite=overwrite)
    if mapping is not None:
        raise UsageError("--mapping is for operator tables, not with --id.")
    if engine == "spark":
        raise UsageError("--engine spark is for operator tables, not with --id or --target.")
    if until is not None and time is None:
        raise UsageError("--until is for operator tables, and with --time.")
    _require_target(named, target)
    _require_own(named, name, scale, positive)
    options = {"id": id, "group": group, "drop": drop, "positive": positive, "scale": scale}
    with table_file(data) as path:
        reading = Reading(**said)
        with input_first(lambda: open_table(path, reading=reading)):
            _require_place(out, overwrite, ReadPlaces(places=(path,), tables=(path,)))
        place = name_of(data)
        if named in _EFFECTS:
            if time is not None:
                raise UsageError("--time is not for the task offers.")
            offered = table_experiment(
                path,
                target=str(target),
                offer=offer,
                control=control,
                source=place,
                name=name or f"{named}-{Path(place).name.split('.')[0]}",
                options=options,
                reading=reading,
                config=settings,
            )
            found = fit_offers(offered, settings)
            return _keep_offers(found, watch, under, track=track, out=out, overwrite=overwrite)
        _refuse_offers(offer, control)
        split = split_table(
            path,
            named,
            target=str(target),
            source=place,
            name=name or f"{named}-{Path(place).name.split('.')[0]}",
            options=options | {"time": time},
            reading=reading,
            config=settings,
            place=None if is_frame(data) else str(Path(str(data)).absolute()),
            until=None if until is None else parse_date(until),
        )
        fitted = fit_and_test(named, split, config=settings)
        may_lead = accept_suspects or not split.suspects
    return _keep(fitted, watch, under, track=track, out=out, overwrite=overwrite, may_lead=may_lead)


def _refuse(own: Mapping[str, Any]) -> None:
    if any(option is not None for option in own.values()):
        raise UsageError(
            "--scale, --positive, --drop, --group, --time, --name, --sheet, --encoding and "
            "--delimiter are for a table of your own.",
            hint="Name its columns with --id and --target.",
        )


def _require_target(task: TaskName, target: str | None) -> None:
    if not TASKS[task].tables:
        raise UsageError(
            "A hazard is learned from operator tables, month by month, not from a table.",
            hint="Train churn on a table of your own.",
        )
    if target is None:
        raise UsageError("A table of your own needs --target.", hint="Name its target column.")


def _require_own(task: TaskName, name: str | None, scale: object, positive: str | None) -> None:
    """Refuse what belongs to the other task, or to the models of operator tables."""
    if name in TASKS:
        raise UsageError(
            f"--name {name}: that is what models of operator tables are called.",
            hint="Choose another, such as the name of the table.",
        )
    given = {"satisfaction": ("--scale", scale), "churn": ("--positive", positive)}
    given.pop(TASKS[task].measured_as, None)
    for whose, (option, value) in given.items():
        if value is not None:
            raise UsageError(f"{option} is for {whose}, not for {task}.")


def _require_kept(track: bool, out: Location | None) -> None:
    if not track and out is None:
        raise UsageError("--no-track keeps no model.", hint="Name a folder with --out.")


def _require_place(out: Location | None, overwrite: bool, read: ReadPlaces) -> None:
    if out is not None:
        require_apart(out, read)
        bundle.BUNDLE.require_free(out, overwrite=overwrite)


def _refuse_offers(offer: str | None, control: str | None) -> None:
    if offer is not None or control is not None:
        raise UsageError("--offer and --control are for the task offers.")


def _keep_offers(
    fitted: FittedOffers,
    watch: Watch,
    under: dict[str, Any],
    *,
    track: bool,
    out: Location | None,
    overwrite: bool,
) -> Trained:
    run = replace(record_offers(fitted, watch=watch), **under)
    if out is not None:
        bundle.save(fitted.model, out, overwrite=overwrite)
    if track:
        _log.info("logging the run and registering the model in MLflow")
    logged = log_training(run) if track else Logged(model_uri=str(out))
    return Trained(
        task=fitted.model.task,
        name=fitted.model.origin.name,
        model_uri=logged.model_uri,
        run_id=logged.run_id,
        model_version=logged.model_version,
        alias=logged.alias,
        metrics=fitted.metrics,
        baselines={},
        rows=fitted.rows,
        dates=fitted.experiment.dates,
        notes=fitted.notes,
        offers=fitted.verdict.to_dict(),
    )


def _keep(
    fitted: Fitted,
    watch: Watch,
    under: dict[str, Any],
    *,
    track: bool,
    out: Location | None,
    overwrite: bool,
    may_lead: bool = True,
) -> Trained:
    run = replace(record(fitted, watch=watch), may_lead=may_lead, **under)
    if out is not None:
        bundle.save(fitted.model, out, overwrite=overwrite)
    if track:
        _log.info("logging the run and registering the model in MLflow")
    logged = log_training(run) if track else Logged(model_uri=str(out))
    return Trained(
        task=fitted.model.task,
        name=fitted.model.origin.name,
        model_uri=logged.model_uri,
        run_id=logged.run_id,
        model_version=logged.model_version,
        alias=logged.alias,
        metrics=fitted.tested.metrics,
        baselines=fitted.tested.baselines,
        rows=fitted.count_rows(),
        dates=fitted.split.list_dates(),
        notes=fitted.notes + _not_leading(fitted, logged, may_lead),
        suspects=fitted.split.suspects,
    )


def _not_leading(fitted: Fitted, logged: Logged, may_lead: bool) -> list[str]:
    """Why a model is not its name's champion though there is no other."""
    if may_lead or logged.alias is None:
        return []
    columns = ", ".join(quoted(str(one["column"])) for one in fitted.split.suspects)
    return [
        f"Registered as challenger, never as champion, for it learned from {columns}: leave such "
        "columns out with --drop, or accept them with --accept-suspects."
    ]
