"""How much to fit: a rule on the number of rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
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
        Whether boosting starts from a ridge score.
    """

    folds: int
    repeats: int
    learning_rate: float
    patience: int
    linear: bool


def schedule(rows: int, groups: int, rarest: int, columns: int) -> Schedule:
    """The schedule for a table.

    Small tables are noisy, and many small boosters are cheap; on large ones a single
    round of folds decides as well. Up to 20,000 rows: three repeats of five folds at a
    learning rate of .03; up to 100,000: one repeat at .05; beyond: one repeat of four
    folds at .1. The linear start needs rows times squared columns of at most 2e9.

    Parameters
    ----------
    rows : int
    groups : int
        Folds never part one.
    rarest : int
        Rows of the rarer class, or all rows: every fold needs some.
    columns : int
        Of the encoded matrix.

    Examples
    --------
    >>> schedule(7000, 7000, 1800, 45).repeats, schedule(250_000, 9000, 5000, 130).repeats
    (3, 1)
    """
    if rows <= 20_000:
        folds, repeats, rate, patience = 5, 3, 0.03, 60
    elif rows <= 100_000:
        folds, repeats, rate, patience = 5, 1, 0.05, 40
    else:
        folds, repeats, rate, patience = 4, 1, 0.1, 20
    folds = min(folds, groups, rarest)
    if folds < 2:
        return Schedule(1, 1, rate, patience, True)
    return Schedule(folds, repeats, rate, patience, rows * columns**2 <= 2e9)
