"""What customers say: their answers, and the mean score of each stage of their way."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir

from churnml.service.quality.intervals import Interval, ratio, valued
from churnml.service.quality.records import UNIT, Records, compiled, flag, tally

_DAYS_THERE = 30
_ASKED = {
    "network_satisfaction": "network",
    "tariff_satisfaction": "tariff",
    "billing_satisfaction": "business_support",
}
_THERE = {"hall_satisfaction": "hall", "hotline_satisfaction": "hotline"}


def perceptions(records: Records, can: set[str]) -> list[pd.DataFrame]:
    """Mean scores of the answers; a customer's answers are a cluster."""
    wanted = {name: value for name, value in (_ASKED | _THERE).items() if name in can}
    if not wanted:
        return []
    rows = answers(records)
    asked = _touchpoints(rows)
    frames = []
    for name, topic in wanted.items():
        of = rows
        if "touchpoint" in rows.columns and topic in asked:
            of = of.filter(of.touchpoint == topic)
        elif name in _ASKED:
            records.notes.append(f"surveys.touchpoint is never {topic}: no {name}.")
            continue
        else:
            # Nobody was asked about it, so those who were there speak of the whole.
            records.notes.append(
                f"surveys: nobody was asked about the {topic}; {name} is what those who were "
                "there say of the whole."
            )
            of = of.filter(of.touchpoint == "overall") if "overall" in asked else of
        if name in _THERE:
            of = compiled(_after_contact(records, of, topic), "after_contact")
        measures = {name: ((of.points * UNIT).round().cast("int64"), flag(of.points.notnull()))}
        tallies = tally(of, measures, by=records.by, cluster=("customer_id",))
        found = ratio(tallies, share=False)
        scaled = Interval(
            value=found.value / UNIT,
            low=np.clip(found.low / UNIT, 0, 100),
            high=np.clip(found.high / UNIT, 0, 100),
        )
        frames.append(valued(tallies, scaled, tallies["bottom"]))
    _say_silent(records, frames)
    return frames


def answers(records: Records) -> ir.Table:
    """The answers of the months told, with ``points``: the score from 0 to 100."""
    return records.kept("answers", lambda: _with_points(records))


def _with_points(records: Records) -> ir.Table:
    rows = records.events("surveys", "answered_at")
    span = (rows.scale_max - rows.scale_min).nullif(0)
    points = 100 * (rows.score - rows.scale_min) / span
    rows = rows.mutate(points=points).filter(_.points.notnull())
    unread = ("survey_id", "sent_at", "score", "scale_min", "scale_max", "source", "known_at")
    return rows.drop(*(name for name in unread if name in rows.columns))


def _touchpoints(rows: ir.Table) -> set[str]:
    if "touchpoint" not in rows.columns:
        return set()
    return set(rows.select("touchpoint").distinct().to_pyarrow()["touchpoint"].to_pylist()) - {None}


def _after_contact(records: Records, rows: ir.Table, channel: str) -> ir.Table:
    """The answers of those who were there in the 30 days before."""
    contacts = records.table("contacts")
    there = contacts.filter(contacts.channel == channel)
    there = there.select("started_at", visitor="customer_id")
    since = rows.answered_at - ibis.interval(days=_DAYS_THERE)
    return rows.semi_join(
        there,
        [
            rows.customer_id == there.visitor,
            there.started_at < rows.answered_at,
            there.started_at >= since,
        ],
    )


def _say_silent(records: Records, frames: list[pd.DataFrame]) -> None:
    """Name months in which nobody answered at all."""
    told = {month for frame in frames for month in frame["month"]}
    silent = [f"{month:%Y-%m}" for month in records.months if month not in told]
    if silent:
        records.notes.append(f"surveys: no answer in {', '.join(silent)}: no perception then.")
