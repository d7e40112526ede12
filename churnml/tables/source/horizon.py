"""The tables as they were at the start of a day."""

from __future__ import annotations

from datetime import date

import ibis
from ibis.expr import types as ir

from churnml.tables.asof import month_index
from churnml.tables.contract import TableSpec


def until(
    table: ir.Table,
    spec: TableSpec,
    day: date | None,
    *,
    known: str = "known_at",
    undated: bool = False,
) -> ir.Table:
    """What had happened and was known at midnight when a day began; all, where there is none.

    Parameters
    ----------
    table : Table
    spec : TableSpec
    day : date or None
    known : str
        The column that says when each row became known.
    undated : bool
        Whether to keep rows whose date is missing.

    Returns
    -------
    Table
        The same columns. Values that are later events are null where those lay ahead.
    """
    if day is None:
        return table
    midnight = ibis.literal(day).cast("timestamp")
    seen = (table[known] <= midnight) & happened_before(table, spec, day)
    kept = table.filter(seen.fill_null(True) if undated else seen)
    hidden = {
        column.name: (kept[column.happens].cast("timestamp") < midnight).ifelse(
            kept[column.name], ibis.null(kept[column.name].type())
        )
        for column in spec.columns
        if column.name in kept.columns and column.happens in kept.columns
    }
    return kept.mutate(**hidden) if hidden else kept


def happened_before(table: ir.Table, spec: TableSpec, day: date) -> ir.BooleanValue:
    """Whether each row had happened when a day began; a month, whether it had ended."""
    if spec.rows == "month":
        return month_index(table.month) < day.year * 12 + day.month
    midnight = ibis.literal(day).cast("timestamp")
    if spec.rows == "event":
        return table[spec.event] < midnight
    dates = [table[name] for name in ("valid_from", spec.event) if name in table.columns]
    before = [(when.cast("timestamp") < midnight) | when.isnull() for when in dates]
    return ibis.and_(*before)
