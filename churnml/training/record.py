"""Build the record of a finished training: numbers, curves, tables, figures, a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from churnml.base.tasks import TASKS, TaskName
from churnml.evaluation.held_out import Tested
from churnml.metrics import Estimate
from churnml.models.cards import mlflow_notes as cards
from churnml.models.model import Model
from churnml.registry.tracking.run import Data, TrainingRecord, origin_params
from churnml.training.curves import boosting, by_date, folds, system, trials
from churnml.training.fit import Fitted
from churnml.training.system_metrics import Watch

_SECTIONS = {"regression": "regression", "one booster": "booster"}
"""Where a run keeps the measures of each baseline that learns."""

_EVENTS = {
    "termination": "service ends",
    "inactivity": "falls silent",
    "either": "service ends or falls silent",
    "satisfaction": "survey answer",
}
"""What the label looks for, in words."""


def record(fitted: Fitted, *, watch: Watch) -> TrainingRecord:
    """Build the record of a training.

    Parameters
    ----------
    fitted : Fitted
    watch : Watch
        Begun with the training; stopped here.
    """
    model, tested, split = fitted.model, fitted.tested, fitted.split
    task, estimator = model.task, model.estimator
    curves = boosting(task, estimator)
    tables = {"metrics": _metrics_table(task, tested.metrics, tested.baselines)}
    if model.tested.get("reliability"):
        tables["calibration"] = _columns(model.tested["reliability"])
    for name, table in (("drift", fitted.drift), ("balance", split.balance)):
        if table is not None and len(table):
            known = table.astype(object).where(table.notna(), None)
            tables[name] = {str(column): known[column].tolist() for column in known}
    if split.dates is not None and TASKS[task].monthly:
        tables["by_date"], more = by_date(task, tested)
        curves |= more
    return TrainingRecord(
        model=model,
        title=title(model),
        data=Data(
            name=Path(split.source).name or split.source,
            source=split.source,
            digest=model.origin.digest,
            rows=len(split.all),
            target=str(split.all.y.name),
        ),
        before=fitted.before,
        params=_params(fitted),
        metrics=_metrics(fitted),
        curves=curves | system(watch.stop()),
        tags=split.tags,
        importance=model.tested["importance"],
        tables=tables,
        figures=_figures(fitted),
        notes=cards.training_card(
            model,
            tested.metrics,
            tested.baselines,
            fitted.count_rows(),
            split.list_dates(),
            fitted.notes,
        ),
        started=watch.started,
        children=[*folds(task, estimator), *trials(task, fitted.search)],
    )


def title(model: Model) -> str:
    """A readable name for a run.

    Operator: task, label and last date; table: task and registered name.
    """
    origin = model.origin
    if origin.kind == "table":
        return f"{model.task} · {origin.name}"
    label = origin.label
    what = _EVENTS.get(label.get("definition", model.task), TASKS[model.task].short)
    within = f"{what} within {cards.in_words(str(label['horizon']))}"
    return " · ".join([model.task, within, origin.as_of[-1][:7]])


def _params(fitted: Fitted) -> dict[str, Any]:
    """The parameters that were set; those left to a rule are omitted."""
    params = origin_params(fitted.model)
    for name, value in fitted.model.estimator.get_params(deep=False).items():
        if name != "monotone" and value is not None:
            params[f"estimator.{name}"] = value
    for name, value in fitted.settings.model_dump().items():
        if value is not None:
            params[f"settings.{name}"] = value
    return params


def _metrics(fitted: Fitted) -> dict[str, float]:
    """The headline metrics, under the same names in every run."""
    tested = fitted.tested
    names = TASKS[fitted.model.task].headline
    metrics: dict[str, float] = {}
    for name in names:
        if name in tested.metrics:
            # The ends of its interval stand in the table of measures and in the note.
            metrics[name] = tested.metrics[name].value
        for baseline, section in _SECTIONS.items():
            if name in tested.baselines.get(baseline, {}):
                metrics[f"{section}/{name}"] = tested.baselines[baseline][name].value
    metrics |= {f"rows/{name}": float(count) for name, count in fitted.count_rows().items()}
    metrics["rows/customers"] = float(fitted.model.origin.customers)
    # Sixteen digits fill a column with noise; the interval is wide in the third.
    return {
        name: value if name.startswith("rows/") else float(f"{value:.5g}")
        for name, value in metrics.items()
        if np.isfinite(value)
    }


def _metrics_table(
    task: TaskName,
    metrics: Mapping[str, Estimate],
    baselines: Mapping[str, Mapping[str, Estimate]],
) -> dict[str, list[Any]]:
    first = [name for name in TASKS[task].headline if name in metrics]
    names = first + [name for name in metrics if name not in first]
    table: dict[str, list[Any]] = {"measure": names}
    for who, estimates in {"model": metrics, **baselines}.items():
        for end in ("value", "low", "high"):
            column = who if end == "value" else f"{who} {end}"
            table[column] = [_number(estimates.get(name), end) for name in names]
    return table


def _number(estimate: Estimate | None, end: str) -> float | None:
    value = getattr(estimate, end, float("nan"))
    return round(float(value), 6) if np.isfinite(value) else None


def _columns(rows: list[dict[str, float]]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _figures(fitted: Fitted) -> dict[str, Any]:
    from churnml.metrics.displays.balance import balance
    from churnml.metrics.displays.importance import importance

    tested, model, split = fitted.tested, fitted.model, fitted.split
    weights = model.tested["importance"]
    drivers = {column.name: column.driver for column in model.inputs}
    drawn: dict[str, Any] = {}
    drawn |= _FIGURES[model.task](tested)
    if split.balance is not None:
        drawn["balance"] = lambda: balance(split.balance)
    drawn["importance"] = lambda: importance(weights, drivers)
    return drawn


def _leaving_figures(tested: Tested) -> dict[str, Any]:
    from churnml.metrics.displays import GainsDisplay, ReliabilityDisplay
    from churnml.metrics.displays.style import page_axes

    return {
        "gains": lambda: (
            GainsDisplay.from_predictions(
                tested.y, tested.scores, ax=page_axes("Gains on held-out customers")
            ).figure_
        ),
        "calibration": lambda: (
            ReliabilityDisplay.from_predictions(
                tested.y,
                tested.scores,
                groups=tested.rows.groups,
                labels=("predicted probability of leaving", "share that left"),
                ax=page_axes("Calibration on held-out customers"),
            ).figure_
        ),
    }


def _hazard_figures(tested: Tested) -> dict[str, Any]:
    from churnml.metrics.displays import SurvivalDisplay
    from churnml.metrics.displays.style import page_axes

    title, within = "When customers leave, on held-out customers", tested.within
    if within is None:
        return _leaving_figures(tested)
    return _leaving_figures(tested) | {
        "leaving": lambda: (
            SurvivalDisplay.from_predictions(tested.rows.y, within, ax=page_axes(title)).figure_
        )
    }


def _satisfaction_figures(tested: Tested) -> dict[str, Any]:
    from churnml.metrics.displays import SatisfactionDisplay
    from churnml.metrics.displays.style import page_axes

    return {
        "predicted_and_answered": lambda: (
            SatisfactionDisplay.from_predictions(
                tested.y,
                tested.scores,
                groups=tested.rows.groups,
                ax=page_axes("Satisfaction, predicted and answered, on held-out customers"),
            ).figure_
        )
    }


_FIGURES: Mapping[str, Callable[[Tested], dict[str, Any]]] = {
    "churn": _leaving_figures,
    "satisfaction": _satisfaction_figures,
    "hazard": _hazard_figures,
}
