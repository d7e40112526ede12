"""Label the month after ``as_of`` in which a customer left, censored where the data end.

The months are counted from ``as_of + gap``: month *k* is ``[start + (k - 1) months,
start + k months)``. Who ends the service leaves in that month. Who falls silent leaves in
the month that completes a silence of ``silence`` whole months, all of them after the
start: one silent month is not churn, for many come back. So with two months of silence
"left within two months" is the churn label of the same window, and leaving is once and
for all: whoever has left within *h* months has left within any longer time.

Customers who are still there when the data end are not lost: their outcome says for how
many months they have been seen to stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import add_span
from churnml.errors import UsageError
from churnml.labels.coverage import require_coverage
from churnml.labels.window import Definition, Window
from churnml.tables import asof
from churnml.tables.contract import TABLES

_NEVER = 99


def months_seen(as_of: date, until: date, *, gap: str = "0d", months: int = 6) -> int:
    """Count the whole months after ``as_of + gap`` that end at or before a date.

    Parameters
    ----------
    as_of, until : date
        ``until`` is the first date that the data do not cover.
    gap : str
        A span of time, ``0d`` or ``1mo``.
    months : int
        No more than these.

    Examples
    --------
    >>> months_seen(date(2026, 1, 1), date(2026, 4, 30)), months_seen(date(2026, 1, 1), date.max)
    (3, 6)
    """
    start = add_span(as_of, gap)
    return sum(add_span(start, f"{month}mo") <= until for month in range(1, months + 1))


def month_of_leaving(
    tables: Mapping[str, ir.Table],
    as_of: Sequence[date],
    *,
    until: date,
    since: date = date.min,
    gap: str = "0d",
    months: int = 6,
    definition: Definition = "either",
    silence: int = 2,
) -> ir.Table:
    """Label each customer's month of leaving, or the months observed without leaving.

    Parameters
    ----------
    tables : mapping of str to Table
        Needs ``customers``, and ``usage`` where inactivity counts.
    as_of : sequence of date
    until : date
        The first date that the data do not cover: nothing at or after it is counted.
    since : date, optional
        The first date that they cover: nobody was seen to be silent before it.
    gap : str
        From ``as_of`` to the start of the first month; who leaves in it has no row.
    months : int
        Months looked at.
    definition : {"termination", "inactivity", "either"}
        As of the churn label; ``either`` without ``usage`` means ``termination``.
    silence : int
        Whole months without an active day after which a prepaid customer has left.

    Returns
    -------
    Table
        ``customer_id``, ``as_of``, ``outcome``: *k* > 0 for who left in month *k*, -*m* for
        who was still there after the *m* months that the data cover. One row for every
        customer eligible at ``as_of`` and still there at the start.

    Raises
    ------
    LabelWindowError
        If the data do not cover one month after a date, or begin after its first month.
    UsageError
        If inactivity is asked for without ``usage``, or one month of silence is to be seen
        from within a month.
    """
    if definition == "inactivity" and "usage" not in tables:
        raise UsageError(
            "Leaving by inactivity needs the table usage, which the source does not have.",
            hint="Set hazard.definition to termination.",
        )
    require_coverage(as_of, Window(gap, "1mo"), until, since)
    spans = _spans(as_of, until, gap, months)
    ended = tables["customers"].group_by("customer_id").agg(ended=_.terminated_on.max())
    rows = asof.spine(tables, as_of).join(spans, "as_of")
    rows = rows.left_join(ended, "customer_id").drop("customer_id_right")
    rows = rows.filter(rows.ended.isnull() | (rows.ended >= rows.starts))
    passed = (_once(rows.ended >= rows[f"end_{month}"]) for month in range(1, months + 1))
    by_end = ibis.ifelse(rows.ended.isnull(), _NEVER, sum(passed, ibis.literal(1)))
    rows = rows.mutate(by_end=by_end.cast("int32"))
    if definition == "termination" or "usage" not in tables:
        left = rows.by_end
    else:
        rows = _with_silence(rows, tables, spans, months, silence)
        left = rows.by_silence
        left = left if definition == "inactivity" else ibis.least(left, rows.by_end)
    outcome = ibis.ifelse(left <= rows.seen, left, -rows.seen)
    return rows.select("customer_id", "as_of", outcome=outcome.cast("int8"))


def _once(condition: ir.BooleanValue) -> ir.IntegerValue:
    return condition.ifelse(1, 0)


def _spans(as_of: Sequence[date], until: date, gap: str, months: int) -> ir.Table:
    """By date: start and end of its months, how many are covered, and the first whole one."""
    rows = []
    for day in as_of:
        start = add_span(day, gap)
        seen = months_seen(day, until, gap=gap, months=months)
        within = start.day > 1
        first = start.year * 12 + start.month + within
        ends = {f"end_{month}": add_span(start, f"{month}mo") for month in range(1, months + 1)}
        rows.append(
            {"as_of": day, "starts": start, "seen": seen, "first": first, "within": within} | ends
        )
    kinds = {"seen": "int32", "first": "int32", "within": "boolean"}
    schema = {name: kinds.get(name, "date") for name in rows[0]}
    return ibis.memtable({name: [row[name] for row in rows] for name in schema}, schema=schema)


def _with_silence(
    rows: ir.Table, tables: Mapping[str, ir.Table], spans: ir.Table, months: int, silence: int
) -> ir.Table:
    """Add ``by_silence``: the first month that completes a silence of a prepaid customer."""
    if silence == 1 and bool(spans.within.any().to_pyarrow().as_py()):
        raise UsageError(
            "A silence of one month holds no whole month where the date is not the first of "
            "a month.",
            hint="Use firsts of months, or two months of silence.",
        )
    usage = tables["usage"].select("customer_id", "active_days", at=asof.month_index(_.month))
    wanted = spans.select("as_of", "first")
    used = usage.filter(_.active_days > 0).join(
        wanted, [usage.at >= wanted.first, usage.at < wanted.first + months]
    )
    flags = {
        f"used_{month}": _once(used.at - used.first == month - 1).max()
        for month in range(1, months + 1)
    }
    used = used.group_by("customer_id", "as_of").agg(**flags)
    customers = asof.in_force(tables["customers"], TABLES["customers"], rows)
    prepaid = customers.select("customer_id", "as_of", prepaid=_.payment == "prepaid")
    for part in (used, prepaid):
        rows = rows.left_join(part, ["customer_id", "as_of"])
        rows = rows.drop("customer_id_right", "as_of_right")
    silent = {month: rows[f"used_{month}"].fill_null(0) == 0 for month in range(1, months + 1)}
    silences = [
        (_silent_until(rows, silent, month, silence), month) for month in range(silence, months + 1)
    ]
    by_silence = ibis.cases(*silences, else_=_NEVER)
    by_silence = ibis.ifelse(rows.prepaid.fill_null(False), by_silence, _NEVER)
    return rows.mutate(by_silence=by_silence.cast("int32"))


def _silent_until(
    rows: ir.Table, silent: Mapping[int, ir.BooleanValue], month: int, silence: int
) -> ir.BooleanValue:
    """Whether the ``silence`` months that end with a month have no active day."""
    # From within a month on, the last calendar month is not over when the window ends.
    unused = silent[month] | rows.within
    for before in range(month - silence + 1, month):
        unused = unused & silent[before]
    return unused
