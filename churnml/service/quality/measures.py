"""What each indicator counts, month by month and cell by cell.

Every function gives rows of one shape: ``indicator``, ``by``, ``cell``, ``month``, ``value``,
``low``, ``high``, and ``n``, the contacts, complaints or answers that the value is about. What a
source cannot tell is absent, and `Records.notes` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir

from churnml.service.quality.intervals import Interval, rate, ratio, survival_quantile, valued
from churnml.service.quality.perception import perceptions
from churnml.service.quality.records import (
    UNIT,
    WHOLE,
    Records,
    compiled,
    flag,
    read,
    rolled_up,
    tally,
)

COLUMNS = ("indicator", "by", "cell", "month", "value", "low", "high", "n")

_FOLLOWED_DAYS = (7, 30)
_CATEGORIES = {
    "hall_complaints": "service_window",
    "network_complaints": "network",
    "tariff_complaints": "tariff",
    "billing_complaints": "business_support",
}

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "hall_wait_over_10min": ("contacts.wait_seconds",),
    "hall_pre_served": ("contacts.pre_served",),
    "hall_self_service": ("contacts.channel",),
    "hall_resolved": ("contacts.resolved",),
    "hall_complaints": ("complaints.category",),
    "hall_satisfaction": ("surveys.score", "contacts.channel"),
    "hotline_service_level": ("contacts.wait_seconds", "contacts.answered"),
    "hotline_abandoned": ("contacts.answered",),
    "hotline_wait_median": ("contacts.wait_seconds", "contacts.answered"),
    "hotline_wait_p95": ("contacts.wait_seconds", "contacts.answered"),
    "hotline_fcr_7d": ("contacts.channel",),
    "hotline_fcr_30d": ("contacts.channel",),
    "hotline_resolved": ("contacts.resolved",),
    "hotline_self_service": ("contacts.self_service",),
    "hotline_satisfaction": ("surveys.score", "contacts.channel"),
    "network_complaints": ("complaints.category",),
    "network_repair_median": ("complaints.category", "complaints.closed_at"),
    "network_dropped": ("usage.dropped_calls",),
    "network_speed": ("usage.data_speed_mbps",),
    "network_satisfaction": ("surveys.touchpoint",),
    "tariff_complaints": ("complaints.category",),
    "tariff_satisfaction": ("surveys.touchpoint",),
    "billing_complaints": ("complaints.category",),
    "billing_enquiries": ("contacts.service_item",),
    "billing_on_time": ("bills.issued_on",),
    "billing_satisfaction": ("surveys.touchpoint",),
}


def measure(records: Records) -> pd.DataFrame:
    """The values of all indicators that the settings ask for and the source can tell."""
    wanted = set(records.config.quality.indicators)
    can = {name for name in wanted if records.has(*_NEEDS[name])}
    _say_absent(records, wanted - can)
    parts: list[Callable[[Records, set[str]], list[pd.DataFrame]]] = [
        _contacts,
        _followed,
        _waits,
        _complaints,
        _repairs,
        _usage,
        _bills,
        _enquiries,
        perceptions,
    ]
    frames = [frame for part in parts for frame in part(records, can) if len(frame)]
    if not frames:
        return pd.DataFrame({name: [] for name in COLUMNS})
    return pd.concat([frame[list(COLUMNS)] for frame in frames], ignore_index=True)


def _say_absent(records: Records, names: set[str]) -> None:
    by_cause: dict[str, list[str]] = {}
    for name in sorted(names):
        missing = [column for column in _NEEDS[name] if not records.has(column)]
        tables = [column.split(".")[0] for column in missing]
        cause = next((table for table in tables if table not in records.tables), missing[0])
        by_cause.setdefault(cause, []).append(name)
    for cause, gone in sorted(by_cause.items()):
        records.notes.append(f"{cause} is absent, and so are: {', '.join(gone)}.")


def _among(base: ir.BooleanValue, hit: ir.BooleanValue) -> tuple[ir.Value, ir.Value]:
    """The rows that hit, and the rows that count: those of the base that tell."""
    counts = base & hit.notnull()
    return flag(counts & hit), flag(counts)


def _shares(tallies: pd.DataFrame) -> pd.DataFrame:
    return valued(tallies, ratio(tallies, share=True), tallies["bottom"])


def _contacts(records: Records, can: set[str]) -> list[pd.DataFrame]:
    """Shares among contacts; clusters are the visits of a hall on a day, the calls of a day."""
    settings = records.config.quality
    if "contacts" not in records.tables:
        return []
    rows = records.events("contacts", "started_at")
    hall, hotline = rows.channel == "hall", rows.channel == "hotline"
    offers: dict[str, Callable[[], tuple[ir.Value, ir.Value]]] = {
        "hall_wait_over_10min": lambda: _among(
            hall & ~_true(rows, "pre_served"), rows.wait_seconds > settings.hall_seconds
        ),
        "hall_pre_served": lambda: _among(hall, rows.pre_served),
        "hall_self_service": lambda: _among(
            hall | (rows.channel == "terminal"), rows.channel == "terminal"
        ),
        "hall_resolved": lambda: _among(hall, rows.resolved),
        "hotline_service_level": lambda: _among(
            _counted(rows, settings.short_seconds) & rows.wait_seconds.notnull(),
            rows.answered & (rows.wait_seconds <= settings.answer_seconds),
        ),
        "hotline_abandoned": lambda: _among(
            _counted(rows, settings.short_seconds), _not(rows.answered)
        ),
        "hotline_resolved": lambda: _among(hotline, rows.resolved),
        "hotline_self_service": lambda: _among(hotline, rows.self_service),
    }
    measures = {name: make() for name, make in offers.items() if name in can}
    if "hotline_abandoned" in can and "wait_seconds" in rows.columns:
        _say_short(records, rows)
    frames = []
    for stage, cluster in (("hall", ("on", "hall_id")), ("hotline", ("on",))):
        some = {name: one for name, one in measures.items() if name.startswith(f"{stage}_")}
        keys = [name for name in cluster if name in rows.columns]
        if some:
            frames.append(_shares(tally(rows, some, by=records.by, cluster=keys)))
    return frames


def _not(value: ir.BooleanValue) -> ir.BooleanValue:
    """The opposite; of a null, true."""
    # Ibis 12 writes (~x).notnull() as NOT (x IS NOT NULL).
    return value.ifelse(False, True)


def _true(rows: ir.Table, name: str) -> ir.BooleanValue:
    """Whether a column says so; where it is absent or null it does not."""
    return rows[name].fill_null(False) if name in rows.columns else ibis.literal(False)


def _for_a_person(rows: ir.Table) -> ir.BooleanValue:
    """Calls that a machine did not deal with."""
    return (rows.channel == "hotline") & ~_true(rows, "self_service") & rows.answered.notnull()


def _early(rows: ir.Table, short: float) -> ir.BooleanValue:
    if "wait_seconds" not in rows.columns:
        return ibis.literal(False)
    return (~rows.answered & (rows.wait_seconds < short)).fill_null(False)


def _counted(rows: ir.Table, short: float) -> ir.BooleanValue:
    """Calls for a person, but for those given up early."""
    return _for_a_person(rows) & ~_early(rows, short)


def _say_short(records: Records, rows: ir.Table) -> None:
    short = records.config.quality.short_seconds
    calls = rows.filter(_for_a_person(rows))
    left = int(calls.filter(_early(calls, short)).count().to_pyarrow().as_py())
    shown = f"{left:,}" if left == 0 or left >= 10 else "fewer than 10"
    records.notes.append(
        f"hotline: {shown} calls given up within {short:g} s count neither for nor against; "
        f"answered in time means within {records.config.quality.answer_seconds:g} s."
    )


def _followed(records: Records, can: set[str]) -> list[pd.DataFrame]:
    """First-contact resolution; a customer's contacts are a cluster."""
    wanted = [days for days in _FOLLOWED_DAYS if f"hotline_fcr_{days}d" in can]
    if not wanted:
        return []
    every = records.table("contacts")
    item = _item(every)
    every = every.select("contact_id", "customer_id", "started_at", "channel", *item)
    order = [every.started_at, every.contact_id]
    after = every.started_at.lead().over(
        ibis.window(group_by=["customer_id", *item], order_by=order)
    )
    if item:
        anything = every.started_at.lead().over(ibis.window(group_by="customer_id", order_by=order))
        after = every.service_item.isnull().ifelse(anything, after)
    # Judged over all contacts, told of those of the months: no table is joined to itself.
    called = every.mutate(again=after).filter(_.channel == "hotline").drop(*item)
    rows = compiled(records.within(called, "started_at"), "followed")
    midnight = ibis.literal(records.day).cast("timestamp")
    measures = {}
    for days in wanted:
        gap = ibis.interval(days=days)
        settled = rows.again.isnull() | (rows.again > rows.started_at + gap)
        # Who called less long ago may yet call again.
        seen = rows.started_at < midnight - gap
        measures[f"hotline_fcr_{days}d"] = _among(seen, settled)
    return [_shares(tally(rows, measures, by=records.by, cluster=("customer_id",)))]


def _item(rows: ir.Table) -> tuple[str, ...]:
    return ("service_item",) if "service_item" in rows.columns else ()


def _waits(records: Records, can: set[str]) -> list[pd.DataFrame]:
    """Quantiles of the hotline's waits, of all customers together."""
    asked = {"hotline_wait_median": 0.5, "hotline_wait_p95": 0.95}
    asked = {name: at for name, at in asked.items() if name in can}
    if not asked:
        return []
    rows = records.events("contacts", "started_at")
    rows = rows.filter(_for_a_person(rows) & rows.wait_seconds.notnull())
    counts = read(
        rows.group_by("month", time=rows.wait_seconds).agg(
            ended=flag(rows.answered).sum(), broken=flag(~rows.answered).sum()
        )
    )
    return [_quantiles(counts, asked)]


def _repairs(records: Records, can: set[str]) -> list[pd.DataFrame]:
    """How long network complaints take, those still open counted as at least as long."""
    if "network_repair_median" not in can:
        return []
    rows = records.events("complaints", "opened_at")
    rows = rows.filter(rows.category == "network")
    until = ibis.coalesce(rows.closed_at, ibis.literal(records.day).cast("timestamp"))
    minutes = (until.epoch_seconds() - rows.opened_at.epoch_seconds()) // 60
    counts = read(
        rows.group_by("month", time=minutes).agg(
            ended=flag(rows.closed_at.notnull()).sum(), broken=flag(rows.closed_at.isnull()).sum()
        )
    )
    counts["time"] = counts["time"].astype(float) / 60
    return [_quantiles(counts, {"network_repair_median": 0.5})]


