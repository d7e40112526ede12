"""Checks of single rows, all run in one pass over a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import ibis
from ibis.expr import types as ir

from churnml.tables.contract import TABLES, ColumnSpec
from churnml.tables.validation.blank import is_blank
from churnml.tables.validation.codes import Effect
from churnml.tables.validation.scope import Scope

_FIRST = date(1900, 1, 1)
_LAST = date(2200, 1, 1)
_LATE = timedelta(days=31)
_CONTROL = r"[\x00-\x1f\x7f]"

_PAIRS = (
    # code, later, earlier
    ("C08", "closed_at", "opened_at"),
    ("C08", "reopened_at", "opened_at"),
    ("C08", "answered_at", "sent_at"),
    ("C08", "accepted_at", "offered_at"),
    ("C08", "paid_on", "month"),
    ("C09", "terminated_on", "activated_on"),
    ("C13", "issued_on", "month"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class RowCheck:
    """A condition that marks a bad row.

    Attributes
    ----------
    code : str
    column : str
    effect : {"aside", "null", "warn"}
    bad : ibis BooleanValue
        On the rows of a `Scope`; null counts as false.
    expected : str
    shown : ibis StringValue
        The value to show.
    """

    code: str
    column: str
    effect: Effect
    bad: ir.BooleanValue
    expected: str
    shown: ir.StringValue


def row_checks(scope: Scope, future: datetime | None) -> list[RowCheck]:
    """All checks of single rows that apply to a table.

    Parameters
    ----------
    scope : Scope
    future : datetime or None
        The moment from which on is the future.
    """
    checks = [check for column in scope.columns for check in _column_checks(scope, column, future)]
    checks.extend(_order_checks(scope))
    checks.extend(_known_checks(scope))
    checks.extend(_scale_checks(scope))
    checks.extend(_peer_checks(scope))
    return checks


def effect_on(scope: Scope, column: ColumnSpec) -> Effect:
    """Whether a bad value sets its row aside or becomes null."""
    fatal = column.required or column.name == "valid_from"
    return "aside" if fatal else "null"


def _column_checks(scope: Scope, column: ColumnSpec, future: datetime | None) -> Iterator[RowCheck]:
    name, value = column.name, scope.rows[column.name]
    effect, text = effect_on(scope, column), scope.text(name)
    unreadable = scope.unreadable(name)
    if unreadable is not None:
        yield RowCheck(
            code="C03",
            column=name,
            effect=effect,
            bad=unreadable,
            expected=_type_words(scope, column),
            shown=text,
        )
    for bad, expected in _ranges(column, value):
        yield RowCheck(
            code="C04", column=name, effect=effect, bad=bad, expected=expected, shown=text
        )
    codes = scope.codes(column)
    if codes:
        expected = ", ".join(codes) + (f" (setting {column.listed})" if column.listed else "")
        yield RowCheck(
            code="C05",
            column=name,
            effect=effect,
            bad=value.notin(codes),
            expected=expected,
            shown=text,
        )
    own = scope.spec.name not in TABLES
    # A date of one's own that lies ahead, as the end of an offer, is hidden until it comes.
    hidden = own and column.happens == name
    if future is not None and _can_lie_ahead(column) and not hidden:
        ahead = value.cast("timestamp") >= ibis.literal(future)
        fate: Effect = "null" if column.happens else _fate_ahead(column)
        if name == "known_at" and own:
            # A row of one's own that arrives after the last bill is a late one, no slip.
            fate = "warn"
        yield RowCheck(
            code="C12",
            column=name,
            effect=fate,
            bad=ahead,
            expected=f"before {future:%Y-%m-%d}",
            shown=text,
        )
    if column.required and not column.nullable:
        missing = value.isnull() if unreadable is None else value.isnull() & ~unreadable
        if column.kind == "text":
            missing |= is_blank(value)
        others = [other for other in column.unless if scope.has(other)]
        for other in others:
            stands_in = scope.rows[other]
            missing &= stands_in.isnull() | is_blank(stands_in)
        yield RowCheck(
            code="C16",
            column=name,
            effect="aside",
            bad=missing,
            expected=" or ".join(["a value", *(f"one of {other}" for other in others)]),
            shown=text,
        )
    elif name.endswith("_id"):
        yield RowCheck(
            code="C16",
            column=name,
            effect=effect,
            bad=is_blank(value),
            expected="an id, or null",
            shown=text,
        )
    if column.kind == "month":
        yield RowCheck(
            code="C17",
            column=name,
            effect="aside",
            bad=value.day() != 1,
            expected="the first day of a month",
            shown=text,
        )
    if name in scope.spec.key and column.kind == "text" and scope.spec.rows != "month":
        control = value.re_search(_CONTROL)
        yield RowCheck(
            code="C19",
            column=name,
            effect="aside",
            bad=control,
            expected="no control characters",
            shown=text,
        )


def _type_words(scope: Scope, column: ColumnSpec) -> str:
    layout = scope.binding.entry.format_of(column.name)
    if layout is not None:
        return f"a {column.kind} written as {layout}"
    words = {
        "number": "a number such as 1234.5",
        "integer": "a whole number",
        "boolean": "true or false",
        "date": "a date such as 2026-06-30",
        "month": "a month by its first day, such as 2026-06-01",
        "timestamp": "a timestamp such as 2026-06-30 08:15:00",
        "text": "text",
    }[column.kind]
    if column.kind == "number" and scope.spec.name not in TABLES:
        return f"{words}, or kind: category in the mapping"
    dated = column.kind in ("date", "month", "timestamp")
    return f"{words}, or formats in the mapping" if dated else words


def _ranges(column: ColumnSpec, value: ir.Value) -> Iterator[tuple[ir.BooleanValue, str]]:
    if column.kind in ("date", "month", "timestamp"):
        bad = value < ibis.literal(_FIRST)
        # A later event of the year 9999 is the habit of writing that it has not happened.
        if column.happens is None:
            bad |= value >= ibis.literal(_LAST)
        yield bad, f"{_FIRST} to {_LAST}"
    elif column.kind in ("number", "integer"):
        unit = f" {column.unit}" if column.unit else ""
        if column.low is not None and column.high is not None:
            # Not a number sorts above every number, so it is caught here too.
            expected = f"{column.low:,.10g} to {column.high:,.10g}{unit}"
            yield (value < column.low) | (value > column.high), expected
        elif column.kind == "number":
            yield value.isnan() | value.isinf(), "a finite number"


def _can_lie_ahead(column: ColumnSpec) -> bool:
    """Whether a column may hold future dates, as the end of a contract does."""
    dated = column.kind in ("date", "month", "timestamp")
    return dated and column.name != "contract_ends_on"


def _fate_ahead(column: ColumnSpec) -> Effect:
    """What a future date does: it sets its row aside, but ``registered_on`` becomes null."""
    return "null" if column.name == "registered_on" else "aside"


def _order_checks(scope: Scope) -> Iterator[RowCheck]:
    columns = {column.name: column for column in scope.columns}
    for code, later, earlier in _PAIRS:
        if scope.has(later, earlier):
            bad = scope.rows[later] < scope.rows[earlier]
            text = _two(scope, later, earlier)
            effect = effect_on(scope, columns[later])
            yield RowCheck(
                code=code,
                column=later,
                effect=effect,
                bad=bad,
                expected=f"at or after {earlier}",
                shown=text,
            )


def _two(scope: Scope, one: str, other: str) -> ir.StringValue:
    return scope.text(one) + f" with {other} " + scope.text(other)


def _known_checks(scope: Scope) -> Iterator[RowCheck]:
    if not scope.has("known_at"):
        return
    spec, rows = scope.spec, scope.rows
    for event in ("valid_from", spec.event) if spec.rows == "state" else (spec.event,):
        if scope.has(event):
            bad = rows.known_at < rows[event].cast("timestamp")
            text = _two(scope, "known_at", event)
            yield RowCheck(
                code="C13",
                column="known_at",
                effect="null",
                bad=bad,
                expected=f"at or after {event}",
                shown=text,
            )
    if scope.has(spec.event) and spec.rows != "state":
        since = rows[spec.event].cast("timestamp")
        if spec.rows == "month":
            since = (rows[spec.event] + ibis.interval(months=1)).cast("timestamp")
        late = rows.known_at > since + ibis.interval(days=_LATE.days)
        text = _two(scope, "known_at", spec.event)
        yield RowCheck(
            code="C20",
            column="known_at",
            effect="warn",
            bad=late,
            expected="within 31 days",
            shown=text,
        )


def _scale_checks(scope: Scope) -> Iterator[RowCheck]:
    if not scope.has("score", "scale_min", "scale_max"):
        return
    rows = scope.rows
    text = scope.text("score") + " on " + scope.text("scale_min") + " to " + scope.text("scale_max")
    off = (rows.score < rows.scale_min) | (rows.score > rows.scale_max)
    yield RowCheck(
        code="C14",
        column="score",
        effect="aside",
        bad=off,
        expected="scale_min to scale_max",
        shown=text,
    )
    empty = rows.scale_min >= rows.scale_max
    yield RowCheck(
        code="C14",
        column="scale_max",
        effect="aside",
        bad=empty,
        expected="above scale_min",
        shown=text,
    )


def _peer_checks(scope: Scope) -> Iterator[RowCheck]:
    if scope.has("peer_id", "customer_id"):
        yield RowCheck(
            code="C23",
            column="peer_id",
            effect="aside",
            bad=scope.rows.peer_id == scope.rows.customer_id,
            expected="somebody else's id",
            shown=scope.text("peer_id"),
        )
