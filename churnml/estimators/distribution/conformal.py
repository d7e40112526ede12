"""Intervals out of shares: nested intervals of thresholds, and the mass that covers.

The conformity of a score is the mass of the first nested interval that leaves it out; the
promised share of scores, one customer beyond the sample, decides how much mass an interval
must hold (Vovk et al. 2005; on whole distributions: Chernozhukov et al. 2021).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

ENOUGH = 250
"""Customers that a kind of them needs for a mass of its own.

Coverage then varies by luck with a standard deviation of two points.
"""


def conformal_mass(
    dropped: NDArray[np.float64],
    weight: NDArray[np.float64],
    group: NDArray[np.int64],
    coverage: float,
) -> float:
    """The mass that keeps the promised share of scores in, one customer beyond the sample.

    Parameters
    ----------
    dropped : array of float64, shape (n,)
        The mass of the first interval that leaves each score out.
    weight : array of float64, shape (n,)
    group : array of int64, shape (n,)
        The customer, who may have several rows.
    coverage : float

    Examples
    --------
    >>> nine = np.arange(9) / 10
    >>> conformal_mass(nine, np.ones(9), np.arange(9), 0.9) > 0.8
    True
    >>> conformal_mass(nine[:8], np.ones(8), np.arange(8), 0.9)
    1.0
    """
    order = np.argsort(dropped, kind="stable")
    held = np.cumsum(weight[order])
    customer = held[-1] / np.unique(group).size
    at = int(np.searchsorted(held, coverage * (held[-1] + customer) * (1 - 1e-12)))
    if at >= dropped.size:
        return 1.0
    return float(np.nextafter(dropped[order[at]], np.inf))


def masses_by(
    label: NDArray[np.object_],
    dropped: NDArray[np.float64],
    weight: NDArray[np.float64],
    group: NDArray[np.int64],
    coverage: float,
) -> dict[str, float]:
    """The mass of each label that at least :data:`ENOUGH` customers have; None is none."""
    masses = {}
    for one in sorted({str(value) for value in label if value is not None}):
        rows = np.flatnonzero(label == one)
        if np.unique(group[rows]).size >= ENOUGH:
            masses[one] = conformal_mass(dropped[rows], weight[rows], group[rows], coverage)
    return masses


def bounds(
    shares: NDArray[np.float64], mass: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The smallest nested interval that holds each row's mass: first and last threshold.

    Parameters
    ----------
    shares : array of float64, shape (n, t)
        At or below each threshold; the last is 1.
    mass : array of float64, shape (n,)
    """
    best_low = np.zeros(len(shares), np.int64)
    best_high = np.full(len(shares), shares.shape[1] - 1)
    for low, high, held in _chain(shares):
        enough = held >= mass
        if not enough.any():
            break
        best_low, best_high = np.where(enough, low, best_low), np.where(enough, high, best_high)
    return best_low, best_high


def dropped_at(shares: NDArray[np.float64], at: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mass of the first nested interval that leaves each score's threshold out."""
    dropped = np.zeros(at.size)
    inside = np.ones(at.size, bool)
    for low, high, held in _chain(shares):
        left = inside & ((at < low) | (at > high))
        dropped[left] = held[left]
        inside &= ~left
    return dropped


def _chain(
    shares: NDArray[np.float64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Nested intervals for each row, from all thresholds to one: low, high and mass.

    Step by step the end goes whose side would have lost less, so that an atom at the
    top of the scale stays in and the tail below it pays.
    """
    rows, size = shares.shape
    every = np.arange(rows)
    below = np.column_stack([np.zeros(rows), shares])
    low, high = np.zeros(rows, np.int64), np.full(rows, size - 1)
    yield low, high, np.ones(rows)
    for _ in range(size - 1):
        lost_low = below[every, low + 1]
        lost_high = 1.0 - below[every, high]
        from_below = lost_low <= lost_high
        low, high = low + from_below, high - ~from_below
        yield low, high, below[every, high + 1] - below[every, low]
