"""The closest calls, decided exactly: what rounding leaves of an allocation is won back there.

At the right prices nearly every customer's offer is clear. What a fill in some order gets wrong
concerns the few whose second choice is worth almost as much, and those it found no room for.
With all others as they are, HiGHS decides these.

References
----------
Pisinger (1995), "A minimal algorithm for the multiple-choice knapsack problem", European
Journal of Operational Research 83, for the core. Savelsbergh (1994), "Preprocessing and probing
techniques for mixed integer programming problems", ORSA Journal on Computing 6, for what a bound
rules out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from churnml.retention.dual import Dual
from churnml.retention.exact import solve_exact

if TYPE_CHECKING:
    from churnml.retention.allocation import Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SIZES = (150, 300, 600)
_CLOSE = 3e-5
_NODES = 100


def decide_closest(problem: Problem, dual: Dual, taken: Ints) -> Ints:
    """Improve an allocation that keeps to the limits; none of it gets worse.

    Parameters
    ----------
    problem : Problem
    dual : Dual
    taken : array of int, shape (n,)

    Returns
    -------
    array of int, shape (n,)
    """
    if not len(taken):
        return taken
    with_none = np.column_stack([dual.worth(problem), np.zeros(len(taken))])
    ranked = np.sort(with_none, axis=1)
    best, second = ranked[:, -1], ranked[:, -2]
    for size in _SIZES:
        value = value_of(problem, taken)
        if dual.bound - value <= _CLOSE * dual.bound:
            break
        lost = best - with_none[np.arange(len(taken)), taken]
        # Whom the fill gave something else than prices say comes first, then the closest calls.
        order = np.lexsort((best - second, -np.minimum(lost, 1e-9)))
        core = np.zeros(len(taken), bool)
        core[order[:size]] = True
        part, others = without(problem, taken, core)
        gap = _CLOSE * dual.bound / max(2 * value_of(part, taken[core]), 1e-9)
        found = solve_exact(part, nodes=_NODES, gap=min(gap, 1.0))
        if found.offer is not None and value_of(part, found.offer) > value_of(part, taken[core]):
            taken = others.copy()
            taken[core] = found.offer
        if size >= len(taken):
            break
    return taken


def still_open(problem: Problem, dual: Dual, value: float) -> NDArray[np.bool_]:
    """The offers that an allocation worth more than ``value`` may hold, shape (n, offers).

    To give a customer another offer than the one worth most at the dual's prices lowers the
    bound by the difference; where it then lies below ``value``, no better allocation does so.
    """
    worth = dual.worth(problem)
    best = np.maximum(worth.max(axis=1, initial=-np.inf), 0.0)
    return np.asarray(best[:, None] - worth <= dual.bound - value)


def value_of(problem: Problem, taken: Ints) -> float:
    """The gains of an allocation, yuan."""
    who = np.flatnonzero(taken >= 0)
    return float(problem.gain[who, taken[who]].sum())


def without(problem: Problem, taken: Ints, core: NDArray[np.bool_]) -> tuple[Problem, Ints]:
    """The problem of some customers alone, with what the others leave of the limits.

    Returns
    -------
    (Problem, array of int)
        And the allocation of the others, -1 for those of the core.
    """
    limits, others = problem.limits, np.where(core, -1, taken)
    who = np.flatnonzero(others >= 0)
    each = np.bincount(problem.segment[who], minlength=len(limits.most))[
        : len(limits.most)
    ].tolist()
    left = replace(
        limits,
        budget=limits.budget - float(problem.cost[who, others[who]].sum()),
        contacts=limits.contacts - len(who),
        most=tuple(most - used for most, used in zip(limits.most, each, strict=True)),
        least=tuple(max(few - used, 0) for few, used in zip(limits.least, each, strict=True)),
    )
    part = replace(
        problem,
        gain=problem.gain[core],
        cost=problem.cost[core],
        segment=problem.segment[core],
        limits=left,
    )
    return part, others
