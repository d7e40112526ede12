"""How much to fit: rules on the size of the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churnml.estimators.boosting.additive import RICHNESS, Richness, count_terms

_LINE_WORK = 2.5e8


_CELLS = 700_000


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How often folds are drawn and how fast boosting learns.

    Attributes
    ----------
    folds : int
    repeats : int
    learning_rate : float
    patience : int
        Rounds without improvement before a booster stops.
    linear : bool
        Whether a linear start is tried.
    choose : bool
        Whether several recipes are tried.
    """

    folds: int
    repeats: int
    learning_rate: float
    patience: int
    linear: bool
    choose: bool


def schedule(rows: int, groups: int, rarest: int, columns: int = 1) -> Schedule:
    """The schedule for a table.

    Small tables are noisy, and many small boosters are cheap; on large ones a single
    round of folds decides as well, and trees find slopes by themselves. Up to 20,000
    rows: two repeats of five folds at a learning rate of .05, the best of several
    recipes, with and without a linear start; up to 50,000: one repeat, with and
    without a linear start; up to 100,000 without; beyond: one of four folds at .1.

    Parameters
    ----------
    rows : int
    groups : int
        Folds never part one.
    rarest : int
        Rows of the rarer class, or all rows: every fold needs some.
    columns : int, default 1
        Of the encoded matrix; above 700,000 cells the folds are drawn once.

    Examples
    --------
    >>> schedule(7000, 7000, 1800).repeats, schedule(250_000, 9000, 5000).repeats
    (2, 1)
    """
    if rows <= 20_000 and rows * columns <= _CELLS:
        folds, repeats, rate, patience = 5, 2, 0.05, 40
    elif rows <= 100_000:
        folds, repeats, rate, patience = 5, 1, 0.05, 40
    else:
        folds, repeats, rate, patience = 4, 1, 0.1, 20
    folds = min(folds, groups, rarest)
    if folds < 2:
        return Schedule(
            folds=1, repeats=1, learning_rate=rate, patience=patience, linear=True, choose=False
        )
    return Schedule(
        folds=folds,
        repeats=repeats,
        learning_rate=rate,
        patience=patience,
        linear=rows <= 50_000,
        choose=rows <= 20_000,
    )


def affordable_richness(matrix: NDArray[np.float32]) -> Richness | None:
    """The richest terms whose least squares stay cheap; None where even lines do not."""
    rows = min(len(matrix), 20_000)
    for richness in RICHNESS:
        if rows * count_terms(matrix, richness) ** 2 <= _LINE_WORK:
            return richness
    return None
