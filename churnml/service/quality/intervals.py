"""Intervals of indicators: of ratios over clusters, of rates, of waits partly broken off.

All at 95 %. What comes in clusters (visits of one hall on one day, answers of one customer)
counts for less than as many independent rows; the clusters' sums say for how much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv, stdtrit

from churnml.metrics.intervals import LEVEL, normal_quantile, wilson

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value with its interval; arrays of one shape.

    Attributes
    ----------
    value, low, high : array
    """

    value: Floats
    low: Floats
    high: Floats


def ratio(tally: pd.DataFrame, *, share: bool) -> Interval:
    """The ratio of two sums over clusters, with its linearised variance.

    Parameters
    ----------
    tally : DataFrame
        One row a cell. ``top`` and ``bottom``: the two sums; ``clusters``: how many; ``top2``,
        ``cross``, ``bottom2``: over the clusters, the sums of their tops squared, tops times
        bottoms, and bottoms squared.
    share : bool
        Whether the tops are counts among the bottoms: then Wilson's interval, of as many
        independent rows as the clusters are worth, at most ``bottom``; else one of t with as
        many degrees of freedom as clusters, less one.

    Returns
    -------
    Interval
        NaN where ``bottom`` is 0, or where a mean has fewer than two clusters.

    Examples
    --------
    791 of 1,000 customers, each a cluster of its own:

    >>> alone = pd.DataFrame({"top": [791.0], "bottom": [1000.0], "clusters": [1000],
    ...                       "top2": [791.0], "cross": [791.0], "bottom2": [1000.0]})
    >>> found = ratio(alone, share=True)
    >>> round(float(found.low[0]), 4), round(float(found.high[0]), 4)
    (0.7647, 0.8151)
    """
    top, bottom = tally["top"].to_numpy(float), tally["bottom"].to_numpy(float)
    clusters = tally["clusters"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(bottom > 0, top / bottom, np.nan)
        spread = (
            tally["top2"].to_numpy(float)
            - 2 * value * tally["cross"].to_numpy(float)
            + value**2 * tally["bottom2"].to_numpy(float)
        )
        variance = clusters / (clusters - 1) * np.maximum(spread, 0) / bottom**2
        variance = np.where(clusters > 1, variance, np.nan)
        if share:
            # A sample variance too, so that rows that are clusters themselves count in full.
            alone = value * (1 - value) / np.maximum(bottom - 1, 1)
            worth = bottom * np.minimum(np.nan_to_num(alone / variance, nan=1.0, posinf=1.0), 1)
            low, high = wilson(value, np.maximum(worth, 1.0))
            return Interval(value=value, low=low, high=high)
        reach = stdtrit(np.maximum(clusters - 1, 1), (1 + LEVEL) / 2) * np.sqrt(variance)
    return Interval(value=value, low=value - reach, high=value + reach)


def valued(tallies: pd.DataFrame, interval: Interval, n: pd.Series) -> pd.DataFrame:
    """Cells with their values, intervals and ``n``, what these are about."""
    return tallies.assign(
        value=interval.value, low=interval.low, high=interval.high, n=n.round().astype("int64")
    )


def rate(counts: ArrayLike, exposure: ArrayLike, *, per: float = 1.0) -> Interval:
    """Events by exposure, with the exact Poisson interval.

    Parameters
    ----------
    counts : array-like of int
    exposure : array-like of float
        For example customer-months.
    per : float
        For example 1,000.

    References
    ----------
    Garwood (1936), "Fiducial limits for the Poisson distribution", Biometrika 28.

    Examples
    --------
    >>> found = rate([10], [1000.0], per=1000)
    >>> found.value.tolist(), found.low.round(3).tolist(), found.high.round(3).tolist()
    ([10.0], [4.795], [18.39])
    """
    count, over = np.asarray(counts, float), np.asarray(exposure, float)
    tail = (1 - LEVEL) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(over > 0, per / over, np.nan)
        low = np.where(count > 0, gammaincinv(np.maximum(count, 0.5), tail), 0.0)
        high = gammaincinv(count + 1, 1 - tail)
        return Interval(value=count * factor, low=low * factor, high=high * factor)


def survival_quantile(
    times: ArrayLike, ended: ArrayLike, broken: ArrayLike, quantile: float
) -> tuple[float, float, float]:
    """A quantile of waits, some of which were broken off: Kaplan and Meier's estimate.

    Who hung up after a minute would have waited a minute at least; quantiles of the answered
    alone flatter.

    Parameters
    ----------
    times : array-like of float
        Ascending, distinct.
    ended, broken : array-like of float
        At each time, how many waits ended, and how many were broken off.
    quantile : float
        Between 0 and 1.

    Returns
    -------
    (float, float, float)
        The quantile and its 95 % interval, by the log-log transform; NaN or infinite where
        the waits were broken off too early to tell.

    References
    ----------
    Brookmeyer and Crowley (1982), "A confidence interval for the median survival time",
    Biometrics 38.

    Examples
    --------
    >>> survival_quantile([10, 20, 30, 40], [1, 1, 1, 1], [0, 0, 0, 0], 0.5)[0]
    20.0
    >>> survival_quantile([10, 20, 30, 40], [1, 0, 1, 1], [0, 1, 0, 0], 0.5)[0]
    30.0
    """
    moment, over, off = (np.asarray(one, float) for one in (times, ended, broken))
    if not over.sum():
        return np.nan, np.nan, np.nan
    leaving = over + off
    at_risk = leaving.sum() - np.concatenate([[0.0], np.cumsum(leaving)[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.cumprod(1 - over / at_risk)
        greenwood = np.cumsum(over / (at_risk * (at_risk - over)))
        middle = np.log(-np.log(left))
        half = normal_quantile() * np.sqrt(greenwood) / np.abs(np.log(left))
        lower, upper = np.exp(-np.exp(middle + half)), np.exp(-np.exp(middle - half))
    # Before the first end all are left, after the last nobody: the transform is silent there.
    lower = np.where(left >= 1, 1.0, np.where(left <= 0, 0.0, lower))
    upper = np.where(left >= 1, 1.0, np.where(left <= 0, 0.0, upper))
    rest = 1 - quantile

    def first(curve: Floats) -> float:
        below = np.flatnonzero(curve <= rest + 1e-12)
        return float(moment[below[0]]) if len(below) else np.inf

    value = first(left)
    return (value if np.isfinite(value) else np.nan), first(lower), first(upper)


def net_promoters(promoters: ArrayLike, detractors: ArrayLike, answers: ArrayLike) -> Interval:
    """Promoters less detractors in points, -100 to 100, with the adjusted Wald interval.

    Parameters
    ----------
    promoters, detractors, answers : array-like
        Counts.

    Returns
    -------
    Interval
        The interval lies around a value drawn towards 0: 3 answers more, of them 3/4
        promoters and 3/4 detractors. NaN where nobody answered.

    References
    ----------
    Rocks (2016), "Interval estimation for the net promoter score", The American
    Statistician 70.

    Examples
    --------
    >>> found = net_promoters(40, 35, 100)
    >>> float(found.value), round(float(found.high - found.low) / 2, 2)
    (5.0, 16.62)
    """
    p, d, n = (np.asarray(one, float) for one in (promoters, detractors, answers))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(n > 0, 100 * (p - d) / n, np.nan)
        up, down = (p + 0.75) / (n + 3), (d + 0.75) / (n + 3)
        middle = up - down
        half = normal_quantile() * np.sqrt((up + down - middle**2) / (n + 3))
    low, high = 100 * np.maximum(middle - half, -1), 100 * np.minimum(middle + half, 1)
    there = n > 0
    return Interval(
        value=value, low=np.where(there, low, np.nan), high=np.where(there, high, np.nan)
    )
