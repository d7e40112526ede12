"""The inputs of one simulated month: the customers of a block, their state, and the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnml.tables.simulator.encoded_columns import DAY, Bools, Floats, Ints
from churnml.tables.simulator.groups import Groups
from churnml.tables.simulator.months import Months
from churnml.tables.simulator.people import People
from churnml.tables.simulator.state import CustomerState
from churnml.tables.simulator.streams import Streams
from churnml.tables.simulator.world import World


@dataclass(kw_only=True)
class Scene:
    """What every part of a month reads.

    Attributes
    ----------
    streams : Streams
        The block's own random numbers.
    world : World
    people : People
    groups : Groups
    state : CustomerState
        At the end of the month before; what happens in the month changes it in place.
    ended : array of int, shape (n,)
        Day on which each customer left; `columns.NEVER` for those who have not.
    month : int
        The month that takes place.
    reactions : array, shape (n, offers)
        Change in the log-odds of leaving right after each offer; hidden.
    treat, treat_kind : array of int
        Who is treated by a list that is played, and with what.
    listed : array of bool, shape (n,)
        Who is on that list, held out or not.
    """

    streams: Streams
    world: World
    people: People
    groups: Groups
    state: CustomerState
    ended: Ints
    month: int
    reactions: Floats
    treat: Ints
    treat_kind: Ints
    listed: Bools

    def rng(self, name: str) -> np.random.Generator:
        """The random numbers of a table in the month, or of whatever else is drawn."""
        return self.streams.of(name, self.month)

    @property
    def replays(self) -> bool:
        """Whether a list is played in the month."""
        return self.world.campaigns.replay_month(self.months) == self.month

    @property
    def months(self) -> Months:
        """The calendar."""
        return self.world.months

    @property
    def start(self) -> int:
        """First day of the month, since 1970-01-01."""
        return self.months.start(self.month)

    @property
    def stop(self) -> int:
        """The day after its last day."""
        return self.months.start(self.month + 1)

    @property
    def count(self) -> int:
        """Customers in the block."""
        return len(self.people)

    @property
    def old(self) -> Bools:
        """Who became a customer before the month began."""
        return self.people.activated < self.start

    @property
    def trouble(self) -> Floats:
        """Strength of this month's network incidents around each customer."""
        return self.world.at(self.world.trouble, self.state.hall, self.month)

    @property
    def days(self) -> Ints:
        """Days of the month that lie within each customer's life."""
        last = np.minimum(self.ended, self.stop)
        return np.clip(last - np.maximum(self.people.activated, self.start), 0, None)

    def lived(self, who: Ints, seconds: Ints) -> Bools:
        """Whether each moment lies within the customer's life: ``[activated, ended)``."""
        activated, ended = self.people.activated[who], self.ended[who]
        return (seconds >= activated * DAY) & (seconds < ended * DAY)
