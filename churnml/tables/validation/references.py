"""Checks across rows: against the customers, and between a customer's rows."""

from __future__ import annotations

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml.tables.asof import month_index
from churnml.tables.validation.scope import Scope


def outside_life(scope: Scope, lives: ir.Table) -> ir.Table:
    """Events before a customer was activated or after service ended.

    Parameters
    ----------
    scope : Scope
    lives : Table
        ``customer_id``, ``begins``, ``ends``.
    """
    event = scope.spec.event
    rows = scope.rows.join(lives, "customer_id")
    if scope.spec.rows == "month":
        month = month_index(rows.month)
        outside = (month < month_index(rows.begins)) | (month > month_index(rows.ends))
    else:
        after = (rows.ends + ibis.interval(days=1)).cast("timestamp")
        outside = (rows[event] < rows.begins.cast("timestamp")) | (rows[event] >= after)
    life = rows.begins.cast("string") + " to " + rows.ends.cast("string").fill_null("now")
    return rows.filter(outside).mutate(shown=rows[event].cast("string") + " in a life of " + life)


def gaps(scope: Scope) -> ir.Table:
    """The customers whose months have gaps: ``customer_id``, ``shown``.

    Each customer's month must stand once.
    """
    month = month_index(scope.rows.month)
    spans = (
        scope.rows.filter(scope.rows.month.notnull(), scope.rows.customer_id.notnull())
        .group_by("customer_id")
        .agg(have=_.count(), first=month.min(), last=month.max())
    )
    spans = spans.mutate(lacking=spans.last - spans.first + 1 - spans.have)
    shown = spans.customer_id + " lacks " + spans.lacking.cast("string") + " months"
    return spans.filter(spans.lacking > 0).select("customer_id", shown=shown)


def empty_months(scope: Scope) -> list[str]:
    """The months between the first and the last of a table in which it has no row."""
    month = month_index(scope.rows.month)
    seen = scope.rows.filter(scope.rows.month.notnull()).select(month=month).distinct()
    have = set(seen.to_pyarrow()["month"].to_pylist())
    if not have:
        return []
    lacking = sorted(set(range(min(have), max(have) + 1)) - have)
    return [f"{(at - 1) // 12}-{(at - 1) % 12 + 1:02d}" for at in lacking]


def unknown_groups(customers: Scope, groups: Scope) -> ir.Table:
    """Customers whose ``group_id`` is not in ``groups``."""
    known = groups.rows.select("group_id").distinct()
    rows = customers.rows.filter(customers.rows.group_id.notnull())
    return rows.anti_join(known, "group_id").mutate(shown=_.group_id)
