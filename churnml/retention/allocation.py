"""Who gets which offer within limits: a multiple-choice knapsack.

maximise the gains of what is offered, at most one offer a customer, within money, contacts,
and the least and most customers of each segment. Up to a few thousand candidates HiGHS decides
it exactly. Above, prices of the limits are found that make them just bind (the Lagrangian
dual), everybody gets the offer that is worth most after its priced use, and what does not fit
is repaired. No allocation can be worth more than the dual at any prices: that bound less the
value is a certificate, whichever way was taken.

References
----------
Kellerer, Pferschy, Pisinger (2004), "Knapsack problems", chapter 11. Fisher (1981), "The
Lagrangian relaxation method for solving integer programming problems", Management Science 27.
Huangfu, Hall (2018), "Parallelizing the dual revised simplex method", for HiGHS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import DataError, UsageError
from churnml.retention.core import decide_closest, still_open, value_of
from churnml.retention.dual import Dual, fill, solve_dual
from churnml.retention.exact import solve_exact

EXACT_UP_TO = 5_000
"""Customers with something to gain up to which HiGHS decides."""

_FEW = 300
"""Customers so few that HiGHS needs no help."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Method = Literal["auto", "exact", "dual"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an allocation must keep to.

    Attributes
    ----------
    budget : float
        Yuan at most; infinite for no limit.
    contacts : float
        Customers at most.
    least, most : tuple of float
        Customers of each segment, by its number; empty for no limits.
    """

    budget: float = np.inf
    contacts: float = np.inf
    least: tuple[float, ...] = ()
    most: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Customers with something to gain, and the limits that can bind.

    Attributes
    ----------
    gain, cost : array, shape (n, offers)
        Yuan; a gain that is not above 0 is never taken.
    segment : array of int, shape (n,)
    limits : Limits
    """

    gain: Floats
    cost: Floats
    segment: Ints
    limits: Limits


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """Who gets which offer.

    Attributes
    ----------
    offer : array of int, shape (n,)
        The place of each customer's offer; -1 for none.
    value, spent : float
        Yuan.
    contacts : int
    bound : float
        No allocation within the limits is worth more.
    price : float
        What one more yuan of budget would bring.
    contact_price : float
        What one more contact would bring, yuan.
    segment_price : array, shape (segments,)
        What one more customer of a segment would bring; below 0 where a least number costs.
    binding : list of str
        The limits that hold the value down.
    method : str
        ``HiGHS`` or ``dual``.
    """

    offer: Ints
    value: float
    spent: float
    contacts: int
    bound: float
    price: float
    contact_price: float
    segment_price: Floats = field(repr=False)
    binding: list[str]
    method: str

    def would_get(self, gain: Floats, cost: Floats, segment: Ints) -> Ints:
        """The offer that others would get by the same prices; -1 for none."""
        worth = gain - self.price * cost - self.contact_price
        if self.segment_price.size:
            worth = worth - self.segment_price[segment][:, None]
        worth = np.where(gain > 0, worth, -np.inf)
        if not worth.size:
            return np.full(len(gain), -1, np.int64)
        best = worth.argmax(axis=1)
        return np.where(worth[np.arange(len(best)), best] > 0, best, -1)


def allocate(
    gain: ArrayLike,
    cost: ArrayLike,
    *,
    budget: float = np.inf,
    contacts: float = np.inf,
    segment: ArrayLike | None = None,
    least: Sequence[float] = (),
    most: Sequence[float] = (),
    method: Method = "auto",
) -> Allocation:
    """Give each customer at most one offer, for the greatest gain within the limits.

    Parameters
    ----------
    gain : array, shape (n, offers)
        Expected gain of each offer to each customer, yuan; who has nothing to gain from an
        offer does not get it.
    cost : array, shape (n, offers)
        Yuan, at least 0.
    budget : float
        Yuan, at least 0.
    contacts : float
        Customers at most.
    segment : array of int, shape (n,), optional
        The number of each customer's segment, from 0.
    least, most : sequence of float, optional
        Customers of each segment. A least number counts as far as there are customers with
        something to gain.
    method : {"auto", "exact", "dual"}
        HiGHS up to 5,000 customers with something to gain, by default.

    Raises
    ------
    DataError
        Shapes that differ, missing numbers, costs below 0.
    UsageError
        A limit below 0, a least number above the most, least numbers for which contacts or money
        do not reach.

    Examples
    --------
    Alice, Bob and Eve, two offers (the case of the R package maq):

    >>> gain, cost = [[30, 10], [40, 50], [10, 55]], [[3, 6]] * 3
    >>> found = allocate(gain, cost, budget=15)
    >>> found.offer.tolist(), found.spent, found.value
    ([0, 1, 1], 15.0, 135.0)
    """
    worth, money = _checked(gain, cost)
    groups = _segments(segment, len(worth), max(len(least), len(most)))
    limits = _limits(budget, contacts, least, most)
    # What costs more than all the money would bend prices, and can never be taken.
    worth = np.where((worth > 0) & (money <= limits.budget), worth, -np.inf)
    candidates = np.flatnonzero((worth > 0).any(axis=1))
    problem = _reachable(
        Problem(
            gain=worth[candidates],
            cost=money[candidates],
            segment=groups[candidates],
            limits=limits,
        )
    )
    dual = solve_dual(problem)
    exact = method == "exact" or (method == "auto" and len(candidates) <= EXACT_UP_TO)
    taken, used, bound = fill(problem, dual), "dual", dual.bound
    if not exact or len(candidates) > _FEW:
        taken = decide_closest(problem, dual, taken)
    if exact:
        found = solve_exact(_narrowed(problem, dual, taken))
        bound = min(bound, found.bound)
        if found.offer is not None and value_of(problem, found.offer) >= value_of(problem, taken):
            taken, used = found.offer, "HiGHS"
    offer = np.full(len(worth), -1, np.int64)
    offer[candidates] = taken
    value = value_of(problem, taken)
    return Allocation(
        offer=offer,
        value=value,
        spent=_spent(problem, taken),
        contacts=int((taken >= 0).sum()),
        bound=max(bound, value),
        price=dual.budget,
        contact_price=dual.contacts,
        segment_price=dual.segment,
        binding=_binding(dual),
        method=used,
    )


