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

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.service.exposure import WITHIN, Sum, equations_of, hide_more

__all__ = [
    "FEWEST",
    "WITHIN",
    "Sum",
    "blank",
    "hidden",
    "hidden_related",
    "hidden_two_way",
    "sums_over",
]

FEWEST = 10
"""A value about fewer people than this is hidden."""


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
    systems = [equations_of(count[:, kind], sums, fewest=fewest) for kind in range(count.shape[1])]
    changed = True
    while changed:
        changed = False
        for system in systems:
            changed |= hide_more(system, mask)
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
    names = cells.astype(str)
    codes = {name: pd.factorize(names[name])[0] for name in names.columns}
    found = []
    for dimension in names.columns:
        group = np.zeros(len(names), dtype=np.int64)
        for name in names.columns.drop(dimension):
            group = pd.factorize(group * (codes[name].max(initial=0) + 1) + codes[name])[0]
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
