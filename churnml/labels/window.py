"""Labels after ``as_of``: churn, and satisfaction answers.

A label looks at the half-open window ``[as_of + gap, as_of + gap + horizon)``; where the
data does not cover it, `churnml.labels.coverage` refuses it. Who leaves within the gap has no
label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import add_span
from churnml.errors import UsageError
from churnml.tables import asof
from churnml.tables.contract import TABLES

Definition = Literal["termination", "inactivity", "either"]


@dataclass(frozen=True)
class Window:
    """A label window, relative to ``as_of``.

    Parameters
    ----------
    gap, horizon : str
        Spans of time, ``60d`` or ``2mo``.

    Examples
    --------
    >>> Window("0d", "2mo").of(date(2026, 5, 1))
    (datetime.date(2026, 5, 1), datetime.date(2026, 7, 1))
    """

    gap: str = "0d"
    horizon: str = "2mo"

    def of(self, as_of: date) -> tuple[date, date]:
        """Start and end of the window of one ``as_of``; the end is outside."""
        start = add_span(as_of, self.gap)
        return start, add_span(start, self.horizon)

    def end(self, as_of: date) -> date:
        """The first date after the window of one ``as_of``."""
        return self.of(as_of)[1]


def churn(
    tables: Mapping[str, ir.Table],
    as_of: Sequence[date],
    window: Window,
    definition: Definition = "either",
) -> ir.Table:
    """Label customers who left in the label window.

    Parameters
    ----------
    tables : mapping of str to Table
        Needs ``customers``, and ``usage`` where inactivity counts.
    as_of : sequence of date
    window : Window
    definition : {"termination", "inactivity", "either"}
        ``termination``: service ended in the window. ``inactivity``: prepaid, and no
        active day in the whole months of the window. ``either``: one of the two; without
        ``usage`` it means ``termination``.

    Returns
    -------
    Table
        ``customer_id``, ``as_of``, ``churned`` (0 or 1), one row for every customer
        eligible at ``as_of`` and still there when the window begins.

    Raises
    ------
    UsageError
        If inactivity is asked for without ``usage``, or the window holds no whole month.
    """
    if definition == "inactivity" and "usage" not in tables:
        raise UsageError(
            "Churn by inactivity needs the table usage, which the source does not have.",
            hint="Set churn.definition to termination.",
        )
    ended = tables["customers"].group_by("customer_id").agg(ended=_.terminated_on.max())
    rows = asof.spine(tables, as_of).join(_windows(as_of, window), "as_of")
    rows = rows.left_join(ended, "customer_id").drop("customer_id_right")
    rows = rows.filter(rows.ended.isnull() | (rows.ended >= rows.starts))
    terminated = (rows.ended < rows.ends).fill_null(False)
    if definition == "termination" or "usage" not in tables:
        return rows.select("customer_id", "as_of", churned=terminated.cast("int32").cast("int8"))
    rows = _with_inactive(rows.mutate(terminated=terminated), tables, as_of, window)
    churned = rows.inactive if definition == "inactivity" else rows.inactive | rows.terminated
    return rows.select("customer_id", "as_of", churned=churned.cast("int32").cast("int8"))


def _windows(as_of: Sequence[date], window: Window) -> ir.Table:
    starts, ends = zip(*(window.of(day) for day in as_of), strict=True)
    return ibis.memtable(
        {"as_of": list(as_of), "starts": list(starts), "ends": list(ends)},
        schema={"as_of": "date", "starts": "date", "ends": "date"},
    )


def _with_inactive(
    rows: ir.Table, tables: Mapping[str, ir.Table], as_of: Sequence[date], window: Window
) -> ir.Table:
    """Add ``inactive``: prepaid, without an active day in the window's whole months."""
    months = {day: _whole_months(*window.of(day)) for day in as_of}
    empty = next((day for day, (first, last) in months.items() if last <= first), None)
    if empty is not None:
        raise UsageError(
            f"Churn by inactivity at as_of {empty}: the label window holds no whole month.",
            hint="Use a longer horizon, a first of a month, or the definition termination.",
        )
    spans = ibis.memtable(
        {
            "as_of": list(months),
            "first": [first for first, _last in months.values()],
            "last": [last for _first, last in months.values()],
        },
        schema={"as_of": "date", "first": "int32", "last": "int32"},
    )
    usage = tables["usage"].select("customer_id", "active_days", at=asof.month_index(_.month))
    used = usage.filter(_.active_days > 0).join(
        spans, [usage.at >= spans["first"], usage.at < spans["last"]]
    )
    used = used.select("customer_id", "as_of").distinct().mutate(used=ibis.literal(True))
    customers = asof.in_force(tables["customers"], TABLES["customers"], rows)
    prepaid = customers.select("customer_id", "as_of", prepaid=_.payment == "prepaid")
    rows = rows.left_join(used, ["customer_id", "as_of"]).drop("customer_id_right", "as_of_right")
    rows = rows.left_join(prepaid, ["customer_id", "as_of"])
    rows = rows.drop("customer_id_right", "as_of_right")
    return rows.mutate(inactive=rows.prepaid.fill_null(False) & rows.used.isnull())


def _whole_months(start: date, end: date) -> tuple[int, int]:
    first = start.year * 12 + start.month + (start.day > 1)
    return first, end.year * 12 + end.month


def satisfaction(tables: Mapping[str, ir.Table], as_of: Sequence[date], window: Window) -> ir.Table:
    """Label satisfaction by the survey answers in the label window.

    The first answer of touchpoint ``overall`` where there is one, else the first of any.

    Parameters
    ----------
    tables : mapping of str to Table
        Needs ``customers`` and ``surveys``.
    as_of : sequence of date
    window : Window

    Returns
    -------
    Table
        ``customer_id``, ``as_of``, ``score`` (0 to 100), one row for every eligible
        customer who answered.

    Raises
    ------
    UsageError
        If the source has no surveys.
    """
    if "surveys" not in tables:
        raise UsageError(
            "Satisfaction needs the table surveys, which the source does not have.",
            hint="Train it on a flat table with --target and --scale.",
        )
    surveys = tables["surveys"].filter(_.answered_at.notnull(), _.score.notnull())
    overall = (
        surveys.touchpoint == "overall" if "touchpoint" in surveys.columns else ibis.literal(1)
    )
    surveys = surveys.select(
        "customer_id",
        "answered_at",
        "survey_id",
        overall=ibis.ifelse(overall, 1, 0),
        score=100 * (_.score - _.scale_min) / (_.scale_max - _.scale_min),
    )
    rows = asof.spine(tables, as_of).join(_windows(as_of, window), "as_of")
    rows = rows.join(surveys, "customer_id")
    rows = rows.filter(
        rows.answered_at >= rows.starts.cast("timestamp"),
        rows.answered_at < rows.ends.cast("timestamp"),
    )
    first = ibis.window(
        group_by=["customer_id", "as_of"],
        order_by=[_.overall.desc(), _.answered_at, _.survey_id],
    )
    rows = rows.mutate(place=ibis.row_number().over(first)).filter(_.place == 0)
    return rows.select("customer_id", "as_of", "score")
