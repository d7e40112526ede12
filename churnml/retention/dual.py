"""Prices of the limits by the smoothed Lagrangian dual, and a fill that keeps to the limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

if TYPE_CHECKING:
    from churnml.retention.allocation import Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TEMPERATURES = (0.3, 0.05, 0.01, 0.002, 0.0005)
_TRIED = 50_000
_BISECTIONS, _FEW_BISECTIONS = 40, 6
_NOTHING = 1e-5


@dataclass(frozen=True, kw_only=True)
class Dual:
    """Prices, and the bound that they prove.

    Attributes
    ----------
    budget, contacts : float
        What one more yuan, and one more contact, would bring.
    segment : array, shape (segments,)
        What one more customer of a segment would bring; below 0 where a least number costs.
    bound : float
        No allocation is worth more.
    """

    budget: float
    contacts: float
    segment: Floats
    bound: float

    def worth(self, problem: Problem) -> Floats:
        """Gains less the priced use, shape (n, offers)."""
        left = problem.gain - self.budget * problem.cost
        return left - self.per_customer(problem.segment)[:, None]

    def per_customer(self, segment: Ints) -> Floats:
        """The price of contacting each customer, shape (n,)."""
        each = np.full(len(segment), self.contacts)
        return each + self.segment[segment] if self.segment.size else each


class _Priced:
    """The dual as a function of prices: money, contacts, and of each segment most and least."""

    def __init__(self, problem: Problem) -> None:
        self.problem, limits = problem, problem.limits
        self.count = len(limits.most)
        gains = problem.gain[problem.gain > 0]
        self.unit = float(gains.mean()) if gains.size else 1.0
        # Only limits that somebody could break have prices.
        self.has_budget = np.isfinite(limits.budget)
        self.has_contacts = limits.contacts < len(problem.gain)
        there = np.bincount(problem.segment, minlength=self.count) if self.count else np.zeros(0)
        self.capped = [at for at in range(self.count) if limits.most[at] < there[at]]
        self.floored = [at for at in range(self.count) if limits.least[at] > 0]
        self.size = 2 + len(self.capped) + len(self.floored)

    def bounds(self) -> list[tuple[float, float | None]]:
        fixed: list[tuple[float, float | None]] = [
            (0.0, None if there else 0.0) for there in (self.has_budget, self.has_contacts)
        ]
        return fixed + [(0.0, None)] * (self.size - 2)

    def dual(self, prices: Floats) -> Dual:
        segment = np.zeros(self.count)
        segment[self.capped] += prices[2 : 2 + len(self.capped)] * self.unit
        segment[self.floored] -= prices[2 + len(self.capped) :] * self.unit
        made = Dual(
            budget=float(prices[0]),
            contacts=float(prices[1] * self.unit),
            segment=segment,
            bound=0.0,
        )
        best = np.maximum(made.worth(self.problem).max(axis=1, initial=-np.inf), 0.0)
        return Dual(
            budget=made.budget,
            contacts=made.contacts,
            segment=segment,
            bound=float(best.sum()) + self._held(prices),
        )

    def _held(self, prices: Floats) -> float:
        """What the limits themselves are worth at these prices."""
        limits, total = self.problem.limits, 0.0
        total += float(prices[0]) * limits.budget if self.has_budget else 0.0
        total += float(prices[1]) * self.unit * limits.contacts if self.has_contacts else 0.0
        caps = np.array([limits.most[at] for at in self.capped])
        floors = np.array([limits.least[at] for at in self.floored])
        total += float(prices[2 : 2 + len(caps)] @ caps) * self.unit
        return total - float(prices[2 + len(caps) :] @ floors) * self.unit

    def smooth(self, prices: Floats, temperature: float) -> tuple[float, Floats]:
        """The dual with its maxima smoothed, and its slope; in units of the mean gain."""
        problem, heat = self.problem, temperature * self.unit
        worth = self.dual_worth(prices) / heat
        top = np.maximum(worth.max(axis=1, initial=-np.inf), 0.0)
        chances = np.exp(worth - top[:, None])
        total = chances.sum(axis=1) + np.exp(-top)
        value = heat * float((top + np.log(total)).sum()) + self._held(prices)
        chances /= total[:, None]
        taken = chances.sum(axis=1)
        slope = np.zeros(self.size)
        if self.has_budget:
            slope[0] = (problem.limits.budget - float((chances * problem.cost).sum())) / self.unit
        if self.has_contacts:
            slope[1] = problem.limits.contacts - float(taken.sum())
        if self.count:
            here = np.bincount(problem.segment, weights=taken, minlength=self.count)
            for place, at in enumerate(self.capped):
                slope[2 + place] = problem.limits.most[at] - here[at]
            for place, at in enumerate(self.floored):
                slope[2 + len(self.capped) + place] = here[at] - problem.limits.least[at]
        return value / self.unit, slope

    def dual_worth(self, prices: Floats) -> Floats:
        segment = np.zeros(self.count)
        segment[self.capped] += prices[2 : 2 + len(self.capped)] * self.unit
        segment[self.floored] -= prices[2 + len(self.capped) :] * self.unit
        each = np.full(len(self.problem.gain), prices[1] * self.unit)
        if self.count:
            each = each + segment[self.problem.segment]
        return self.problem.gain - prices[0] * self.problem.cost - each[:, None]


def solve_dual(problem: Problem) -> Dual:
    """Prices at which the limits just bind, with the bound that they prove.

    Parameters
    ----------
    problem : Problem
        Gains of offers that nobody may get are minus infinity.
    """
    priced = _Priced(problem)
    prices = np.zeros(priced.size)
    best = priced.dual(prices)
    if not len(problem.gain):
        return best
    for temperature in _TEMPERATURES:
        found = minimize(
            priced.smooth,
            prices,
            args=(temperature,),
            jac=True,
            method="L-BFGS-B",
            bounds=priced.bounds(),
            options={"maxiter": 40},
        )
        prices = np.maximum(found.x, 0.0)
        now = priced.dual(prices)
        best = now if now.bound < best.bound else best
    return _polished(priced, prices, best)


def _polished(priced: _Priced, prices: Floats, best: Dual) -> Dual:
    """One price after the other to where the exact dual is least: it is convex in each."""
    free = [at for at, (_, most) in enumerate(priced.bounds()) if most is None]
    alone = len(free) == 1
    for at in free:
        wide = 0.5 if alone else 0.02
        low, high = (1 - wide) * prices[at], (1 + wide) * prices[at] + 1e-6
        for _ in range(_BISECTIONS if alone else _FEW_BISECTIONS):
            one, other = low + 0.382 * (high - low), low + 0.618 * (high - low)
            tried = []
            for value in (one, other):
                changed = prices.copy()
                changed[at] = value
                tried.append(priced.dual(changed))
            if tried[0].bound <= tried[1].bound:
                high = other
            else:
                low = one
            nearer = min(tried, key=lambda dual: dual.bound)
            if nearer.bound < best.bound:
                best = nearer
                prices = prices.copy()
                prices[at] = one if nearer is tried[0] else other
    # A price of next to nothing is a limit that does not bind.
    plain = priced.dual(np.where(prices < _NOTHING, 0.0, prices))
    return plain if plain.bound <= best.bound * (1 + 1e-9) else best


def fill(problem: Problem, dual: Dual) -> Ints:
    """An offer for each customer, shape (n,), -1 for none, within all limits.

    Who gains most for the priced use comes first; where what is best no longer fits, a
    cheaper offer of the same customer is tried. Where the money then does not reach for the
    least numbers, these have the cheapest customers and offers.
    """
    taken = np.full(len(problem.gain), -1, np.int64)
    if not len(problem.gain):
        return taken
    worth = dual.worth(problem)
    best = worth.argmax(axis=1)
    rows = np.arange(len(best))
    wanted = _first_of_segments(problem, -worth[rows, best])
    _fill(problem, dual, best, wanted, taken)
    here = np.bincount(problem.segment[taken >= 0], minlength=len(problem.limits.least))
    if any(few > here[at] for at, few in enumerate(problem.limits.least)):
        taken[:] = -1
        cost = np.where(problem.gain > 0, problem.cost, np.inf)
        wanted = _first_of_segments(problem, cost.min(axis=1))
        best = np.where(wanted, cost.argmin(axis=1), best)
        _fill(problem, dual, best, wanted, taken)
    return taken


def _fill(problem: Problem, dual: Dual, best: Ints, wanted: NDArray[np.bool_], taken: Ints) -> None:
    rows = np.arange(len(best))
    gain, cost = problem.gain[rows, best], problem.cost[rows, best]
    use = dual.budget * cost + np.maximum(dual.per_customer(problem.segment), 0)
    with np.errstate(divide="ignore"):
        rate = np.where(use > 0, gain / np.maximum(use, 1e-300), np.inf)
    order = np.lexsort((-gain, -rate, ~wanted))
    room = _Room(problem)
    start = room.take_run(order, best, cost, taken)
    tried = order[start : start + _TRIED]
    worth = dual.worth(
        replace(
            problem,
            gain=problem.gain[tried],
            cost=problem.cost[tried],
            segment=problem.segment[tried],
        )
    )
    for who, each in zip(tried, worth, strict=True):
        for offer in np.argsort(-each, kind="stable"):
            fits = problem.gain[who, offer] > 0 and room.fits(who, problem.cost[who, offer])
            if fits:
                taken[who] = offer
                room.take(who, problem.cost[who, offer])
                break
        if room.full:
            break


def _first_of_segments(problem: Problem, order: Floats) -> NDArray[np.bool_]:
    """The first customers, by an order, of segments that must have a least number."""
    wanted = np.zeros(len(order), bool)
    for at, few in enumerate(problem.limits.least):
        if few > 0:
            here = np.flatnonzero(problem.segment == at)
            wanted[here[np.argsort(order[here], kind="stable")[: int(np.ceil(few))]]] = True
    return wanted


class _Room:
    """What the limits still allow."""

    def __init__(self, problem: Problem) -> None:
        limits = problem.limits
        self.segment, self.cost = problem.segment, problem.cost
        self.money, self.contacts = limits.budget, limits.contacts
        self.each = np.array(limits.most, np.float64)
        self.cheapest = float(problem.cost[problem.gain > 0].min())

    @property
    def full(self) -> bool:
        return self.contacts < 1 or self.money < self.cheapest

    def fits(self, who: int, cost: float) -> bool:
        here = self.each[self.segment[who]] >= 1 if self.each.size else True
        return bool(here and self.contacts >= 1 and cost <= self.money)

    def take(self, who: int, cost: float) -> None:
        self.money -= cost
        self.contacts -= 1
        if self.each.size:
            self.each[self.segment[who]] -= 1

    def take_run(self, order: Ints, best: Ints, cost: Floats, taken: Ints) -> int:
        """Take the first of the order for as long as all fit; return how many."""
        fits = (np.cumsum(cost[order]) <= self.money) & (
            np.arange(1, len(order) + 1) <= self.contacts
        )
        for at, most in enumerate(self.each):
            fits &= np.cumsum(self.segment[order] == at) <= most
        count = len(order) if fits.all() else int(np.argmin(fits))
        first = order[:count]
        taken[first] = best[first]
        self.money -= float(cost[first].sum())
        self.contacts -= count
        if self.each.size:
            self.each -= np.bincount(self.segment[first], minlength=self.each.size)
        return count
