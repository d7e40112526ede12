"""The simulated months, counted from 0; those before 0 settle the state and are not written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from churnml.tables.simulator.encoded_columns import Ints

SETTLE = 6
"""Months simulated before the first written one, so that nobody starts without a past."""

_EXTRACT_DAYS = 12


@dataclass(frozen=True)
class Months:
    """The calendar of one simulation.

    Parameters
    ----------
    last : date
        First day of the last month that is written.
    count : int
        Number of months written.

    Examples
    --------
    >>> months = Months(date(2026, 5, 1), 24)
    >>> months.date(0), months.date(24)
    (datetime.date(2024, 6, 1), datetime.date(2026, 6, 1))
    >>> months.length(0)
    30
    """

    last: date
    count: int

    def date(self, month: int) -> date:
        """First day of a month."""
        year, rest = divmod(self.last.year * 12 + self.last.month - 1 + month - self.count + 1, 12)
        return date(year, rest + 1, 1)

    @cached_property
    def starts(self) -> Ints:
        """First days of the months from ``-SETTLE`` to ``count + 2``, since 1970-01-01."""
        days = [self.date(month) for month in range(-SETTLE, self.count + 3)]
        return np.array(days, dtype="datetime64[D]").astype(np.int64)

    def start(self, month: int) -> int:
        """First day of a month, in days since 1970-01-01."""
        return int(self.starts[month + SETTLE])

    def length(self, month: int) -> int:
        """Days in a month."""
        return self.start(month + 1) - self.start(month)

    def of(self, days: Ints) -> Ints:
        """The month in which each day lies; the months before ``-SETTLE`` count as one."""
        return np.searchsorted(self.starts, days, side="right") - 1 - SETTLE

    @property
    def end(self) -> int:
        """The day after the last written month."""
        return self.start(self.count)

    @property
    def extract(self) -> int:
        """The day on which the tables were extracted from the warehouse.

        Some days after the last month, when its bills were issued and late rows had come in.
        """
        return self.end + _EXTRACT_DAYS
