"""Arithmetic with months, and the one reading of dates that callers give."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from churnml.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def parse_date(day: object) -> date:
    """The date that a date, a moment of it or its text names.

    Raises
    ------
    UsageError
        If it names none.

    Examples
    --------
    >>> parse_date("2026-06-01"), parse_date(datetime(2026, 6, 1, 8))
    (datetime.date(2026, 6, 1), datetime.date(2026, 6, 1))
    """
    if isinstance(day, date) and not isinstance(day, datetime):
        return day
    try:
        return datetime.fromisoformat(str(day)).date()
    except ValueError:
        raise UsageError(f"{day!r} is not a date.", hint="Write it as 2026-06-01.") from None


def parse_dates(days: Any) -> list[date]:
    """The distinct dates of one or several, oldest first.

    Raises
    ------
    UsageError
        If there is none, or one names no date.

    Examples
    --------
    >>> parse_dates("2026-06-01")
    [datetime.date(2026, 6, 1)]
    """
    # NumPy's dates say that they can be iterated over, and cannot.
    several = isinstance(days, Iterable) and getattr(days, "ndim", 1) > 0
    given = days if several and not isinstance(days, str) else [days]
    found = sorted({parse_date(day) for day in given})
    if not found:
        raise UsageError("No date is given.", hint="Give one, such as 2026-06-01.")
    return found


def with_days(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Columns of dates as ``datetime64[s]``, the one type in which keys of frames merge.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"as_of": [date(2026, 6, 1), None]})
    >>> with_days(frame, "as_of")["as_of"].dtype
    dtype('<M8[s]')
    """
    import pandas as pd

    found = {name: pd.to_datetime(frame[name]) for name in names if name in frame}
    return frame.assign(**{name: days.astype("datetime64[s]") for name, days in found.items()})


def dates_of(values: Any, name: str) -> NDArray[np.datetime64]:
    """The date of each row of a column: dates, moments or their text, in any container.

    Parameters
    ----------
    values : sequence, array, Series, or column of Arrow or polars, shape (n,)
    name : str
        What messages call it.

    Returns
    -------
    array of datetime64[D], shape (n,)

    Raises
    ------
    DataError
        If a value is missing, or no date.

    Examples
    --------
    >>> dates_of(["2026-06-01", datetime(2026, 6, 2, 8)], "times")
    array(['2026-06-01', '2026-06-02'], dtype='datetime64[D]')
    """
    import numpy as np
    import pandas as pd

    column = pd.Series(values.to_pandas() if hasattr(values, "to_pandas") else values)
    codes, distinct = pd.factorize(column.astype(object))
    lost = int((codes < 0).sum())
    if lost:
        raise DataError(
            f"{name}: {lost:,} of {len(column):,} rows have no date.",
            hint="Leave such rows out, or give each its date.",
            count=lost,
        )
    try:
        days = [parse_date(one) for one in distinct]
    except UsageError as error:
        raise DataError(f"{name}: {error.message}", hint=error.hint) from None
    return np.array(days, dtype="datetime64[D]")[codes]


def add_span(day: date, span: str) -> date:
    """Add a span to a date: ``60d`` in days, ``2mo`` in calendar months.

    Parameters
    ----------
    day : date
    span : str
        A whole number and ``d`` or ``mo``. A month's last days stay within the month.

    Raises
    ------
    UsageError
        If the span is written otherwise.

    Examples
    --------
    >>> add_span(date(2026, 1, 31), "1mo")
    datetime.date(2026, 2, 28)
    >>> add_span(date(2026, 1, 31), "1d")
    datetime.date(2026, 2, 1)
    """
    number, months = read_span(span)
    return add_months(day, number) if months else day + timedelta(days=number)


def subtract_span(day: date, span: str) -> date:
    """Go back from a date by a span.

    Raises
    ------
    UsageError
        If the span is written otherwise.

    Examples
    --------
    >>> subtract_span(date(2026, 3, 31), "1mo"), subtract_span(date(2026, 3, 1), "1d")
    (datetime.date(2026, 2, 28), datetime.date(2026, 2, 28))
    """
    number, months = read_span(span)
    return add_months(day, -number) if months else day - timedelta(days=number)


def read_span(span: str) -> tuple[int, bool]:
    """How many, and whether months rather than days.

    Raises
    ------
    UsageError
        If the span is written otherwise.

    >>> read_span("2mo"), read_span("60d")
    ((2, True), (60, False))
    """
    match = re.fullmatch(r"(\d+)(d|mo)", span) if isinstance(span, str) else None
    if match is None:
        raise UsageError(f"{span!r} is not a span of time.", hint="Write 60d or 2mo.")
    return int(match[1]), match[2] == "mo"


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month.

    >>> add_months(date(2026, 5, 31), -3)
    datetime.date(2026, 2, 28)
    """
    first = months_before(day, -months)
    return first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))


def months_before(day: date, months: int) -> date:
    """The first day of the month so many months before a date's month.

    >>> months_before(date(2026, 2, 17), 3)
    datetime.date(2025, 11, 1)
    """
    year, index = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, index + 1, 1)


def ceil_month(day: date) -> date:
    """The first day of a month at or after a date.

    >>> ceil_month(date(2026, 12, 5)), ceil_month(date(2026, 12, 1))
    (datetime.date(2027, 1, 1), datetime.date(2026, 12, 1))
    """
    return day if day.day == 1 else months_before(day, -1)


def months_between(start: date, end: date) -> int:
    """From one date's month to another's.

    >>> months_between(date(2025, 11, 30), date(2026, 2, 1))
    3
    """
    return (end.year - start.year) * 12 + end.month - start.month


def month_starts(start: date, end: date) -> list[date]:
    """The first days of months from a date on, before another.

    >>> month_starts(date(2026, 11, 5), date(2027, 1, 2))
    [datetime.date(2026, 12, 1), datetime.date(2027, 1, 1)]
    """
    first = ceil_month(start)
    starts = (months_before(first, -at) for at in range(max(months_between(first, end) + 1, 0)))
    return [day for day in starts if day < end]
