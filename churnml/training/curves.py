"""Curves of a training: by boosting round, fold, date, trial and second."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from churnml.base.tasks import TASKS, TaskName
from churnml.estimators.boosting.bag import Growth
from churnml.evaluation.held_out import Tested
from churnml.metrics.suites import suite
from churnml.registry.tracking.run import Child, Curve
from churnml.training.system_metrics import MachineSample

if TYPE_CHECKING:
    from churnml.training.tune import Search

_POINTS = 100
_CHARTED = 4


def boosting(task: TaskName, estimator: Any) -> dict[str, Curve]:
    """The loss on the rows left out after each round, mean over the boosters."""
    growth = _growth(estimator)
    return {f"boosting/{TASKS[task].loss}": _mean(growth)} if growth else {}


def folds(task: TaskName, estimator: Any) -> list[Child]:
    """A child for each fold: how its boosters grew."""
    growth = _growth(estimator)
    count = 1 + max((one.fold for one in growth), default=-1)
    return [
        _fold(task, number, count, [one for one in growth if one.fold == number])
        for number in range(count)
    ]


def trials(task: TaskName, search: Search | None) -> list[Child]:
    """A child for each trial of a search for better settings."""
    return [
        Child(
            title=f"trial {one.number}" + (", given up" if one.pruned else ""),
            kind="trial",
            params=one.params or {"rule": "the rule's own"},
            metrics={f"boosting/{TASKS[task].loss}": one.loss},
            curves={f"boosting/fold_{TASKS[task].loss}": Curve(one.folds)},
            tags={"churnml.pruned": str(one.pruned).lower()},
            seconds=one.seconds,
        )
        for one in (search.trials if search else ())
    ]


def _growth(estimator: Any) -> list[Growth]:
    bag = getattr(estimator, "bag_", None)
    return [one for one in getattr(bag, "growth", ()) if one.losses]


def _fold(task: TaskName, number: int, count: int, growth: Sequence[Growth]) -> Child:
    rounds = [len(one.losses) for one in growth]
    return Child(
        title=f"fold {number + 1} of {count}",
        kind="fold",
        params={"fold": number + 1, "starts": ", ".join(sorted({one.start for one in growth}))},
        metrics={
            "boosting/rounds": float(np.mean(rounds)) if rounds else 0.0,
            "rows/left_out": float(max((one.rows for one in growth), default=0)),
        },
        curves={f"boosting/{TASKS[task].loss}": _mean(growth)} if growth else {},
        seconds=0.0,
    )


def _mean(growth: Sequence[Growth]) -> Curve:
    """The mean of the boosters' losses, with the last value of those that have stopped."""
    length = max(len(one.losses) for one in growth)
    losses = np.array([[*one.losses, *[one.losses[-1]] * length][:length] for one in growth])
    steps = np.unique(np.linspace(1, length, min(length, _POINTS)).round().astype(int))
    return Curve(losses.mean(axis=0)[steps - 1].tolist(), steps=steps.tolist())


def by_date(task: TaskName, tested: Tested) -> tuple[dict[str, list[Any]], dict[str, Curve]]:
    """The measures at each test date, as a table and as curves.

    Steps are 1, 2, ... in the order of the dates, and the moments are the dates.
    """
    days = sorted(set(tested.rows.times))
    places = [np.flatnonzero((tested.rows.times == day).to_numpy()) for day in days]
    measures = [_measured(task, tested.y[rows], tested.scores[rows]) for rows in places]
    names = [name for name in TASKS[task].headline if any(name in one for one in measures)]
    table: dict[str, list[Any]] = {
        "as_of": [str(day)[:10] for day in days],
        "rows": [int(rows.size) for rows in places],
        "mean_outcome": [float(tested.y[rows].mean()) for rows in places],
        "mean_score": [float(tested.scores[rows].mean()) for rows in places],
    }
    table |= {name: [one.get(name) for one in measures] for name in names}
    moments = [datetime.fromisoformat(str(day)[:10]).replace(tzinfo=UTC) for day in days]
    curves = {}
    for name in names[:_CHARTED]:
        known = [at for at, one in enumerate(measures) if name in one]
        curves[f"by_date/{name}"] = Curve(
            [measures[at][name] for at in known],
            steps=[at + 1 for at in known],
            moments=[moments[at] for at in known],
        )
    return table, curves


def _measured(
    task: TaskName, y: NDArray[np.float64], scores: NDArray[np.float64]
) -> dict[str, float]:
    if len(y) < 3 or suite(task).rarer(y) == 0:
        return {}
    measures = suite(task).measures(y, {TASKS[task].score: scores})
    weight = np.ones(len(y))
    values = {name: float(measure(weight)) for name, measure in measures.items()}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def system(samples: Sequence[MachineSample]) -> dict[str, Curve]:
    """System metrics of a long run, under the names that MLflow's charts read."""
    if not samples:
        return {}
    every = max(len(samples) // (5 * _POINTS), 1)
    kept = samples[::every]
    moments = [one.moment for one in kept]
    return {
        f"system/{name}": Curve([one.values[name] for one in kept], moments=moments)
        for name in kept[0].values
    }
