"""Queues: Erlang's formulas for a steady hour, a simulation for a day as it is.

Erlang C holds for an hour that goes on for ever; in a real day with a peak it overstates the
long waits and puts them in the wrong hour, as a backlog outlives the peak. So how many windows
a hall needs is answered by `simulate_day`, and Erlang C is the first guess.

Times are in seconds, arrival rates per second; the load ``a`` is in Erlang: arrivals per
second times the mean service time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_DAY, _NEVER = 86_400, 1e12


def erlang_b(servers: int, load: float) -> float:
    """The share of arrivals that find all servers busy, where nobody waits.

    Parameters
    ----------
    servers : int
        0 and more.
    load : float
        Erlang, 0 and more.

    References
    ----------
    Erlang (1917), by the recursion B_k = a B_{k-1} / (k + a B_{k-1}).

    Examples
    --------
    >>> round(erlang_b(2, 1.0), 3)
    0.2
    """
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


def erlang_c(servers: int, load: float) -> float:
    """The share of arrivals that have to wait, where everybody does so until served.

    Parameters
    ----------
    servers : int
    load : float
        Erlang.

    Returns
    -------
    float
        0 to 1; 1 where the queue is unstable: ``servers <= load``.

    Examples
    --------
    >>> round(erlang_c(14, 10.0), 5)
    0.17413
    """
    if servers <= load:
        return 1.0
    blocked = erlang_b(servers, load)
    return servers * blocked / (servers - load * (1 - blocked))


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A steady queue of arrivals at some rate, served by equal servers.

    Attributes
    ----------
    rate : float
        Arrivals per second.
    service : float
        Mean service time, seconds.
    servers : int

    Examples
    --------
    >>> queue = Queue(rate=100 / 1800, service=180, servers=14)
    >>> round(queue.load, 6), round(queue.within(20), 5), round(queue.mean_wait, 2)
    (10.0, 0.88835, 7.84)
    >>> Queue(rate=1, service=10, servers=10).stable
    False
    """

    rate: float
    service: float
    servers: int

    @property
    def load(self) -> float:
        """Erlang."""
        return self.rate * self.service

    @property
    def stable(self) -> bool:
        """Whether the queue does not grow without end."""
        return self.servers > self.load

    @property
    def waiting(self) -> float:
        """The share that has to wait."""
        return erlang_c(self.servers, self.load)

    @property
    def mean_wait(self) -> float:
        """Seconds over all arrivals; infinite where unstable."""
        if not self.stable:
            return math.inf
        return self.waiting * self.service / (self.servers - self.load)

    @property
    def occupancy(self) -> float:
        """The share of the servers' time that is busy, 0 to 1."""
        return min(self.load / self.servers, 1.0)

    def within(self, seconds: float) -> float:
        """The share of arrivals that wait at most so long; 0 where unstable."""
        if not self.stable:
            return 0.0
        free = self.servers - self.load
        return 1 - self.waiting * math.exp(-free * seconds / self.service)


def servers_needed(*, rate: float, service: float, seconds: float, share: float) -> int:
    """The fewest servers with which a share of the arrivals waits at most so long.

    Parameters
    ----------
    rate : float
        Arrivals per second.
    service : float
        Mean service time, seconds.
    seconds : float
        The wait that is allowed.
    share : float
        Between 0 and 1.

    Examples
    --------
    >>> servers_needed(rate=40 / 3600, service=360, seconds=600, share=0.9)
    6
    """
    servers = math.floor(rate * service) + 1
    while Queue(rate=rate, service=service, servers=servers).within(seconds) < share:
        servers += 1
    return servers


@dataclass(frozen=True, kw_only=True)
class Impatience:
    """What becomes of a queue whose callers hang up.

    Attributes
    ----------
    abandoned : float
        Share of the arrivals that leave unserved.
    waiting : float
        Share that has to wait.
    mean_wait : float
        Seconds over all arrivals, those who leave included.
    """

    abandoned: float
    waiting: float
    mean_wait: float


def erlang_a(*, rate: float, service: float, servers: int, patience: float) -> Impatience:
    """A queue whose callers give up after an exponential time.

    Parameters
    ----------
    rate : float
        Arrivals per second.
    service, patience : float
        Mean times, seconds.
    servers : int

    References
    ----------
    Palm (1957); Mandelbaum and Zeltyn (2007), "Service engineering in action".

    Examples
    --------
    >>> found = erlang_a(rate=48 / 60, service=60, servers=50, patience=120)
    >>> round(found.abandoned, 4), round(found.waiting, 4), round(found.mean_wait / 60, 4)
    (0.0309, 0.4678, 0.0618)
    """
    most = _states(rate=rate, service=service, servers=servers, patience=patience)
    people = np.arange(1, most + 1)
    leaving = np.minimum(people, servers) / service + np.maximum(people - servers, 0) / patience
    logs = np.concatenate([[0.0], np.cumsum(np.log(rate) - np.log(leaving))])
    chance = np.exp(logs - logs.max())
    chance /= chance.sum()
    queue = np.maximum(np.arange(most + 1) - servers, 0)
    length = float(queue @ chance)
    return Impatience(
        abandoned=length / patience / rate,
        waiting=float(chance[servers:].sum()),
        mean_wait=length / rate,
    )


