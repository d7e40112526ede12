"""What a finished training leaves behind for people: numbers, curves, tables, figures, a card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from churnml.config.settings import TrainingSettings as Settings
from churnml.datasets.dataset import Dataset, Task
from churnml.metrics import HEADLINE, Estimate
from churnml.models.bundle import Model
from churnml.models.cards import mlflow_notes as cards
from churnml.registry.tracking.run import Data, TrainingRecord, origin_params
from churnml.training import fit as training
from churnml.training.curves import boosting, by_date, folds, system, trials
from churnml.training.system_metrics import Watch

if TYPE_CHECKING:
    import pandas as pd

    from churnml.training.tune import Search

_SECTIONS = {"regression": "regression", "one booster": "booster"}
"""Where a run keeps the measures of each baseline that learns."""


@dataclass(frozen=True)
class Finished:
    """A training that is to be kept.

    Attributes
    ----------
    task : {"churn", "satisfaction"}
    model : Model
        Refitted on all rows.
    before : Model
        As it was tested.
    fitted : Fitted
    rows, dates : dict
        Of ``train``, ``test`` and ``all``.
    notes : list of str
    settings : TrainingRecord
    watch : Watch
        Since the start.
    place : dict of str to str
        Tags that say where the data lie.
    search : Search, optional
        For better settings.
    drift : DataFrame, optional
        Of the features, by date.
    balance : DataFrame, optional
        Of those who answered, as `churnml.metrics.balance` gives it.
    """

    task: Task
    model: Model
    before: Model
    fitted: training.Fitted
    rows: dict[str, int]
    dates: dict[str, list[str]]
    notes: list[str]
    settings: Settings
    watch: Watch
    place: dict[str, str]
    search: Search | None = None
    drift: pd.DataFrame | None = None
    balance: pd.DataFrame | None = None


def record(done: Finished, data: Dataset, source: str) -> TrainingRecord:
    """The run of a finished training.

    Parameters
    ----------
    done : Finished
    data : Dataset
        All rows.
    source : str
        Where they were read from.
    """
    model, tested = done.model, done.fitted.tested
    curves = boosting(done.task, done.fitted.estimator)
    tables = {"metrics": _metrics_table(done.task, tested.metrics, tested.baselines)}
    if model.tested.get("reliability"):
        tables["calibration"] = _columns(model.tested["reliability"])
    for name, table in (("drift", done.drift), ("balance", done.balance)):
        if table is not None and len(table):
            known = table.astype(object).where(table.notna(), None)
            tables[name] = {str(column): known[column].tolist() for column in known}
    if done.dates.get("test") and done.task in ("churn", "satisfaction"):
        tables["by_date"], more = by_date(done.task, tested)
        curves |= more
    return TrainingRecord(
        model=model,
        title=title(model),
        data=Data(
            name=Path(source).name or source,
            source=source,
            digest=model.origin.digest,
            rows=len(data),
            target=str(data.y.name),
        ),
        before=done.before,
        params=_params(done),
        metrics=_metrics(done),
        curves=curves | system(done.watch.stop()),
        tags=done.place,
        importance=model.tested["importance"],
        tables=tables,
        figures=_figures(done),
        notes=cards.training_card(
            model, tested.metrics, tested.baselines, done.rows, done.dates, done.notes
        ),
        started=done.watch.started,
        children=[
            *folds(done.task, done.fitted.estimator),
            *trials(done.task, done.search),
        ],
    )


def title(model: Model) -> str:
    """A run's name that a person can read.

    Operator: task, label and last date; table: task and registered name.
    """
    origin = model.origin
    if origin.kind == "table":
        return f"{model.task} · {origin.name}"
    label = origin.label
    what = [model.task, *([label["definition"]] if "definition" in label else [])]
    return " · ".join([*what, cards.spaced(str(label["horizon"])), origin.as_of[-1][:7]])


def _params(done: Finished) -> dict[str, Any]:
    """What was set; what was left to a rule is not told."""
    found = origin_params(done.model)
    for name, value in done.fitted.estimator.get_params(deep=False).items():
        if name != "monotone" and value is not None:
            found[f"estimator.{name}"] = value
    for name, value in done.settings.model_dump().items():
        if value is not None:
            found[f"settings.{name}"] = value
    return found


def _metrics(done: Finished) -> dict[str, float]:
    """The measures that decide, under the names that every run gives them."""
    tested = done.fitted.tested
    names = HEADLINE.get(done.task, tuple(tested.metrics))
    found: dict[str, float] = {}
    for name in names:
        if name in tested.metrics:
            one = tested.metrics[name]
            found[name] = one.value
            found[f"interval/{name}_low"], found[f"interval/{name}_high"] = one.low, one.high
        for baseline, section in _SECTIONS.items():
            if name in tested.baselines.get(baseline, {}):
                found[f"{section}/{name}"] = tested.baselines[baseline][name].value
    found |= {f"rows/{name}": float(count) for name, count in done.rows.items()}
    found["rows/customers"] = float(done.model.origin.customers)
    # Sixteen digits fill a column with noise; the interval is wide in the third.
    return {
        name: value if name.startswith("rows/") else float(f"{value:.5g}")
        for name, value in found.items()
        if np.isfinite(value)
    }


def _metrics_table(
    task: Task,
    metrics: Mapping[str, Estimate],
    baselines: Mapping[str, Mapping[str, Estimate]],
) -> dict[str, list[Any]]:
    first = [name for name in HEADLINE.get(task, ()) if name in metrics]
    names = first + [name for name in metrics if name not in first]
    table: dict[str, list[Any]] = {"measure": names}
    for who, found in {"model": metrics, **baselines}.items():
        for end in ("value", "low", "high"):
            column = who if end == "value" else f"{who} {end}"
            table[column] = [_number(found.get(name), end) for name in names]
    return table


def _number(estimate: Estimate | None, end: str) -> float | None:
    value = getattr(estimate, end, float("nan"))
    return round(float(value), 6) if np.isfinite(value) else None


def _columns(rows: list[dict[str, float]]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _figures(done: Finished) -> dict[str, Any]:
    from churnml.metrics.displays import (
        GainsDisplay,
        ReliabilityDisplay,
        SatisfactionDisplay,
        SurvivalDisplay,
    )
    from churnml.metrics.displays.balance import balance
    from churnml.metrics.displays.importance import importance
    from churnml.metrics.displays.style import page_axes

    tested, model = done.fitted.tested, done.model
    weights = model.tested["importance"]
    drivers = {column.name: column.driver for column in model.inputs}
    drawn: dict[str, Any] = {}
    if done.task in ("churn", "hazard"):
        drawn["gains"] = lambda: (
            GainsDisplay.from_predictions(
                tested.y, tested.scores, ax=page_axes("Gains on held-out customers")
            ).figure_
        )
        drawn["calibration"] = lambda: (
            ReliabilityDisplay.from_predictions(
                tested.y,
                tested.scores,
                groups=tested.rows.groups,
                labels=("predicted probability of leaving", "share that left"),
                ax=page_axes("Calibration on held-out customers"),
            ).figure_
        )
        if tested.within is not None:
            drawn["leaving"] = lambda: (
                SurvivalDisplay.from_predictions(
                    tested.rows.y,
                    tested.within,
                    groups=tested.rows.groups,
                    ax=page_axes("When customers leave, on held-out customers"),
                ).figure_
            )
    elif done.task == "satisfaction":
        drawn["predicted_and_answered"] = lambda: (
            SatisfactionDisplay.from_predictions(
                tested.y,
                tested.scores,
                groups=tested.rows.groups,
                ax=page_axes("Satisfaction, predicted and answered, on held-out customers"),
            ).figure_
        )
    if done.balance is not None:
        drawn["balance"] = lambda: balance(done.balance)
    drawn["importance"] = lambda: importance(weights, drivers)
    return drawn
