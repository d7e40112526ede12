"""What a reader can work out of hidden counts from the shown ones, and what to hide against it.

Sums are linear equations. A hidden count is exposed where the equations and the shown counts
leave it open by no more than `WITHIN` either way; then another cell of its sums is hidden too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

WITHIN = 4
"""No hidden count may be known to within so many people either way."""

_GLANCES = 12
"""Optimisations over many cells at once before single cells are looked at."""


@dataclass(frozen=True, kw_only=True)
class Sum:
    """A total and the cells that add up to it, by their positions.

    Attributes
    ----------
    total : int
    parts : tuple of int
    """

    total: int
    parts: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Equations:
    """Counts of one kind, and the sums as equations ``matrix @ values == 0``.

    After the cells come the rests of those sums whose parts fall short; ``safe`` marks the
    rests that need no protection, and grows by the cells found to be safe, which stay so
    however much more is hidden.
    """

    counts: NDArray[np.float64]
    cells: int
    members: list[NDArray[np.intp]]
    totals: NDArray[np.intp]
    sums_of: list[list[int]]
    matrix: csr_array
    safe: NDArray[np.bool_]

    def unknown(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """What a reader does not see: the hidden cells, and every rest."""
        return np.append(mask, np.ones(len(self.counts) - self.cells, dtype=bool))


def equations_of(counts: NDArray[np.float64], sums: Sequence[Sum], *, fewest: int) -> Equations:
    """The counts and what adds up to what, as equations.

    Raises
    ------
    ValueError
        If the parts of a sum come to more than its total.
    """
    values, members = list(counts), []
    for one in sums:
        rest = counts[one.total] - counts[list(one.parts)].sum()
        if rest < -1e-9:
            raise ValueError(f"the parts of cell {one.total} come to more than it holds")
        members.append(np.array([one.total, *one.parts, *([len(values)] if rest > 1e-9 else [])]))
        values += [rest] if rest > 1e-9 else []
    sums_of: list[list[int]] = [[] for _ in values]
    for row, places in enumerate(members):
        for place in places:
            sums_of[place].append(row)
    rows = np.repeat(np.arange(len(members)), [len(places) for places in members])
    signs = np.concatenate([np.r_[-1.0, np.ones(len(m) - 1)] for m in members] or [np.empty(0)])
    columns = np.concatenate(members) if members else np.empty(0, dtype=np.intp)
    every = np.asarray(values)
    return Equations(
        counts=every,
        cells=len(counts),
        members=members,
        totals=np.array([one.total for one in sums], dtype=np.intp),
        sums_of=sums_of,
        matrix=csr_array((signs, (rows, columns)), shape=(len(members), len(every))),
        safe=(np.arange(len(every)) >= len(counts)) & (every >= fewest),
    )


def hide_more(system: Equations, mask: NDArray[np.bool_]) -> bool:
    """Hide what each hidden cell needs beside it; whether any was.

    Sum by sum first, as by hand; then what sums together give away.
    """
    changed = False
    while _hide_within_sums(system, mask):
        changed = True
    helped: set[int] = set()
    for cell in _exposed(system, system.unknown(mask)):
        sums = set(system.sums_of[cell])
        more = None if sums & helped else _near(system, cell, mask)
        if more is not None:
            helped |= sums
            mask[more] = changed = True
    return changed


def _hide_within_sums(system: Equations, mask: NDArray[np.bool_]) -> bool:
    changed = False
    rests = np.arange(len(system.counts)) >= system.cells
    for row, members in enumerate(system.members):
        unknown = system.unknown(mask)[members]
        asked = unknown & ~(rests & system.safe)[members]
        narrow = not unknown[0] and system.counts[members[unknown]].sum() <= 2 * WITHIN
        shown = members[~unknown]
        if asked.any() and (unknown.sum() == 1 or narrow) and len(shown):
            mask[_best(system, shown, row, mask)] = changed = True
    return changed


def _best(system: Equations, shown: NDArray[np.intp], row: int, mask: NDArray[np.bool_]) -> int:
    """The cell whose hiding costs least: no total, at home among hidden ones, the smallest."""
    unknown = system.unknown(mask)

    def cost(place: int) -> tuple[bool, int, float, int]:
        others = [one for one in system.sums_of[place] if one != row]
        fresh = sum(not unknown[system.members[one]].any() for one in others)
        return place in system.totals, fresh, float(system.counts[place]), place

    return min(map(int, shown), key=cost)


def _near(system: Equations, cell: int, mask: NDArray[np.bool_]) -> int | None:
    """The best shown cell in the sums of a cell, or in those of the cells beside it."""
    unknown = system.unknown(mask)
    near, before = np.array([cell]), 0
    while len(near) > before:
        before = len(near)
        sums = {row for place in near for row in system.sums_of[place]}
        near = np.unique(np.concatenate([near, *(system.members[row] for row in sums)]))
        if not unknown[near].all():
            return _best(system, near[~unknown[near]], -1, mask)
    return None


def _exposed(system: Equations, unknown: NDArray[np.bool_]) -> list[int]:
    """Hidden cells whose count the shown ones bound too narrowly, the smallest first."""
    hidden_cells = np.flatnonzero(unknown)
    part = system.matrix[:, hidden_cells]
    part = part[np.diff(part.indptr) > 0]
    _, label = connected_components(abs(part).T @ abs(part), directed=False)
    asked = ~system.safe[hidden_cells]
    values = system.counts[hidden_cells]
    parted = _Parted(
        equations=part,
        values=values,
        low=values.copy(),
        high=values.copy(),
        groups=[
            inside
            for inside in np.split(
                np.argsort(label, kind="stable"), np.cumsum(np.bincount(label))[:-1]
            )
            if asked[inside].any()
        ],
    )
    wide = _wide(parted, asked=asked)
    system.safe[hidden_cells[wide]] = True
    found = [int(place) for place in hidden_cells[asked & ~wide]]
    return sorted(found, key=lambda place: (system.counts[place], place))


@dataclass(frozen=True, kw_only=True)
class _Parted:
    """Hidden values, the equations they stand in, and which of them hang together.

    ``low`` and ``high`` are what a reader must hold possible so far; they widen.
    """

    equations: csr_array
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    groups: list[NDArray[np.intp]]

    def within(self, places: NDArray[np.intp]) -> csr_array:
        """The equations of some values that hang together with no others."""
        own = self.equations[:, places]
        return own[np.diff(own.indptr) > 0]

    def open_enough(self) -> NDArray[np.bool_]:
        """Which values are open by more than `WITHIN` either way."""
        return np.asarray(self.high - self.low > 2 * WITHIN + 1e-6)


def _wide(parted: _Parted, *, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the asked values the equations leave open by more than `WITHIN` either way.

    Every optimum of any goal is a table that a reader must hold possible, so goals over all
    the values at once settle most of them; the others are asked one by one.
    """
    low, high = parted.low, parted.high
    several = []
    for inside in parted.groups:
        equations = parted.within(inside)
        if equations.shape[0] == 0:
            high[inside] = np.inf
            continue
        low[inside], high[inside] = _by_exchange(equations, parted.values[inside])
        # What no exchange has moved, in a system of one sum, nothing can.
        several += [inside] if equations.shape[0] > 1 else []

    def narrow(inside: NDArray[np.intp]) -> NDArray[np.intp]:
        return inside[(asked & ~parted.open_enough())[inside]]

    random = np.random.default_rng(0)
    for _ in range(_GLANCES):
        # Values that do not hang together are looked at together: one search costs less.
        left = [inside for inside in several if narrow(inside).size]
        if not left:
            break
        places = np.concatenate(left)
        _look(parted, places, random.choice([-1.0, 1.0], size=len(places)))
    for inside in several:
        for place in narrow(inside):
            for sign in (-1.0, 1.0):
                if not parted.open_enough()[place]:
                    _look(parted, inside, sign * (inside == place))
    return asked & parted.open_enough()


