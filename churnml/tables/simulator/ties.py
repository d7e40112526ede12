"""Who calls whom, and what is passed on when somebody leaves.

Circles are drawn by lot, and so is who belongs to them: friends are no more alike than
strangers. What ties tell of a customer's leaving is contagion then, and nothing else; in
the world it is also that birds of a feather flock together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from churnml.tables.simulator.encoded_columns import DAY, ColumnData, Floats, Ints, Words
from churnml.tables.simulator.moments import arrival
from churnml.tables.simulator.scene import Scene
from churnml.tables.simulator.usage import Usage

_CIRCLE, _WITHIN, _BEYOND, _RIVALS = 8, 0.55, 0.8, 2.5
"""Customers in a circle, how likely two of them have a tie, ties a customer outside of it, and
ties with other operators' customers beyond the first."""

_MINUTES, _SPREAD, _CALL_MINUTES = 14.0, 0.8, 4.0
_MONTHS_WITH_CALLS = 0.85
_KEPT = 0.7
"""Share of the shock by a friend's leaving that remains a month later."""

_MOST = 3.0


@dataclass(frozen=True, kw_only=True)
class Ties:
    """The ties of one block.

    Attributes
    ----------
    one, other : array of int, shape (pairs,)
        Two customers; every pair once.
    strength : array, shape (pairs,)
        How much they talk, 1 on average.
    owner, rival : array of int, shape (m,)
        A customer, and whom of the other operators' customers they call.
    weight : array, shape (m,)
        As ``strength``.
    """

    one: Ints
    other: Ints
    strength: Floats
    owner: Ints
    rival: Ints
    weight: Floats


def draw_ties(rng: np.random.Generator, count: int) -> Ties:
    """Draw the ties of a block of customers.

    Parameters
    ----------
    rng : Generator
        Of the ties alone, so that everything else is as it was.
    count : int
    """
    circles = rng.permutation(count)[: count - count % _CIRCLE].reshape(-1, _CIRCLE)
    first, second = np.triu_indices(_CIRCLE, 1)
    one, other = circles[:, first].ravel(), circles[:, second].ravel()
    close = rng.random(len(one)) < _WITHIN
    far = rng.integers(0, count, (2, int(count * _BEYOND)))
    one, other = _pairs(np.append(one[close], far[0]), np.append(other[close], far[1]), count)
    owner = np.repeat(np.arange(count), 1 + rng.poisson(_RIVALS, count))
    pool = 2 * count
    owner, rival = np.divmod(np.unique(owner * pool + rng.integers(0, pool, len(owner))), pool)
    return Ties(
        one=one,
        other=other,
        strength=_strengths(rng, len(one)),
        owner=owner,
        rival=rival,
        weight=_strengths(rng, len(owner)),
    )


def _pairs(one: Ints, other: Ints, count: int) -> tuple[Ints, Ints]:
    """Each pair once, and nobody with themselves."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    low, high = np.divmod(np.unique(low * count + high), count)
    return low[low < high], high[low < high]


def _strengths(rng: np.random.Generator, count: int) -> Floats:
    return np.exp(rng.normal(-(_SPREAD**2) / 2, _SPREAD, count))


def month_ties(scene: Scene, usage: Usage, ties: Ties) -> dict[str, ColumnData]:
    """The month's rows of the table ``ties``; customers and their peers are numbers.

    Two customers have a row each, with the same calls. The minutes with other operators'
    customers are those of the table ``usage``, shared out.

    Parameters
    ----------
    scene : Scene
    usage : Usage
        The month's.
    ties : Ties
    """
    rng, level = scene.rng("ties"), usage.level
    talks = (level[ties.one] > 0) & (level[ties.other] > 0)
    talks &= rng.random(len(talks)) < _MONTHS_WITH_CALLS
    one, other = ties.one[talks], ties.other[talks]
    near = _MINUTES * ties.strength[talks] * np.sqrt(level[one] * level[other])
    calls_near, out = _calls(rng, near), np.round(rng.random(len(one)), 2)
    calls_rival = level[ties.owner] > 0
    calls_rival &= rng.random(len(calls_rival)) < _MONTHS_WITH_CALLS
    owner, weight = ties.owner[calls_rival], ties.weight[calls_rival]
    shares = weight / np.bincount(owner, weight, scene.count)[owner]
    far = usage.offnet[owner] * shares
    minutes = np.round(np.concatenate([near, near, far]), 1)
    count = len(minutes)
    return {
        "customer_id": np.concatenate([one, other, owner]),
        "peer_id": np.concatenate([other, one, scene.count + ties.rival[calls_rival]]),
        "month": np.full(count, scene.start),
        "calls": np.concatenate([calls_near, calls_near, _calls(rng, far)]),
        "minutes": minutes,
        "outgoing_share": np.concatenate(
            [out, np.round(1 - out, 2), np.round(rng.random(len(far)), 2)]
        ),
        "known_at": arrival(rng, np.full(count, scene.stop * DAY), (20, 64), 0.03, (3, 25)),
    }


def _calls(rng: np.random.Generator, minutes: Floats) -> Ints:
    return 1 + rng.poisson(minutes / _CALL_MINUTES)


def peers(rows: ColumnData, ids: Sequence[str], block: int) -> Words:
    """The ids of peers by number: the block's own customers first, then those of rivals."""
    codes = np.asarray(rows)
    strangers = int(codes.max(initial=0)) + 1 - len(ids)
    rivals = (f"186{block:05d}{place:06d}" for place in range(max(strangers, 0)))
    return Words(codes, [*ids, *rivals])


def feel_loss(scene: Scene, ties: Ties) -> None:
    """Add the friends who left in the month to what their friends still feel, in place."""
    left = (scene.ended >= scene.start) & (scene.ended < scene.stop)
    felt = np.bincount(ties.one, ties.strength * left[ties.other], scene.count)
    felt += np.bincount(ties.other, ties.strength * left[ties.one], scene.count)
    scene.state.lost = _KEPT * scene.state.lost + felt * scene.old


def passed_on(scene: Scene) -> Floats:
    """What the friends who left add to the log-odds of leaving, two months on."""
    return (scene.world.contagion or 0.0) * np.minimum(scene.state.lost, _MOST)
