"""Retention offers, randomised into treatment and control, and their effect."""

from __future__ import annotations

import numpy as np

from churnml.tables.simulator.campaigns import OFFERS
from churnml.tables.simulator.encoded_columns import (
    DAY,
    NEVER,
    Bools,
    ColumnData,
    Floats,
    Ints,
    Words,
    select,
    stack,
)
from churnml.tables.simulator.hazard import chance, leaving
from churnml.tables.simulator.moments import arrival, moments
from churnml.tables.simulator.scene import Scene

ARMS = ("treatment", "control")
TREATED_SHARE = 0.5
KIND_SHARES = (0.4, 0.4, 0.2)

_COSTS = np.array([60.0, 25.0, 180.0])
_REST_MONTHS = 6
_TIRED_KEPT = 0.8
_FADING = np.array([0.0, 1.0, 0.8, 0.5, 0.0])
"""What an offer does in its own month and in those after it: nothing from the fourth on."""

_HOURS = np.array([0.0] * 9 + [6, 8, 8, 4, 3, 6, 8, 8, 6, 4, 3] + [0] * 4)


def invitation(scene: Scene) -> Floats:
    """Probability that the month's campaign targets each customer.

    Settled when the month begins: it looks at the state at the end of the month before.
    """
    people, state = scene.people, scene.state
    left = (state.contract_end - scene.start) / 30.4
    choosing = (state.contract_end > 0) & (left < 2.5) & (left > -3.0)
    wanted = 0.010 + 0.050 * choosing + 0.040 * (state.grievance > 0.2)
    worth = np.clip(1.0 + 0.4 * people.value, 0.5, 2.0)
    rested = scene.month - state.offered >= _REST_MONTHS
    size = scene.world.campaigns.size
    most = 0.3 if size <= 1 else 0.9
    chances = np.minimum(wanted * worth * size, most) * rested * scene.old * (scene.month >= 0)
    # Who is on a list that is played this month has its offer or none.
    return np.where(scene.listed, 0.0, chances) if scene.replays else chances


def treated_share(scene: Scene) -> Floats | float:
    """Probability that an offer is made to who is invited, rather than kept for control."""
    if scene.world.campaigns.assignment == "lot":
        return TREATED_SHARE
    risk = leaving(scene, scene.month + 1)
    return np.clip(chance(1.2 * (risk - risk.mean()) / max(risk.std(), 1e-9)), 0.08, 0.92)


def shift(scene: Scene, month: int) -> Floats:
    """Change in a month's log-odds of leaving by the offers made so far."""
    state = scene.state
    since = np.clip(month - state.offered, 0, len(_FADING) - 1)
    reaction = scene.reactions[np.arange(scene.count), state.offer]
    changed = reaction * _FADING[since] * state.treated
    fatigue = scene.world.campaigns.fatigue
    return changed + fatigue * state.tired if fatigue else changed


def effect(scene: Scene, who: Ints, since: int, kind: Ints | int) -> Floats:
    """Change in the log-odds of leaving of those treated ``since`` months ago."""
    return scene.reactions[who, kind] * _FADING[since]


def month_offers(scene: Scene, invited: Floats) -> dict[str, ColumnData]:
    """Draw a month's offers and record them in the state.

    Parameters
    ----------
    scene : Scene
        ``state.offered`` and ``state.treated`` change in place.
    invited : array, shape (n,)
        Probability of being reached.
    """
    rng = scene.rng("offers")
    who = np.flatnonzero(rng.random(scene.count) < invited)
    count = len(who)
    share = np.broadcast_to(treated_share(scene), scene.count)[who]
    treated = rng.random(count) < share
    kind = rng.choice(len(OFFERS), count, p=KIND_SHARES)
    at = moments(scene, rng, count, _HOURS)
    likes = chance(-0.4 - 0.9 * scene.reactions[who, kind] + rng.normal(0, 0.5, count))
    accepts = treated & (rng.random(count) < 0.6 * likes)
    accepted = at + 60 + (rng.exponential(2.0, count) * DAY).astype(np.int64)
    accepts &= accepted < scene.ended[who] * DAY
    _note(scene, who, kind, treated)
    rows: dict[str, ColumnData] = {
        "customer_id": who,
        "offered_at": at,
        "offer": Words(kind, OFFERS),
        "arm": Words((~treated).astype(np.int64), ARMS),
        "cost": np.where(treated, _COSTS[kind], 0.0),
        "accepted_at": np.where(accepts, accepted, NEVER),
        "known_at": arrival(rng, at, (0.1, 10), 0.02, (1, 10)),
    }
    made = select(rows, np.flatnonzero(scene.lived(who, at)))
    return stack([made, _replayed(scene)]) if scene.replays else made


def _note(scene: Scene, who: Ints, kind: Ints, treated: Bools) -> None:
    state = scene.state
    state.offered[who], state.treated[who], state.offer[who] = scene.month, treated, kind
    state.tired *= _TIRED_KEPT
    state.tired[who] += treated


def _replayed(scene: Scene) -> dict[str, ColumnData]:
    """The offers of a list that is played as it was made."""
    rng = scene.streams.of("replay", scene.month)
    there = scene.old[scene.treat] & (scene.ended[scene.treat] >= scene.start)
    who, kind = scene.treat[there], scene.treat_kind[there]
    count = len(who)
    at = moments(scene, rng, count, _HOURS)
    likes = chance(-0.4 - 0.9 * scene.reactions[who, kind] + rng.normal(0, 0.5, count))
    accepts = rng.random(count) < 0.6 * likes
    accepted = at + 60 + (rng.exponential(2.0, count) * DAY).astype(np.int64)
    accepts &= accepted < scene.ended[who] * DAY
    scene.state.offered[who], scene.state.treated[who] = scene.month, True
    scene.state.offer[who] = kind
    scene.state.tired[who] += 1
    rows: dict[str, ColumnData] = {
        "customer_id": who,
        "offered_at": at,
        "offer": Words(kind, OFFERS),
        "arm": Words(np.zeros(count, np.int64), ARMS),
        "cost": _COSTS[kind],
        "accepted_at": np.where(accepts, accepted, NEVER),
        "known_at": arrival(rng, at, (0.1, 10), 0.02, (1, 10)),
    }
    return select(rows, np.flatnonzero(scene.lived(who, at)))
