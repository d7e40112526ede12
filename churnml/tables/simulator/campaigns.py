"""Retention campaigns: what offers do, who is offered them, and a plan played as it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from churnml.errors import UsageError
from churnml.tables.simulator.encoded_columns import Bools, ColumnData, Floats, Ints, Words
from churnml.tables.simulator.months import SETTLE, Months
from churnml.tables.simulator.streams import Streams

if TYPE_CHECKING:
    from churnml.tables.simulator.people import People

OFFERS = ("fee_rebate", "data_pack", "handset_voucher")
CHANNELS = ("hotline", "sms", "hall")

Effect = Literal["own", "none", "same", "mixed", "harm"]
Draw = Literal["lot", "by_risk"]

_LAST_DAYS = 60


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A plan that is played as it was made.

    Attributes
    ----------
    on : date
        First day of the month in which the listed customers have their offers.
    offers : mapping of text to text
        What each customer to be treated is offered, by id.
    held_out : frozenset of text
        Customers who are offered nothing in that month.
    """

    on: date
    offers: Mapping[str, str]
    held_out: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Campaigns:
    """How an operator makes offers, and what they do.

    Attributes
    ----------
    effect : {"own", "none", "same", "mixed", "harm"}
        ``own``: every customer's own reaction, whatever the offer. ``none``: nothing.
        ``same``: the same for all customers and offers. ``mixed``: most customers are prompted
        to leave a little more, and some are kept by the offer that suits them. ``harm``: all
        are prompted to leave.
    assignment : {"lot", "by_risk"}
        Whether the arm is drawn by lot, or the riskier customers are treated more often.
    size : float
        How many times the usual number of customers is invited.
    fatigue : float
        What every earlier treatment adds to the log-odds of leaving, fading within months.
    opt_outs : float
        Share of the customers who ask not to be contacted, within the last two months.
    replay : Replay, optional
    """

    effect: Effect = "own"
    assignment: Draw = "lot"
    size: float = 1.0
    fatigue: float = 0.0
    opt_outs: float = 0.03
    replay: Replay | None = field(default=None, repr=False)

    def check(self, months: Months) -> None:
        """Refuse what cannot be simulated.

        Raises
        ------
        UsageError
        """
        for name, value, known in (
            ("effect", self.effect, get_args(Effect)),
            ("assignment", self.assignment, get_args(Draw)),
        ):
            if value not in known:
                raise UsageError(f"{name} is {value!r}.", hint=f"Give one of {', '.join(known)}.")
        for name, number, high in (
            ("campaign_size", self.size, 100.0),
            ("fatigue", self.fatigue, 2.0),
            ("opt_outs", self.opt_outs, 1.0),
        ):
            if not 0 <= number <= high:
                raise UsageError(f"{name} is {number}.", hint=f"Give a number from 0 to {high:g}.")
        if self.replay is None:
            return
        unknown = sorted(set(self.replay.offers.values()) - set(OFFERS))
        if unknown:
            raise UsageError(f"replay: the offer {unknown[0]!r} is none of {', '.join(OFFERS)}.")
        played = [months.date(month) for month in range(months.count)]
        if self.replay.on not in played:
            raise UsageError(
                f"replay: {self.replay.on} is not the first day of a simulated month.",
                hint=f"They begin on {played[0]} to {played[-1]}.",
            )

    def replay_month(self, months: Months) -> int | None:
        """The month in which the plan is played; None for no plan."""
        if self.replay is None:
            return None
        played = [months.date(month) for month in range(months.count)]
        return played.index(self.replay.on)


def draw_reactions(streams: Streams, people: People, effect: Effect) -> Floats:
    """Change in the log-odds of leaving right after each offer, shape (n, offers).

    Parameters
    ----------
    streams : Streams
        The block's own.
    people : People
    effect : str
        As of `Campaigns`.
    """
    count = len(people)
    if effect == "own":
        return np.repeat(people.reaction[:, None], len(OFFERS), axis=1)
    if effect == "none":
        return np.zeros((count, len(OFFERS)))
    if effect == "same":
        return np.full((count, len(OFFERS)), -0.6)
    rng = streams.of("tastes")
    noise = rng.normal(0.0, 0.15, (count, len(OFFERS)))
    if effect == "harm":
        return 0.6 + 0.1 * np.abs(people.offnet - 0.4)[:, None] + np.abs(noise)
    likes = np.column_stack(
        [
            people.thrift > 0.6,
            (people.age < 30) | (people.surf > 1.2),
            (people.contract_end > 0) & (people.value > 0),
        ]
    )
    return np.where(likes, -1.6, 0.35) + noise


def place_replay(replay: Replay | None, ids: list[str]) -> tuple[Ints, Ints, Bools]:
    """The customers of a block that are treated, their offers, and who is on the list at all."""
    listed = np.zeros(len(ids), bool)
    if replay is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), listed
    kinds = {name: at for at, name in enumerate(OFFERS)}
    who = [at for at, one in enumerate(ids) if one in replay.offers]
    listed[who] = True
    listed[[at for at, one in enumerate(ids) if one in replay.held_out]] = True
    return (
        np.array(who, np.int64),
        np.array([kinds[replay.offers[ids[at]]] for at in who], np.int64),
        listed,
    )


def opt_out_rows(
    streams: Streams, months: Months, ended: Ints, activated: Ints, share: float
) -> dict[str, ColumnData]:
    """Rows of ``opt_outs``: who asked not to be contacted, in the last two months.

    Parameters
    ----------
    streams : Streams
        The block's own.
    months : Months
    ended, activated : array of int, shape (n,)
        Days.
    share : float
    """
    rng = streams.of("opt_outs", -SETTLE)
    count = len(ended)
    wants = rng.random(count) < share
    since = months.end - 1 - rng.integers(0, _LAST_DAYS, count)
    channel = rng.integers(0, len(CHANNELS), count)
    who = np.flatnonzero(wants & (since >= activated) & (since < ended))
    late = (rng.random(count) * 2 * 86_400).astype(np.int64)
    return {
        "customer_id": who,
        "since": since[who],
        "channel": Words(channel[who], CHANNELS),
        "known_at": (since[who] + 1) * 86_400 + late[who],
    }


def households(payer: Ints) -> Ints:
    """The household of each customer, by the number of one of them; -1 for who lives alone.

    Examples
    --------
    >>> households(np.array([-1, 0, -1])).tolist()
    [0, 0, -1]
    """
    own = np.arange(len(payer))
    shared = np.zeros(len(payer), bool)
    shared[payer[payer >= 0]] = True
    return np.where(payer >= 0, payer, np.where(shared, own, -1))
