"""What a training leaves behind, as plain data; `churnml.tracking` is the loop that logs it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from churnml.model import Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Data:
    """What was trained on, without a row of it.

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
class Training:
    """A finished training, as it shall be kept.

    Attributes
    ----------
    model : Model
        Its ``origin.name`` is the name to register it under.
    title : str
        The run's name, for people.
    data : Data
    params : mapping of str to value
    metrics : mapping of str to float
        Ends of intervals bear the name of the metric with ``_low`` and ``_high``.
    tags : mapping of str to str
    importance : mapping of str to float
        By column.
    figures : mapping of str to callable
        By file name without ending; each draws one figure.
    notes : str
        Markdown: what the model predicts, on which data, how well, and its limits.
    started : datetime, optional
        With a time zone.
    """

    model: Model
    title: str
    data: Data
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    importance: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)
    notes: str = ""
    started: datetime | None = None


@dataclass(frozen=True)
class Logged:
    """Where a training was kept.

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
    """A file of the run: text, or a figure that is drawn when its turn comes."""

    path: str
    content: str | Callable[[], Figure]


def items(training: Training) -> Iterator[Item]:
    """The files that a run keeps."""
    if training.importance:
        yield Item("importance.csv", _importance_table(training))
    for name, draw in training.figures.items():
        yield Item(f"figures/{name}.png", draw)
    if training.notes:
        yield Item("README.md", training.notes)


def _importance_table(training: Training) -> str:
    drivers = {column.name: column.driver for column in training.model.inputs}
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["feature", "driver", "importance"])
    ranked = sorted(training.importance.items(), key=lambda item: (-item[1], item[0]))
    rows.writerows([name, drivers.get(name, ""), repr(float(value))] for name, value in ranked)
    return table.getvalue()


def requirements(model: Model) -> list[str]:
    """The pinned packages that the model needs at run time."""
    return [f"{name}=={version}" for name, version in sorted(model.versions.items())]


def origin_params(model: Model) -> dict[str, Any]:
    """Where a model comes from, as parameters of its run."""
    facts = asdict(model.origin)
    return {
        "name": facts["name"],
        "as_of": ", ".join(facts["as_of"]),
        "columns": len(model.inputs),
        "rows": facts["rows"],
        "customers": facts["customers"],
        "config": facts["config"],
    }


def headline(metrics: Mapping[str, float], names: Sequence[str]) -> str:
    """The named metrics as a Markdown list, each with its interval where there is one.

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