def _look(parted: _Parted, places: NDArray[np.intp], goal: NDArray[np.float64]) -> None:
    """Widen what some values may be by a possible table that is best for a goal."""
    equations, values = parted.within(places), parted.values[places]
    bounds = np.column_stack([np.maximum(values - 1000, 0), values + 1000])
    found = linprog(goal, A_eq=equations, b_eq=equations @ values, bounds=bounds, method="highs")
    if found.status == 0:
        parted.low[places] = np.minimum(parted.low[places], found.x)
        parted.high[places] = np.maximum(parted.high[places], found.x)


def _by_exchange(
    equations: csr_array, values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What values may be by moves that can be seen without any search.

    A hidden total that is itself a part stands for its own parts. Cells that then are parts of
    the same sums may take people from each other; and a hidden grand total may be larger, with
    one part of its own in each of its sums.
    """
    low, high = values.copy(), values.copy()
    matrix, own_parts = _without_totals(equations.toarray())
    kept = [place for place in range(len(values)) if place not in own_parts]
    alike: dict[bytes, list[int]] = {}
    for place in kept:
        alike.setdefault(matrix[:, place].tobytes(), []).append(place)
    for members in alike.values():
        group = np.array(members)
        if (matrix[:, group] >= 0).all() and len(group) > 1:
            low[group], high[group] = 0.0, values[group].sum()
        for total, parts in own_parts.items():
            inside = np.isin(group, parts)
            if inside.any() and not inside.all():
                low[total] -= values[group[inside]].sum()
                high[total] += values[group[~inside]].sum()
    once = (matrix != 0).sum(axis=0) == 1
    for place in kept:
        rows = np.flatnonzero(matrix[:, place])
        ones = [np.flatnonzero(once & (matrix[row] > 0)) for row in rows]
        if (matrix[rows, place] < 0).all() and all(len(one) for one in ones):
            high[np.concatenate([[place], *ones]).astype(int)] = np.inf
    return low, high


def _without_totals(
    matrix: NDArray[np.float64],
) -> tuple[NDArray[np.float64], dict[int, NDArray[np.intp]]]:
    """Put the parts of each total that is itself a part in its place; those parts by total."""
    own_parts: dict[int, NDArray[np.intp]] = {}
    for row in range(len(matrix)):
        totals = np.flatnonzero(matrix[row] < 0)
        if len(totals) == 1 and (matrix[:, totals[0]] > 0).any():
            total = int(totals[0])
            own_parts[total] = np.flatnonzero(matrix[row] > 0)
            for other in np.flatnonzero(matrix[:, total]):
                if other != row:
                    matrix[other] += matrix[other, total] * matrix[row]
            matrix[row] = 0
    return matrix, own_parts
