"""Split the rows of a training: to train on, to test on, and all of them.

Operator tables are split forward in time, a table of one's own by customer, or forward in
time too where its rows tell their dates; from here on all are trained in the same way.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.base.tasks import TASKS, TaskName
from churnml.base.text import quoted
from churnml.config.settings import Config
from churnml.datasets import dataset, nonresponse
from churnml.datasets.dataset import Dataset, digest
from churnml.datasets.drawn import sampling_note
from churnml.datasets.flat import FlatData, Reading, read_training
from churnml.datasets.flat.dataset import flat_dataset
from churnml.datasets.split_dates import Dates, plan_dates
from churnml.datasets.splits import group_split
from churnml.datasets.table_months import TableMonths, months_of
from churnml.errors.masking import without_secrets
from churnml.features import declared
from churnml.models.model import Origin
from churnml.registry.versions import MAPPING, SOURCE
from churnml.tables.places import places_of
from churnml.tables.source import Source

if TYPE_CHECKING:
    import pandas as pd

    from churnml.features import Feature

_TEST_SHARE = 0.25
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Split:
    """Training and test rows, and where they come from.

    Attributes
    ----------
    train, test : Dataset
        No customer's row of the same period is in both.
    all : Dataset
        What the model that is kept is fitted to.
    origin : Origin
        Of the model that is kept.
    before : Origin
        Of the model that is tested, which has seen ``train`` alone.
    source : str
        Where the rows were read from.
    features : sequence of Feature
        The declarations of an operator's features; none of a table of one's own.
    dates : Dates or None
        Of operator tables, and of a table whose rows tell theirs.
    notes : list of str
        What the user should know of the rows.
    tags : dict of str to str
        Where the tables lie, for whoever measures the model later.
    suspects : list of dict
        Of a table of one's own: columns that look like outcomes.
    balance : DataFrame or None
        Of those who answered surveys, as `churnml.metrics.balance` gives it.
    """

    train: Dataset
    test: Dataset
    all: Dataset
    origin: Origin = field(default_factory=Origin)
    before: Origin = field(default_factory=Origin)
    source: str = ""
    features: Sequence[Feature] = ()
    dates: Dates | None = None
    notes: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    suspects: list[dict[str, Any]] = field(default_factory=list)
    balance: pd.DataFrame | None = None

    def count_rows(self) -> dict[str, int]:
        """Rows of ``train``, ``test`` and ``all``."""
        return {"train": len(self.train), "test": len(self.test), "all": len(self.all)}

    def list_dates(self) -> dict[str, list[str]]:
        """The ``as_of`` dates of each; empty for a table whose rows tell none."""
        if self.dates is None:
            return {}
        parts = ("train", "test", "all")
        return {name: [str(day) for day in getattr(self.dates, name)] for name in parts}


def split_operator(source: Source, task: TaskName, *, config: Config) -> Split:
    """Features and labels of an operator's customers, split forward in time.

    Parameters
    ----------
    source : Source
        Its good rows.
    task : {"churn", "satisfaction", "hazard"}
    config : Config

    Raises
    ------
    LabelWindowError
        If there is not one date to train on and one to test on.
    DataError
        If there are too few rows to learn from.
    """
    dates = plan_dates(source, task, config)
    settings = dataset.settings(task, config)
    first, last = dates.all[0], dates.all[-1]
    _log.info("building features at %d dates, %s to %s", len(dates.all), first, last)
    data = dataset.build_dataset(
        source,
        task,
        dates.all,
        config=config,
        max_rows=settings.max_rows,
        keep_before=None if TASKS[task].kind == "score" else dates.test[0],
        coverage=dates.coverage,
    )
    drawn = []
    if data.weights is not None:
        drawn = [sampling_note(data.weights)]
        alike = data.weights.nunique() == 1
        data = replace(data, weights=None if alike else data.weights / data.weights.mean())
    train = dataset.known_at(task, data.at(dates.train), dates.test[0], config)
    dataset.require_enough(task, train, settings.fewest)
    notes = [f"Table {name} is absent, and so are its features." for name in source.missing]
    notes += drawn
    balance = None
    if TASKS[task].surveyed:
        (train, data), response, more = nonresponse.weight_answers(source, (train, data), config)
        balance = None if response is None else response.balance
        notes += more
    return Split(
        train=train,
        test=data.at(dates.test),
        all=data,
        origin=_operator_origin(task, config, dates.all, data, source),
        before=_operator_origin(task, config, dates.train, train, source),
        source=source.location,
        features=declared(source.tables),
        dates=dates,
        notes=notes,
        tags=place_tags(source),
        balance=balance,
    )


def place_tags(source: Source) -> dict[str, str]:
    """The absolute location of the tables, so that later commands find them from any folder."""
    place = source.address
    if not place:
        # Frames in memory are found by nobody else.
        return {}
    found = {SOURCE: place if "://" in place else str(Path(place).absolute())}
    return found | ({MAPPING: source.mapping_file} if source.mapping_file else {})


def _operator_origin(
    task: TaskName, config: Config, days: Sequence[date], data: Dataset, source: Source
) -> Origin:
    return Origin(
        name=task,
        kind="operator",
        label=dataset.label_facts(task, config),
        as_of=tuple(str(day) for day in days),
        window=(str(days[0]), str(dataset.labelled_until(task, data, days[-1], config))),
        rows=len(data),
        customers=int(data.groups.nunique()),
        digest=digest(data),
        config=config.digest(),
        operator=source.operator,
        places=places_of(source),
    )


def split_table(
    path: Path,
    task: TaskName,
    *,
    target: str,
    source: str,
    name: str,
    options: Mapping[str, Any],
    reading: Reading,
    config: Config,
    place: str | None = None,
    until: date | None = None,
) -> Split:
    """Split a flat table: a quarter of its customers held out, or its last months.

    Parameters
    ----------
    path : path
    task : {"churn", "satisfaction"}
    target : str
    source : str
        What the table is called.
    name : str
        What the model will be called.
    options : mapping
        ``id``, ``group``, ``time``, ``drop``, ``positive``, ``scale`` of
        `churnml.datasets.flat.read_training`.
    reading : Reading
    config : Config
    place : str, optional
        Where the table lies, for whoever measures the model later.
    until : date, optional
        Of a table whose rows tell their dates: leave out those whose labels were not known
        before it.

    Raises
    ------
    LabelWindowError
        If rows tell their dates and there is not one month to train on and one to test on.
    DataError
        If there are too few rows to learn from.
    """
    table = read_own(path, task, target, source, options, reading, config)
    data = flat_dataset(table)
    months = None
    if table.times is not None:
        months = months_of(data, dataset.label_window(task, config), source)
        months = months if until is None else months.until(until)
        data = months.data
    fewest = dataset.settings(task, config).fewest
    dataset.require_enough(task, data, fewest)
    origin = Origin(
        name=name,
        kind="table",
        label={"target": target, "positive": options["positive"], "scale": options["scale"]},
        rows=len(data),
        customers=int(data.groups.nunique()),
        digest=digest(data),
        config=config.digest(),
        table=table.signature,
    )
    shared: dict[str, Any] = {
        "source": without_secrets(source),
        "suspects": [one.to_dict() for one in table.suspects],
    }
    if months is not None:
        dates = months.plan(dataset.settings(task, config).test_months)
        train = data.at(dates.train)
        dataset.require_enough(task, train, fewest)
        dated = _dated_origin(origin, months, dates.all)
        return Split(
            train=train,
            test=data.at(dates.test),
            all=data,
            origin=dated,
            before=_of_part(_dated_origin(origin, months, dates.train), train),
            dates=dates,
            notes=[*table.notes, _forward(months, dates, str(options["time"]))],
            tags={SOURCE: place} if place else {},
            **shared,
        )
    here, there = group_split(data.y, data.groups, test_share=_TEST_SHARE)
    train, test = data.rows(here), data.rows(there)
    return Split(
        train=train,
        test=test,
        all=data,
        origin=origin,
        before=_of_part(origin, train),
        notes=list(table.notes),
        **shared,
    )


def read_own(
    path: Path,
    task: TaskName,
    target: str,
    source: str,
    options: Mapping[str, Any],
    reading: Reading,
    config: Config,
) -> FlatData:
    """Read a flat table to learn from, with the settings of columns and rows."""
    _log.info("reading %s", source)
    return read_training(
        path,
        task=task,
        target=target,
        reading=reading,
        availability=config.availability,
        set_aside_limit=config.validation.set_aside_limit,
        **options,
    )


def _of_part(origin: Origin, rows: Dataset) -> Origin:
    customers = int(rows.groups.nunique())
    return replace(origin, rows=len(rows), customers=customers, digest=digest(rows))


def _dated_origin(origin: Origin, months: TableMonths, days: Sequence[date]) -> Origin:
    """An origin that says which months were learned from, and where their labels end."""
    window = {"gap": months.window.gap, "horizon": months.window.horizon}
    return replace(
        origin,
        label={**origin.label, "time": origin.table["time"], **window},
        as_of=tuple(str(day) for day in days),
        window=(str(days[0]), str(max(months.known[day] for day in days))),
    )


def _forward(months: TableMonths, dates: Dates, time: str) -> str:
    """Note how the test lies ahead of the training."""
    gap, horizon = months.window.gap, months.window.horizon
    waited = horizon if gap == "0d" else f"{gap} and {horizon}"
    first, last = dates.train[0], dates.train[-1]
    until = f"{first}" if first == last else f"{first} to {last}"
    return (
        f"Tested forward in time by {quoted(time)}: trained on {until}, tested on "
        f"{', '.join(map(str, dates.test))}; a label is taken to be known {waited} after its row's "
        "date (gap and horizon of the task's settings)."
    )
