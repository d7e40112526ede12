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
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import partial
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.dates import months_between
from churnml.base.tasks import TASKS, TITLES, TaskName
from churnml.base.text import counted
from churnml.datasets.dataset import Dataset
from churnml.evaluation.held_out import Estimator
from churnml.evaluation.html import number, table, told
from churnml.evaluation.result import without_nan
from churnml.metrics import Estimate, bootstrap
from churnml.metrics.bootstrap import INTERVALS, Measure
from churnml.metrics.suites import SUITES, flat_metrics
from churnml.models.model import predict_scores
from churnml.training import fit as training

Metrics = dict[str, Estimate]
Floats = NDArray[np.float64]

OVER_MONTHS = "Over the months, whose own shocks no interval over customers holds"
SPREAD_COLUMNS = ["measure", "mean", "sd of a month", "least", "greatest"]
_TABLED = 2
_HEADS = {"auc": "AUC", "calibration_slope": "slope", "r2": "R²"}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Month:
    """A model at the first date after its training.

    Attributes
    ----------
    as_of : date
    trained : tuple of date
        The dates trained on; the label of the last ended at or before ``as_of``.
    rows, positives : int
        ``positives``: who left; who was dissatisfied.
    metrics : dict of str to Estimate
        On the customers as they come.
    unseen_rows : int
    unseen : dict of str to Estimate
        On customers never seen in training; empty where too few.
    """

    as_of: date
    trained: tuple[date, ...]
    rows: int
    positives: int
    metrics: Metrics
    unseen_rows: int = 0
    unseen: Metrics = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Age:
    """Models some months after their training.

    Attributes
    ----------
    months : int
        Since the first date on which the model could be used.
    models : int
        How many models reached this age.
    measure : Estimate
        Mean over these models, each at the date at which it has this age.
    fresh : Estimate
        Mean over the models that are fresh at those dates, on the same customers.
    change : Estimate
        ``measure`` less ``fresh``: below 0 where age makes models worse.
    """

    months: int
    models: int
    measure: Estimate
    fresh: Estimate
    change: Estimate


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The spread of a measure over the months.

    Attributes
    ----------
    mean : float
    sd : float
        Of one month, about the mean: what the month did to everybody, and the chance of
        who its customers are; not a number where there is one month.
    low, high : float
        The least and the greatest month.
    """

    mean: float
    sd: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of some months' values.

        >>> Spread.of([0.7, 0.8, 0.75]).sd
        0.05
        """
        sd = round(float(np.std(values, ddof=1)), 12) if len(values) > 1 else float("nan")
        return cls(
            mean=float(np.mean(values)),
            sd=sd,
            low=float(np.min(values)),
            high=float(np.max(values)),
        )


