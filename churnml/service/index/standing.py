"""Cells in three groups instead of ranks: clearly below the whole, clearly above, not told apart.

Estimated ranks mislead: of forty halls with twenty answers each, the one that comes out worst
is among the five truly worst in two cases of five.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

Standing = Literal["below", "not told apart", "above"]

_CHANCE = 0.05


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """P-values of several tests, raised so that all hold together (Holm 1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, np.float64)
    order = np.argsort(values, kind="stable")
    factors = values.size - np.arange(values.size)
    raised = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    back = np.empty_like(raised)
    back[order] = raised
    return back


def standings(
    distance: ArrayLike, error: ArrayLike, freedom: ArrayLike | float = np.inf
) -> list[Standing]:
    """Where each cell stands against the whole.

    Parameters
    ----------
    distance : array of float, shape (k,)
        From the whole; below 0 where a cell is worse.
    error : array of float, shape (k,)
        Standard error of each distance.
    freedom : array of float or float, default infinite
        Degrees of freedom of each error.

    Examples
    --------
    >>> standings([-9.0, 1.0, 8.0], [2.0, 2.0, 2.0])
    ['below', 'not told apart', 'above']
    """
    far, size = np.asarray(distance, np.float64), np.asarray(error, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(size > 0, np.abs(far) / size, np.where(far == 0, 0.0, np.inf))
    raised = holm(2 * student.sf(ratio, freedom))
    return [
        "not told apart" if chance >= _CHANCE else "below" if way < 0 else "above"
        for way, chance in zip(far, raised, strict=True)
    ]
