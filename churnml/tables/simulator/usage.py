"""Monthly usage: it falls before customers leave, and is 0 while they are silent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnml.tables.simulator.encoded_columns import DAY, Bools, ColumnData, Floats, Ints
from churnml.tables.simulator.hazard import chance
from churnml.tables.simulator.moments import arrival
from churnml.tables.simulator.scene import Scene

_MOST_MINUTES, _MOST_MEGABYTES = 30_000.0, 5e6


@dataclass(frozen=True, kw_only=True)
class Usage:
    """One month's use by the customers of one block; arrays of shape (n,).

    Attributes
    ----------
    level : array
        This month's use against the customer's own usual, about 1; 0 in silence.
    minutes, megabytes, offnet, roaming, speed : array
    days, messages, dropped : array of int
    """

    level: Floats
    minutes: Floats
    megabytes: Floats
    offnet: Floats
    roaming: Floats
    speed: Floats
    days: Ints
    messages: Ints
    dropped: Ints


def month_usage(scene: Scene, travels: Bools) -> Usage:
    """Draw a month's use.

    Parameters
    ----------
    scene : Scene
        With this month's ``state.silent``.
    travels : array of bool, shape (n,)
        Who is abroad for some days.
    """
    rng, people, state, month = scene.rng("usage"), scene.people, scene.state, scene.month
    count, present = scene.count, scene.days
    share = present / (scene.stop - scene.start) * ~state.silent
    level = np.exp(-0.60 * state.away + rng.normal(0.0, 0.12, count)) * share
    minutes = level * np.exp(5.2 + 0.35 * people.value + 0.5 * people.talk) * 0.996**month
    minutes = np.minimum(minutes, _MOST_MINUTES)
    surfing = 7.6 + 0.35 * people.value + 0.7 * people.surf - 0.025 * (people.age - 40)
    megabytes = level * np.exp(surfing + rng.normal(0.0, 0.2, count)) * 1.015**month
    megabytes = np.minimum(megabytes, _MOST_MEGABYTES)
    rivals = np.clip(people.offnet + 0.05 * state.away + rng.normal(0, 0.04, count), 0.01, 0.97)
    drops = 0.010 * minutes * (0.3 + people.coverage + 1.2 * scene.trouble)
    speed = scene.world.speed[state.hall] * np.exp(-0.35 * scene.trouble - 0.15 * people.coverage)
    regular = chance(1.7 + 0.75 * people.engagement + 0.2 * people.value - 0.7 * state.away)
    days = np.maximum(rng.binomial(present, regular), np.minimum(present, 1))
    return Usage(
        level=level,
        minutes=np.round(minutes, 1),
        megabytes=np.round(megabytes, 1),
        offnet=np.round(minutes * rivals, 1),
        roaming=np.round(minutes * rng.uniform(0.02, 0.25, count) * travels, 1),
        speed=np.round(speed * np.exp(rng.normal(0, 0.15, count)) * 1.006**month, 2),
        days=np.where(state.silent, 0, days),
        messages=rng.poisson(level * np.exp(2.4 - 0.02 * month + 0.3 * people.talk)),
        dropped=rng.poisson(drops),
    )


def usage_rows(scene: Scene, usage: Usage, rows: Ints) -> dict[str, ColumnData]:
    """The month's rows of the table ``usage``, for the customers given."""
    count = len(rows)
    ended = np.full(count, scene.stop * DAY)
    return {
        "customer_id": rows,
        "month": np.full(count, scene.start),
        "voice_minutes": usage.minutes[rows],
        "data_mb": usage.megabytes[rows],
        "active_days": usage.days[rows],
        "sms_count": usage.messages[rows],
        "roaming_minutes": usage.roaming[rows],
        "offnet_minutes": usage.offnet[rows],
        "dropped_calls": usage.dropped[rows],
        "data_speed_mbps": np.where(usage.megabytes[rows] > 0, usage.speed[rows], np.nan),
        "known_at": arrival(scene.rng("usage"), ended, (20, 64), 0.03, (3, 25)),
    }
