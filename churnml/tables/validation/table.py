"""Validate one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml.errors import ChurnmlError
from churnml.tables.validation import references as links
from churnml.tables.validation.checks import RowCheck, row_checks
from churnml.tables.validation.examples import (
    BreachKind,
    breach,
    duplicate_breach,
    rejected_lines,
    row_breaches,
)
from churnml.tables.validation.history import Spans, spans
from churnml.tables.validation.keys import KEPT, duplicates
from churnml.tables.validation.report import Breach, Count
from churnml.tables.validation.scope import Scope, count
from churnml.tables.validation.set_aside import any_of, by_breach, by_checks


@dataclass(frozen=True, eq=False, kw_only=True)
class Examined:
    """A validated table.

    Attributes
    ----------
    breaches : list of Breach
        By code.
    count : Count
    clean : Table or None
        What is left of it; ``None`` where that is everything as it was.
    aside : list of Table
        Rows set aside with their reason, each row in one of them.
    """

    breaches: list[Breach]
    count: Count
    clean: ir.Table | None
    aside: list[ir.Table]


@dataclass(kw_only=True)
class _Progress:
    """The state of a validation in progress."""

    good: ir.Table
    breaches: list[Breach] = field(default_factory=list)
    aside: list[ir.Table] = field(default_factory=list)
    gone: int = 0


@dataclass(frozen=True, eq=False)
class Beside:
    """What a table is checked against.

    Attributes
    ----------
    lives : Table or None
        When each customer's service began and ended; ``None`` without ``customers``.
    groups : Scope or None
    future : datetime or None
        The moment from which on is the future.
    """

    lives: ir.Table | None
    groups: Scope | None
    future: datetime | None


def examine(scope: Scope, beside: Beside) -> Examined:
    """Run every check on one table.

    Parameters
    ----------
    scope : Scope
    beside : Beside
    """
    future = beside.future
    fired, total, bad = _run(scope, row_checks(scope, future))
    course = _Progress(
        good=scope.rows, breaches=[*rejected_lines(scope), *row_breaches(scope, fired)]
    )
    fatal = [check for check, _many in fired if check.effect == "aside"]
    if fatal:
        course.good = scope.rows.filter(~any_of(fatal))
        course.aside.append(by_checks(scope, fatal))
        course.gone = bad
    customers = None
    if beside.lives is not None and scope.spec.name != "customers" and scope.has("customer_id"):
        customers = spans(scope, beside.lives)
        _part_orphans(scope, customers, course)
    if customers is None or scope.spec.rows != "month" or customers.repeated:
        _part_duplicates(scope, course)
    left = replace(scope, rows=course.good)
    course.breaches += _warnings(left, beside, customers, lessened=bool(course.aside))
    clean = _clean(scope, course, fired, future)
    _conserve(scope, total, course.gone, clean)
    rejects = scope.binding.rows.rejects
    rows = Count(
        table=scope.spec.name,
        rows=total + rejects,
        good=total - course.gone,
        aside=course.gone + rejects,
    )
    order = sorted(course.breaches, key=lambda one: one.code)
    return Examined(breaches=order, count=rows, clean=clean, aside=course.aside)


def _run(scope: Scope, checks: list[RowCheck]) -> tuple[list[tuple[RowCheck, int]], int, int]:
    """Run checks in one pass; return those that fired with counts, all rows, and the bad rows."""
    fatal = [check for check in checks if check.effect == "aside"]
    counts = {f"n{at}": scope.rows.count(where=check.bad) for at, check in enumerate(checks)}
    counts |= {"rows": scope.rows.count(), "bad": scope.rows.count(where=any_of(fatal))}
    row = scope.rows.aggregate(**counts).to_pyarrow().to_pylist()[0]
    fired = [(check, row[f"n{at}"]) for at, check in enumerate(checks) if row[f"n{at}"]]
    return fired, row["rows"], row["bad"]


def _part_orphans(scope: Scope, customers: Spans, course: _Progress) -> None:
    """Set aside rows whose customer does not exist."""
    if not customers.strangers:
        return
    ids = customers.orphans
    what: BreachKind = ("C07", "customer_id", "aside", "a customer_id of customers")
    orphans = scope.rows.semi_join(ids, "customer_id").mutate(shown=_.customer_id)
    course.breaches.append(breach(scope, what, orphans, count(orphans)))
    lost = course.good.semi_join(ids, "customer_id")
    course.aside.append(by_breach(scope, lost, course.breaches[-1]))
    course.gone += count(lost)
    course.good = course.good.anti_join(ids, "customer_id")


def _part_duplicates(scope: Scope, course: _Progress) -> None:
    """Set aside rows with duplicate keys."""
    twice = duplicates(scope, course.good)
    if twice is None:
        return
    course.breaches.append(duplicate_breach(scope, twice))
    lost = twice.rows.filter(~twice.rows[KEPT])
    course.aside.append(by_breach(scope, lost, course.breaches[-1]))
    course.gone += twice.aside
    course.good = twice.resolved(scope, course.good)


def _clean(
    scope: Scope, course: _Progress, fired: list[tuple[RowCheck, int]], future: datetime | None
) -> ir.Table | None:
    """The good rows with bad optional values made null; ``None`` if nothing changes."""
    # What could not be read (C03) is null already.
    names = {(c.code, c.column) for c, _many in fired if c.effect == "null" and c.code != "C03"}
    if not names and not course.aside:
        return None
    bad: dict[str, list[RowCheck]] = {}
    for check in row_checks(replace(scope, rows=course.good), future):
        if (check.code, check.column) in names:
            bad.setdefault(check.column, []).append(check)
    return course.good.select(**dict(_columns(scope, course.good, bad)))


def _columns(
    scope: Scope, rows: ir.Table, bad: Mapping[str, list[RowCheck]]
) -> Iterator[tuple[str, ir.Value]]:
    for column in scope.columns:
        value = rows[column.name]
        if column.name in bad:
            value = any_of(bad[column.name]).ifelse(ibis.null(value.type()), value)
        yield column.name, value


def _warnings(
    scope: Scope, beside: Beside, customers: Spans | None, *, lessened: bool
) -> list[Breach]:
    """Warnings on rows that are kept: gaps, events outside a life, unknown groups."""
    breaches = []
    for what, rows in _odd(scope, beside, customers, lessened=lessened):
        many = count(rows)
        if many:
            breaches.append(breach(scope, what, rows, many))
    return breaches


def _odd(
    scope: Scope, beside: Beside, customers: Spans | None, *, lessened: bool
) -> Iterator[tuple[BreachKind, ir.Table]]:
    # A row set aside may have hidden a gap, or made one. Nobody has to call every month.
    once_a_month = scope.spec.key == ("customer_id", "month")
    if once_a_month and (customers is None or customers.gapped or lessened):
        yield ("C11", "month", "warn", "every month from the first to the last"), links.gaps(scope)
    if scope.spec.name == "customers" and beside.groups is not None and scope.has("group_id"):
        unknown = links.unknown_groups(scope, beside.groups)
        yield ("C21", "group_id", "warn", "a group_id of groups"), unknown
    if customers is not None and customers.outside and beside.lives is not None:
        outside = links.outside_life(scope, beside.lives)
        yield ("C15", scope.spec.event, "warn", "activated_on to terminated_on"), outside


def _conserve(scope: Scope, total: int, gone: int, clean: ir.Table | None) -> None:
    """Check that every row was either kept or set aside; anything else is a bug in churnml."""
    good = total if clean is None else count(clean)
    if good + gone != total:
        raise ChurnmlError(
            f"{scope.spec.name}: {total} rows came in, but {good} are good and {gone} set aside."
        )
