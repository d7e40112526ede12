"""What a customer is worth, and what an offer to her is expected to bring; yuan.

References
----------
Lemmens, Gupta (2020), "Managing churn to maximize profits", Marketing Science 39(5): rank by
what an offer changes times what is at stake, less its cost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import DataError, UsageError

Floats = NDArray[np.float64]


def customer_values(monthly: ArrayLike, survival: ArrayLike, *, rate: float = 0.0) -> Floats:
    """The present value of what customers bring, yuan.

    ``sum over t = 1..H of m S(t) / (1 + r)^(t / 12)``.

    Parameters
    ----------
    monthly : array, shape (n,)
        Profit a month: margin times spending.
    survival : array, shape (n, months)
        Probability of still being there after each month, 0 to 1.
    rate : float, default 0
        Interest a year.

    Examples
    --------
    >>> round(float(customer_values([0.4 * 100], np.ones((1, 12)))[0]), 6)
    480.0
    """
    profit, stays = np.asarray(monthly, np.float64), np.asarray(survival, np.float64)
    if stays.ndim != 2 or profit.shape != stays.shape[:1]:
        raise DataError(
            f"monthly has shape {profit.shape}, survival {stays.shape}; one row a customer of "
            "both was expected."
        )
    if not rate > -1:
        raise UsageError(f"rate is {rate!r}; above -1 was expected.")
    month = np.arange(1, stays.shape[1] + 1)
    return profit * (stays / (1 + rate) ** (month / 12)).sum(axis=1)


def survival_of_stayers(within: ArrayLike, *, window: int, months: int) -> Floats:
    """Probability of still being there, of customers who stay through a window.

    Parameters
    ----------
    within : array, shape (n, k)
        Probability of leaving within 1, 2, ... k months, k at least ``window``; beyond them
        the last monthly hazard is kept.
    window : int
        Months that they are given to stay: what an offer does acts in them, once.
    months : int

    Returns
    -------
    array, shape (n, months)

    Examples
    --------
    >>> survival_of_stayers([[0.1, 0.19]], window=1, months=3).round(3)
    array([[1.  , 0.9 , 0.81]])
    """
    stays = 1 - np.clip(np.asarray(within, np.float64), 0, 1 - 1e-9)
    before = np.column_stack([np.ones(len(stays)), stays[:, :-1]])
    hazard = 1 - stays / before
    more = max(months - hazard.shape[1], 0)
    every = np.column_stack([hazard, np.repeat(hazard[:, -1:], more, axis=1)])[:, :months]
    every[:, :window] = 0.0
    return np.asarray(np.cumprod(1 - every, axis=1), np.float64)


def monthly_chances(chance: ArrayLike, months: int) -> Floats:
    """Probabilities of leaving within 1 to ``months`` months, of one for all of them.

    The hazard of each month is taken to be the same.

    >>> monthly_chances([0.19], 2).round(3)
    array([[0.1 , 0.19]])
    """
    stays = 1 - np.clip(np.asarray(chance, np.float64), 0, 1 - 1e-9)
    return np.asarray(1 - stays[:, None] ** (np.arange(1, months + 1) / months))


def offer_gain(
    effect: ArrayLike,
    value: ArrayLike,
    *,
    acceptance: ArrayLike,
    cost: ArrayLike,
    contact: float,
) -> Floats:
    """The expected gain from an offer: ``-effect value - acceptance cost - contact``.

    Parameters
    ----------
    effect : array, shape (n,) or (n, offers)
        Change of the probability of leaving; negative keeps.
    value : array, shape (n,)
        Of a customer who stays.
    acceptance : array
        Probability of accepting if offered; those who would have stayed accept too.
    cost : array
        Of an accepted offer.
    contact : float
        Of contacting a customer.

    Examples
    --------
    >>> offer_gain([-0.05, 0.01], [480, 480], acceptance=0.3, cost=60, contact=2).round(2)
    array([  4. , -24.8])
    """
    change = np.asarray(effect, np.float64)
    worth = np.asarray(value, np.float64)
    worth = worth[:, None] if change.ndim == 2 else worth
    return -change * worth - np.asarray(acceptance) * np.asarray(cost) - contact
