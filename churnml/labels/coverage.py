"""Find the dates that the data cover for a label; refuse all others.

A label looks at ``[as_of + gap, as_of + gap + horizon)``. Where the tables do not reach,
whoever has no row has not been silent: nobody looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import add_months
from churnml.errors import LabelWindowError
from churnml.labels.window import Definition, Window
from churnml.tables import asof

_FAR = 4000
"""Days: no gap or horizon is longer."""


class Coverage(NamedTuple):
    """The range of dates that the data cover for a label; the end is exclusive.

    Attributes
    ----------
    since, until : date
    earliest : date
        The first ``as_of`` before which a month's bill had ended.
    """

    since: date
    until: date
    earliest: date


def covered(tables: Mapping[str, ir.Table], definition: Definition | None) -> Coverage:
    """The dates that the data cover for a label, by ``bills``, and ``usage`` if inactivity counts.

    A table begins with the first month that has rows for at least half as large a share of
    the customers then there as its best month: neither a few stray rows of long ago nor a
    month of which the tables have only the last days' bills begin it, and an operator that
    has grown loses no month. It ends with the last month that holds at least half as many
    rows as its fullest. Before and after, who has no row has not been silent: nobody looked.

    Parameters
    ----------
    tables : mapping of str to Table
        Needs ``customers``, ``bills``, and ``usage`` where it is to count.
    definition : {"termination", "inactivity", "either"} or None
        Of leaving; None for a label that is not about it.

    Raises
    ------
    LabelWindowError
        If a table has no rows.
    """
    silence = definition not in (None, "termination") and "usage" in tables
    counts = {name: _monthly_rows(tables[name], name) for name in ("bills", "usage")[: 1 + silence]}
    spans = _spans(tables["customers"])
    begin = {name: _first_month(rows, spans) for name, rows in counts.items()}
    end = min(_last_full_month(rows) for rows in counts.values())
    return Coverage(max(begin.values()), end, add_months(begin["bills"], 1))


def _spans(customers: ir.Table) -> list[dict[str, int]]:
    """How many customers were there from one month to another."""
    seen = customers.group_by("customer_id")
    spans = seen.agg(start=_.activated_on.min(), end=_.terminated_on.max())
    spans = spans.select(
        first=asof.month_index(_.start),
        last=asof.month_index(_.end.fill_null(ibis.date(9999, 1, 1))),
    )
    return spans.group_by("first", "last").agg(customers=_.count()).to_pyarrow().to_pylist()


def _first_month(counts: Mapping[date, int], spans: Iterable[Mapping[str, int]]) -> date:
    shares = {month: _share(count, spans, month) for month, count in counts.items()}
    most = max(shares.values())
    return min(month for month, share in shares.items() if 2 * share >= most)


def _share(count: int, spans: Iterable[Mapping[str, int]], day: date) -> float:
    """Of the customers there in a month, those with a row; none where nobody was there."""
    month = day.year * 12 + day.month
    there = sum(row["customers"] for row in spans if row["first"] <= month <= row["last"])
    return min(count / there, 1.0) if there else 0.0


def _last_full_month(counts: Mapping[date, int]) -> date:
    most = max(counts.values())
    return add_months(max(month for month, rows in counts.items() if 2 * rows >= most), 1)


def _monthly_rows(table: ir.Table, name: str) -> dict[date, int]:
    counts = table.group_by("month").agg(rows=_.count()).order_by("month").to_pyarrow().to_pylist()
    if not counts:
        raise LabelWindowError(f"{name}: no rows, so no label is covered.", table=name)
    return {row["month"]: row["rows"] for row in counts}


def require_coverage(
    as_of: Sequence[date],
    window: Window,
    until: date,
    since: date = date.min,
    *,
    earliest: date = date.min,
) -> None:
    """Refuse dates whose label window the data do not cover.

    Parameters
    ----------
    as_of : sequence of date
    window : Window
    until : date
        The first date that the data does not cover.
    since : date, optional
        The first that it covers.
    earliest : date, optional
        The first ``as_of`` before which a month's bill had ended.

    Raises
    ------
    LabelWindowError
        Names the first such date, where the data begins or ends, and the first or last
        usable date.

    Examples
    --------
    >>> try:
    ...     require_coverage([date(2020, 1, 1)], Window(), date(2026, 6, 1), date(2024, 6, 1))
    ... except LabelWindowError as refused:
    ...     print(refused.hint)
    Use an as_of from 2024-06-01 to 2026-04-01.
    """
    early = [day for day in as_of if window.of(day)[0] < since or day < earliest]
    beyond = [day for day in as_of if window.end(day) > until]
    if not early and not beyond:
        return
    first, last = max(first_usable(window, since), earliest), _last_usable(window, until)
    if last < first:
        hint = f"No date's label is covered from {since} to {until}: shorten the horizon."
    elif first == date.min:
        hint = f"Use as_of {last} or earlier."
    else:
        hint = f"Use an as_of from {first} to {last}."
    day = (early or beyond)[0]
    start, end = window.of(day)
    if not early:
        problem = f"its label window ends at {end}, the data at {until}."
    elif start < since:
        problem = f"its label window begins at {start}, the data at {since}."
    else:
        problem = f"no bill of a month that had ended by then; the first has by {earliest}."
    expected = f"<= {last}" if not early else f">= {first}"
    raise LabelWindowError(f"as_of {day}: {problem}", hint=hint, value=str(day), expected=expected)


def first_usable(window: Window, since: date) -> date:
    """The first date whose window begins at or after a date.

    >>> first_usable(Window(gap="1mo"), date(2026, 6, 1))
    datetime.date(2026, 5, 1)
    """
    if since == date.min:
        return since
    before = (since - timedelta(days=number) for number in range(_FAR, -1, -1))
    return next(day for day in before if window.of(day)[0] >= since)


def _last_usable(window: Window, until: date) -> date:
    days = (until - timedelta(days=number) for number in range(1, _FAR))
    return next((day for day in days if window.end(day) <= until), date.min)
