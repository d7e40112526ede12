"""Choose the list: hold-out first, then who gets which offer within the limits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.config.settings import RetentionSettings
from churnml.errors import UsageError
from churnml.retention.allocation import Allocation, allocate
from churnml.retention.customers import Candidates
from churnml.retention.hold_out import draw_hold_out
from churnml.retention.learning import Learned

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a campaign may cost, and how it is drawn.

    Attributes
    ----------
    budget : float
        Yuan.
    expected : bool
        Whether the budget caps the mean spending; by default what would be spent if every
        offer were accepted.
    contacts : float
        Customers at most; infinite for no limit.
    hold_out : float
        Share of the list.
    campaign : str
    seed : int
    """

    budget: float
    expected: bool
    contacts: float
    hold_out: float
    campaign: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The list.

    Attributes
    ----------
    offer : array of int, shape (n,)
        What each customer is or would be offered; -1 for nothing.
    held : array of bool, shape (n,)
        Who is held out.
    cost : array, shape (n, offers)
        What an offer counts against the budget, yuan.
    allocation : Allocation
        Of those who are not held out.
    reason : Series
        Why each customer is not on the list; null for who is.
    """

    offer: Ints
    held: NDArray[np.bool_]
    cost: Floats
    allocation: Allocation
    reason: pd.Series

    @property
    def treated(self) -> NDArray[np.bool_]:
        """Who gets an offer."""
        return (self.offer >= 0) & ~self.held

    @property
    def held_out(self) -> NDArray[np.bool_]:
        """Who would get one, and does not."""
        return (self.offer >= 0) & self.held


def choose(
    candidates: Candidates,
    customers: pd.DataFrame,
    reason: pd.Series,
    learned: Learned,
    terms: Terms,
    settings: RetentionSettings,
) -> Choice:
    """Choose who gets which offer.

    Parameters
    ----------
    candidates : Candidates
    customers : DataFrame
        Of the same rows: ``household``, ``segment``.
    reason : Series
        Why customers may not be contacted; null for who may.
    learned : Learned
    terms : Terms
    settings : RetentionSettings
    """
    reason = reason.copy()
    reason[reason.isna() & candidates.extrapolated] = "extrapolated"
    worst = np.broadcast_to(learned.worst_cost, candidates.gain.shape)
    costs = learned.mean_cost(candidates.acceptance) if terms.expected else worst
    gain = _explored(candidates, terms) if _exploring(learned) else candidates.gain
    if not learned.treats:
        gain = np.full_like(gain, -np.inf)
    gain = np.where(reason.isna().to_numpy()[:, None], gain, -np.inf)
    best = gain.max(axis=1, initial=-np.inf)
    if learned.treats or learned.verdict.name == "harm":
        leaves = candidates.effects.effect.min(axis=1, initial=np.inf) > 0
        reason[reason.isna() & leaves] = "driven_away"
    reason[reason.isna() & ~(best > 0)] = "no_gain"
    open_to = np.flatnonzero(best > 0)
    held = np.zeros(len(gain), bool)
    held[open_to] = draw_hold_out(
        customers["household"].iloc[open_to],
        best[open_to],
        share=terms.hold_out,
        campaign=terms.campaign,
        seed=terms.seed,
    )
    names, numbers, least, most = _segments(customers["segment"], settings)
    free, waiting = open_to[~held[open_to]], open_to[held[open_to]]
    allocation = allocate(
        gain[free],
        costs[free],
        budget=terms.budget,
        contacts=terms.contacts,
        segment=numbers[free],
        least=least,
        most=most,
    )
    offer = np.full(len(gain), -1, np.int64)
    offer[free] = allocation.offer
    if allocation.contacts:
        offer[waiting] = allocation.would_get(gain[waiting], costs[waiting], numbers[waiting])
    reason[reason.isna() & (offer < 0)] = "limits"
    named = [
        f"segment {names[int(one.split()[1])]}" if one.startswith("segment ") else one
        for one in allocation.binding
    ]
    allocation = replace(allocation, binding=named)
    return Choice(offer=offer, held=held, cost=costs, allocation=allocation, reason=reason)


def _exploring(learned: Learned) -> bool:
    return learned.explore and learned.verdict.name == "none"


def _explored(candidates: Candidates, terms: Terms) -> Floats:
    """Value at risk in place of gains, of one offer for each customer, drawn by lot."""
    rows, offers = candidates.gain.shape
    luck = pd.util.hash_array(candidates.ids.astype(object)) ^ np.uint64(terms.seed)
    place = (luck % np.uint64(max(offers, 1))).astype(np.int64)
    at_risk = candidates.chance * candidates.value
    gain = np.full((rows, offers), -np.inf)
    gain[np.arange(rows), place] = at_risk
    return gain


def _segments(
    segment: pd.Series, settings: RetentionSettings
) -> tuple[list[str], Ints, tuple[float, ...], tuple[float, ...]]:
    """The segments with limits, the number of each customer's, and the limits."""
    named = sorted(settings.segments)
    for name in named:
        limits = settings.segments[name]
        if limits.most is not None and limits.least > limits.most:
            raise UsageError(
                f"retention.segments.{name}: at least {limits.least} and at most {limits.most} "
                "cannot be kept."
            )
    place = {name: at for at, name in enumerate(named)}
    numbers = segment.map(lambda one: place.get(one, len(named))).to_numpy(np.int64)
    if not named:
        return [], numbers, (), ()
    least = (*(float(settings.segments[name].least) for name in named), 0.0)
    limits_most = [settings.segments[name].most for name in named]
    most = (*(np.inf if one is None else float(one) for one in limits_most), np.inf)
    return named, numbers, least, most
