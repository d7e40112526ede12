"""How many interviews the next survey needs."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from churnml.metrics.intervals import LEVEL, normal_quantile

POWER = 0.8
"""The chance of seeing a change of the size planned for."""


def to_see_a_change(
    variance: float, change: float, *, explained: float = 0.0, design: float = 1.0
) -> float:
    """Answers that each of two surveys needs to see a change of the mean.

    At 95 % confidence with a chance of 80 %.

    Parameters
    ----------
    variance : float
        Of the answers; of a share p it is p(1 - p).
    change : float
        In the unit of the answers, above 0.
    explained : float, default 0
        Share of the variance that predictions take away.
    design : float, default 1
        By how much weights multiply the variance (Kish).

    Examples
    --------
    >>> round(to_see_a_change(20**2, 2.2), 1), round(to_see_a_change(20**2, 5), 1)
    (1297.3, 251.2)
    """
    reach = normal_quantile(LEVEL) + float(norm.ppf(POWER))
    return reach**2 * 2 * variance * (1 - explained) * design / change**2


def to_see_a_share(share: float, other: float) -> float:
    """Answers that each of two surveys needs to see a share move to another.

    Examples
    --------
    >>> round(to_see_a_share(0.769, 0.791))
    5562
    """
    reach = normal_quantile(LEVEL) + float(norm.ppf(POWER))
    return reach**2 * (share * (1 - share) + other * (1 - other)) / (other - share) ** 2


def to_be_within(
    half: float,
    *,
    variance: float,
    customers: float = np.inf,
    explained: float = 0.0,
    design: float = 1.0,
) -> float:
    """Answers that one survey needs for an interval of a given half-width.

    Parameters
    ----------
    half : float
        Of the 95 % interval, in the unit of the answers.
    variance : float
    customers : float, optional
        How many there are: of few, fewer answers suffice.
    explained, design : float
        As in `to_see_a_change`.

    Examples
    --------
    >>> round(to_be_within(2.5, variance=400), 1)
    245.9
    >>> round(to_be_within(2.5, variance=400, customers=300), 1)
    135.1
    """
    reach = normal_quantile(LEVEL)
    endless = reach**2 * variance * (1 - explained) * design / half**2
    return endless / (1 + endless / customers)
