"""The customer segments of cards, evaluations and promotion.

A customer of whom nothing is recorded is a customer too: what is missing is a value of its
own in every segment, so that a model that is worse for such customers is found out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from churnml.errors import DataError
from churnml.metrics.check_arrays import numbers

UNKNOWN = "not recorded"

ELDERLY = "senior"
"""The brand of the elderly (老年), which is looked at first."""

_TENURE = {
    "under 6 months": 182,
    "6 to 12 months": 365,
    "1 to 2 years": 730,
    "2 to 5 years": 1826,
    "5 years or more": np.inf,
}
_AGE = {"under 25": 25, "25 to 39": 40, "40 to 59": 60, "60 or older": np.inf}
_MOST_VALUES = 12
_MOST_COLUMNS = 6


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One way to tell customers apart.

    Attributes
    ----------
    name : str
        Of its column in `segments`.
    feature : str
        The feature that tells it; ``customers.region`` is none, and comes beside them.
    bands : mapping of str to float, optional
        Of a number: the name of each band, and the value that it ends before.
    missing : str
        What a customer without a value is called.
    """

    name: str
    feature: str
    bands: Mapping[str, float] | None = None
    missing: str = UNKNOWN

    def cut(self, values: pd.Series) -> pd.Series:
        """The segment of each value of the feature."""
        if self.bands is None:
            given = values.astype(object)
            return given.where(given.notna(), self.missing).astype(str)
        return _band(values.to_numpy(np.float64, na_value=np.nan), self.bands)


SEGMENTS = (
    Segment(name="brand", feature="lifecycle_brand"),
    Segment(name="tier", feature="tier_individual_now"),
    Segment(name="group tier", feature="tier_group_now", missing="no group"),
    Segment(name="payment", feature="lifecycle_payment"),
    Segment(name="region", feature="customers.region"),
    Segment(name="tenure", feature="lifecycle_tenure_days", bands=_TENURE),
    Segment(name="age", feature="lifecycle_age_years", bands=_AGE),
)


def segments(X: pd.DataFrame, regions: ArrayLike | None = None) -> pd.DataFrame:
    """The segment of each row, one column a segment, as far as known.

    Parameters
    ----------
    X : DataFrame, shape (n, k)
        Operator features; a segment whose feature is absent is passed over.
    regions : array, shape (n,), optional
        As a dataset has them.

    Examples
    --------
    >>> X = pd.DataFrame({"lifecycle_brand": ["senior", None], "lifecycle_age_years": [71, 30]})
    >>> segments(X).to_dict("list")
    {'brand': ['senior', 'not recorded'], 'age': ['60 or older', '25 to 39']}
    """
    known = {name: X[name] for name in X}
    if regions is not None:
        known["customers.region"] = pd.Series(regions)
    found = {one.name: one.cut(known[one.feature]) for one in SEGMENTS if one.feature in known}
    return pd.DataFrame(
        {name: column.to_numpy(object) for name, column in found.items()}, index=range(len(X))
    )


def table_segments(X: pd.DataFrame) -> pd.DataFrame | None:
    """The first six text columns of a flat table that have few values."""
    few = [
        name
        for name in X.columns
        if not pd.api.types.is_numeric_dtype(X[name]) and 2 <= X[name].nunique() <= _MOST_VALUES
    ][:_MOST_COLUMNS]
    return X[few].reset_index(drop=True) if few else None


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


def _band(values: ArrayLike, bands: Mapping[str, float]) -> pd.Series:
    given = numbers("days or years", values)
    if given.ndim != 1:
        raise DataError(f"the days or years have shape {given.shape}; (n,) was expected.")
    names = np.array([*bands, UNKNOWN], dtype=object)
    at = np.searchsorted(list(bands.values()), given, side="right")
    at[np.isnan(given)] = len(bands)
    return pd.Series(names[np.minimum(at, len(bands))])