@dataclass(frozen=True)
class Backtest:
    """One table over the months, and one over the age of the models.

    Attributes
    ----------
    task : {"churn", "satisfaction"}
    months : list of Month
    ages : list of Age
    """

    task: TaskName
    months: list[Month]
    ages: list[Age]

    @property
    def measure(self) -> str:
        """The measure by which models age."""
        return TASKS[self.task].monthly[0]

    def rows(self) -> list[list[str]]:
        """The table over the months, as text."""
        names = TASKS[self.task].monthly[:_TABLED]
        return [
            [
                str(one.as_of),
                f"{len(one.trained)} dates to {one.trained[-1]:%Y-%m}",
                f"{one.rows:,}",
                f"{one.positives:,}",
                told(one.metrics.get(names[0])),
                told(one.unseen.get(names[0])),
                *(told(one.metrics.get(name)) for name in names[1:]),
            ]
            for one in self.months
        ]

    def columns(self) -> list[str]:
        """The headings of `rows`."""
        first, *others = (_HEADS.get(name, name) for name in TASKS[self.task].monthly[:_TABLED])
        told = ["as of", "trained on", "rows", TASKS[self.task].positives]
        return [*told, first, f"{first}, unseen", *others]

    @property
    def over_months(self) -> dict[str, Spread]:
        """Every measure's mean and spread over the months."""
        return {
            name: Spread.of([one.metrics[name].value for one in self.months])
            for name in TASKS[self.task].monthly
        }

    def spread_rows(self) -> list[list[str]]:
        """The table of the spread over the months, as text."""
        return [
            [name, *(number(value) for value in (one.mean, one.sd, one.low, one.high))]
            for name, one in self.over_months.items()
        ]

    def age_rows(self) -> list[list[str]]:
        """The table over the age, as text."""
        return [
            [str(one.months), str(one.models), *map(told, (one.measure, one.fresh, one.change))]
            for one in self.ages
        ]

    def age_columns(self) -> list[str]:
        """The headings of `age_rows`."""
        name = _HEADS.get(self.measure, self.measure)
        told = [f"{name} at that age", "a fresh model's then", "change (below 0: worse)"]
        return ["months since training", "models", *told]

    @property
    def conclusion(self) -> str:
        """Whether the models age, in a sentence."""
        older = [one for one in self.ages if one.months and one.change.value == one.change.value]
        if not older:
            return "Whether models age is not seen: that takes two test months."
        worse = [one.months for one in older if one.change.high < 0]
        last = older[-1]
        name = TITLES[self.measure]
        change = (
            f"{name} {_signed(last.change.value)} ({_signed(last.change.low)} to "
            f"{_signed(last.change.high)}) against a fresh model"
        )
        if not worse:
            return f"No ageing seen up to {counted(last.months, 'month')}: {change}."
        if worse == [one.months for one in older if one.months >= worse[0]]:
            start = counted(worse[0], "month")
            return f"Worse than a fresh model from {start} on; at {last.months}: {change}."
        *some, final = worse
        ages = ", ".join(map(str, some)) + " and " * bool(some) + counted(final, "month")
        return f"Worse than a fresh model at {ages}; at {last.months}: {change}."

    def to_dict(self) -> dict[str, Any]:
        """The backtest as plain data; None for what is not a number."""
        fields = {
            "task": self.task,
            "measure": self.measure,
            "months": [_month_dict(one) for one in self.months],
            "ages": [
                {"months": one.months, "models": one.models}
                | {name: getattr(one, name).to_dict() for name in ("measure", "fresh", "change")}
                for one in self.ages
            ],
            "over_months": {name: asdict(one) for name, one in self.over_months.items()},
            "conclusion": self.conclusion,
        }
        return {name: without_nan(value) for name, value in fields.items()}

    def __repr__(self) -> str:
        first, last = self.months[0].as_of, self.months[-1].as_of
        mean = np.mean([one.metrics[self.measure].value for one in self.months])
        return (
            f"Backtest({self.task}: {len(self.months)} months, {first} to {last}, "
            f"mean {self.measure} {mean:.3f})"
        )

    def _repr_html_(self) -> str:
        ages = table("How models age", self.age_columns(), self.age_rows())
        months = table(f"Month by month; {INTERVALS}", self.columns(), self.rows())
        spread = table(OVER_MONTHS, SPREAD_COLUMNS, self.spread_rows())
        return f"{months}{spread}{ages}<p>{escape(self.conclusion)}</p>"


def _signed(value: float) -> str:
    """A change with its sign; none where it is rounded away.

    >>> _signed(-0.0123), _signed(0.00049), _signed(0.0123)
    ('-0.012', '0.000', '+0.012')
    """
    return f"{value:+.3f}" if round(value, 3) else "0.000"


def _month_dict(one: Month) -> dict[str, Any]:
    return {
        "as_of": str(one.as_of),
        "trained": [str(day) for day in one.trained],
        "rows": one.rows,
        "positives": one.positives,
        "metrics": flat_metrics(one.metrics),
        "unseen_rows": one.unseen_rows,
        "unseen": flat_metrics(one.unseen),
    }


@dataclass(frozen=True)
class _Told:
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
    cells: dict[tuple[date, date], _Told] = {}
    months = []
    for start in sorted(tests):
        trained = tuple(day for day in sorted(set(data.times)) if window_end(day) <= start)
        trained = trained[-train_months:]
        past = data.at(trained)
        _log.info("training for %s on %s rows", start, f"{len(past):,}")
        model = _fitted(unfitted, past)
        for day in (day for day in sorted(tests) if day >= start):
            rows = data.at([day])
            cells[start, day] = _Told(
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
    return SUITES[task].measures(rows.y.to_numpy(np.float64), scores)


def _shown(task: TaskName, measures: dict[str, Measure]) -> dict[str, Measure]:
    return {name: measures[name] for name in TASKS[task].monthly}


def _positives(task: TaskName, rows: Dataset) -> int:
    return int(SUITES[task].positives(rows.y.to_numpy(np.float64)).sum())


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
    task: TaskName, cells: dict[tuple[date, date], _Told], draws: int, seed: int
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
    cells: dict[tuple[date, date], _Told],
    codes: dict[date, NDArray[np.int64]],
    wanted: list[tuple[date, date]],
    weight: Floats,
) -> float:
    values = [cells[key].measures[name](weight[codes[key[1]]]) for key in wanted]
    return float(np.mean(values))


def _difference(one: Measure, other: Measure, weight: Floats) -> float:
    return one(weight) - other(weight)
