"""Dates as callers give them, and months counted from them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from churnml.base.dates import add_months, add_span, month_starts, parse_date, parse_dates
from churnml.errors import UsageError

JUNE = date(2026, 6, 1)


@pytest.mark.parametrize(
    "given",
    [
        JUNE,
        datetime(2026, 6, 1, 8),
        datetime(2026, 6, 1, 23, tzinfo=UTC),
        pd.Timestamp("2026-06-01 08:00"),
        np.datetime64("2026-06-01", "ns"),
        "2026-06-01",
        "2026-06-01T08:00",
        pd.Timestamp("2026-06-01 00:30", tz="Asia/Shanghai"),
        datetime(2026, 6, 1, tzinfo=ZoneInfo("Asia/Shanghai")),
        pd.Period("2026-06-01", "D"),
        np.datetime64("2026-06-01"),
        np.array("2026-06-01", dtype="datetime64[s]")[()],
        pl.Series([JUNE])[0],
        pa.scalar(JUNE),
        pa.scalar("2026-06-01"),
        pa.scalar(datetime(2026, 5, 31, 16, tzinfo=UTC), pa.timestamp("us", "Asia/Shanghai")),
    ],
)
def test_a_date_is_read_however_it_is_given(given):
    assert parse_date(given) == JUNE
    assert type(parse_date(given)) is date


@pytest.mark.parametrize(
    "given",
    [
        *("soon", "2026-06", "2026-06-01 or so", "", None, 1780272000.0, True, pd.NaT),
        *(pd.Period("2026-06", "M"), np.datetime64("2026-06"), np.datetime64("NaT")),
        pa.scalar(None),
    ],
)
def test_what_names_no_date_is_refused_with_how_to_write_one(given):
    with pytest.raises(UsageError, match="is not a date") as refused:
        parse_date(given)
    assert refused.value.hint == "Write it as 2026-06-01."


def test_several_dates_are_each_kept_once_oldest_first():
    assert parse_dates(["2026-06-01", date(2026, 5, 1), JUNE]) == [date(2026, 5, 1), JUNE]


@pytest.mark.parametrize(
    "given",
    [
        pd.DatetimeIndex(["2026-06-01", "2026-05-01"]),
        pd.Series(["2026-05-01", "2026-06-01"]),
        pl.Series([JUNE, date(2026, 5, 1)]),
        pa.array([JUNE, date(2026, 5, 1)]),
        np.array(["2026-05-01", "2026-06-01"], dtype="datetime64[ns]"),
        (day for day in (JUNE, date(2026, 5, 1))),
    ],
)
def test_several_dates_are_taken_from_any_column(given):
    assert parse_dates(given) == [date(2026, 5, 1), JUNE]


@pytest.mark.parametrize("given", [[], pd.DatetimeIndex([]), np.array([], dtype="datetime64[D]")])
def test_no_date_at_all_is_refused(given):
    with pytest.raises(UsageError, match="No date is given"):
        parse_dates(given)


def test_months_added_stay_within_the_month():
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(1500)]
    for day in days:
        later = add_months(day, 1)
        assert later == add_span(day, "1mo")
        assert (later.year, later.month) == ((day.year, day.month + 1) if day.month < 12 else
                                             (day.year + 1, 1))  # fmt: skip
        assert later.day == min(day.day, (later + pd.offsets.MonthEnd(0)).day)


def test_month_starts_lie_from_a_date_on_and_before_another():
    starts = month_starts(date(2026, 10, 2), date(2027, 1, 1))
    assert starts == [date(2026, 11, 1), date(2026, 12, 1)]
    assert month_starts(JUNE, JUNE) == month_starts(JUNE, date(2026, 1, 1)) == []
