"""Random numbers, a stream of its own for every table, every month and whatever else is drawn.

One stream for everything would couple what has nothing to do with each other: a table more, a
column more, would be another operator.
"""

from __future__ import annotations

import zlib

import numpy as np

from churnml.tables.simulator.months import SETTLE


class Streams:
    """Streams of random numbers, told apart by name and month.

    What is drawn from one leaves all others as they are; the same seed, place, name and
    month give the same numbers.

    Parameters
    ----------
    seed : int
        Of the simulation.
    *place : int
        Whose streams they are: those of the world, or of a block of customers.

    Examples
    --------
    >>> one, two = Streams(7), Streams(7)
    >>> ignored = one.of("surveys").random(100)
    >>> one.of("bills").random() == two.of("bills").random()
    True
    """

    def __init__(self, seed: int, *place: int) -> None:
        self._seed, self._place = seed, place
        self._begun: dict[tuple[str, int], np.random.Generator] = {}

    def of(self, name: str, month: int = -SETTLE) -> np.random.Generator:
        """The stream of a name in a month, where it was left.

        Parameters
        ----------
        name : str
            Mostly of a table.
        month : int, at least -SETTLE
            The first one for what is drawn once.
        """
        if (name, month) not in self._begun:
            key = (*self._place, zlib.crc32(name.encode()), month + SETTLE)
            seeds = np.random.SeedSequence(self._seed, spawn_key=key)
            self._begun[name, month] = np.random.default_rng(seeds)
        return self._begun[name, month]
