"""Rows set aside, with the reason and their original values."""

from __future__ import annotations

from collections.abc import Iterable

import ibis
from ibis.expr import types as ir

from churnml.tables.source.columns import FILE, RAW, ROW
from churnml.tables.validation.checks import RowCheck
from churnml.tables.validation.report import Breach
from churnml.tables.validation.scope import Scope

_REASON = ("code", "column", "message", "row", "file")


def any_of(checks: Iterable[RowCheck]) -> ir.BooleanValue:
    """Whether a row fails any of the checks."""
    return ibis.or_(*(check.bad.fill_null(False) for check in checks))


def by_checks(scope: Scope, checks: list[RowCheck]) -> ir.Table:
    """Set aside the rows that fail any check, each with the reason of the first."""
    hits = [(check.bad.fill_null(False), check) for check in checks]
    reason = {
        "code": ibis.cases(*[(bad, check.code) for bad, check in hits]),
        "column": ibis.cases(*[(bad, check.column) for bad, check in hits]),
        "message": ibis.cases(*[(bad, f"expected {check.expected}") for bad, check in hits]),
    }
    return scope.rows.filter(any_of(checks)).select(**reason, **_as_given(scope, scope.rows))


def by_breach(scope: Scope, rows: ir.Table, breach: Breach) -> ir.Table:
    """Set rows aside for one reason."""
    reason = {
        "code": breach.code,
        "column": breach.column,
        "message": f"expected {breach.expected}",
    }
    texts = {name: ibis.literal(text) for name, text in reason.items()}
    return rows.select(**texts, **_as_given(scope, rows))


def _as_given(scope: Scope, rows: ir.Table) -> dict[str, ir.Value]:
    """A row's location, and its values as text, since some could not be read."""
    file = rows[FILE] if FILE in rows.columns else ibis.literal(scope.binding.origin)
    values: dict[str, ir.Value] = {"row": rows[ROW].cast("int64"), "file": file}
    for column in scope.columns:
        typed, raw = rows[column.name].cast("string"), RAW + column.name
        # A column that is called as the reason's are keeps its values under another name.
        name = f"own_{column.name}" if column.name in _REASON else column.name
        values[name] = ibis.coalesce(rows[raw], typed) if raw in rows.columns else typed
    return values
