"""Business halls (营业厅): when they are crowded, and how many windows their own day needs."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _

from churnml.metrics.intervals import wilson
from churnml.service.quality.queueing import HallDay, half_hours, windows_needed
from churnml.service.quality.records import Records, read
from churnml.service.small_cells import blank, hidden

PROFILE = ("hall_id", "weekday", "hour", "visits", "share", "low", "high")
"""Of the visits with a known wait: weekday 0 is Monday; ``share`` waits over 10 minutes."""

WINDOWS = (
    "hall_id",
    "visits_a_day",
    "windows",
    "longer",
    "windows_without_self_service",
    "self_service_share",
    "windows_if_no_pre_service",
    "windows_if_no_terminals",
)
"""Windows that a hall needs; ``longer`` is the share that waits over 10 minutes with them."""

_MACHINE_SHARE = 0.2
_DRAWN = 500


def hall_profile(records: Records, *, fewest: int = 10) -> pd.DataFrame:
    """Visits and long waits of each hall by weekday and hour, small cells hidden.

    Returns
    -------
    DataFrame
        `PROFILE`, of the last months; empty where waits are not recorded.
    """
    if not records.has("contacts.wait_seconds", "contacts.hall_id"):
        return pd.DataFrame({name: [] for name in PROFILE})
    rows = _visits(records)
    rows = rows.filter(rows.wait_seconds.notnull())
    grouped = rows.group_by(
        "hall_id",
        weekday=rows.started_at.day_of_week.index().cast("int64"),
        hour=rows.started_at.hour().cast("int64"),
    )
    over = (rows.wait_seconds > records.config.quality.hall_seconds).cast("int64")
    counts = read(grouped.agg(visits=_.count(), over=over.sum()))
    frames = []
    for hall, own in counts.groupby("hall_id", sort=True):
        own = own.sort_values(["weekday", "hour"], ignore_index=True)
        share = (own["over"] / own["visits"]).to_numpy(float)
        low, high = wilson(share, own["visits"].to_numpy(float))
        own = own.assign(hall_id=str(hall), share=share, low=low, high=high)
        few = hidden(own["visits"], fewest=fewest)
        frames.append(blank(own, few, columns=["visits", "share", "low", "high"]))
    if not frames:
        return pd.DataFrame({name: [] for name in PROFILE})
    return pd.concat(frames, ignore_index=True)[list(PROFILE)]


def hall_windows(records: Records, *, fewest: int = 10) -> pd.DataFrame:
    """Windows that the busiest halls need, by days simulated from their own arrivals.

    Service times are those recorded, else those of the settings (``window_seconds``); where
    there are neither, no number of windows is told.

    Returns
    -------
    DataFrame
        `WINDOWS`, the busiest hall first. ``self_service_share`` is the share of the visits
        whose item a machine deals with in a fifth of its cases or more, in hours in which waits
        exceed 10 minutes; without them the hall needs ``windows_without_self_service``. Were
        nothing dealt with beforehand, or its terminals' visits at the windows, it would need
        ``windows_if_no_pre_service`` or ``windows_if_no_terminals``: null where not recorded.
    """
    settings = records.config.quality
    nothing = pd.DataFrame({name: [] for name in WINDOWS})
    if not records.has("contacts.hall_id", "contacts.channel") or not settings.most_halls:
        return nothing
    rows = _visits(records)
    times = _service_times(records, rows)
    plain = None
    if records.has("contacts.pre_served", "contacts.service_seconds"):
        plain = _service_times(records, rows.filter(~rows.pre_served.fill_null(False)))
    if times is None:
        records.notes.append(
            "contacts.service_seconds is absent and quality.window_seconds names no item: "
            "no number of windows."
        )
        return nothing
    arrivals = _arrivals(records, rows)
    found = []
    busiest = (
        arrivals.groupby("hall_id")["visits"].sum().sort_values(ascending=False, kind="stable")
    )
    for hall in busiest[busiest >= fewest].index[: settings.most_halls]:
        own = arrivals[arrivals["hall_id"] == hall]
        found.append(_needs(str(hall), own, times, plain, records))
    frame = pd.DataFrame(found, columns=list(WINDOWS)) if found else nothing
    return frame.astype(dict.fromkeys(WINDOWS[-2:], "Int64"))


def _visits(records: Records, channel: str = "hall") -> Any:
    rows = records.recent(records.events("contacts", "started_at"))
    return rows.filter(_.channel == channel, _.hall_id.notnull())


def _service_times(records: Records, rows: Any) -> np.ndarray[Any, Any] | None:
    """Service times to draw from: evenly spread quantiles of those recorded, or the settings'."""
    if records.has("contacts.service_seconds"):
        known = rows.filter(rows.service_seconds.notnull())
        places = [(at + 0.5) / _DRAWN for at in range(_DRAWN)]
        number = int(known.count().to_pyarrow().as_py())
        if number:
            counts = read(
                known.group_by(time=known.service_seconds.round().cast("int64")).agg(n=_.count())
            )
            counts = counts.sort_values("time")
            share = counts["n"].to_numpy(float).cumsum() / counts["n"].sum()
            return counts["time"].to_numpy(float)[np.searchsorted(share, places)]
    usual = records.config.quality.window_seconds
    if not usual or not records.has("contacts.service_item"):
        return None
    known = rows.filter(rows.service_item.isin(list(usual)))
    counts = read(known.group_by("service_item").agg(n=_.count())).sort_values("service_item")
    if counts.empty:
        return None
    often = (counts["n"] / counts["n"].sum() * _DRAWN).round().astype(int).clip(lower=1)
    seconds = [usual[item] for item in counts["service_item"]]
    return np.repeat(np.array(seconds, dtype=float), often.to_numpy(int))


