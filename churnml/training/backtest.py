"""Backtest: train on the past month by month, and measure how fast models age.

At every test date a model is trained on the dates before it whose labels had ended by
then: the gap between the two is as long as the label looks. It is measured there on the
customers as they come, most of whom it has seen at earlier dates, as in use; a second
model, trained without a part of the customers, is measured on these alone, whom it has
never seen. Each first model is also measured at the later dates: that is how it ages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.dates import months_between
from churnml.base.tasks import TASKS, TaskName
from churnml.datasets.dataset import Dataset
from churnml.evaluation.held_out import Estimator
from churnml.metrics import bootstrap
from churnml.metrics.bootstrap import Measure
from churnml.metrics.suites import suite
from churnml.models.model import predict_scores
from churnml.training import fit as training
from churnml.training.backtest_result import Age, Backtest, Metrics, Month

Floats = NDArray[np.float64]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _AtAge:
    """Rows of one date with one model's predictions."""

    age: int
    rows: Dataset
    measures: dict[str, Measure]


def backtest(
    task: TaskName,
    data: Dataset,
    tests: Sequence[date],
    window_end: Callable[[date], date],
    unfitted: Estimator,
    *,
    train_months: int = 8,
    unseen_share: float = 0.25,
    draws: int = 200,
    seed: int = 0,
) -> Backtest:
    """Train on the past of every test date; evaluate there and at all later ones.

    Parameters
    ----------
    task : {"churn", "satisfaction"}
    data : Dataset
        Labelled rows of many dates.
    tests : sequence of date
        The dates to test at.
    window_end : function
        The first date after the label window of an ``as_of``.
    unfitted : ChurnClassifier or SatisfactionRegressor
    train_months : int, default 8
        The last so many dates are trained on.
    unseen_share : float, default 0.25
        Of the customers; left out of the training of the second model of each date.
    draws : int, default 200
    seed : int

    Returns
    -------
    Backtest

    Raises
    ------
    DataError
        As the estimator's ``fit``, where a date has too little past.
    """
    hidden = _hidden(data, unseen_share, seed)
    cells: dict[tuple[date, date], _AtAge] = {}
    months = []
    for start in sorted(tests):
        trained = tuple(day for day in sorted(set(data.times)) if window_end(day) <= start)
        trained = trained[-train_months:]
        past = data.at(trained)
        _log.info("training for %s on %s rows", start, f"{len(past):,}")
        model = _fitted(unfitted, past)
        for day in (day for day in sorted(tests) if day >= start):
            rows = data.at([day])
            cells[start, day] = _AtAge(
                months_between(start, day), rows, _measures(task, model, rows)
            )
        fresh = cells[start, start]
        unseen_rows, unseen = _unseen(task, unfitted, past, fresh.rows, hidden, draws)
        months.append(
            Month(
                as_of=start,
                trained=trained,
                rows=len(fresh.rows),
                positives=_positives(task, fresh.rows),
                metrics=bootstrap(
                    _shown(task, fresh.measures), fresh.rows.groups.to_numpy(), draws=draws
                ),
                unseen_rows=unseen_rows,
                unseen=unseen,
            )
        )
    return Backtest(task, months, _ages(task, cells, draws, seed))


def _hidden(data: Dataset, share: float, seed: int) -> set[Any]:
    customers = np.sort(data.groups.unique())
    random = np.random.default_rng(seed)
    return set(random.permutation(customers)[: round(share * customers.size)])


def _fitted(unfitted: Estimator, past: Dataset) -> Estimator:
    from sklearn.base import clone

    return training.fit(clone(unfitted), past)


def _measures(task: TaskName, model: Estimator, rows: Dataset) -> dict[str, Measure]:
    name = TASKS[task].score
    scores = {name: predict_scores(task, model, rows.X)[name]}
    return suite(task).measures(rows.y.to_numpy(np.float64), scores)


def _shown(task: TaskName, measures: dict[str, Measure]) -> dict[str, Measure]:
    return {name: measures[name] for name in TASKS[task].monthly}


def _positives(task: TaskName, rows: Dataset) -> int:
    return int(suite(task).positives(rows.y.to_numpy(np.float64)).sum())


def _unseen(
    task: TaskName, unfitted: Estimator, past: Dataset, rows: Dataset, hidden: set[Any], draws: int
) -> tuple[int, Metrics]:
    """Evaluate a model on customers that it was not trained on."""
    known = past.rows(np.flatnonzero(~past.groups.isin(hidden)))
    strange = rows.rows(np.flatnonzero(rows.groups.isin(hidden)))
    if len(strange) < 2 or strange.y.nunique() < 2:
        return len(strange), {}
    measures = _measures(task, _fitted(unfitted, known), strange)
    return len(strange), bootstrap(_shown(task, measures), strange.groups.to_numpy(), draws=draws)


def _ages(
    task: TaskName, cells: dict[tuple[date, date], _AtAge], draws: int, seed: int
) -> list[Age]:
    """Average over models of each age, on the same bootstrap draws."""
    # One place a customer in each draw: the dates share their customers.
    days = {day: cell.rows for (start, day), cell in cells.items() if start == day}
    names = pd.Index(sorted(set().union(*(set(rows.groups) for rows in days.values()))))
    codes = {day: names.get_indexer(rows.groups) for day, rows in days.items()}
    ages = sorted({cell.age for cell in cells.values()})
    main = TASKS[task].monthly[0]
    measures: dict[str, Measure] = {}
    for age in ages:
        reached = [key for key, cell in cells.items() if cell.age == age]
        fresh = [(day, day) for _start, day in reached]
        old = measures[f"measure.{age}"] = partial(
            _mean, TASKS[task].monthly[0], cells, codes, reached
        )
        new = measures[f"fresh.{age}"] = partial(_mean, main, cells, codes, fresh)
        measures[f"change.{age}"] = partial(_difference, old, new)
    estimates = bootstrap(measures, len(names), draws=draws, seed=seed)
    return [
        Age(
            months=age,
            models=sum(cell.age == age for cell in cells.values()),
            measure=estimates[f"measure.{age}"],
            fresh=estimates[f"fresh.{age}"],
            change=estimates[f"change.{age}"],
        )
        for age in ages
    ]


def _mean(
    name: str,
    cells: dict[tuple[date, date], _AtAge],
    codes: dict[date, NDArray[np.int64]],
    wanted: list[tuple[date, date]],
    weight: Floats,
) -> float:
    values = [cells[key].measures[name](weight[codes[key[1]]]) for key in wanted]
    return float(np.mean(values))


def _difference(one: Measure, other: Measure, weight: Floats) -> float:
    return one(weight) - other(weight)
