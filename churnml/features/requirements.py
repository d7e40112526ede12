"""Check that features can be built at a date."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import add_months
from churnml.errors import ChurnmlError, DataError
from churnml.tables.checked import Location, as_source
from churnml.tables.source import Source


def require_bills(source: Source, day: date) -> None:
    """Refuse a date more than a month after the last bill before it.

    Raises
    ------
    DataError
        Says which date would do.
    """
    bills = source.tables["bills"]
    last = _last_month(bills, day)
    if last is None:
        first = _day(bills.month.min().to_pyarrow().as_py())
        usable = (
            f"Use --as-of {add_months(first, 1)} or later" if first else "Choose a later --as-of"
        )
        raise DataError(
            f"bills.month: no bill of a month that had ended by {day}"
            + (f"; bills begin with {first:%Y-%m}." if first else "."),
            hint=f"{usable}, or add bills.",
            table="bills",
            column="month",
            expected=f"a month before {day}",
        )
    ended = add_months(last, 1)
    if add_months(ended, 1) < day:
        raise DataError(
            f"bills.month: the last bill before {day} is of {last:%Y-%m}; features would be "
            "more than a month old.",
            hint=f"Add the bills since, or score at {add_months(ended, 1)} or before.",
            table="bills",
            column="month",
            value=last.isoformat(),
        )


def suggest_date(data: object, *, mapping: Location | None = None) -> str:
    """Name the latest date that operator tables allow, for whoever left it out.

    Parameters
    ----------
    data : Source, path, or anything else
        What was given as operator tables; nothing is said of what is none.
    mapping : path, optional

    Returns
    -------
    str
        A sentence, or nothing.
    """
    try:
        if not isinstance(data, Source) and not (isinstance(data, str | Path) and is_folder(data)):
            return ""
        latest = latest_date(as_source(data, mapping=mapping))
    except ChurnmlError:
        return ""
    if latest is None:
        return ""
    last = add_months(latest, -1)
    return f"Bills end with {last:%Y-%m}: the latest date is --as-of {latest}."


def latest_date(source: Source) -> date | None:
    """The latest date that the bills allow: the first day after the last month that has them.

    A month with fewer than half as many bills as the fullest is not there yet, or never will
    be.

    Parameters
    ----------
    source : Source

    Returns
    -------
    date or None
        ``None`` without any bill.
    """
    bills = source.tables["bills"]
    months = bills.filter(_.month.notnull()).group_by("month").agg(rows=_.count())
    counts = {_day(row["month"]): row["rows"] for row in months.to_pyarrow().to_pylist()}
    full = [month for month, rows in counts.items() if month and 2 * rows >= max(counts.values())]
    return add_months(max(full).replace(day=1), 1) if full else None


def is_folder(place: str | Path) -> bool:
    """Whether a place is a folder on this machine."""
    try:
        return Path(place).is_dir()
    except (OSError, ValueError):
        return False


def _last_month(bills: ir.Table, day: date) -> date | None:
    # A month has ended if a day of the next one is not after the date.
    ended = bills.filter(_.month < day.replace(day=1))
    return _day(ended.month.max().to_pyarrow().as_py())


def _day(value: Any) -> date | None:
    return value.date() if hasattr(value, "date") else value