def _arrivals(records: Records, rows: Any) -> pd.DataFrame:
    """Visits by hall and half-hour, those that a machine could have dealt with apart."""
    machine = _by_machine(records)
    item = rows.service_item.isin(machine) if machine else ibis.literal(False)
    long = (
        (rows.wait_seconds > records.config.quality.hall_seconds).fill_null(False)
        if "wait_seconds" in rows.columns
        else ibis.literal(False)
    )
    told = rows.mutate(
        half=_half(rows),
        machine=item.fill_null(False).cast("int64"),
        long=long.cast("int64"),
    )
    counts = told.group_by("hall_id", "half").agg(
        visits=_.count(), machine=_.machine.sum(), long=_.long.sum()
    )
    frame = read(counts)
    days = read(rows.group_by("hall_id").agg(open_days=rows.on.nunique()))
    terminals = _visits(records, "terminal").mutate(half=_half)
    there = read(terminals.group_by("hall_id", "half").agg(terminal=_.count()))
    # At hours in which nobody comes to a window nobody waits for one.
    frame = frame.merge(days, on="hall_id").merge(there, on=["hall_id", "half"], how="left")
    frame["terminal"] = frame["terminal"].fillna(0)
    return frame.sort_values(["hall_id", "half"], ignore_index=True)


def _half(rows: Any) -> Any:
    """The half-hour of the day, 0 to 47."""
    return (rows.started_at.hour() * 2 + rows.started_at.minute() // 30).cast("int64")


def _by_machine(records: Records) -> list[str]:
    """Items that are dealt with by a machine in a fifth of their cases or more."""
    if not records.has("contacts.service_item", "contacts.self_service"):
        return []
    rows = records.recent(records.events("contacts", "started_at"))
    rows = rows.filter(rows.service_item.notnull(), rows.self_service.notnull())
    counts = read(
        rows.group_by("service_item").agg(n=_.count(), machine=_.self_service.cast("int64").sum())
    )
    often = counts[counts["machine"] >= _MACHINE_SHARE * counts["n"]]
    return sorted(often["service_item"])


def _needs(
    hall: str,
    own: pd.DataFrame,
    times: np.ndarray[Any, Any],
    plain: np.ndarray[Any, Any] | None,
    records: Records,
) -> tuple[Any, ...]:
    settings = records.config.quality
    allowed, share = settings.hall_seconds, settings.hall_share
    # A day like those on which anybody came.
    days = float(own["open_days"].iloc[0])
    seconds = own["half"].to_numpy(float) * 1_800
    visits = own["visits"].to_numpy(float)
    crowded = own["long"].to_numpy(float) > 0
    machine = np.where(crowded, own["machine"].to_numpy(float), 0.0)

    def needed(come: np.ndarray[Any, Any], service: np.ndarray[Any, Any]) -> tuple[int, float]:
        day = HallDay(arrivals=half_hours(seconds, come / days), service=service)
        return windows_needed(day, seconds=allowed, share=share)

    windows, longer = needed(visits, times)
    fewer, _longer = needed(visits - machine, times)
    terminal = own["terminal"].to_numpy(float)
    return (
        hall,
        visits.sum() / days,
        windows,
        longer,
        fewer,
        machine.sum() / visits.sum(),
        None if plain is None else needed(visits, plain)[0],
        needed(visits + terminal, times)[0] if terminal.any() else None,
    )
