"""Join features and labels into the data that models learn from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from html import escape
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir
from numpy.typing import NDArray

from churnml.base.dates import parse_dates, with_days
from churnml.base.tasks import TASKS, TaskName, find_task
from churnml.config.settings import (
    ChurnSettings,
    Config,
    ConfigGiven,
    HazardSettings,
    SatisfactionSettings,
    TrainingSettings,
    as_config,
)
from churnml.datasets.drawn import WEIGHT, draw
from churnml.datasets.leakage import withheld
from churnml.errors import DataError, LabelWindowError
from churnml.features import build_features, declared
from churnml.labels import coverage, hazard
from churnml.labels import window as labels
from churnml.labels.coverage import Coverage
from churnml.metrics.survival import known_outcomes
from churnml.tables import asof
from churnml.tables.checked import Location, as_tables
from churnml.tables.contract import TABLES
from churnml.tables.source import Source
from churnml.tables.source.engines import spark

Tables = Mapping[str, ir.Table]

LABEL = ("gap", "horizon", "definition", "silence_months")
"""The settings that say what a label is, as far as a task has them."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Features, labels, customers and dates of a task.

    Attributes
    ----------
    X : DataFrame, shape (n, n_features)
        Numbers as ``float32`` and ``int32``.
    y : Series, shape (n,)
        Churn: 0 or 1, 1 for those who left. Satisfaction: 0 to 100. Hazard: the month of
        leaving from 1 on, or less than 0 and the months seen of those who stayed.
    groups : Series, shape (n,)
        The customer, so that no split parts one customer's rows.
    times : Series, shape (n,)
        The row's ``as_of``.
    weights : Series, shape (n,), or None
        How much each row counts in training; all alike where there are none.
    regions : Series, shape (n,), or None
        Where each row's customer lived at its date: no feature, but models are measured region
        by region. None where the source does not say.
    """

    X: pd.DataFrame
    y: pd.Series
    groups: pd.Series
    times: pd.Series
    weights: pd.Series | None = None
    regions: pd.Series | None = None

    def at(self, days: Iterable[date]) -> Dataset:
        """The rows of these ``as_of`` dates."""
        return self.rows(np.flatnonzero(self.times.isin(list(days))))

    def rows(self, places: NDArray[np.int64]) -> Dataset:
        """The rows at these places."""
        parts: dict[str, Any] = {
            name: None if part is None else part.iloc[places].reset_index(drop=True)
            for name, part in vars(self).items()
        }
        return Dataset(**parts)

    @property
    def keys(self) -> pd.DataFrame:
        """``customer_id`` and ``as_of`` of each row, as they merge with those of other frames."""
        return with_days(pd.DataFrame({"customer_id": self.groups, "as_of": self.times}), "as_of")

    def to_pandas(self) -> pd.DataFrame:
        """Keys, target and features in one frame, whose keys merge with those of other frames."""
        return pd.concat([self.keys, self.y.rename("target"), self.X], axis=1)

    def to_dict(self) -> dict[str, Any]:
        """What is in it, as plain data: rows, customers, features, and the dates one by one."""
        return {
            "rows": len(self),
            "customers": int(self.groups.nunique()),
            "features": list(map(str, self.X.columns)),
            "target": str(self.y.name),
            "dates": [
                {"as_of": str(day), "rows": len(known), "mean": float(known.mean())}
                for day, known in self.y.groupby(self.times.to_numpy())
            ],
        }

    def _repr_html_(self) -> str:
        dates = pd.DataFrame(self.to_dict()["dates"], columns=["as_of", "rows", "mean"])
        shown = dates.set_axis(["as of", "rows", f"mean of {self.y.name}"], axis=1)
        return f"<p>{escape(repr(self))}</p>{shown.to_html(index=False, border=0)}"

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        days = sorted(set(self.times))
        span = f"{days[0]} to {days[-1]}" if days else "no date"
        return (
            f"Dataset({len(self)} rows, {self.X.shape[1]} features, "
            f"{self.groups.nunique()} customers, {len(days)} dates: {span})"
        )


def build_dataset(
    source: Source | Location,
    task: TaskName,
    as_of: date | str | Iterable[date | str],
    *,
    config: ConfigGiven | None = None,
    max_rows: int | None = None,
    keep_before: date | None = None,
    coverage: Coverage | None = None,
) -> Dataset:
    """Features at each ``as_of``, with labels of what happened next.

    Parameters
    ----------
    source : Source or path
        Of a path, the good rows.
    task : {"churn", "satisfaction", "hazard"}
    as_of : date, or several
    config : Config, path or mapping, optional
        Its section of the task says where the label looks.
    max_rows : int, optional
        At most about this many rows: a sample of the customers, the same every time. On Spark
        they are drawn by hash, and where the sample is not the whole, rows have weights.
    keep_before : date, optional
        On Spark: of the dates before it, keep all rows of those who left.
    coverage : Coverage, optional
        The dates that the source covers for this label, where they are known already.

    Returns
    -------
    Dataset
        One row for every labelled customer and date, ordered by date and customer.

    Raises
    ------
    LabelWindowError
        If the data does not cover the label window of a date, or no bill's month had ended
        by then; says the first or last usable date.
    DataError
        If a feature reads what is declared to be had by some customers only.
    UsageError
        If the source lacks the table that the label needs.
    """
    config = as_config(config)
    days = parse_dates(as_of)
    source = as_tables(source, config=config)
    out = withheld(declared(source.tables), config.availability, source.availability)
    y = _outcome(source, task, days, config, coverage or covered(source, task, config))
    target = y.columns[-1]
    if spark.on_spark(y.get_backend()):
        spark.register(y)
    y = y.cache()
    whole = y  # Its rows are let go with it.
    if max_rows is not None and spark.on_spark(y.get_backend()):
        y = draw(y, max_rows, keep_before=keep_before)
    elif max_rows is not None:
        y = _sample(y, max_rows)
    spine = y.select("customer_id", "as_of")
    rows = build_features(source, days, config=config, spine=spine).drop(*out)
    rows = rows.join(y, ["customer_id", "as_of"])
    table = _narrowed(rows).order_by("as_of", "customer_id").to_pyarrow()
    del whole
    if table.num_rows == 0:
        raise LabelWindowError(f"No labelled customer at {', '.join(map(str, days))}.")
    weights = None
    if WEIGHT in table.column_names:
        weights = pd.Series(table[WEIGHT].to_pandas(), name="weight").astype("float64")
        table = table.drop_columns([WEIGHT])
    y, groups, times = (
        pd.Series(table[name].to_pandas(), name=name) for name in (target, "customer_id", "as_of")
    )
    table = table.drop_columns([target, "customer_id", "as_of"])
    # Column by column, and Arrow's copy is given up on the way: half the memory.
    return Dataset(
        X=table.to_pandas(split_blocks=True, self_destruct=True),
        y=y,
        groups=groups,
        times=times,
        weights=weights,
        regions=_regions(source, spine),
    )


def _regions(source: Source, spine: ir.Table) -> pd.Series | None:
    """The region of every customer at every date, in the order of a dataset's rows."""
    customers = source.tables["customers"]
    if "region" not in customers.columns:
        return None
    versions = asof.in_force(customers, TABLES["customers"], spine)
    known = versions.select("customer_id", "as_of", "region")
    rows = spine.left_join(known, ["customer_id", "as_of"]).order_by("as_of", "customer_id")
    # A few names over and over: as categories they take a fraction of the memory.
    return rows.select("region").to_pyarrow()["region"].dictionary_encode().to_pandas()


def _outcome(
    source: Source, task: TaskName, days: Sequence[date], config: Config, known: Coverage
) -> ir.Table:
    """The task's labels after each date, in the last column."""
    section, label = settings(task, config), _LABELS[task]
    coverage.require_coverage(
        days, label.taught(section), known.until, known.since, earliest=known.earliest
    )
    return label.outcome(source.tables, days, section, known)


def _window(section: TrainingSettings) -> labels.Window:
    return labels.Window(section.gap, section.horizon)


def _first_month(section: TrainingSettings) -> labels.Window:
    return labels.Window(section.gap, "1mo")


def _months_seen(section: TrainingSettings, y: pd.Series) -> labels.Window:
    # Known for as long as those who stayed were seen.
    return labels.Window(section.gap, f"{int(y.abs().max())}mo")


def _left(
    tables: Tables, days: Sequence[date], section: ChurnSettings, known: Coverage
) -> ir.Table:
    return labels.churn(tables, days, _window(section), section.definition)


def _answer(
    tables: Tables, days: Sequence[date], section: SatisfactionSettings, known: Coverage
) -> ir.Table:
    return labels.satisfaction(tables, days, _window(section))


def _month_of_leaving(
    tables: Tables, days: Sequence[date], section: HazardSettings, known: Coverage
) -> ir.Table:
    return hazard.month_of_leaving(
        tables,
        days,
        until=known.until,
        since=known.since,
        gap=section.gap,
        months=section.months,
        definition=section.definition,
        silence=section.silence_months,
    )


def covered(source: Source, task: TaskName, config: Config) -> Coverage:
    """The dates covered by the data that a task's labels and features need."""
    # Only labels of leaving have a definition, which may need more tables.
    return coverage.covered(source.tables, getattr(settings(task, config), "definition", None))


def label_facts(task: TaskName, config: Config) -> dict[str, Any]:
    """What the label of a task is, as models keep it."""
    section = settings(task, config)
    return {name: getattr(section, name) for name in LABEL if hasattr(section, name)}


def labelled_until(task: TaskName, data: Dataset, day: date, config: Config) -> date:
    """The first date after all that the labels of a date's rows look at."""
    known = data.y[(data.times == day).to_numpy()]
    return _LABELS[task].seen(settings(task, config), known).end(day)


