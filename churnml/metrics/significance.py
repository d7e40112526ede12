"""Whether a difference is more than chance: influence of each customer, and Holm's rule.

A measure moves a little with every row. The sum over customers of the squares of what each
one's rows move it by estimates its variance, however many rows a customer has.

References
----------
DeLong, DeLong, Clarke-Pearson (1988), "Comparing the areas under two or more correlated
receiver operating characteristic curves", Biometrics 44(3). Obuchowski (1997),
"Nonparametric analysis of clustered ROC curve data", Biometrics 53(2). Holm (1979), "A
simple sequentially rejective multiple test procedure".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from churnml.metrics.check_arrays import check_binary

Floats = NDArray[np.float64]


def auc_influence(y: ArrayLike, score: ArrayLike) -> tuple[float, Floats]:
    """The AUC and by how much each row moves it, shape (n,); they add up to 0.

    NaN where one of the two outcomes is absent.

    >>> area, moved = auc_influence([0, 1, 0, 1], [.1, .9, .4, .3])
    >>> area, moved.round(3).tolist()
    (0.75, [0.125, 0.125, -0.125, -0.125])
    """
    from scipy.stats import rankdata  # takes half a second, and most never need it

    labels, scores = check_binary(y, score)
    left = labels == 1
    leavers, stayers = int(left.sum()), int((~left).sum())
    if not leavers or not stayers:
        return float("nan"), np.full(labels.size, np.nan)
    every = rankdata(scores)
    above = np.empty(labels.size)
    # Of a leaver the share of stayers below; of a stayer the share of leavers above.
    above[left] = (every[left] - rankdata(scores[left])) / stayers
    above[~left] = 1 - (every[~left] - rankdata(scores[~left])) / leavers
    area = float(above[left].mean())
    return area, (above - area) / np.where(left, leavers, stayers)


def mean_influence(values: ArrayLike) -> tuple[float, Floats]:
    """The mean and by how much each row moves it, shape (n,).

    >>> mean_influence([1.0, 3.0])
    (2.0, array([-0.5,  0.5]))
    """
    given = np.asarray(values, np.float64)
    mean = float(given.mean())
    return mean, (given - mean) / given.size


def standard_error(influence: Floats, customers: NDArray[np.int64]) -> float:
    """The standard error of what the rows move, rows of one customer taken together.

    Parameters
    ----------
    influence : array, shape (n,)
    customers : array of int, shape (n,)
        The number of each row's customer, from 0.

    Examples
    --------
    >>> _, moved = mean_influence([0.0, 0.0, 1.0, 1.0])
    >>> float(standard_error(moved, np.arange(4)))
    0.25
    """
    return float(np.sqrt((np.bincount(customers, influence) ** 2).sum()))


def below_zero(difference: float, error: float) -> float:
    """The chance to see a difference as low as this, or lower, where there is none.

    >>> round(below_zero(-1.96, 1.0), 3), below_zero(0.1, 0.0)
    (0.025, 1.0)
    """
    if error == 0 or np.isnan(error):
        return 0.0 if difference < 0 else 1.0
    return float(ndtr(difference / error))


def away_from_zero(difference: float, error: float) -> float:
    """The chance to see a difference as far from 0 as this where there is none.

    >>> round(away_from_zero(-1.96, 1.0), 3)
    0.05
    """
    return min(1.0, 2 * below_zero(-abs(difference), error))


def holm(chances: ArrayLike) -> Floats:
    """The chances made larger, so that of many tests none is taken for a find by luck.

    Parameters
    ----------
    chances : array, shape (k,)
        One of each test.

    Returns
    -------
    array of float64, shape (k,)
        Below 0.05: a find, in 95 of 100 whole families of tests without a false one.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    given = np.asarray(chances, np.float64)
    order = np.argsort(given, kind="stable")
    stepped = given[order] * np.arange(given.size, 0, -1)
    adjusted = np.empty(given.size)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted
