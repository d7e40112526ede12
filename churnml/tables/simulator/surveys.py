"""Survey invitations, responses and scores."""

from __future__ import annotations

import numpy as np

from churnml.tables.simulator.encoded_columns import (
    DAY,
    NEVER,
    Bools,
    ColumnData,
    Floats,
    Ints,
    Words,
    select,
)
from churnml.tables.simulator.hazard import chance
from churnml.tables.simulator.moments import arrival, moments
from churnml.tables.simulator.scene import Scene
from churnml.tables.simulator.state import CustomerState

TOUCHPOINTS = ("overall", "network", "tariff", "business_support", "hall", "hotline")
_ASKED = np.array([0.62, 0.14, 0.12, 0.12])
SOURCES = ("own", "third_party")

_SCALES = np.array([[1.0, 10.0], [1.0, 5.0], [0.0, 100.0]])
_AGREEMENT = 7.0
"""Concentration of answers around what a customer thinks: more, and answers differ less."""

_HOURS = np.array([0.0] * 9 + [5, 8, 8, 5, 4, 6, 8, 8, 6, 4, 4, 2] + [0] * 3)


def month_surveys(scene: Scene, content: Floats, met: tuple[Bools, Bools]) -> dict[str, ColumnData]:
    """Draw a month's invitations and answers.

    Parameters
    ----------
    scene : Scene
    content : array, shape (n,)
        Expected overall satisfaction at the start of the month, 0 to 100.
    met : (array of bool, array of bool)
        Who visited a hall, and who called the hotline this month.
    """
    rng = scene.rng("surveys")
    visited, called = met
    who = np.flatnonzero(rng.random(scene.count) < 0.048 + 0.035 * (visited | called))
    count = len(who)
    touchpoint = _touchpoints(rng, visited[who], called[who])
    sent = moments(scene, rng, count, _HOURS)
    willing = rng.random(count) < _willingness(scene, content, who)
    answered = np.where(willing, sent + _delays(rng, count), NEVER)
    answered = np.where(answered < scene.ended[who] * DAY, answered, NEVER)
    third = rng.random(count) < 0.15
    scale = _scales(rng, third, scene.month)
    score = _scores(rng, _opinion(content, scene.state, who, touchpoint), scale)
    slow, fast = (
        arrival(rng, sent, (120, 260), 0.0, (0, 0)),
        arrival(rng, sent, (0.1, 2), 0.02, (1, 10)),
    )
    rows: dict[str, ColumnData] = {
        "customer_id": who,
        "sent_at": sent,
        "answered_at": answered,
        "score": np.where(answered < NEVER, score, np.nan),
        "scale_min": scale[:, 0],
        "scale_max": scale[:, 1],
        "touchpoint": Words(touchpoint, TOUCHPOINTS),
        "source": Words(third.astype(np.int64), SOURCES),
        "known_at": np.where(third, slow, fast),
    }
    return select(rows, np.flatnonzero(scene.lived(who, sent)))


def _touchpoints(rng: np.random.Generator, visited: Bools, called: Bools) -> Ints:
    general = rng.choice(4, len(visited), p=_ASKED)
    luck = rng.random(len(visited))
    touchpoint = np.where(called & (luck < 0.45), 5, general)
    return np.where(visited & (luck < 0.45), 4, touchpoint)


def _willingness(scene: Scene, content: Floats, who: Ints) -> Floats:
    """Chance of answering: higher for the satisfied, the old, the high tiers and the furious."""
    people, score = scene.people, content[who]
    log_odds = (
        -0.85
        + 0.025 * (score - 77)
        + 0.7 * (score < 50)
        + 0.014 * (people.age[who] - 42)
        + 0.15 * people.value[who]
        + 0.40 * people.engagement[who]
    )
    return np.where(scene.state.silent[who], 0.02, chance(log_odds))


def _delays(rng: np.random.Generator, count: int) -> Ints:
    return 60 + np.minimum(rng.exponential(0.7, count) * DAY, 9 * DAY).astype(np.int64)


def _scales(rng: np.random.Generator, third: Bools, month: int) -> Floats:
    """Draw the answer scale: the operator uses 1 to 10, earlier 1 to 5; third parties 0 to 100."""
    short = rng.random(len(third)) < (0.5 if month < 8 else 0.2)
    return _SCALES[np.where(third, 2, short.astype(np.int64))]


def _opinion(content: Floats, state: CustomerState, who: Ints, touchpoint: Ints) -> Floats:
    """Each customer's opinion of what the survey asks about, between 0 and 1."""
    shift = np.choose(
        touchpoint,
        [
            np.zeros(len(who)),
            0.10 - 0.7 * state.network[who],
            -0.15 - 0.7 * state.tariff[who],
            0.05 - 0.4 * state.grievance[who],
            0.15 - 0.6 * state.service[who],
            0.10 - 0.6 * state.service[who],
        ],
    )
    share = content[who] / 100.0
    return chance(np.log(share / (1 - share)) + shift)


def _scores(rng: np.random.Generator, opinion: Floats, scale: Floats) -> Floats:
    """Draw answers whose expected value is the opinion, rounded up or down at random."""
    mood_of_the_day = rng.beta(_AGREEMENT * opinion, _AGREEMENT * (1 - opinion))
    steps = mood_of_the_day * (scale[:, 1] - scale[:, 0])
    return scale[:, 0] + np.floor(steps + rng.random(len(opinion)))
