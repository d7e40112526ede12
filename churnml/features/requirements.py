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
        source = as_source(data, mapping=mapping)
        last = _day(source.tables["bills"].month.max().to_pyarrow().as_py())
    except ChurnmlError:
        return ""
    if last is None:
        return ""
    return f"Bills end with {last:%Y-%m}: the latest date is --as-of {add_months(last, 1)}."


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
