"""The operator's environment: regions, business halls, network incidents.

A business hall stands for its neighbourhood too: an incident strikes some neighbourhoods of
a region for a month, in different strength.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from churnml.tables.simulator.campaigns import Campaigns
from churnml.tables.simulator.encoded_columns import Floats, Ints
from churnml.tables.simulator.months import SETTLE, Months
from churnml.tables.simulator.streams import Streams

REGIONS = (
    "Linjiang",
    "Dongwan",
    "Xishan",
    "Nanhe",
    "Beicheng",
    "Hubin",
    "Qingyuan",
    "Jinsha",
    "Yunling",
    "Pinghai",
    "Longtan",
    "Fenghuang",
)
"""Invented names, by falling share of the customers."""

_HALLS_PER_REGION = 4
HALLS = tuple(
    f"{region:02d}{hall:02d}" for region in range(12) for hall in range(_HALLS_PER_REGION)
)

_INCIDENTS_A_MONTH = 0.05
_NEIGHBOURHOODS_STRUCK = 0.6


@dataclass(frozen=True, kw_only=True)
class Recording:
    """How complaints are written down, as `simulate` takes it.

    Attributes
    ----------
    own_words : bool
    uncoded, spoilt : float
    """

    own_words: bool = False
    uncoded: float = 0.0
    spoilt: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SatisfactionStep:
    """What everybody's satisfaction rises by, once and for all.

    Attributes
    ----------
    points : float
        Of 100.
    month : int
        From this month on.
    """

    points: float = 0.0
    month: int = 0

    def on(self, content: Floats, month: int) -> Floats:
        """Expected satisfaction in a month, 0 to 100, the step included."""
        if not self.points or month < self.month:
            return content
        return np.clip(content + self.points, 1.0, 99.0)


@dataclass(frozen=True, kw_only=True)
class World:
    """Regions, halls and incidents. Month columns start at ``-SETTLE``.

    Attributes
    ----------
    months : Months
    share : array, shape (regions,)
        Share of the customers who live there.
    trouble : array, shape (halls, months)
        Strength of network incidents around each hall; 0 where there is none.
    speed : array, shape (halls,)
        Download speed around each hall on a quiet day, Mbit/s.
    crowding : array, shape (halls, months)
        Queues in each hall, about 1.
    pull : array, shape (regions, months)
        What rivals do to lure customers away, in log-odds.
    trend, interactions : float
        As `simulate` takes them.
    recording : Recording
        How complaints are written down.
    campaigns : Campaigns
    step : SatisfactionStep
    contagion : float or None
        As `simulate` takes it.
    """

    months: Months
    share: Floats
    trouble: Floats
    speed: Floats
    crowding: Floats
    pull: Floats
    trend: float = 0.0
    interactions: float = 0.0
    recording: Recording = Recording()
    campaigns: Campaigns = field(default_factory=Campaigns)
    step: SatisfactionStep = SatisfactionStep()
    contagion: float | None = None

    def at(self, values: Floats, place: Ints, month: int) -> Floats:
        """Look up the month's value for each customer's place."""
        return values[place, month + SETTLE]


def region_of(hall: Ints) -> Ints:
    """The region in which each hall lies."""
    return hall // _HALLS_PER_REGION


def build_world(
    streams: Streams,
    months: Months,
    *,
    trend: float = 0.0,
    interactions: float = 0.0,
    recording: Recording | None = None,
    campaigns: Campaigns | None = None,
    step: SatisfactionStep | None = None,
    contagion: float | None = None,
) -> World:
    """Draw the regions' networks, halls and rivals.

    Parameters
    ----------
    streams : Streams
    months : Months
    trend, interactions : float
        As `simulate` takes them.
    recording : Recording, optional
    campaigns : Campaigns, optional
    step : SatisfactionStep, optional
    contagion : float, optional
    """
    regions, halls, span = len(REGIONS), len(HALLS), months.count + SETTLE + 3
    share = 1.0 / np.arange(2, regions + 2)
    return World(
        months=months,
        share=share / share.sum(),
        trouble=_trouble(streams.of("trouble"), span),
        speed=np.exp(streams.of("speed").normal(3.4, 0.3, halls)),
        crowding=_crowding(streams.of("crowding"), halls, span),
        pull=_pull(streams.of("pull"), regions, span),
        trend=trend,
        interactions=interactions,
        recording=recording or Recording(),
        campaigns=campaigns or Campaigns(),
        step=step or SatisfactionStep(),
        contagion=contagion,
    )


def _trouble(rng: np.random.Generator, span: int) -> Floats:
    regions, halls = len(REGIONS), len(HALLS)
    frailty = rng.gamma(3.0, 1 / 3.0, regions)[:, None]
    begins = rng.random((regions, span)) < _INCIDENTS_A_MONTH * frailty
    strength = np.where(begins, rng.gamma(4.0, 0.35, (regions, span)), 0.0)
    lingering = rng.random((regions, span)) < 0.4
    strength[:, 1:] = np.maximum(strength[:, 1:], 0.6 * strength[:, :-1] * lingering[:, 1:])
    struck = rng.random((halls, span)) < _NEIGHBOURHOODS_STRUCK
    return strength[region_of(np.arange(halls))] * struck * rng.uniform(0.6, 1.4, (halls, span))


def _crowding(rng: np.random.Generator, halls: int, span: int) -> Floats:
    usual = np.exp(rng.normal(0.0, 0.35, halls))[:, None]
    short_staffed = np.where(rng.random((halls, span)) < 0.08, 1.8, 1.0)
    getting_simpler = 0.994 ** np.arange(span)
    return usual * short_staffed * np.exp(rng.normal(0.0, 0.1, (halls, span))) * getting_simpler


def _pull(rng: np.random.Generator, regions: int, span: int) -> Floats:
    pull = rng.normal(0.0, 0.08, (regions, span))
    campaigns = rng.random((regions, span)) < 0.06
    return pull + np.where(campaigns, 0.45, 0.0)