def _quantiles(counts: pd.DataFrame, asked: Mapping[str, float]) -> pd.DataFrame:
    found = []
    for month, one in counts.sort_values(["month", "time"]).groupby("month", sort=True):
        for name, quantile in asked.items():
            value, low, high = survival_quantile(one["time"], one["ended"], one["broken"], quantile)
            n = int(one["ended"].sum() + one["broken"].sum())
            high = high if np.isfinite(high) else np.nan
            found.append((name, WHOLE, WHOLE, month, value, low, high, n))
    return pd.DataFrame(found, columns=list(COLUMNS))


def _complaints(records: Records, can: set[str]) -> list[pd.DataFrame]:
    """Complaints by category, per 1,000 customer-months."""
    wanted = {name: value for name, value in _CATEGORIES.items() if name in can}
    if not wanted:
        return []
    rows = records.events("complaints", "opened_at")
    conditions = {name: rows.category == value for name, value in wanted.items()}
    return _rates(records, rows, conditions)


def _enquiries(records: Records, can: set[str]) -> list[pd.DataFrame]:
    if "billing_enquiries" not in can:
        return []
    rows = records.events("contacts", "started_at")
    about = rows.service_item.isin(records.config.quality.bill_items)
    return _rates(
        records, rows, {"billing_enquiries": about & rows.channel.isin(["hall", "hotline"])}
    )


def _rates(
    records: Records, rows: ir.Table, conditions: Mapping[str, ir.BooleanValue]
) -> list[pd.DataFrame]:
    """Rates of events per 1,000 customer-months, cells of no event included."""
    names = [f"c{at}" for at in range(len(conditions))]
    flags = {name: flag(one) for name, one in zip(names, conditions.values(), strict=True)}
    columns = [name for name in records.by if name != WHOLE]
    grouped = _home(rows.mutate(**flags)).group_by("month", *columns)
    finest = read(grouped.agg(**{name: _[name].sum() for name in names}))
    counts = pd.concat(rolled_up(finest, records.by, names), ignore_index=True)
    cells = records.present.merge(counts, on=["by", "month", "cell"], how="left")
    frames = []
    for name, indicator in zip(names, conditions, strict=True):
        n = cells[name].fillna(0).astype(float)
        found = rate(n, cells["customers"], per=1_000)
        frames.append(valued(cells.assign(indicator=indicator), found, n))
    return frames


def _home(rows: ir.Table) -> ir.Table:
    """Rows in the cells of their customers' homes, as those are who the rate is over."""
    return rows.mutate(hall_id=rows.home_hall) if "home_hall" in rows.columns else rows


def _usage(records: Records, can: set[str]) -> list[pd.DataFrame]:
    """Dropped calls and speed; a customer has one row a month."""
    wanted = {"network_dropped", "network_speed"} & can
    if not wanted:
        return []
    rows = records.monthly("usage")
    measures: dict[str, tuple[ir.Value, ir.Value]] = {}
    if "network_dropped" in wanted:
        there = rows.dropped_calls.notnull() & (rows.voice_minutes > 0)
        minutes = rows.voice_minutes.round().cast("int64")
        measures["network_dropped"] = (
            there.ifelse(rows.dropped_calls, 0),
            there.ifelse(minutes, 0),
        )
    if "network_speed" in wanted:
        speed = (rows.data_speed_mbps * UNIT).round().cast("int64")
        measures["network_speed"] = (speed, flag(speed.notnull()))
    tallies = tally(rows, measures, by=records.by, cluster=())
    found = ratio(tallies, share=False)
    scale = np.where(tallies["indicator"] == "network_dropped", 1_000.0, 1.0 / UNIT)
    scaled = Interval(
        value=found.value * scale,
        low=np.maximum(found.low * scale, 0),
        high=found.high * scale,
    )
    return [valued(tallies, scaled, tallies["clusters"])]


def _bills(records: Records, can: set[str]) -> list[pd.DataFrame]:
    """Bills issued in time."""
    if "billing_on_time" not in can:
        return []
    rows = records.monthly("bills")
    due = rows.month + ibis.interval(months=1) + ibis.interval(days=4)
    hit = rows.issued_on.cast("timestamp") <= due.cast("timestamp")
    measures = {"billing_on_time": _among(rows.issued_on.notnull(), hit)}
    return [_shares(tally(rows, measures, by=records.by, cluster=()))]
