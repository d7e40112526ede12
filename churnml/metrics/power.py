"""What an experiment could see, and how many customers it needs.

References
----------
Fleiss, Levin, Paik (2003), "Statistical methods for rates and proportions", chapter 4.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from churnml.errors import UsageError
from churnml.metrics.check_options import check_number, check_share

POWER = 0.8
SIGNIFICANCE = 0.05


def _quantiles(significance: float, power: float) -> float:
    return float(ndtri(1 - significance / 2) + ndtri(power))


def detectable_effect(
    rate: float,
    treated: float,
    control: float,
    *,
    significance: float = SIGNIFICANCE,
    power: float = POWER,
) -> float:
    """The difference of two rates that would be seen with this power.

    ``2.80 sqrt(p (1 - p) (1 / n_T + 1 / n_C))``; infinite where an arm is empty.

    Parameters
    ----------
    rate : float
        Of leaving without an offer.
    treated, control : float
        Customers in each arm.
    significance, power : float

    Examples
    --------
    >>> round(100 * detectable_effect(0.035, 2457, 2446), 2)
    1.47
    """
    if treated <= 0 or control <= 0:
        return math.inf
    spread = rate * (1 - rate) * (1 / treated + 1 / control)
    return _quantiles(significance, power) * math.sqrt(spread)


def control_needed(
    before: float,
    after: float,
    *,
    ratio: float = 1.0,
    significance: float = SIGNIFICANCE,
    power: float = POWER,
) -> float:
    """The control customers with which a change of a rate would be seen.

    ``(z + z)^2 (p0 (1 - p0) + p1 (1 - p1) / r) / (p0 - p1)^2``; with ``r`` times as many
    treated.

    Parameters
    ----------
    before, after : float
        The rates without and with treatment.
    ratio : float, default 1
        Treated customers for each in control; 9 for a hold-out of 10 %.

    Raises
    ------
    UsageError
        Rates that are equal or no shares.

    Examples
    --------
    >>> round(control_needed(0.04, 0.03)), round(control_needed(0.04, 0.03, ratio=9))
    (5298, 3268)
    """
    check_share("before", before)
    check_share("after", after)
    check_number("ratio", ratio, positive=True)
    if before == after:
        raise UsageError(f"before and after are both {before!r}; a change was expected.")
    spread = before * (1 - before) + after * (1 - after) / ratio
    return _quantiles(significance, power) ** 2 * spread / (before - after) ** 2


def confidence_sequence(
    count: ArrayLike, spread: float, *, planned: float, significance: float = SIGNIFICANCE
) -> NDArray[np.float64]:
    """Half the width of an interval that holds at every look at once, of a mean.

    ``s sqrt(2 (n rho^2 + 1) / (n rho)^2 ln(sqrt(n rho^2 + 1) / alpha))``, the normal mixture,
    narrowest near the planned number.

    Parameters
    ----------
    count : array
        Rows at each look.
    spread : float
        Standard deviation of a row.
    planned : float
        Rows when the experiment is over.
    significance : float

    References
    ----------
    Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024), "Time-uniform central limit theory
    and asymptotic confidence sequences", Annals of Statistics 52(6).

    Examples
    --------
    >>> wide = confidence_sequence([100, 1000], 1.0, planned=1000)
    >>> bool(wide[0] > wide[1] > 1.96 / 1000**0.5)
    True
    """
    n = np.asarray(count, np.float64)
    log = -2 * math.log(significance)
    rho2 = (log + math.log(log + 1)) / planned
    inner = n * rho2 + 1
    return np.asarray(
        spread * np.sqrt(2 * inner / (n**2 * rho2) * np.log(np.sqrt(inner) / significance))
    )