def known_at(task: TaskName, data: Dataset, at: date, config: Config) -> Dataset:
    """Rows with their outcomes as they were known at a date."""
    return _LABELS[task].known_at(data, at, settings(task, config).gap)


def censored(data: Dataset, at: date, gap: str = "0d") -> Dataset:
    """Censor the outcomes of the hazard task at a date.

    Customers who left later count as still there; those observed for less than a month are dropped.
    """
    seen = {day: hazard.months_seen(day, at, gap=gap, months=60) for day in set(data.times)}
    months = data.times.map(seen).to_numpy()
    observed = data.rows(np.flatnonzero(months > 0))
    months = months[months > 0]
    y = observed.y.to_numpy()
    known = np.where(np.abs(y) > months, -months, y).astype(y.dtype)
    return replace(observed, y=pd.Series(known, name=observed.y.name))


def with_columns(data: Dataset, more: pd.DataFrame) -> Dataset:
    """The rows with further columns."""
    return replace(data, X=pd.concat([data.X, more], axis=1))


def left_within(data: Dataset, months: int) -> Dataset:
    """The rows of the hazard task that tell who left within some months, as churn labels."""
    known, left = known_outcomes(data.y, data.times, months)
    return replace(data.rows(np.flatnonzero(known)), y=pd.Series(left, name="churned"))


@dataclass(frozen=True, kw_only=True)
class _Label:
    """How a task is labelled.

    Attributes
    ----------
    outcome : function
        Of tables, dates, the task's settings and what is covered: the labels, in the last
        column.
    taught : function
        Of the settings: the window that must be over before an outcome teaches.
    seen : function
        Of the settings and a date's outcomes: the window that they are known for.
    known_at : function
        Of rows, a date and the gap: the rows as they were known at the date.
    """

    outcome: Callable[[Tables, Sequence[date], Any, Coverage], ir.Table]
    taught: Callable[[TrainingSettings], labels.Window] = _window
    seen: Callable[[TrainingSettings, pd.Series], labels.Window] = lambda section, y: _window(
        section
    )
    known_at: Callable[[Dataset, date, str], Dataset] = lambda data, at, gap: data


_LABELS: Mapping[str, _Label] = {
    "churn": _Label(outcome=_left),
    "satisfaction": _Label(outcome=_answer),
    # A month's outcome already teaches a hazard; to be tested it needs all of them.
    "hazard": _Label(
        outcome=_month_of_leaving, taught=_first_month, seen=_months_seen, known_at=censored
    ),
}


def digest(data: Dataset) -> str:
    """SHA-256 of features, labels, customers and dates; the order of rows is of no account."""
    parts = (data.X, data.y, data.groups, data.times)
    rows = [pd.util.hash_pandas_object(part, index=False).to_numpy() for part in parts]
    found = hashlib.sha256("\0".join(map(str, data.X.columns)).encode())
    found.update(np.column_stack(rows)[np.lexsort(rows)].tobytes())
    return found.hexdigest()


def require_enough(task: TaskName, data: Dataset, fewest: int) -> None:
    """Refuse to learn from too few of those who left, or too few answers.

    Raises
    ------
    DataError
        Says how many there are.
    """
    if TASKS[task].kind == "score":
        rarer, what = len(data), f"{len(data)} {TASKS[task].who}"
    else:
        left = int((data.y > 0).sum())
        rarer = min(left, len(data) - left)
        what = f"{left} of {len(data)} rows left"
    if rarer < fewest:
        raise DataError(
            f"{task}: {what}; at least {fewest} expected to learn from.",
            hint="Give more months or more customers."
            if data.times.notna().any()
            else "Give more rows whose outcome is known.",
            count=rarer,
        )


def _narrowed(rows: ir.Table) -> ir.Table:
    """Convert the rows to 32-bit types, which is what the estimators learn from anyway."""
    narrow = {
        name: rows[name].cast("float32" if kind.is_floating() else "int32")
        for name, kind in rows.schema().items()
        if kind.is_floating() or kind.is_integer()
    }
    return rows.mutate(**narrow)


def label_window(task: TaskName, config: Config) -> labels.Window:
    """Where the label of a task looks."""
    return _window(settings(task, config))


def taught_window(task: TaskName, config: Config) -> labels.Window:
    """What must be over before an outcome teaches."""
    return _LABELS[task].taught(settings(task, config))


def settings(task: TaskName, config: Config) -> TrainingSettings:
    """The settings of a task.

    Raises
    ------
    UsageError
        If there is no such task.
    """
    section: TrainingSettings = getattr(config, find_task(task).name)
    return section


def _sample(y: ir.Table, max_rows: int) -> ir.Table:
    """Keep all rows of every k-th customer, about ``max_rows`` in total."""
    rows = y.count().execute()
    if rows <= max_rows:
        return y
    every = -(-rows // max_rows)
    number = ibis.dense_rank().over(ibis.window(order_by="customer_id"))
    return y.mutate(number=number).filter(_.number % every == 0).drop("number")
