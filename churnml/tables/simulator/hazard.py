"""Each customer's true probability of leaving or going silent, and true satisfaction.

A grievance takes a month to become a decision: what happens in month *w* bears on leaving
and falling silent from month *w* + 2 on. So at the start of month *t* the chances of months
*t* and *t* + 1 are both settled, and the probability of the default label is a number, not
an estimate.
"""

from __future__ import annotations

import numpy as np

from churnml.tables.simulator.encoded_columns import DAY, Floats
from churnml.tables.simulator.months import SETTLE
from churnml.tables.simulator.people import GOTONE, MZONE, People
from churnml.tables.simulator.scene import Scene
from churnml.tables.simulator.state import CustomerState, open_months
from churnml.tables.simulator.world import region_of

_SEASON = np.array([0.0, 0.10, 0.05, 0.0, -0.05, 0.0, 0.05, 0.10, 0.12, -0.05, -0.05, 0.0])
"""January to December: more leave around the holidays and when students move."""


_USUAL = -4.80
"""Baseline log-odds of leaving in a month."""

_BALANCE = 0.055
"""With it the churn rate stays about as it is, whatever the strength of the interactions."""


def chance(log_odds: Floats) -> Floats:
    """The probability of log-odds.

    >>> float(chance(np.array([0.0]))[0])
    0.5
    """
    return 1.0 / (1.0 + np.exp(-log_odds))


def leaving(scene: Scene, month: int) -> Floats:
    """Log-odds of ending the service in ``month``, without offers.

    Parameters
    ----------
    scene : Scene
        At the end of ``month - 2``.
    month : int

    Returns
    -------
    array, shape (n,)
    """
    state, world = scene.state, scene.world
    free = _contract(scene, month)
    hurt = _hurt(scene, month)
    return (
        _USUAL
        + free
        + hurt * np.where(free < 0, 0.6, 1.0)
        + _standing(scene, month)
        + np.where(state.group >= 0, scene.groups.climate[state.group] - 0.35, 0.0)
        + world.at(world.pull, region_of(state.hall), max(month - 2, -SETTLE))
        + _SEASON[world.months.date(month).month - 1]
        + world.trend * month
        + world.interactions * (_together(scene, month) - _BALANCE * world.interactions)
    )


def _contract(scene: Scene, month: int) -> Floats:
    """Log-odds from the contract: low while it binds, high around its end."""
    ends = scene.state.contract_end
    left = (ends - scene.months.start(month)) / 30.4
    bound = np.select([left >= 1.5, left >= 0.0, left >= -2.5], [-0.85, 0.35, 1.20], 0.25)
    return np.where(ends > 0, bound, np.where(scene.people.prepaid, 0.15, 0.0))


def _hurt(scene: Scene, month: int) -> Floats:
    people, state = scene.people, scene.state
    second = scene.months.start(month - 1) * DAY
    waiting = np.minimum(open_months(state, second), 3.0)
    return (
        1.0 * np.minimum(state.network, 2.0)
        + 1.1 * np.minimum(state.tariff, 2.0)
        + 0.9 * np.minimum(state.service, 2.0)
        + 1.3 * np.minimum(state.grievance, 1.5)
        + 0.25 * waiting
        + 0.58 * state.away
        + np.where(people.prepaid, 0.0, 0.35 * state.stress + 0.25 * people.arrears)
    )


def _standing(scene: Scene, month: int) -> Floats:
    people, state = scene.people, scene.state
    return (
        0.38 * _newness(scene, month)
        - 0.22 * people.mood
        - 0.24 * people.engagement
        - 0.12 * people.value
        + 2.3 * (people.offnet - 0.4)
        + 0.35 * (state.brand == MZONE)
        - 0.30 * (state.brand == GOTONE)
        - 0.014 * (people.age - 40)
        + 0.45 * np.minimum(state.silent_months, 3)
    )


def _newness(scene: Scene, month: int) -> Floats:
    """Effect of a short tenure: about 0 after two and a half years."""
    tenure = np.maximum(scene.months.start(month - 1) - scene.people.activated, 0) / 30.4
    return 3.4 - np.log1p(tenure)


def _together(scene: Scene, month: int) -> Floats:
    """Interactions: effects of two causes together that neither has alone; about 0 on average."""
    people, state = scene.people, scene.state
    new = np.clip(_newness(scene, month), -2.0, 2.0)
    young = np.clip((40 - people.age) / 17, -2.0, 2.0)
    rivals = np.clip((people.offnet - 0.4) / 0.17, -2.0, 2.0)
    return (
        0.40 * young * rivals
        + 0.25 * new * people.value
        + 0.60 * new * np.minimum(state.tariff, 2.0)
        + 0.80 * people.surf * np.minimum(state.network, 2.0)
        + 0.30 * people.engagement * state.away
    )


def falling_silent(people: People, state: CustomerState) -> Floats:
    """Probability that a prepaid customer who was active falls silent, two months on.

    Parameters
    ----------
    people : People
    state : CustomerState
        At the end of the month before the last.

    Returns
    -------
    array, shape (n,), 0 for postpaid
    """
    log_odds = (
        -4.45
        + 0.5 * state.away
        - 0.45 * people.engagement
        - 0.40 * people.value
        + 1.2 * (people.offnet - 0.4)
    )
    return np.where(people.prepaid, chance(log_odds), 0.0)


def staying_silent(people: People, state: CustomerState) -> Floats:
    """Probability that a silent customer stays silent, two months on."""
    log_odds = (
        -0.45
        + 0.3 * state.away
        - 0.2 * people.engagement
        + 0.15 * np.minimum(state.silent_months, 4)
    )
    return np.where(people.prepaid, chance(log_odds), 0.0)


def contentment(people: People, state: CustomerState, month: int) -> Floats:
    """Expected overall satisfaction at the start of ``month``, 0 to 100.

    Parameters
    ----------
    people : People
    state : CustomerState
        At the end of ``month - 1``.
    month : int
    """
    log_odds = (
        1.29
        + 0.40 * people.mood
        + 0.012 * (people.age - 42)
        + 0.10 * people.value
        - 0.14 * people.thrift
        - 0.22 * (people.coverage - 0.6)
        - 0.45 * np.minimum(state.network, 2.5)
        - 0.50 * np.minimum(state.tariff, 2.5)
        - 0.45 * np.minimum(state.service, 2.5)
        - 0.55 * np.minimum(state.grievance, 2.0)
        - 0.15 * state.away
        + 0.005 * month
    )
    return 100.0 * chance(log_odds)
