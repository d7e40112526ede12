"""The months of a table whose rows say which date they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from churnml.base.text import counted
from churnml.datasets.dataset import Dataset
from churnml.datasets.split_dates import Dates
from churnml.errors import LabelWindowError
from churnml.labels.window import Window


@dataclass(frozen=True, kw_only=True)
class TableMonths:
    """A table's rows by month: each month goes by its first date in the table.

    Attributes
    ----------
    data : Dataset
        Its ``times`` are these first dates.
    known : dict of date to date
        By month, oldest first: the first date after the labels of all its rows.
    window : Window
        Where the labels look.
    name : str
        What the table is called.
    """

    data: Dataset
    known: Mapping[date, date]
    window: Window
    name: str

    @property
    def every(self) -> tuple[date, ...]:
        """All months, oldest first."""
        return tuple(self.known)

    def before(self, day: date) -> tuple[date, ...]:
        """The months whose labels were all known at a date."""
        return tuple(month for month, known in self.known.items() if known <= day)

    def testable(self) -> tuple[date, ...]:
        """The months before which there is one to train on."""
        return tuple(month for month in self.every if self.before(month))

    def until(self, day: date) -> TableMonths:
        """The months whose labels were all known at a date, and their rows alone.

        Raises
        ------
        LabelWindowError
            If there is none.
        """
        kept = self.before(day)
        if not kept:
            raise LabelWindowError(
                f"{self.name}: no month whose labels are known before {day}: rows begin at "
                f"{self.every[0]}, and labels are known from {self.known[self.every[0]]}.",
                hint="Use a later --until.",
            )
        known = {month: self.known[month] for month in kept}
        return replace(self, data=self.data.at(kept), known=known)

    def plan(self, test_months: int) -> Dates:
        """Test on the last months, train on those whose labels were known by then.

        Raises
        ------
        LabelWindowError
            If there is not one month to train on and one to test on.
        """
        for tests in range(test_months, 0, -1):
            test = self.every[-tests:]
            train = self.before(test[0])
            if train:
                return Dates(train=train, test=test, all=self.every)
        raise self.too_few()

    def too_few(self) -> LabelWindowError:
        """The error where no month can be tested on."""
        first, last = self.every[0], self.every[-1]
        return LabelWindowError(
            f"{self.name}: {counted(len(self.every), 'month')} of rows, {first} to {last}: none "
            f"to train on, as gap ({self.window.gap}) and horizon ({self.window.horizon}) lie "
            "between training and test.",
            hint="Give more months, or say how far the label looks: churn.horizon, "
            "satisfaction.horizon.",
        )


def months_of(data: Dataset, window: Window, name: str) -> TableMonths:
    """Sort a table's rows into months.

    Parameters
    ----------
    data : Dataset
        Its ``times`` are the dates that the rows stand for.
    window : Window
    name : str
        What the table is called.
    """
    days = pd.Series(data.times.to_numpy(), dtype=object)
    month = days.map({day: (day.year, day.month) for day in days.unique()})
    spans = days.groupby(month).agg(["min", "max"])
    first = month.map(spans["min"]).astype(object).rename("as_of")
    known = {low: window.end(high) for low, high in spans.itertuples(index=False)}
    return TableMonths(data=replace(data, times=first), known=known, window=window, name=name)
