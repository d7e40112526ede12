"""Which answers of a survey count: given and known in the window, by customers still there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis
import pandas as pd
from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import add_months, month_starts, months_before
from churnml.errors import DataError
from churnml.service.index import notes
from churnml.service.index.notes import Note
from churnml.tables import asof
from churnml.tables.contract import TABLES

_COLUMNS = (
    "survey_id",
    "customer_id",
    "sent_at",
    "answered_at",
    "score",
    "scale_min",
    "scale_max",
    "touchpoint",
)
_MONTHS_BACK = 12
_MOVED = 0.2
"""A scale whose share of the answers moves by more has changed."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The answers of a window.

    Attributes
    ----------
    rows : DataFrame
        ``customer_id``, ``score`` (0 to 100); one row an answer, by customer.
    invited : Series
        Invitations of the same touchpoints, by customer.
    notes : list of Note
    """

    rows: pd.DataFrame
    invited: pd.Series
    notes: list[Note]


def collect(
    tables: Mapping[str, ir.Table], day: date, start: date, *, fewest_overall: int
) -> Answers:
    """The answers given from a date on that were known at ``day``.

    Of touchpoint ``overall`` alone where there are enough of them, else of any.

    Parameters
    ----------
    tables : mapping of str to Table
    day : date
        Of customers eligible at it.
    start : date
        First day of the window, which ends before ``day``.
    fewest_overall : int

    Raises
    ------
    DataError
        If there is no table of surveys, or no answer in the window.
    """
    found = _seen(tables, day, start)
    backwards = found["answered_at"] < found["sent_at"]
    answered = found["answered_at"].notna() & found["score"].notna() & ~backwards
    in_window = answered & (found["answered_at"] >= pd.Timestamp(start))
    if not in_window.any():
        raise DataError(
            f"surveys.answered_at: no answer of a customer still there from {start} to {day}.",
            hint="Choose another --as-of, or a longer index.window.",
            table="surveys",
            column="answered_at",
            expected=f"answers from {start} on",
        )
    kept, told = _touchpoints(found, in_window, fewest_overall)
    told += [notes.backwards(int(backwards.sum()))] if backwards.any() else []
    rows = found[in_window & kept]
    told += [
        notes.empty_month(f"{month:%Y-%m}")
        for month in _months(start, day)
        if not (
            (rows["answered_at"] >= pd.Timestamp(max(month, start)))
            & (rows["answered_at"] < pd.Timestamp(add_months(month, 1)))
        ).any()
    ]
    invited = found[kept].groupby("customer_id").size()
    return Answers(
        rows=rows[["customer_id", "score"]].reset_index(drop=True), invited=invited, notes=told
    )


def _seen(tables: Mapping[str, ir.Table], day: date, start: date) -> pd.DataFrame:
    """Invitations sent or answered in the window, by customer, as known at the day."""
    surveys = _visible(tables, day)
    since = ibis.literal(start).cast("timestamp")
    rows = surveys.filter((surveys.sent_at >= since) | (surveys.answered_at >= since))
    rows = rows.semi_join(asof.spine(tables, day), ["customer_id"])
    span = rows.scale_max - rows.scale_min
    rows = rows.mutate(score=100 * (rows.score - rows.scale_min) / span.nullif(0))
    return rows.order_by("customer_id", "sent_at", "survey_id").to_pandas()


def _visible(tables: Mapping[str, ir.Table], day: date) -> ir.Table:
    if "surveys" not in tables:
        raise DataError(
            "surveys: the table is absent; a satisfaction index needs answers.",
            hint="Add surveys (survey_id, customer_id, sent_at, answered_at, score, scale_min, "
            "scale_max).",
            table="surveys",
            expected="the table surveys",
        )
    surveys = tables["surveys"]
    there = [name for name in _COLUMNS if name in surveys.columns]
    return asof.visible(surveys.select(*there, "known_at"), TABLES["surveys"], asof.moments(day))


def _touchpoints(
    found: pd.DataFrame, in_window: pd.Series, fewest: int
) -> tuple[pd.Series, list[Note]]:
    """Which invitations count by what they asked about, and what to say of it."""
    everything = pd.Series(True, index=found.index)
    if "touchpoint" not in found:
        return everything, []
    overall = (found["touchpoint"] == "overall").fillna(False).astype(bool)
    answers, others = int((overall & in_window).sum()), int((~overall & in_window).sum())
    if not others:
        return overall, []
    if answers >= fewest:
        return overall, [notes.only_overall(answers, others)]
    return everything, [notes.all_touchpoints(fewest)]


def _months(start: date, day: date) -> list[date]:
    return sorted({months_before(start, 0), *month_starts(start, day)})


def history(tables: Mapping[str, ir.Table], day: date, start: date) -> list[Note]:
    """What the year before tells: months without an answer, and scales that changed."""
    surveys = _visible(tables, day)
    first = months_before(start, _MONTHS_BACK)
    rows = surveys.filter(
        surveys.answered_at >= ibis.literal(first).cast("timestamp"), surveys.score.notnull()
    )
    counts = (
        rows.group_by(
            month=asof.month_index(rows.answered_at.date()), low=_.scale_min, high=_.scale_max
        )
        .agg(answers=_.count())
        .to_pandas()
    )
    if counts.empty:
        return []
    months = {_index(month): month for month in month_starts(first, start)}
    seen = set(counts["month"])
    # Before the first answer on record nobody asked.
    silent = [f"{month:%Y-%m}" for at, month in months.items() if at not in seen and at > min(seen)]
    told = [notes.empty_months(silent)] if silent else []
    return told + _scales(counts, start)


def _index(month: date) -> int:
    return month.year * 12 + month.month


def _scales(counts: pd.DataFrame, start: date) -> list[Note]:
    """The month at which the mix of scales changes most, where it does by much."""
    counts = counts.assign(
        scale=[f"{low:g}-{high:g}" for low, high in zip(counts["low"], counts["high"], strict=True)]
    )
    table = counts.pivot_table(
        index="month", columns="scale", values="answers", aggfunc="sum", fill_value=0
    )
    found = scale_shift(table)
    if found is None:
        return []
    at, before, now = found
    year, month = divmod(int(at) - 1, 12)
    return [notes.scale_changed(before, now, f"{date(year, month + 1, 1):%Y-%m}")]


def scale_shift(table: pd.DataFrame) -> tuple[Any, str, str] | None:
    """The month from which on the mix of scales differs most, and the scales before and since.

    Parameters
    ----------
    table : DataFrame
        Answers by month (rows, in order) and scale (columns).

    Returns
    -------
    (month, str, str) or None
        Where no scale's share moves by more than a fifth of the answers.

    Examples
    --------
    >>> table = pd.DataFrame({"1-5": [90, 100, 40, 50], "0-10": [0, 0, 60, 50]})
    >>> scale_shift(table)
    (2, '1-5 (100%)', '0-10 (55%), 1-5 (45%)')
    """
    worst: tuple[float, Any] = (_MOVED, None)
    for at in table.index[1:]:
        shares = [
            part.sum() / part.sum().sum()
            for part in (table[table.index < at], table[table.index >= at])
        ]
        moved = float((shares[1] - shares[0]).abs().max())
        if moved > worst[0] + 1e-9:
            worst = (moved, (at, _told(shares[0]), _told(shares[1])))
    found: tuple[Any, str, str] | None = worst[1]
    return found


def _told(shares: pd.Series) -> str:
    large = shares[shares >= 0.05].sort_values(ascending=False, kind="stable")
    return ", ".join(f"{scale} ({share:.0%})" for scale, share in large.items())
