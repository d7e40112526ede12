"""The time rule, and nowhere else: what had happened, and was known, at ``as_of``.

``as_of`` is a date and means midnight at its start. A row may feed a feature at
``as_of`` only if it had happened before that moment and had reached the warehouse by
then; a value that is itself a later event is unknown until it has happened. Windows
are half-open: *w* days cover ``[as_of - w, as_of)``.

All functions take and return lazy tables. A *spine* is a table of
``(customer_id, as_of)`` with one row for every customer and date to be described.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml.contract import TABLES, TableSpec

_LONG_AGO = date(1900, 1, 1)


def month_index(day: ir.DateValue) -> ir.IntegerValue:
    """Months since year 0 of a date, so that months can be subtracted.

    Engines disagree about differences in months; whole numbers leave nothing to agree on.
    """
    return day.year() * 12 + day.month()


def known_at(table: ir.Table, spec: TableSpec, lag: timedelta = timedelta()) -> ir.TimestampValue:
    """When each row became known.

    From the row's own ``known_at``; else, for a bill, midnight after ``issued_on``; else
    the moment the row happened (a month: its end) plus ``lag``.

    Parameters
    ----------
    table : Table
    spec : TableSpec
    lag : timedelta
        What the mapping's ``known_after`` says.

    Returns
    -------
    timestamp column, never null where the row's event is not
    """
    candidates = [table.known_at] if "known_at" in table.columns else []
    if "issued_on" in table.columns:
        candidates.append((table.issued_on + ibis.interval(days=1)).cast("timestamp"))
    candidates.append(_happened(table, spec) + ibis.interval(seconds=int(lag.total_seconds())))
    return ibis.coalesce(*candidates)


def _happened(table: ir.Table, spec: TableSpec) -> ir.TimestampValue:
    """The first moment at which the row can be said to have happened."""
    if spec.rows == "month":
        return (table.month + ibis.interval(months=1)).cast("timestamp")
    if spec.rows == "event":
        return table[spec.event]
    dates = [table[name] for name in ("valid_from", spec.event) if name in table.columns]
    return ibis.coalesce(*dates, ibis.literal(_LONG_AGO)).cast("timestamp")


def visible(table: ir.Table, spec: TableSpec, spine: ir.Table) -> ir.Table:
    """The rows of a customer's table that may be used at each ``as_of``.

    Parameters
    ----------
    table : Table
        One of the source's tables, with ``customer_id`` and a filled ``known_at``.
    spec : TableSpec
    spine : Table
        ``(customer_id, as_of)``.

    Returns
    -------
    Table
        ``as_of`` and the table's columns; one row for every pair of a spine row and a
        visible row of that customer. Values that date a later event, and values dated
        by one, are null while it has not happened.
    """
    rows = spine.select("customer_id", "as_of").join(table, "customer_id")
    if spec.rows == "month":
        happened = month_index(rows.month) < month_index(rows.as_of)
    else:
        happened = _happened(rows, spec) < rows.as_of.cast("timestamp")
    rows = rows.filter(happened, rows.known_at <= rows.as_of.cast("timestamp"))
    return _hide_later_events(rows, spec)


def _hide_later_events(rows: ir.Table, spec: TableSpec) -> ir.Table:
    hidden = {}
    for column in spec.columns:
        if column.happens in rows.columns and column.name in rows.columns:
            moment = rows[column.happens].cast("timestamp")
            hidden[column.name] = ibis.ifelse(
                moment < rows.as_of.cast("timestamp"), rows[column.name], ibis.null()
            )
    return rows.mutate(**hidden) if hidden else rows


def in_force(table: ir.Table, spec: TableSpec, moments: ir.Table) -> ir.Table:
    """The version of each state that was in force, and known, at each ``as_of``.

    Parameters
    ----------
    table : Table
        ``customers`` or ``groups``, with a filled ``known_at``.
    spec : TableSpec
    moments : Table
        With ``as_of``; with the table's key too where only those rows are wanted.

    Returns
    -------
    Table
        ``as_of`` and the table's columns, at most one row for each key and ``as_of``.
    """
    (key,) = spec.key
    on = [key] if key in moments.columns else []
    wanted = moments.select(*on, "as_of").distinct()
    rows = wanted.join(table, on) if on else wanted.cross_join(table)
    midnight = rows.as_of.cast("timestamp")
    happened = _happened(rows, spec) < midnight
    if spec.event in rows.columns:
        happened &= rows[spec.event].isnull() | (rows[spec.event].cast("timestamp") < midnight)
    rows = _hide_later_events(rows.filter(happened, rows.known_at <= midnight), spec)
    if "valid_from" not in table.columns:
        return rows
    latest = ibis.window(group_by=[key, "as_of"], order_by=[_.valid_from.desc(), _.known_at.desc()])
    return (
        rows.mutate(_version=ibis.row_number().over(latest))
        .filter(_._version == 0)
        .drop("_version")
    )


def dates(as_of: date | str | Iterable[date | str]) -> list[date]:
    """The distinct dates given, oldest first.

    >>> dates("2026-06-01")
    [datetime.date(2026, 6, 1)]
    """
    given = [as_of] if isinstance(as_of, (str, date)) else list(as_of)
    return sorted({date.fromisoformat(str(day)[:10]) for day in given})


def spine(tables: Mapping[str, ir.Table], as_of: date | str | Iterable[date | str]) -> ir.Table:
    """Every customer eligible at each ``as_of``: activated before it, not terminated before it.

    Parameters
    ----------
    tables : mapping of str to Table
        Needs ``customers``.
    as_of : date, or several

    Returns
    -------
    Table
        ``(customer_id, as_of)``, unique rows.
    """
    moments = ibis.memtable({"as_of": dates(as_of)}, schema={"as_of": "date"})
    customers = in_force(tables["customers"], TABLES["customers"], moments)
    return customers.filter(_.terminated_on.isnull()).select("customer_id", "as_of")


def latest_month(table: ir.Table, spec: TableSpec, spine: ir.Table) -> ir.Table:
    """The month in which the windows of a monthly table end, for each ``as_of``.

    The latest month that is visible for at least half of the spine's customers, so that
    a bill issued on the 3rd does not turn the last month into a hole.

    Returns
    -------
    Table
        ``as_of``, ``latest`` (a `month_index`); no row where no month is visible enough.
    """
    seen = visible(table, spec, spine).group_by("as_of", latest=_.month.pipe(month_index))
    seen = seen.agg(customers=_.customer_id.nunique())
    eligible = spine.group_by("as_of").agg(eligible=_.count())
    enough = seen.join(eligible, "as_of").filter(_.customers * 2 >= _.eligible)
    return enough.group_by("as_of").agg(latest=_.latest.max())


def last_months(table: ir.Table, spec: TableSpec, spine: ir.Table, months: int) -> ir.Table:
    """The visible rows of the last ``months`` months, with ``ago``: 0 for the latest of them."""
    rows = visible(table, spec, spine).join(latest_month(table, spec, spine), "as_of")
    rows = rows.mutate(ago=rows.latest - month_index(rows.month)).drop("latest")
    return rows.filter(rows.ago >= 0, rows.ago < months)


def last_days(rows: ir.Table, moment: str, days: int) -> ir.BooleanValue:
    """Whether each visible row's ``moment`` lies in ``[as_of - days, as_of)``."""
    at = rows[moment].cast("timestamp")
    start = (rows.as_of - ibis.interval(days=days)).cast("timestamp")
    return (at >= start) & (at < rows.as_of.cast("timestamp"))
