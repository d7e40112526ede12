"""Change between two surveys, with an interval of its own, and how it parts into mix and true.

That two intervals overlap says little: the interval of the difference decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from churnml.metrics.intervals import normal_quantile


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A difference with its 95 % interval.

    Attributes
    ----------
    value, low, high : float
    """

    value: float
    low: float
    high: float


def change(value: float, before: float, variance: float) -> Difference:
    """The change from before to now.

    Parameters
    ----------
    value, before : float
    variance : float
        Of the difference: both variances, less twice what the two have in common.

    Examples
    --------
    >>> found = change(79.1, 76.9, 1.0)
    >>> round(found.value, 1), round(found.low, 2), round(found.high, 2)
    (2.2, 0.24, 4.16)
    """
    half = normal_quantile() * float(np.sqrt(max(variance, 0.0)))
    return Difference(value=value - before, low=value - before - half, high=value - before + half)


def covariance(influence: pd.Series, before: pd.Series) -> float:
    """What two surveys have in common: customers who answered both, by their influences.

    Examples
    --------
    >>> covariance(pd.Series([1.0, 2.0], ["a", "b"]), pd.Series([3.0, 5.0], ["b", "c"]))
    6.0
    """
    pairs = pd.concat([influence, before], axis=1, join="inner")
    return float((pairs.iloc[:, 0] * pairs.iloc[:, 1]).sum())


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The two parts of a change, in the unit of the index.

    Attributes
    ----------
    mix : Difference
        As there are more of some customers and fewer of others.
    true : Difference
        As customers of the same kind think differently.
    """

    mix: Difference
    true: Difference


def mix_and_true(
    *,
    shares: ArrayLike,
    shares_before: ArrayLike,
    means: ArrayLike,
    means_before: ArrayLike,
    variances: ArrayLike,
) -> Parts:
    """Part a change into mix and true change (Kitagawa 1955, symmetrical form, no rest).

    Parameters
    ----------
    shares, shares_before : array of float, shape (k,)
        Of each kind of customers, known from the customer table; they add up to 1.
    means, means_before : array of float, shape (k,)
    variances : array of float, shape (k,)
        Of each kind, the two means' variances added up.

    Examples
    --------
    >>> found = mix_and_true(
    ...     shares=[0.5, 0.3, 0.2], shares_before=[0.4, 0.35, 0.25],
    ...     means=[80, 76, 70], means_before=[78, 75, 71], variances=[1, 1, 1])
    >>> round(found.mix.value, 6), round(found.true.value, 6)
    (0.6, 1.0)
    """
    w1, w0, m1, m0, v = (
        np.asarray(one, np.float64)
        for one in (shares, shares_before, means, means_before, variances)
    )
    moved, usual = w1 - w0, (w1 + w0) / 2
    mix = float(np.sum(moved * (m1 + m0) / 2))
    true = float(np.sum((m1 - m0) * usual))
    return Parts(
        mix=change(mix, 0.0, float(np.sum(moved**2 * v) / 4)),
        true=change(true, 0.0, float(np.sum(usual**2 * v))),
    )
