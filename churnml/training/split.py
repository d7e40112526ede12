"""Split the rows of a training: to train on, to test on, and all of them.

Operator tables are split forward in time, a table of one's own by customer; from here on
both are trained in the same way.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.base.tasks import TASKS, TaskName
from churnml.config.settings import Config
from churnml.datasets import dataset, nonresponse
from churnml.datasets.dataset import Dataset, digest
from churnml.datasets.flat import Reading, read_training
from churnml.datasets.flat.dataset import flat_dataset
from churnml.datasets.split_dates import Dates, plan_dates
from churnml.datasets.splits import group_split
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
        Of operator tables.
    notes : list of str
        What the user should know of the rows.
    tags : dict of str to str
        Where the operator tables lie, for whoever measures the model later.
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
        """The ``as_of`` dates of each; empty for a flat table."""
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
        coverage=dates.coverage,
    )
    train = dataset.known_at(task, data.at(dates.train), dates.test[0], config)
    dataset.require_enough(task, train, settings.fewest)
    notes = [f"Table {name} is absent, and so are its features." for name in source.missing]
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
) -> Split:
    """Split a flat table, holding out a quarter of its customers.

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
        ``id``, ``group``, ``drop``, ``positive``, ``scale`` of
        `churnml.datasets.flat.read_training`.
    reading : Reading
    config : Config
    """
    _log.info("reading %s", source)
    table = read_training(
        path,
        task=task,
        target=target,
        reading=reading,
        availability=config.availability,
        set_aside_limit=config.validation.set_aside_limit,
        **options,
    )
    data = flat_dataset(table)
    dataset.require_enough(task, data, dataset.settings(task, config).fewest)
    here, there = group_split(data.y, data.groups, test_share=_TEST_SHARE)
    train, test = data.rows(here), data.rows(there)
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
    return Split(
        train=train,
        test=test,
        all=data,
        origin=origin,
        before=replace(
            origin,
            rows=len(train),
            customers=int(train.groups.nunique()),
            digest=digest(train),
        ),
        source=without_secrets(source),
        notes=list(table.notes),
        suspects=[one.to_dict() for one in table.suspects],
    )
