"""The allocation by HiGHS, through SciPy: exact, for a few thousand customers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

if TYPE_CHECKING:
    from churnml.retention.allocation import Problem

_NODES = 20_000


@dataclass(frozen=True, kw_only=True)
class Exact:
    """What HiGHS found.

    Attributes
    ----------
    offer : array of int or None
        None where it found nothing in its time.
    bound : float
        No allocation is worth more.
    """

    offer: NDArray[np.int64] | None
    bound: float


def solve_exact(problem: Problem, *, nodes: int = _NODES, gap: float = 0.0) -> Exact:
    """The allocation of the greatest gain.

    Parameters
    ----------
    problem : Problem
    nodes : int
        Of the search, after which the best so far is taken: unlike a time it is the same on
        every machine.
    gap : float
        The part of the value that may be left.
    """
    who, offer = np.nonzero(problem.gain > 0)
    customers, variables = len(problem.gain), len(who)
    if not variables:
        return Exact(offer=np.full(customers, -1, np.int64), bound=0.0)
    limits = problem.limits
    ones, columns = np.ones(variables), np.arange(variables)
    blocks = [csr_array((ones, (who, columns)), shape=(customers, variables))]
    low, high = [np.zeros(customers)], [np.ones(customers)]

    def limit(use: NDArray[np.float64], least: float, most: float) -> None:
        blocks.append(csr_array(use[None, :]))
        low.append(np.array([least]))
        high.append(np.array([most]))

    if np.isfinite(limits.budget):
        limit(problem.cost[who, offer], -np.inf, limits.budget)
    if limits.contacts < customers:
        limit(ones, -np.inf, limits.contacts)
    for at, (few, many) in enumerate(zip(limits.least, limits.most, strict=True)):
        limit((problem.segment[who] == at).astype(float), few, many)
    rows = LinearConstraint(vstack(blocks, format="csr"), np.concatenate(low), np.concatenate(high))
    with _quiet():
        found = milp(
            -problem.gain[who, offer],
            constraints=rows,
            integrality=np.ones(variables),
            bounds=Bounds(0, 1),
            options={"node_limit": nodes, "mip_rel_gap": gap},
        )
    dual = getattr(found, "mip_dual_bound", None)
    bound = np.inf if dual is None or not np.isfinite(dual) else -float(dual)
    if found.x is None:
        return Exact(offer=None, bound=bound)
    taken = np.full(customers, -1, np.int64)
    chosen = found.x > 0.5
    taken[who[chosen]] = offer[chosen]
    return Exact(offer=taken, bound=bound)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep HiGHS from writing to standard output, which is for results alone.

    As SciPy 1.17 has it, HiGHS prints a line of its own there in rare cases, whatever its options
    say.
    """
    try:
        sys.stdout.flush()
        kept = os.dup(1)
    except (OSError, ValueError):
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
        yield
    finally:
        with suppress(OSError):
            os.dup2(kept, 1)
        os.close(kept)
