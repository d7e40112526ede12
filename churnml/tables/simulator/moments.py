"""When events happen within a month, and when they reach the warehouse."""

from __future__ import annotations

import numpy as np

from churnml.tables.simulator.encoded_columns import DAY, Floats, Ints
from churnml.tables.simulator.scene import Scene

_HOUR = 3_600


def moments(scene: Scene, rng: np.random.Generator, count: int, hours: Floats) -> Ints:
    """Draw moments in seconds, spread over the days of a month and the weighted hours of a day.

    Parameters
    ----------
    scene : Scene
    rng : Generator
        Of the table that they are for.
    count : int
    hours : array, shape (24,)
        Weight of each hour.
    """
    day = rng.integers(scene.start, scene.stop, count)
    hour = np.searchsorted(np.cumsum(hours / hours.sum()), rng.random(count), side="right")
    return day * DAY + np.minimum(hour, 23) * _HOUR + rng.integers(0, _HOUR, count)


def arrival(
    rng: np.random.Generator,
    seconds: Ints,
    usual: tuple[float, float],
    late_share: float,
    late_days: tuple[float, float],
) -> Ints:
    """Draw when rows reach the warehouse: soon for most, much later for a few.

    Parameters
    ----------
    rng : Generator
    seconds : array of int
        When the rows happened.
    usual : (low, high)
        Hours that most rows take.
    late_share : float
        Share of the rows that come late, 0 to 1.
    late_days : (low, high)
        Days that late rows take on top.
    """
    count = len(seconds)
    hours = rng.uniform(*usual, count)
    late = rng.random(count) < late_share
    days = np.where(late, rng.uniform(*late_days, count), 0.0)
    return seconds + ((hours * _HOUR) + days * DAY).astype(np.int64)
