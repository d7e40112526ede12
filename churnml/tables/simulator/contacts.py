"""Service contacts: business halls, the hotline, the app and terminals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnml.tables.simulator.encoded_columns import (
    DAY,
    Bools,
    ColumnData,
    Floats,
    Ints,
    Words,
    select,
)
from churnml.tables.simulator.moments import arrival, moments
from churnml.tables.simulator.months import SETTLE
from churnml.tables.simulator.scene import Scene
from churnml.tables.simulator.world import HALLS

CHANNELS = ("hall", "hotline", "app", "terminal")
HALL, HOTLINE, APP, TERMINAL = range(4)

ITEMS = (
    "balance_query",
    "bill_query",
    "plan_change",
    "top_up",
    "card_replacement",
    "fault_report",
    "roaming",
    "broadband",
)
_ITEM_SHARES = np.array(
    [
        [0.05, 0.12, 0.25, 0.10, 0.20, 0.08, 0.08, 0.12],
        [0.15, 0.22, 0.18, 0.03, 0.04, 0.22, 0.08, 0.08],
        [0.30, 0.25, 0.15, 0.25, 0.00, 0.02, 0.02, 0.01],
        [0.20, 0.15, 0.00, 0.60, 0.05, 0.00, 0.00, 0.00],
    ]
)

_OFFICE_HOURS = np.array([0.0] * 8 + [3, 6, 9, 6, 4, 4, 7, 8, 6, 3] + [0] * 6)
_ALL_HOURS = np.array(
    [1, 0.5, 0.5, 0.5, 0.5, 1, 2, 4, 7, 9, 10, 9, 7, 7, 8, 8, 8, 7, 7, 8, 8, 6, 4, 2]
)
_HALL_QUEUE = np.array([1.0] * 9 + [1.2, 1.8, 1.4, 0.9, 0.8, 1.3, 1.7, 1.4, 0.8] + [1.0] * 6)
_LINE_QUEUE = np.array(
    [0.4] * 8 + [0.9, 1.5, 2.0, 1.5, 0.9, 0.9, 1.3, 1.6, 1.4, 1.2, 1.2, 1.5, 1.5, 1.0, 0.5, 0.5]
)
_HALL_WAIT, _LINE_WAIT, _MENU_WAIT = 330.0, 38.0, 8.0
"""Seconds: usual waits in a hall, for a person on the hotline, and in its voice menu."""

_LONG_IN_HALL, _LONG_ON_LINE = 600.0, 120.0
_RESOLVED = np.array([0.90, 0.80, 0.86, 0.95])

_SERVING = np.array([180, 240, 480, 120, 420, 360, 360, 720], dtype=float)
"""Seconds at a window, usual for each item."""

_SPEED = np.array([1.0, 0.6, 0.0, 0.25])
"""What the same takes on each channel, of the time at a window."""


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """One month's contacts: the rows, and what they did to each customer of the block.

    Attributes
    ----------
    rows : batch
    frustration : array, shape (customers,)
    visited, called : array of bool, shape (customers,)
        Who was in a hall, and who called the hotline.
    """

    rows: dict[str, ColumnData]
    frustration: Floats
    visited: Bools
    called: Bools


def month_contacts(scene: Scene, wants: Floats) -> Contacts:
    """Draw a month's contacts.

    Parameters
    ----------
    scene : Scene
    wants : array, shape (n,)
        How much there is to ask about this month: incidents, shocks, open complaints.
    """
    counts = scene.rng("contacts").poisson(_rates(scene, wants))
    contacted = np.nonzero(counts)
    who, channel = (np.repeat(part, counts[contacted]) for part in contacted)
    rows = _contacts(scene, who, channel)
    kept = np.flatnonzero(scene.lived(who, np.asarray(rows["started_at"])))
    rows, who, channel = select(rows, kept), who[kept], channel[kept]
    return Contacts(
        rows=rows,
        frustration=np.bincount(who, _pain(rows, channel), scene.count).astype(np.float64),
        visited=np.bincount(who[channel == HALL], minlength=scene.count) > 0,
        called=np.bincount(who[channel == HOTLINE], minlength=scene.count) > 0,
    )


def _rates(scene: Scene, wants: Floats) -> Floats:
    people = scene.people
    old = np.clip((people.age - 50) / 20, 0, 1.5)
    hall = 0.06 * (1 + old) * (1 + 0.5 * wants)
    hotline = 0.09 * (1 + 1.5 * wants)
    app = 0.30 * np.exp(0.45 * people.engagement - 0.03 * np.maximum(people.age - 35, -15))
    terminal = np.full(scene.count, 0.03)
    return np.stack([hall, hotline, app, terminal], axis=1) * ~scene.state.silent[:, None]


def _contacts(scene: Scene, who: Ints, channel: Ints) -> dict[str, ColumnData]:
    rng, count = scene.rng("contacts"), len(who)
    office = moments(scene, rng, count, _OFFICE_HOURS)
    started = np.where(channel == HALL, office, moments(scene, rng, count, _ALL_HOURS))
    elsewhere = rng.random(count) < 0.15
    hall = np.where(elsewhere, rng.integers(0, len(HALLS), count), scene.state.hall[who])
    pre_served = (channel == HALL) & (rng.random(count) < 0.25 + 0.004 * scene.month)
    by_menu = (channel == HOTLINE) & (rng.random(count) < 0.4)
    wait = _waits(scene, channel, started % DAY // 3_600, hall)
    wait = np.where(by_menu, _MENU_WAIT, wait * np.where(pre_served, 0.6, 1.0))
    patience = np.exp(rng.normal(5.2, 0.6, count))
    answered = (channel != HOTLINE) | (wait <= patience)
    at_counter = (channel == HALL) | (channel == TERMINAL)
    items = _items(rng, channel)
    return {
        "customer_id": who,
        "started_at": started,
        "channel": Words(channel, CHANNELS),
        "service_item": Words(items, ITEMS),
        "wait_seconds": np.round(np.where(answered, wait, patience)),
        "answered": answered,
        "self_service": (channel >= APP) | by_menu,
        "pre_served": pre_served,
        "resolved": answered & (rng.random(count) < _RESOLVED[channel]),
        "hall_id": Words(np.where(at_counter, hall, -1), HALLS),
        "service_seconds": _service_times(scene, channel, items, answered, pre_served),
        "known_at": arrival(rng, started, (1, 20), 0.02, (1, 15)),
    }


def _waits(scene: Scene, channel: Ints, hour: Ints, hall: Ints) -> Floats:
    """Waiting times in seconds, by hour, by hall, and on the hotline by network incidents."""
    world, month = scene.world, scene.month
    in_hall = _HALL_WAIT * _HALL_QUEUE[hour] * world.at(world.crowding, hall, month)
    storm = 1.0 + 4.0 * world.trouble[:, month + SETTLE].mean()
    wait = np.where(channel == HALL, in_hall, _LINE_WAIT * _LINE_QUEUE[hour] * storm)
    noise = scene.rng("contacts").normal(0.0, 0.6, len(hour))
    wait = np.minimum(wait * np.exp(noise), 4 * 3_600)
    return np.where(channel >= APP, np.nan, wait)


def _service_times(
    scene: Scene, channel: Ints, items: Ints, answered: Bools, pre_served: Bools
) -> Floats:
    """Seconds that serving takes; less where part of it was done while waiting."""
    usual = _SERVING[items] * _SPEED[channel] * np.where(pre_served, 0.7, 1.0)
    noise = scene.rng("service_times").normal(0.0, 0.5, len(items))
    return np.where(answered & (usual > 0), np.round(usual * np.exp(noise)), np.nan)


def _items(rng: np.random.Generator, channel: Ints) -> Ints:
    bounds = np.cumsum(_ITEM_SHARES, axis=1)[channel]
    drawn = (rng.random(len(channel))[:, None] >= bounds).sum(axis=1)
    return np.minimum(drawn, len(ITEMS) - 1)


def _pain(rows: dict[str, ColumnData], channel: Ints) -> Floats:
    """How frustrating each contact was: a long wait, no answer, or no resolution."""
    wait = np.nan_to_num(np.asarray(rows["wait_seconds"], dtype=float))
    limit = np.where(channel == HALL, _LONG_IN_HALL, _LONG_ON_LINE)
    too_long = np.clip(wait / limit - 1.0, 0.0, 2.0)
    in_vain = ~np.asarray(rows["resolved"])
    return 0.5 * too_long + 0.6 * in_vain