def _states(*, rate: float, service: float, servers: int, patience: float) -> int:
    """People at most, so that more are as good as impossible."""
    level = servers + max(rate - servers / service, 0.0) * patience
    return int(level + 12 * math.sqrt(level + rate * patience + 1) + 50)


@dataclass(frozen=True, kw_only=True)
class HallDay:
    """A hall's usual day.

    Attributes
    ----------
    arrivals : array, shape (48,)
        Mean arrivals by half-hour of the day.
    service : array, shape (n,)
        Service times to draw from, seconds.
    """

    arrivals: NDArray[np.float64]
    service: NDArray[np.float64]


def simulate_day(
    day: HallDay, *, servers: int, days: int = 300, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Let simulated days pass in a hall, first come first served.

    Parameters
    ----------
    day : HallDay
    servers : int
        Windows, open as long as anybody waits.
    days : int, default 300
    seed : int, default 0

    Returns
    -------
    (array, array)
        When each visitor of all days comes, seconds since midnight, and how long each waits.

    Examples
    --------
    >>> day = HallDay(arrivals=np.r_[np.zeros(18), np.full(20, 10.0), np.zeros(10)],
    ...               service=np.array([300.0, 420.0]))
    >>> _, wait = simulate_day(day, servers=3)
    >>> bool(wait.mean() > simulate_day(day, servers=4)[1].mean())
    True
    """
    random = np.random.default_rng(seed)
    counts = random.poisson(np.asarray(day.arrivals, float), size=(days, len(day.arrivals)))
    numbers = counts.sum(axis=1)
    most = int(numbers.max(initial=0))
    span = _DAY / len(day.arrivals)
    starts = np.repeat(np.tile(np.arange(len(day.arrivals)) * span, days), counts.ravel())
    # Who never comes sorts to the end.
    moment = np.full((days, most), _NEVER)
    seat = np.arange(most) < numbers[:, None]
    moment[seat] = starts + random.random(len(starts)) * span
    moment.sort(axis=1)
    length = random.choice(np.asarray(day.service, float), size=(days, most))
    wait = np.zeros((days, most))
    free = np.zeros((days, servers))
    every = np.arange(days)
    for visitor in range(most):
        window = free.argmin(axis=1)
        begins = np.maximum(moment[:, visitor], free[every, window])
        wait[:, visitor] = begins - moment[:, visitor]
        free[every, window] = begins + length[:, visitor]
    return moment[seat], wait[seat]


def windows_needed(
    day: HallDay, *, seconds: float = 600, share: float = 0.9, days: int = 300, seed: int = 0
) -> tuple[int, float]:
    """The fewest windows with which a share of the visitors waits at most so long.

    Parameters
    ----------
    day : HallDay
    seconds : float, default 600
    share : float, default 0.9
    days : int, default 300
    seed : int, default 0

    Returns
    -------
    (int, float)
        The windows, and the share that waits longer with them; (0, 0.0) where nobody comes.

    Examples
    --------
    >>> day = HallDay(arrivals=np.r_[np.zeros(18), np.full(20, 10.0), np.zeros(10)],
    ...               service=np.array([360.0]))
    >>> windows_needed(day)[0]
    3
    """
    arrivals = np.asarray(day.arrivals, float)
    if not arrivals.sum():
        return 0, 0.0
    usual = arrivals.sum() / (np.count_nonzero(arrivals) * _DAY / len(arrivals))
    # The first guess is the mean hour's, which a peak can only raise.
    servers = max(1, math.floor(usual * float(np.mean(day.service))))
    while True:
        _, wait = simulate_day(day, servers=servers, days=days, seed=seed)
        longer = float((wait > seconds).mean()) if len(wait) else 0.0
        if longer <= 1 - share:
            return servers, longer
        servers += 1


def half_hours(seconds: ArrayLike, counts: ArrayLike) -> NDArray[np.float64]:
    """Counts by half-hour of the day, from moments in seconds since midnight.

    >>> half_hours([0, 1799, 1800], [1, 2, 4])[:2].tolist()
    [3.0, 4.0]
    """
    place = (np.asarray(seconds, float) // 1_800).astype(int) % 48
    return np.bincount(place, np.asarray(counts, float), minlength=48).astype(float)
