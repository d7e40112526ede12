"""Turn rows that break a rule into a breach with a few examples."""

from __future__ import annotations

from typing import Any

import ibis
from ibis.expr import types as ir

from churnml.base.text import quoted
from churnml.tables.source.columns import ROW
from churnml.tables.validation.checks import RowCheck
from churnml.tables.validation.codes import Effect
from churnml.tables.validation.keys import KEPT, Duplicates, key_columns
from churnml.tables.validation.report import EXAMPLES, Breach, shown
from churnml.tables.validation.scope import Scope

_VALUES = ("C03", "C04", "C05")
"""Checks of a column's values, which may all fail where a spelling or a unit changed."""

_LOOKED_AT = 50
"""Rows among which examples are chosen that differ."""

BreachKind = tuple[str, str, Effect, str]
"""Of a breach: code, column, effect, what was expected."""


def breach(
    scope: Scope, what: BreachKind, bad: ir.Table, many: int, *, everywhere: bool = False
) -> Breach:
    """Describe a breach with examples of its rows.

    Parameters
    ----------
    scope : Scope
    what : tuple
        Code, column, effect, what was expected.
    bad : Table
        The rows, with ``shown``.
    many : int
        How many they are.
    everywhere : bool
        Whether no value of the column is good.
    """
    code, column, effect, expected = what
    place = [name for name in scope.place if name in bad.columns]
    few = bad.order_by(place or ["shown"]).limit(_LOOKED_AT).select("shown", *place)
    rows = _telling(few.to_pyarrow().to_pylist())
    return Breach(
        code=code,
        table=scope.spec.name,
        column=column,
        count=many,
        effect=effect,
        expected=expected,
        examples=tuple(dict.fromkeys(_text(row["shown"]) for row in rows)),
        rows=tuple(row[ROW] for row in rows if ROW in row),
        counted=scope.binding.rows.counted,
        everywhere=everywhere,
    )


def _telling(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Choose a few rows, different ones first, in their original order."""
    first = {row["shown"]: at for at, row in reversed(list(enumerate(rows)))}
    order = sorted(range(len(rows)), key=lambda at: (first[rows[at]["shown"]] != at, at))
    return [rows[at] for at in sorted(order[:EXAMPLES])]


def _text(value: str | None) -> str:
    if value is None:
        return "(none)"
    # A blank id would look like nothing at all.
    return shown(value) if value.strip() else quoted(value)


def row_breaches(scope: Scope, fired: list[tuple[RowCheck, int]]) -> list[Breach]:
    """The breaches found in single rows, with how often each check fired."""
    if not fired:
        return []
    given = {
        check.column: scope.rows.count(where=scope.text(check.column).notnull())
        for check, _many in fired
    }
    values = scope.rows.aggregate(**given).to_pyarrow().to_pylist()[0]
    return [
        breach(
            scope,
            (check.code, check.column, check.effect, check.expected),
            scope.rows.filter(check.bad).mutate(shown=check.shown),
            many,
            everywhere=check.code in _VALUES and many == values[check.column],
        )
        for check, many in fired
    ]


def duplicate_breach(scope: Scope, twice: Duplicates) -> Breach:
    """Describe rows that share a key."""
    keys = key_columns(scope)
    code = "C10" if scope.spec.name == "bills" else "C06"
    lost = twice.rows.filter(~twice.rows[KEPT])
    texts = [lost[name].cast("string").fill_null("-") for name in keys]
    expected = (
        f"one row for each {' and '.join(keys)}: of several the one known first stays, "
        "and none where the first ones contradict each other"
    )
    what: BreachKind = (code, ", ".join(keys), "aside", expected)
    return breach(scope, what, lost.mutate(shown=ibis.literal(" ").join(texts)), twice.aside)


def rejected_lines(scope: Scope) -> list[Breach]:
    """Describe malformed CSV lines without quoting them."""
    rows = scope.binding.rows
    if rows.rejected is None or not rows.rejects:
        return []
    few = rows.rejected.order_by("line").limit(EXAMPLES).to_pyarrow().to_pylist()
    return [
        Breach(
            code="C18",
            table=scope.spec.name,
            column="",
            count=rows.rejects,
            effect="aside",
            expected=f"{len(scope.binding.names)} fields",
            examples=tuple(dict.fromkeys(shown(row["problem"]) for row in few)),
            rows=tuple(row["line"] for row in few),
            counted="line",
        )
    ]
