"""The column of the date that each row of a table stands for."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from churnml.base.text import quoted
from churnml.datasets.flat.kinds import decide
from churnml.datasets.flat.signature import Column
from churnml.datasets.flat.table import Table
from churnml.errors import UsageError


def row_date_column(table: Table, x: str, name: str) -> Column:
    """How the column is read; its latest date has age 0.

    Raises
    ------
    UsageError
        If it does not hold dates, or ones that can be read in several ways.
    """
    plan = decide(table, [x])
    column = plan.columns.get(x)
    if column is not None and column.kind == "date":
        return column
    found = plan.dropped.get(name) or (f"a {column.kind}" if column else "something else")
    raise UsageError(
        f"--time {quoted(name)}: dates expected, such as 2026-06-01, found {found}.",
        hint="Name the column that says which date each row stands for.",
        column=name,
    )


def dates_before(reference: str, ages: pd.Series) -> pd.Series:
    """The dates that lie so many days before one.

    >>> dates_before("2026-06-01", pd.Series([0.0, 31.0])).tolist()
    [datetime.date(2026, 6, 1), datetime.date(2026, 5, 1)]
    """
    last = date.fromisoformat(reference)
    days = {age: last - timedelta(days=int(age)) for age in ages.unique()}
    return ages.map(days).astype(object)


def since_row(frame: pd.DataFrame, columns: list[str], time: pd.Series) -> pd.DataFrame:
    """Ages counted from each row's own date, of ages counted from the latest of these."""
    return frame.assign(**{x: frame[x] - time for x in columns})
