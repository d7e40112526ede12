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

from churnml.service.quality.intervals import Interval, rate, ratio, survival_quantile
from churnml.service.quality.records import UNIT, WHOLE, Records, cell, compiled, read, tally

COLUMNS = ("indicator", "by", "cell", "month", "value", "low", "high", "n")

_DAYS_THERE = 30
_FOLLOWED_DAYS = (7, 30)
_CATEGORIES = {
    "hall_complaints": "service_window",
    "network_complaints": "network",
    "tariff_complaints": "tariff",
    "billing_complaints": "business_support",
}
_ASKED = {
    "network_satisfaction": "network",
    "tariff_satisfaction": "tariff",
    "billing_satisfaction": "business_support",
}
_THERE = {"hall_satisfaction": "hall", "hotline_satisfaction": "hotline"}

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
        _answers,
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


def _flag(value: ir.BooleanValue) -> ir.IntegerValue:
    """1 or 0; null stays null."""
    return value.cast("int64")


def _among(base: ir.BooleanValue, hit: ir.BooleanValue) -> tuple[ir.Value, ir.Value]:
    """The rows that hit, and the rows that count: those of the base that tell."""
    counts = base & hit.notnull()
    return _flag(counts & hit), _flag(counts)


def _valued(tallies: pd.DataFrame, interval: Interval, n: pd.Series) -> pd.DataFrame:
    return tallies.assign(
        value=interval.value, low=interval.low, high=interval.high, n=n.round().astype("int64")
    )


def _shares(tallies: pd.DataFrame) -> pd.DataFrame:
    return _valued(tallies, ratio(tallies, share=True), tallies["bottom"])


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
        for by in records.by if some else ():
            frames.append(_shares(tally(rows, some, by=by, cluster=keys)))
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
    rows = records.events("contacts", "started_at")
    every = records.table("contacts").select(
        "contact_id", "customer_id", "started_at", *_item(rows)
    )
    order = [every.started_at, every.contact_id]
    same = ["customer_id", "service_item"] if "service_item" in every.columns else ["customer_id"]
    after = every.started_at.lead().over(ibis.window(group_by=same, order_by=order))
    anything = every.started_at.lead().over(ibis.window(group_by="customer_id", order_by=order))
    if "service_item" in every.columns:
        after = every.service_item.isnull().ifelse(anything, after)
    later = every.select("contact_id", again=after)
    rows = rows.filter(rows.channel == "hotline")
    rows = rows.left_join(later, "contact_id", rname="_{name}")
    rows = compiled(rows, "followed")
    midnight = ibis.literal(records.day).cast("timestamp")
    measures = {}
    for days in wanted:
        gap = ibis.interval(days=days)
        settled = rows.again.isnull() | (rows.again > rows.started_at + gap)
        # Who called less long ago may yet call again.
        seen = rows.started_at < midnight - gap
        measures[f"hotline_fcr_{days}d"] = _among(seen, settled)
    return [_shares(tally(rows, measures, by=by, cluster=("customer_id",))) for by in records.by]


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
            ended=_flag(rows.answered).sum(), broken=_flag(~rows.answered).sum()
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
            ended=_flag(rows.closed_at.notnull()).sum(), broken=_flag(rows.closed_at.isnull()).sum()
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
    frames = []
    present = records.present
    for by in records.by:
        flat = rows.mutate(**{f"c{at}": _flag(one) for at, one in enumerate(conditions.values())})
        grouped = cell(_home(flat), by).group_by("month", "cell")
        sums = {f"c{at}": _[f"c{at}"].sum() for at in range(len(conditions))}
        counts = read(grouped.agg(**sums))
        cells = present[present["by"] == by].merge(counts, on=["month", "cell"], how="left")
        for at, name in enumerate(conditions):
            n = cells[f"c{at}"].fillna(0).astype(float)
            found = rate(n, cells["customers"], per=1_000)
            frames.append(_valued(cells.assign(indicator=name), found, n))
    return frames


def _home(rows: ir.Table) -> ir.Table:
    """Rows in the cells of their customers' homes, as those are who the rate is over."""
    return rows.mutate(hall_id=rows.home_hall) if "home_hall" in rows.columns else rows


def _usage(records: Records, can: set[str]) -> list[pd.DataFrame]:
    """Dropped calls and speed; every customer is a cluster."""
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
        measures["network_speed"] = (speed, _flag(speed.notnull()))
    frames = []
    for by in records.by:
        tallies = tally(rows, measures, by=by, cluster=("customer_id",))
        found = ratio(tallies, share=False)
        scale = np.where(tallies["indicator"] == "network_dropped", 1_000.0, 1.0 / UNIT)
        scaled = Interval(
            value=found.value * scale,
            low=np.maximum(found.low * scale, 0),
            high=found.high * scale,
        )
        frames.append(_valued(tallies, scaled, tallies["clusters"]))
    return frames


def _bills(records: Records, can: set[str]) -> list[pd.DataFrame]:
    """Bills issued in time."""
    if "billing_on_time" not in can:
        return []
    rows = records.monthly("bills")
    due = rows.month + ibis.interval(months=1) + ibis.interval(days=4)
    hit = rows.issued_on.cast("timestamp") <= due.cast("timestamp")
    measures = {"billing_on_time": _among(rows.issued_on.notnull(), hit)}
    return [_shares(tally(rows, measures, by=by, cluster=("customer_id",))) for by in records.by]


def _answers(records: Records, can: set[str]) -> list[pd.DataFrame]:
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
        measures = {name: ((of.points * UNIT).round().cast("int64"), _flag(of.points.notnull()))}
        for by in records.by:
            tallies = tally(of, measures, by=by, cluster=("customer_id",))
            found = ratio(tallies, share=False)
            scaled = Interval(
                value=found.value / UNIT,
                low=np.clip(found.low / UNIT, 0, 100),
                high=np.clip(found.high / UNIT, 0, 100),
            )
            frames.append(_valued(tallies, scaled, tallies["bottom"]))
    _say_silent(records, frames)
    return frames


def answers(records: Records) -> ir.Table:
    """The answers of the months told, with ``points``: the score from 0 to 100."""
    rows = records.events("surveys", "answered_at")
    span = (rows.scale_max - rows.scale_min).nullif(0)
    points = 100 * (rows.score - rows.scale_min) / span
    return compiled(rows.mutate(points=points).filter(_.points.notnull()), "answers")


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
