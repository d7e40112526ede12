"""The record of a training, as plain data, which `churnml.registry.tracking` logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from churnml.models.model import InputColumn, Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure


LoggedTable = Mapping[str, Sequence[Any]]
"""Columns with their values."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """A description of the training data, without any row.

    Attributes
    ----------
    name : str
    source : str
        Where it was read from.
    digest : str
    rows : int
    target : str
    """

    name: str
    source: str
    digest: str
    rows: int
    target: str


@dataclass(frozen=True)
class Curve:
    """A measure with several values in one run, such as one per boosting round.

    Attributes
    ----------
    values : sequence of float
    steps : sequence of int
        Of equal length; by default 1, 2, ...
    moments : sequence of datetime
        Of equal length, with time zones; by default the start of the run.
    """

    values: Sequence[float]
    steps: Sequence[int] = ()
    moments: Sequence[datetime] = ()


@dataclass(frozen=True, kw_only=True)
class Child:
    """A nested run: a fold of a training, a trial of a search.

    Attributes
    ----------
    title : str
    kind : str
        ``fold`` or ``trial``, by which the UI can filter (tag ``churnml.child``).
    params : mapping of str to value
    metrics : mapping of str to float
        By the same names as those of the training.
    curves : mapping of str to Curve
    tags : mapping of str to str
    notes : str
        Markdown.
    children : sequence of Child
    seconds : float, optional
        How long it took.
    failed : bool
    """

    title: str
    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""
    children: Sequence[Child] = ()
    seconds: float | None = None
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """The record of a finished training.

    Attributes
    ----------
    model : Model
        Its ``origin.name`` is the name to register it under.
    title : str
        The run's name, for people.
    data : Data
    before : Model, optional
        As it was before the refit on all rows, with the dates that it learned from: what
        can be measured on the others.
    params : mapping of str to value
    metrics : mapping of str to float
        What a run list shows. A prefix with a slash, as in ``regression/auc``, makes a
        section of charts of its own in the UI.
    curves : mapping of str to Curve
        Measures by step.
    tags : mapping of str to str
    importance : mapping of str to float
        By column.
    tables : mapping of str to table
        By file name without ending; each a mapping of column to values, of sums, means and
        counts, never of customers.
    figures : mapping of str to callable
        By file name without ending; each draws one figure.
    notes : str
        Markdown: what the model predicts, on which data, how well, and its limits.
    started : datetime, optional
        With a time zone.
    children : sequence of Child
    may_lead : bool
        Whether it becomes champion where there is none.
    parent : str, optional
        The run that it belongs to.
    experiment : str, optional
        The experiment's name; by default the parent's, else that of the task.
    """

    model: Model
    title: str
    data: Data
    before: Model | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    importance: Mapping[str, float] = field(default_factory=dict)
    tables: Mapping[str, LoggedTable] = field(default_factory=dict)
    figures: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)
    notes: str = ""
    started: datetime | None = None
    children: Sequence[Child] = ()
    may_lead: bool = True
    parent: str | None = None
    experiment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Logged:
    """Where a training was logged.

    Attributes
    ----------
    run_id, model_version : str or None
        ``None`` where nothing was tracked.
    model_uri : str
        What ``score --churn-model`` and MLflow take.
    alias : str or None
        ``champion`` or ``challenger``.
    """

    model_uri: str
    run_id: str | None = None
    model_version: str | None = None
    alias: str | None = None


@dataclass(frozen=True)
class Item:
    """A file of the run: text, a table, or a figure that is drawn when it is logged."""

    path: str
    content: str | LoggedTable | Callable[[], Figure]


def items(training: TrainingRecord) -> Iterator[Item]:
    """The files to log with a run."""
    for name, table in all_tables(training).items():
        yield Item(f"tables/{name}.json", table)
    for name, draw in training.figures.items():
        yield Item(f"figures/{name}.png", draw)
    if training.notes:
        yield Item("README.md", training.notes)


def all_tables(training: TrainingRecord) -> dict[str, LoggedTable]:
    """The tables to log with a run, by file name without extension."""
    tables = dict(training.tables)
    if training.importance:
        tables["importance"] = _importance_table(training)
    return tables


def _importance_table(training: TrainingRecord) -> LoggedTable:
    inputs = {column.name: column for column in training.model.inputs}
    ranked = sorted(training.importance.items(), key=lambda item: (-item[1], item[0]))
    total = sum(training.importance.values()) or 1.0
    known = [inputs.get(name) for name, _ in ranked]
    return {
        "feature": [name for name, _ in ranked],
        "driver": [column.driver if column else "" for column in known],
        "share": [round(float(value) / total, 6) for _, value in ranked],
        "mean_absolute_contribution": [float(value) for _, value in ranked],
        "unit": [_said(column, "unit") for column in known],
        "meaning": [_said(column, "en") for column in known],
        "含义": [_said(column, "zh") for column in known],
    }


def _said(column: InputColumn | None, what: str) -> str:
    return str((column.feature or {}).get(what, "")) if column else ""


def requirements(model: Model) -> list[str]:
    """The pinned packages that the model needs at run time."""
    return [f"{name}=={version}" for name, version in sorted(model.versions.items())]


def origin_params(model: Model) -> dict[str, Any]:
    """A model's origin as parameters of its run."""
    facts = asdict(model.origin)
    return {
        "name": facts["name"],
        "as_of": ", ".join(facts["as_of"]),
        "columns": len(model.inputs),
        "rows": facts["rows"],
        "customers": facts["customers"],
    }


def headline(metrics: Mapping[str, float], names: Sequence[str]) -> str:
    """List metrics in Markdown, with their intervals where known.

    >>> headline({"auc": 0.8, "auc_low": 0.78, "auc_high": 0.82}, ["auc"])
    '- auc: 0.8 (0.78 to 0.82)'
    """
    lines = []
    for name in names:
        if name not in metrics:
            continue
        ends = [metrics.get(f"{name}_{end}") for end in ("low", "high")]
        span = f" ({ends[0]:.4g} to {ends[1]:.4g})" if None not in ends else ""
        lines.append(f"- {name}: {metrics[name]:.4g}{span}")
    return "\n".join(lines)
