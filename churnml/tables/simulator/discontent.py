"""How customers' discontent builds up and fades from month to month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnml.tables.simulator.encoded_columns import DAY, Floats
from churnml.tables.simulator.scene import Scene
from churnml.tables.simulator.state import (
    AWAY_KEPT,
    AWAY_NOISE,
    STRESS_KEPT,
    STRESS_NOISE,
    open_months,
)

_MEMORY = 0.65
"""Share of a grievance that remains a month later."""


@dataclass(frozen=True, kw_only=True)
class MonthEffects:
    """How one month affected the customers; arrays of shape (n,), 0 for no effect.

    Attributes
    ----------
    network, tariff, service : array
        From incidents and dropped calls; from the bill; from waits and failed contacts.
    complaints : array
        Number of complaints made.
    """

    network: Floats
    tariff: Floats
    service: Floats
    complaints: Floats


def pass_month(scene: Scene, effects: MonthEffects) -> None:
    """Update the state in place from the end of one month to the end of the next."""
    people, state, rng = scene.people, scene.state, scene.rng("temper")
    waiting = np.minimum(open_months(state, scene.stop * DAY), 3.0)
    complained = np.minimum(effects.complaints, 2.0) + 0.7 * waiting
    state.network = _remember(state.network, effects.network)
    state.tariff = _remember(state.tariff, effects.tariff)
    state.service = _remember(state.service, effects.service)
    state.grievance = _remember(state.grievance, complained)
    anger = state.network + state.tariff + state.service + 1.5 * state.grievance
    push = 0.10 * anger - 0.04 * people.mood - 0.03 * people.engagement - 0.03
    state.away = AWAY_KEPT * state.away + push + rng.normal(0.0, AWAY_NOISE, scene.count)
    state.stress = STRESS_KEPT * state.stress + rng.normal(0.0, STRESS_NOISE, scene.count)
    state.silent_months = np.where(state.silent, state.silent_months + 1, 0)


def _remember(before: Floats, now: Floats) -> Floats:
    return _MEMORY * before + (1 - _MEMORY) * now