def _narrowed(problem: Problem, dual: Dual, taken: Ints) -> Problem:
    """The problem without offers that no better allocation can hold; what is taken stays."""
    there = still_open(problem, dual, value_of(problem, taken))
    who = np.flatnonzero(taken >= 0)
    there[who, taken[who]] = True
    return replace(problem, gain=np.where(there, problem.gain, -np.inf))


def _checked(gain: ArrayLike, cost: ArrayLike) -> tuple[Floats, Floats]:
    worth, money = np.asarray(gain, np.float64), np.asarray(cost, np.float64)
    if worth.ndim != 2 or worth.shape != money.shape:
        raise DataError(
            f"gain has shape {worth.shape}, cost {money.shape}; one row a customer and one "
            "column an offer of both were expected."
        )
    if np.isnan(worth).any() or np.isnan(money).any():
        raise DataError("gain or cost: numbers are missing.", count=int(np.isnan(worth).sum()))
    if (money < 0).any():
        raise DataError(
            f"cost: {int((money < 0).sum())} are below 0, such as {money.min():g}.",
            count=int((money < 0).sum()),
        )
    return worth, money


def _segments(segment: ArrayLike | None, rows: int, count: int) -> Ints:
    groups = np.zeros(rows, np.int64) if segment is None else np.asarray(segment, np.int64)
    if groups.shape != (rows,):
        raise DataError(f"segment has shape {groups.shape}; ({rows},) was expected.")
    if count and groups.size and not (groups.min() >= 0 and groups.max() < count):
        raise DataError(f"segment: numbers from 0 to {count - 1} were expected.")
    return groups


def _limits(
    budget: float, contacts: float, least: Sequence[float], most: Sequence[float]
) -> Limits:
    for name, value in (("budget", budget), ("contacts", contacts)):
        if not value >= 0:
            raise UsageError(f"{name} is {value!r}; 0 or more was expected.", value=repr(value))
    count = max(len(least), len(most))
    low = tuple(least) or (0.0,) * count
    high = tuple(most) or (np.inf,) * count
    if len(low) != len(high):
        raise UsageError(f"least names {len(low)} segments, most {len(high)}.")
    for at, (few, many) in enumerate(zip(low, high, strict=True)):
        if not 0 <= few <= many:
            raise UsageError(
                f"segment {at}: at least {few:g} and at most {many:g} customers cannot be kept."
            )
    return Limits(budget=float(budget), contacts=float(contacts), least=low, most=high)


def _reachable(problem: Problem) -> Problem:
    """The problem with least numbers as far as there are such customers."""
    limits = problem.limits
    if not any(limits.least):
        return problem
    there = np.bincount(problem.segment, minlength=len(limits.least))
    least = tuple(min(few, int(many)) for few, many in zip(limits.least, there, strict=True))
    if sum(least) > limits.contacts:
        raise UsageError(
            f"Segments must have at least {sum(least):,.0f} customers together, and the contacts "
            f"are {limits.contacts:,.0f}.",
            hint="Allow more contacts, or lower the least numbers.",
        )
    cheapest = np.where(problem.gain > 0, problem.cost, np.inf).min(axis=1)
    needed = sum(
        float(np.sort(cheapest[problem.segment == at])[: int(np.ceil(few))].sum())
        for at, few in enumerate(least)
    )
    if needed > limits.budget:
        raise UsageError(
            f"Segments must have at least {sum(least):,.0f} customers together, which costs "
            f"{needed:,.0f} yuan or more; the budget is {limits.budget:,.0f}.",
            hint="Give a larger budget, or lower the least numbers.",
        )
    return replace(problem, limits=replace(limits, least=least))


def _spent(problem: Problem, taken: Ints) -> float:
    who = np.flatnonzero(taken >= 0)
    return float(problem.cost[who, taken[who]].sum())


def _binding(dual: Dual) -> list[str]:
    found = []
    if dual.budget > 1e-9:
        found.append("budget")
    if dual.contacts > 1e-9:
        found.append("contacts")
    found += [f"segment {at}" for at, one in enumerate(dual.segment) if abs(one) > 1e-9]
    return found
