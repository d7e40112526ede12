"""The result of a backtest, month by month and over the age of the models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.dates import with_days
from churnml.base.tasks import TASKS, TITLES, TaskName
from churnml.base.text import counted
from churnml.evaluation.html import number, table
from churnml.evaluation.result import without_nan
from churnml.metrics import Estimate, format_estimate
from churnml.metrics.bootstrap import INTERVALS
from churnml.metrics.suites import flat_metrics

Metrics = dict[str, Estimate]
Floats = NDArray[np.float64]

OVER_MONTHS = "Over the months, whose own shocks no interval over customers holds"
SPREAD_COLUMNS = ["measure", "mean", "sd of a month", "least", "greatest"]
_TABLED = 2
_HEADS = {"auc": "AUC", "calibration_slope": "slope", "r2": "R²"}


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
                format_estimate(one.metrics.get(names[0])),
                format_estimate(one.unseen.get(names[0])),
                *(format_estimate(one.metrics.get(name)) for name in names[1:]),
            ]
            for one in self.months
        ]

    def columns(self) -> list[str]:
        """The headings of `rows`."""
        first, *others = (_HEADS.get(name, name) for name in TASKS[self.task].monthly[:_TABLED])
        first_columns = ["as of", "trained on", "rows", TASKS[self.task].positives]
        return [*first_columns, first, f"{first}, unseen", *others]

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
            [
                str(one.months),
                str(one.models),
                *map(format_estimate, (one.measure, one.fresh, one.change)),
            ]
            for one in self.ages
        ]

    def age_columns(self) -> list[str]:
        """The headings of `age_rows`."""
        name = _HEADS.get(self.measure, self.measure)
        of_measure = [f"{name} at that age", "a fresh model's then", "change (below 0: worse)"]
        return ["months since training", "models", *of_measure]

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

    def to_pandas(self) -> pd.DataFrame:
        """A row a month: each measure with its interval, ``unseen_`` on unseen customers."""
        rows = [
            {
                "as_of": one.as_of,
                "trained_until": one.trained[-1],
                "rows": one.rows,
                "positives": one.positives,
                **flat_metrics(one.metrics),
                "unseen_rows": one.unseen_rows,
                **flat_metrics(one.unseen, "unseen_"),
            }
            for one in self.months
        ]
        return with_days(pd.DataFrame(rows), "as_of", "trained_until")

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
