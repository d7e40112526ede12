"""Confidence intervals in closed form: of a normal estimate, and of a share (Wilson)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from churnml.metrics.check_options import check_share

LEVEL = 0.95
"""The coverage of every confidence interval that is not asked for otherwise."""

INTERVAL = f"{100 * LEVEL:.0f} % interval"
"""What a figure calls such an interval."""


def normal_quantile(level: float = LEVEL) -> float:
    """How many standard errors an interval reaches to either side of its estimate.

    Parameters
    ----------
    level : float, default 0.95
        Between 0 and 1.

    Examples
    --------
    >>> round(normal_quantile(), 2)
    1.96
    """
    return float(ndtri((1 + check_share("level", level)) / 2))


def wilson(
    share: float | NDArray[np.float64],
    count: float | NDArray[np.float64],
    level: float = LEVEL,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson's interval of a share of ``count`` independent rows; of many shares at once.

    Parameters
    ----------
    share, count : float or array
        ``count`` need not be whole: as many independent rows as dependent ones are worth.
    level : float, default 0.95
        Between 0 and 1.

    Returns
    -------
    (array, array)
        The low and the high ends, in the shape of ``share``.

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference",
    JASA 22.

    Examples
    --------
    >>> low, high = wilson(0.5, 100)
    >>> round(float(low), 3), round(float(high), 3)
    (0.404, 0.596)
    """
    z = normal_quantile(level)
    spread = z * z / count
    middle = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt(share * (1 - share) / count + spread / count / 4) / (1 + spread)
    # At 0 and 1 the end is the share itself but for rounding.
    return np.where(share == 0, 0.0, middle - half), np.where(share == 1, 1.0, middle + half)
