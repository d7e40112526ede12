"""Numbers of customers in words: how long with the operator, and how old."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from churnml.errors import DataError
from churnml.metrics.check_arrays import numbers

UNKNOWN = "not recorded"

_TENURE = {
    "under 6 months": 182,
    "6 to 12 months": 365,
    "1 to 2 years": 730,
    "2 to 5 years": 1826,
    "5 years or more": np.inf,
}
_AGE = {"under 25": 25, "25 to 39": 40, "40 to 59": 60, "60 or older": np.inf}


def tenure_band(days: ArrayLike) -> pd.Series:
    """The band of each tenure in days, shape (n,).

    >>> tenure_band([30, 800, None]).tolist()
    ['under 6 months', '2 to 5 years', 'not recorded']
    """
    return _band(days, _TENURE)


def age_band(years: ArrayLike) -> pd.Series:
    """The band of each age in years, shape (n,).

    >>> age_band([24, 25, 71, None]).tolist()
    ['under 25', '25 to 39', '60 or older', 'not recorded']
    """
    return _band(years, _AGE)


def _band(values: ArrayLike, bands: dict[str, float]) -> pd.Series:
    given = numbers("days or years", values)
    if given.ndim != 1:
        raise DataError(f"the days or years have shape {given.shape}; (n,) was expected.")
    names = np.array([*bands, UNKNOWN], dtype=object)
    at = np.searchsorted(list(bands.values()), given, side="right")
    at[np.isnan(given)] = len(bands)
    return pd.Series(names[np.minimum(at, len(bands))])
