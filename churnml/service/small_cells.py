"""Which numbers about few people are hidden, so that nobody can work them out.

A value about fewer than 10 people is hidden, and with it as many other cells as it takes that
no hidden count can be had from the shown ones by adding and subtracting, not even within 4
either way (complementary suppression). Three functions say what to hide, `blank` hides it:

- `hidden`: cells of a list whose total is shown
- `hidden_two_way`: a table with its row totals, column totals and grand total
- `hidden_related`: any tables, with what adds up to what told as `Sum`; `sums_over` finds it
  for a long frame, whose margins are rows too

A hidden cell's mean, share and interval go with its count: a mean that is left tells a hidden one
by what is missing in the total. All hidden cells must look alike; a reader who can tell
the small ones from those hidden for their sake knows more than is safe.

>>> import numpy as np
>>> hidden(np.array([4, 60, 25, 90]))
array([ True, False,  True, False])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

FEWEST = 10
"""A value about fewer people than this is hidden."""

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


def hidden(
    counts: ArrayLike, *, fewest: int = FEWEST, already: ArrayLike | None = None
) -> NDArray[np.bool_]:
    """Cells to hide in a list of counts whose total is shown.

    Parameters
    ----------
    counts : array-like of shape (cells,)
        People in each cell, whole numbers of 0 and more.
    fewest : int, default=10
    already : array-like of bool, optional
        Cells hidden for some other reason.

    Returns
    -------
    array of bool of shape (cells,)
        True where the count, and all that is told of the cell, must not be shown. Where all
        are hidden and the total is below ``fewest``, so must be the total.

    Examples
    --------
    >>> hidden([3, 40, 12])
    array([ True, False,  True])
    >>> hidden([30, 40, 12])
    array([False, False, False])
    """
    count = np.asarray(counts, dtype=float)
    everything = np.append(count, count.sum())
    total = Sum(total=len(count), parts=tuple(range(len(count))))
    before = None if already is None else np.append(np.asarray(already, dtype=bool), False)
    return hidden_related(everything, [total], fewest=fewest, already=before)[:-1]


def hidden_two_way(
    counts: ArrayLike, *, fewest: int = FEWEST, already: ArrayLike | None = None
) -> NDArray[np.bool_]:
    """Cells and margins to hide in a table of counts.

    Parameters
    ----------
    counts : array-like of shape (rows, columns)
        People in each cell, without the margins.
    fewest : int, default=10
    already : array-like of bool of shape (rows, columns), optional
        Cells hidden for some other reason.

    Returns
    -------
    array of bool of shape (rows + 1, columns + 1)
        The last row holds the totals of the columns, the last column those of the rows.

    Examples
    --------
    >>> hidden_two_way([[5, 60, 70], [40, 80, 30]])
    array([[ True,  True, False, False],
           [ True,  True, False, False],
           [False, False, False, False]])
    """
    count = np.asarray(counts, dtype=float)
    rows, columns = count.shape
    table = np.zeros((rows + 1, columns + 1))
    table[:-1, :-1] = count
    table[-1], table[:, -1] = table.sum(axis=0), table.sum(axis=1)
    table[-1, -1] = count.sum()
    places = np.arange(table.size).reshape(table.shape)
    lines = [*places, *places.T]
    sums = [Sum(total=int(line[-1]), parts=tuple(map(int, line[:-1]))) for line in lines]
    before = np.zeros(table.shape, dtype=bool)
    if already is not None:
        before[:-1, :-1] = already
    mask = hidden_related(table.ravel(), sums, fewest=fewest, already=before.ravel())
    return mask.reshape(table.shape)


def hidden_related(
    counts: ArrayLike,
    sums: Sequence[Sum],
    *,
    fewest: int = FEWEST,
    already: ArrayLike | None = None,
) -> NDArray[np.bool_]:
    """Cells to hide among counts that are tied by sums, in one table or across several.

    All cells less a brand, one month less another, a year and its months: each is a `Sum`.
    Where the parts of a sum fall short of its total, the rest is a cell too, which is
    never shown and yet can be worked out.

    Parameters
    ----------
    counts : array-like of shape (cells,) or (cells, kinds)
        People in each cell. With several kinds, such as customers and answers, a cell is
        hidden where any of them is few, and each is protected.
    sums : sequence of Sum
    fewest : int, default=10
    already : array-like of bool of shape (cells,), optional
        Cells hidden for some other reason.

    Returns
    -------
    array of bool of shape (cells,)

    Raises
    ------
    ValueError
        If the parts of a sum come to more than its total.

    Examples
    --------
    The whole, two brands, and the months of the first brand:

    >>> counts = [100, 60, 40, 52, 8]
    >>> sums = [Sum(total=0, parts=(1, 2)), Sum(total=1, parts=(3, 4))]
    >>> hidden_related(counts, sums)
    array([False, False, False,  True,  True])
    """
    count = np.atleast_2d(np.asarray(counts, dtype=float).T).T
    cells = len(count)
    mask = np.zeros(cells, dtype=bool) if already is None else np.array(already, dtype=bool)
    mask |= (count < fewest).any(axis=1)
    systems = [_system(count[:, kind], sums, fewest=fewest) for kind in range(count.shape[1])]
    changed = True
    while changed:
        changed = False
        for system in systems:
            changed |= _hide_more(system, mask)
    return mask


def sums_over(cells: pd.DataFrame, *, whole: str = "") -> list[Sum]:
    """What adds up to what in a long frame that has its margins as rows.

    Parameters
    ----------
    cells : DataFrame
        One column a dimension, one row a cell; each row once.
    whole : str, default=""
        The value that stands for all of a dimension.

    Returns
    -------
    list of Sum
        For every dimension: the row of the whole, and the rows that share the other dimensions.

    Examples
    --------
    >>> frame = pd.DataFrame({"brand": ["", "gotone", "mzone"], "month": ["", "", ""]})
    >>> sums_over(frame)
    [Sum(total=0, parts=(1, 2))]
    """
    names = cells.reset_index(drop=True).astype(str)
    found = []
    for dimension in names.columns:
        others = [name for name in names.columns if name != dimension]
        group = names.groupby(others, sort=False).ngroup().to_numpy() if others else 0 * names.index
        is_whole = (names[dimension] == whole).to_numpy()
        order = np.argsort(group, kind="stable")
        ends = np.cumsum(np.bincount(group))
        one_whole = np.bincount(group, is_whole) == 1
        for number in np.flatnonzero(one_whole & (np.bincount(group) > 1)):
            places = order[ends[number - 1] if number else 0 : ends[number]]
            parts = tuple(map(int, places[~is_whole[places]]))
            found.append(Sum(total=int(places[is_whole[places]][0]), parts=parts))
    return found


def blank(frame: pd.DataFrame, mask: ArrayLike, *, columns: Sequence[str]) -> pd.DataFrame:
    """Hide the values of cells: their counts, means, shares and intervals.

    Parameters
    ----------
    frame : DataFrame
    mask : array-like of bool
        True for the rows to hide.
    columns : sequence of str
        All that is told of a cell; what says which cell it is stays.

    Returns
    -------
    DataFrame
        A copy, null in those places.

    Examples
    --------
    >>> frame = pd.DataFrame({"hall": ["H1", "H2"], "n": [4, 60], "mean": [71.0, 80.0]})
    >>> blank(frame, [True, False], columns=["n", "mean"])
      hall     n  mean
    0   H1  <NA>   NaN
    1   H2    60  80.0
    """
    rows = np.asarray(mask, dtype=bool)
    shown = frame.copy()
    for name in columns:
        column = shown[name]
        if pd.api.types.is_integer_dtype(column.dtype):
            column = column.astype("Int64")
        elif pd.api.types.is_bool_dtype(column.dtype):
            column = column.astype("boolean")
        shown[name] = column.mask(rows)
    return shown


@dataclass(frozen=True, kw_only=True)
class _System:
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


def _system(counts: NDArray[np.float64], sums: Sequence[Sum], *, fewest: int) -> _System:
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
    return _System(
        counts=every,
        cells=len(counts),
        members=members,
        totals=np.array([one.total for one in sums], dtype=np.intp),
        sums_of=sums_of,
        matrix=csr_array((signs, (rows, columns)), shape=(len(members), len(every))),
        safe=(np.arange(len(every)) >= len(counts)) & (every >= fewest),
    )


def _hide_more(system: _System, mask: NDArray[np.bool_]) -> bool:
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


def _hide_within_sums(system: _System, mask: NDArray[np.bool_]) -> bool:
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


def _best(system: _System, shown: NDArray[np.intp], row: int, mask: NDArray[np.bool_]) -> int:
    """The cell whose hiding costs least: no total, at home among hidden ones, the smallest."""
    unknown = system.unknown(mask)

    def cost(place: int) -> tuple[bool, int, float, int]:
        others = [one for one in system.sums_of[place] if one != row]
        fresh = sum(not unknown[system.members[one]].any() for one in others)
        return place in system.totals, fresh, float(system.counts[place]), place

    return min(map(int, shown), key=cost)


def _near(system: _System, cell: int, mask: NDArray[np.bool_]) -> int | None:
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


def _exposed(system: _System, unknown: NDArray[np.bool_]) -> list[int]:
    """Hidden cells whose count the shown ones bound too narrowly, the smallest first."""
    hidden_cells = np.flatnonzero(unknown)
    part = system.matrix[:, hidden_cells]
    part = part[np.diff(part.indptr) > 0]
    _, label = connected_components(abs(part).T @ abs(part), directed=False)
    found: list[int] = []
    for group in range(label.max() + 1 if len(label) else 0):
        inside = np.flatnonzero(label == group)
        places = hidden_cells[inside]
        if system.safe[places].all():
            continue
        equations = part[:, inside]
        equations = equations[np.diff(equations.indptr) > 0]
        wide = _wide(equations, system.counts[places], asked=~system.safe[places])
        system.safe[places[wide]] = True
        found += [int(place) for place in places[~wide & ~system.safe[places]]]
    return sorted(found, key=lambda place: (system.counts[place], place))


def _wide(
    equations: csr_array, values: NDArray[np.float64], *, asked: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which of the asked values the equations leave open by more than `WITHIN` either way.

    Every optimum of any goal is a table that a reader must hold possible, so goals over all
    the values at once settle most of them; the others are asked one by one.
    """
    if equations.shape[0] == 0:
        return asked.copy()
    low, high = _by_exchange(equations, values)
    random = np.random.default_rng(0)
    right = equations @ values
    bounds = np.column_stack([np.maximum(values - 1000, 0), values + 1000])

    def look(goal: NDArray[np.float64]) -> None:
        found = linprog(goal, A_eq=equations, b_eq=right, bounds=bounds, method="highs")
        if found.status == 0:
            np.minimum(low, found.x, out=low)
            np.maximum(high, found.x, out=high)

    def open_enough() -> NDArray[np.bool_]:
        return high - low > 2 * WITHIN + 1e-6

    for _ in range(_GLANCES if equations.shape[0] > 1 else 0):
        if open_enough()[asked].all():
            break
        look(random.choice([-1.0, 1.0], size=len(values)))
    # What no goal has moved, in a system of one sum, nothing can.
    for place in np.flatnonzero(asked) if equations.shape[0] > 1 else ():
        for sign in (-1.0, 1.0):
            if not open_enough()[place]:
                goal = np.zeros(len(values))
                goal[place] = sign
                look(goal)
    return open_enough() & asked


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
