"""Corporate accounts: their line of business, size, and how the size changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from churnml.tables.simulator.encoded_columns import Bools, ColumnData, Floats, Ints, Words
from churnml.tables.simulator.months import Months

_SECTORS = {
    "manufacturing": (0.200, 3.6),
    "retail": (0.190, 3.2),
    "technology": (0.110, 3.5),
    "construction": (0.100, 3.5),
    "education": (0.080, 4.0),
    "logistics": (0.080, 3.6),
    "hotel": (0.070, 3.3),
    "health": (0.060, 4.0),
    "agriculture": (0.047, 3.1),
    "insurance": (0.015, 4.3),
    "securities": (0.010, 4.0),
    "government": (0.010, 4.7),
    "bank": (0.007, 4.9),
    "power": (0.004, 5.0),
    "media": (0.004, 4.2),
    "highway": (0.003, 4.4),
    "water": (0.003, 4.2),
    "railway": (0.003, 5.2),
    "airport": (0.002, 4.8),
    "post": (0.002, 4.6),
}
"""Share of the groups, and the logarithm of their usual number of handsets."""

SECTORS = tuple(_SECTORS)
SMALLEST = 11
_CUSTOMERS_PER_GROUP = 60


@dataclass(frozen=True, kw_only=True)
class Groups:
    """The groups of one block.

    Attributes
    ----------
    sector : array of int, shape (groups,)
    handsets : array of int, shape (groups,)
    top_taxpayer : array of bool, shape (groups,)
    registered : array of int, shape (groups,)
        Days since 1970-01-01.
    climate : array, shape (groups,)
        How the account's members get on with the operator: hidden, in log-odds of leaving.
    """

    sector: Ints
    handsets: Ints
    top_taxpayer: Bools
    registered: Ints
    climate: Floats


def draw_groups(rng: np.random.Generator, months: Months, customers: int) -> Groups:
    """Groups for a block of customers, one to about sixty of them.

    Parameters
    ----------
    rng : Generator
    months : Months
    customers : int
        Customers in the block.
    """
    count = max(1, customers // _CUSTOMERS_PER_GROUP)
    shares, sizes = np.array(list(_SECTORS.values())).T
    sector = rng.choice(len(SECTORS), count, p=shares / shares.sum())
    giants = rng.random(count) < 0.015
    size = np.where(giants, rng.normal(6.8, 0.6, count), rng.normal(sizes[sector], 0.95))
    handsets = np.clip(np.exp(size).astype(np.int64), SMALLEST, 20_000)
    return Groups(
        sector=sector,
        handsets=handsets,
        top_taxpayer=rng.random(count) < 0.004 + 0.05 * (handsets > 500),
        registered=months.start(0) - rng.integers(200, 5_000, count),
        climate=rng.normal(0.0, 0.2, count),
    )


def group_versions(
    rng: np.random.Generator, months: Months, groups: Groups, ids: Sequence[str]
) -> dict[str, ColumnData]:
    """Rows of the table ``groups``: the first state of each, and what changed since.

    Parameters
    ----------
    rng : Generator
    months : Months
    groups : Groups
    ids : sequence of str
        Their keys.
    """
    count = len(groups.sector)
    numbers, days, handsets = [np.arange(count)], [groups.registered], [groups.handsets]
    size = groups.handsets.astype(float)
    for month in range(months.count):
        changed = np.flatnonzero(rng.random(count) < 0.06)
        size[changed] *= np.exp(rng.normal(0.01, 0.18, len(changed)))
        numbers.append(changed)
        days.append(months.start(month) + rng.integers(0, 28, len(changed)))
        handsets.append(np.maximum(size[changed].astype(np.int64), SMALLEST))
    which = np.concatenate(numbers)
    return {
        "group_id": Words(which, ids),
        "sector": Words(groups.sector[which], SECTORS),
        "handsets": np.concatenate(handsets),
        "top_taxpayer": groups.top_taxpayer[which],
        "registered_on": groups.registered[which],
        "valid_from": np.concatenate(days),
    }


def group_ids(first: int, count: int) -> list[str]:
    """Keys of groups by number.

    >>> group_ids(7, 2)
    ['08000007', '08000008']
    """
    return [f"08{number:06d}" for number in range(first, first + count)]
