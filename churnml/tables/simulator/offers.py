"""Retention offers, randomised into treatment and control, and their effect."""

from __future__ import annotations

import numpy as np

from churnml.tables.simulator.encoded_columns import (
    DAY,
    NEVER,
    ColumnData,
    Floats,
    Ints,
    Words,
    select,
)
from churnml.tables.simulator.hazard import chance
from churnml.tables.simulator.moments import arrival, moments
from churnml.tables.simulator.scene import Scene

OFFERS = ("fee_rebate", "data_pack", "handset_voucher")
ARMS = ("treatment", "control")
TREATED_SHARE = 0.5

_COSTS = np.array([60.0, 25.0, 180.0])
_REST_MONTHS = 6
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
    return np.minimum(wanted * worth, 0.3) * rested * scene.old * (scene.month >= 0)


def shift(scene: Scene, month: int) -> Floats:
    """Change in a month's log-odds of leaving by the offers made so far."""
    since = np.clip(month - scene.state.offered, 0, len(_FADING) - 1)
    return scene.people.reaction * _FADING[since] * scene.state.treated


def effect(scene: Scene, who: Ints, since: int) -> Floats:
    """Change in the log-odds of leaving of those treated ``since`` months ago."""
    return scene.people.reaction[who] * _FADING[since]


def month_offers(scene: Scene, invited: Floats) -> dict[str, ColumnData]:
    """Draw a month's offers and record them in the state.

    Parameters
    ----------
    scene : Scene
        ``state.offered`` and ``state.treated`` change in place.
    invited : array, shape (n,)
        Probability of being reached.
    """
    rng, people, state = scene.rng("offers"), scene.people, scene.state
    who = np.flatnonzero(rng.random(scene.count) < invited)
    count = len(who)
    treated = rng.random(count) < TREATED_SHARE
    kind = rng.choice(len(OFFERS), count, p=[0.4, 0.4, 0.2])
    at = moments(scene, rng, count, _HOURS)
    likes = chance(-0.4 - 0.9 * people.reaction[who] + rng.normal(0, 0.5, count))
    accepts = treated & (rng.random(count) < 0.6 * likes)
    accepted = at + 60 + (rng.exponential(2.0, count) * DAY).astype(np.int64)
    accepts &= accepted < scene.ended[who] * DAY
    state.offered[who], state.treated[who] = scene.month, treated
    rows: dict[str, ColumnData] = {
        "customer_id": who,
        "offered_at": at,
        "offer": Words(kind, OFFERS),
        "arm": Words((~treated).astype(np.int64), ARMS),
        "cost": np.where(treated, _COSTS[kind], 0.0),
        "accepted_at": np.where(accepts, accepted, NEVER),
        "known_at": arrival(rng, at, (0.1, 10), 0.02, (1, 10)),
    }
    return select(rows, np.flatnonzero(scene.lived(who, at)))
