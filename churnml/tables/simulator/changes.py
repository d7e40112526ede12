"""What changes about customers: contracts renewed, brands, homes and employers changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from churnml.tables.simulator.campaigns import households
from churnml.tables.simulator.encoded_columns import (
    NEVER,
    Bools,
    ColumnBatch,
    ColumnData,
    Floats,
    Ints,
    Words,
)
from churnml.tables.simulator.people import BRANDS, EASYOWN, GOTONE, MZONE
from churnml.tables.simulator.scene import Scene
from churnml.tables.simulator.state import CustomerState
from churnml.tables.simulator.world import HALLS, REGIONS, region_of

PAYMENTS = ("prepaid", "postpaid")
_TERMS = np.array([365, 730])


def month_changes(scene: Scene, content: Floats) -> dict[str, ColumnData]:
    """Draw a month's changes and apply them to the state.

    Parameters
    ----------
    scene : Scene
        ``brand``, ``hall``, ``group`` and ``contract_end`` of its state change in place.
    content : array, shape (n,)
        Expected satisfaction at the start of the month, 0 to 100.

    Returns
    -------
    batch
        A new version of each customer who changed.
    """
    day = scene.start + scene.rng("customers").integers(1, 28, scene.count)
    present = (day > scene.people.activated) & (day < scene.ended)
    changed = _renew(scene, day, content, present)
    changed |= _switch_brand(scene, present)
    changed |= _move(scene, present)
    changed |= _change_employer(scene, present)
    who = np.flatnonzero(changed)
    return version_rows(scene.state, who, day[who])


def version_rows(state: CustomerState, who: Ints, day: Ints) -> dict[str, ColumnData]:
    """The customers' current attributes as versions valid from the given days."""
    contract = state.contract_end[who]
    return {
        "customer_id": who,
        "valid_from": day,
        "brand": state.brand[who],
        "group_id": state.group[who],
        "hall_id": state.hall[who],
        "contract_ends_on": np.where(contract > 0, contract, NEVER),
    }


def _renew(scene: Scene, day: Ints, content: Floats, present: Bools) -> Bools:
    """Renew contracts: satisfied customers early, others late or never."""
    rng, state = scene.rng("customers"), scene.state
    left = (state.contract_end - day) / 30.4
    eager = np.select(
        [left > 2.5, left > 0.5, left > -1.0, left > -3.0], [0.0, 0.12, 0.34, 0.15], 0.03
    )
    likes = np.clip((content - 40) / 38, 0.2, 1.2)
    renews = present & (state.contract_end > 0) & (rng.random(scene.count) < eager * likes)
    term = rng.choice(_TERMS, scene.count, p=[0.6, 0.4])
    renewed = np.maximum(state.contract_end, day) + term
    state.contract_end = np.where(renews, renewed, state.contract_end)
    return renews


def _switch_brand(scene: Scene, present: Bools) -> Bools:
    people, state = scene.people, scene.state
    luck = scene.rng("customers").random(scene.count)
    upgrades = (state.brand == EASYOWN) & (luck < 0.003 * np.exp(0.5 * people.value)) & present
    grows_up = (state.brand == MZONE) & (people.age > 24) & (luck < 0.008) & present
    state.brand = np.where(upgrades, GOTONE, np.where(grows_up, EASYOWN, state.brand))
    return upgrades | grows_up


def _move(scene: Scene, present: Bools) -> Bools:
    rng, state = scene.rng("customers"), scene.state
    moves = present & (rng.random(scene.count) < 0.003)
    state.hall = np.where(moves, rng.integers(0, len(HALLS), scene.count), state.hall)
    return moves


def _change_employer(scene: Scene, present: Bools) -> Bools:
    rng, state, age = scene.rng("customers"), scene.state, scene.people.age
    luck, count = rng.random(scene.count), len(scene.groups.sector)
    leaves = present & (state.group >= 0) & (luck < 0.006)
    working = (age > 21) & (age < 62)
    joins = present & (state.group < 0) & working & (luck < 0.0012)
    employer = np.where(joins, rng.integers(0, count, scene.count), -1)
    state.group = np.where(leaves | joins, employer, state.group)
    return leaves | joins


def customer_rows(
    scene: Scene, versions: ColumnBatch, births: Ints, ids: Sequence[str], groups: Sequence[str]
) -> dict[str, ColumnData]:
    """Build the rows of the table ``customers`` from a block's versions.

    Every version says when the service ended: that is an event of the subscription, not
    a state, and counts from its own date on.

    Parameters
    ----------
    scene : Scene
        After the last month.
    versions : batch
        As `version_rows` gives them, of all months.
    births : array of int, shape (n,)
        Years of birth, -1 where the operator does not know.
    ids, groups : sequence of str
        Keys of the block's customers and groups.
    """
    who, hall, brand, group = (
        np.asarray(versions[name]) for name in ("customer_id", "hall_id", "brand", "group_id")
    )
    people = scene.people
    return {
        "customer_id": Words(who, ids),
        "activated_on": people.activated[who],
        "terminated_on": scene.ended[who],
        "payment": Words((~people.prepaid[who]).astype(np.int64), PAYMENTS),
        "valid_from": versions["valid_from"],
        "brand": Words(brand, BRANDS),
        "group_id": Words(group, groups),
        "birth_year": births[who],
        "region": Words(region_of(hall), REGIONS),
        "hall_id": Words(hall, HALLS),
        "contract_ends_on": versions["contract_ends_on"],
        "payer_id": Words(people.payer[who], ids),
        "household_id": Words(households(people.payer)[who], ids),
    }
