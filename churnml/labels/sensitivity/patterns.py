"""Count customers by their monthly pattern around a date, in one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import ibis
import pandas as pd
import pyarrow as pa
from ibis import _
from ibis.expr import types as ir

from churnml.labels import window as labels
from churnml.tables import asof
from churnml.tables.contract import TABLES

BEFORE = 3
"""Months before ``as_of`` that tell who was silent already; the longest silence looked at."""

FOLLOWED = 3
"""Whole months after the label window in which who left may come back."""

NEVER = 999
UNPAID_DAYS = 60


def whole_months(day: date, window: labels.Window) -> range:
    """The whole months of a window, counted from the month of ``as_of``.

    >>> whole_months(date(2026, 5, 1), labels.Window("30d", "2mo"))
    range(1, 2)
    """
    start, end = window.of(day)
    first = start.year * 12 + start.month + (start.day > 1)
    own = day.year * 12 + day.month
    return range(first - own, max(end.year * 12 + end.month, first) - own)


def counted(
    tables: Mapping[str, ir.Table],
    days: Sequence[date],
    windows: Sequence[labels.Window],
    until: date,
) -> pd.DataFrame:
    """Count customers by pattern.

    Returns
    -------
    DataFrame
        ``as_of``; ``place``: how many of the date's `edges` lie at or before the end of
        service, `NEVER` where it did not end; ``tenure``: whole months before ``as_of``, at
        most `BEFORE`; with usage ``prepaid`` and ``used_0``, ``used_1``, ... (1 with an
        active day in the month, from `BEFORE` months before ``as_of`` on); where bills tell
        when they were paid, ``unpaid``; ``customers``.
    """
    customers = tables["customers"]
    known = customers.group_by("customer_id").agg(
        ended=_.terminated_on.max(), activated=_.activated_on.min()
    )
    rows = _joined(asof.spine(tables, days), known, ["customer_id"])
    rows = _joined(rows, _edge_table(days, windows), ["as_of"])
    passed = [_once(rows.ended >= rows[f"edge_{at}"]) for at in range(2 * len(windows))]
    place = ibis.ifelse(rows.ended.isnull(), NEVER, sum(passed, ibis.literal(0)))
    month = asof.month_index(rows.as_of) - asof.month_index(rows.activated)
    begun = month - _once(rows.activated.day() > 1)
    rows = rows.mutate(
        place=place.cast("int32"), tenure=ibis.least(begun, ibis.literal(BEFORE)).cast("int32")
    )
    keys = ["as_of", "place", "tenure"]
    if {"paid_on"} <= set(tables["bills"].columns):
        rows = _joined(rows, _unpaid(tables["bills"], known), ["customer_id"])
        rows = rows.mutate(unpaid=rows.unpaid.fill_null(False))
        keys.append("unpaid")
    if "usage" in tables:
        rows, flags = _used(rows, tables, days, windows, until)
        keys += ["prepaid", *flags]
    return rows.group_by(keys).agg(customers=_.count()).to_pandas()


def edges(day: date, windows: Sequence[labels.Window]) -> list[date]:
    """The start and end dates of all windows of a date, in order."""
    return sorted(edge for window in windows for edge in window.of(day))


def _edge_table(days: Sequence[date], windows: Sequence[labels.Window]) -> ir.Table:
    types = {f"edge_{at}": pa.date32() for at in range(2 * len(windows))}
    rows = [(day, *edges(day, windows)) for day in days]
    return asof.small_table(rows, as_of=pa.date32(), **types)


def _joined(rows: ir.Table, part: ir.Table, on: list[str]) -> ir.Table:
    return rows.left_join(part, on).drop(*(f"{name}_right" for name in on))


def _once(condition: ir.BooleanValue) -> ir.IntegerValue:
    return condition.ifelse(1, 0)


def _unpaid(bills: ir.Table, known: ir.Table) -> ir.Table:
    """Customers with a long overdue bill when their service ended."""
    due = bills.month + ibis.interval(months=1)
    if "issued_on" in bills.columns:
        due = ibis.coalesce(bills.issued_on, due)
    rows = bills.filter(bills.amount > 0).select("customer_id", "paid_on", due=due)
    rows = rows.join(known.filter(_.ended.notnull()).select("customer_id", "ended"), "customer_id")
    late = rows.due + ibis.interval(days=UNPAID_DAYS) <= rows.ended
    rows = rows.filter(late & (rows.paid_on.isnull() | (rows.paid_on >= rows.ended)))
    return rows.select("customer_id").distinct().mutate(unpaid=ibis.literal(True))


def _used(
    rows: ir.Table,
    tables: Mapping[str, ir.Table],
    days: Sequence[date],
    windows: Sequence[labels.Window],
    until: date,
) -> tuple[ir.Table, list[str]]:
    """Add who is prepaid, and the months around ``as_of`` with an active day."""
    spans = [whole_months(day, window) for day in days for window in windows]
    last = max(max(span.stop, span.start + BEFORE) for span in spans) + FOLLOWED
    moments = asof.moments(days)
    usage = tables["usage"].filter(_.active_days > 0, _.month < until)
    used = usage.select("customer_id", at=asof.month_index(_.month)).cross_join(moments)
    away = used.at - asof.month_index(used.as_of)
    used = used.filter(away >= -BEFORE, away < last)
    names = {f"used_{at + BEFORE}": _once(away == at).max() for at in range(-BEFORE, last)}
    used = used.group_by("customer_id", "as_of").agg(**names)
    states = asof.in_force(tables["customers"], TABLES["customers"], rows)
    prepaid = states.select("customer_id", "as_of", prepaid=_.payment == "prepaid")
    for part in (used, prepaid):
        rows = _joined(rows, part, ["customer_id", "as_of"])
    flags = {name: rows[name].fill_null(0) for name in names}
    return rows.mutate(prepaid=rows.prepaid.fill_null(False), **flags), list(names)
