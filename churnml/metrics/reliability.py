"""Predicted against observed, in bins of similar prediction, with intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.metrics.calibration import check_probabilities, quantile_bins
from churnml.metrics.check_arrays import check_groups, check_pair, number_groups
from churnml.metrics.check_options import check_whole
from churnml.metrics.intervals import LEVEL, normal_quantile, wilson
from churnml.metrics.significance import mean_influence, standard_error


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Rows of similar prediction.

    Attributes
    ----------
    rows : int
    predicted, observed : float
        Mean prediction, and mean outcome: of probabilities, the share to which it happened.
    low, high : float
        The interval of ``observed``.
    """

    rows: int
    predicted: float
    observed: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """The bin as plain data."""
        return asdict(self)


def reliability(
    y: ArrayLike,
    p: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    bins: int = 10,
    level: float = LEVEL,
) -> list[Bin]:
    """Bins of equally many rows, by rising probability.

    Parameters
    ----------
    y : array, shape (n,)
        1 for those to whom it happened.
    p : array, shape (n,)
        Their probabilities. Rows of one probability are never parted.
    groups : array, shape (n,), optional
        The customer of each row; else every row is one.
    bins : int, default 10
        At least 1.
    level : float, default 0.95
        Between 0 and 1.

    Returns
    -------
    list of Bin
        With Wilson's intervals, on as many independent rows as the customers' likeness
        leaves: also a bin where it happened to nobody has an interval of some width.

    Raises
    ------
    DataError, UsageError
        Labels, probabilities or customers that do not fit; ``bins`` or ``level`` out of range.

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference",
    JASA 22. Korn, Graubard (1998), "Confidence intervals for proportions with small
    expected number of positive counts estimated from survey data", Survey Methodology 24.

    Examples
    --------
    >>> found = reliability([0, 0, 0, 1, 1, 1], [.1, .1, .1, .8, .8, .8], bins=2)
    >>> [(one.rows, round(one.predicted, 1), one.observed) for one in found]
    [(3, 0.1, 0.0), (3, 0.8, 1.0)]
    >>> found[0].low, round(found[0].high, 2)
    (0.0, 0.56)
    """
    labels, chances = check_probabilities(y, p)
    codes = check_groups(groups, labels.size)
    customers = np.arange(labels.size) if codes is None else codes
    estimates = []
    for rows in rows_of_bins(chances, bins):
        share, low, high = share_over_customers(labels[rows], customers[rows], level)
        estimates.append(
            Bin(
                rows=rows.size,
                predicted=float(chances[rows].mean()),
                observed=share,
                low=low,
                high=high,
            )
        )
    return estimates


def mean_reliability(
    y: ArrayLike,
    prediction: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    bins: int = 10,
    level: float = LEVEL,
) -> list[Bin]:
    """Bins of equally many rows, by rising prediction, of outcomes that are numbers.

    Parameters
    ----------
    y, prediction : array, shape (n,)
        Rows of one prediction are never parted.
    groups : array, shape (n,), optional
        The customer of each row; else every row is one.
    bins : int, default 10
        At least 1.
    level : float, default 0.95
        Between 0 and 1.

    Returns
    -------
    list of Bin
        With normal intervals of the means over customers.

    Raises
    ------
    DataError, UsageError
        Outcomes, predictions or customers that do not fit; ``bins`` or ``level`` out of range.

    Examples
    --------
    >>> found = mean_reliability([65, 75, 65, 85], [60, 70, 70, 90], bins=2)
    >>> [(one.rows, one.predicted, one.observed) for one in found]
    [(1, 60.0, 65.0), (3, 76.66666666666667, 75.0)]
    """
    outcomes, predictions = check_pair(y, prediction)
    codes = check_groups(groups, outcomes.size)
    customers = np.arange(outcomes.size) if codes is None else codes
    found = []
    for rows in rows_of_bins(predictions, bins):
        mean, moved = mean_influence(outcomes[rows])
        half = normal_quantile(level) * standard_error(moved, number_groups(customers[rows])[0])
        predicted = float(predictions[rows].mean())
        found.append(
            Bin(
                rows=rows.size,
                predicted=predicted,
                observed=mean,
                low=mean - half,
                high=mean + half,
            )
        )
    return found


def rows_of_bins(values: ArrayLike, bins: int) -> list[NDArray[np.int64]]:
    """The rows of each bin of about equally many, by rising value; equal values stay together.

    >>> [rows.tolist() for rows in rows_of_bins([0.3, 0.1, 0.3, 0.2], 2)]
    [[1, 3], [0, 2]]
    """
    at = quantile_bins(np.asarray(values, np.float64), check_whole("bins", bins))
    return [np.flatnonzero(at == number) for number in np.unique(at)]


def share_over_customers(
    labels: NDArray[np.float64], customers: NDArray[np.int64], level: float = LEVEL
) -> tuple[float, float, float]:
    """The share to whom it happened, with Wilson's interval over customers.

    Parameters
    ----------
    labels : array, shape (n,)
        1 for those to whom it happened, else 0.
    customers : array of int, shape (n,)
        The number of each row's customer, from 0.
    level : float, default 0.95

    Returns
    -------
    (float, float, float)
        The share, and the low and the high end.

    Examples
    --------
    >>> once = share_over_customers(np.array([0.0, 1.0]), np.arange(2))
    >>> once == share_over_customers(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1]))
    True
    """
    share = float(labels.mean())
    low, high = wilson(share, _independent(labels, customers), level)
    return share, float(low), float(high)


def _independent(labels: NDArray[np.float64], customers: NDArray[np.int64]) -> float:
    """How many independent rows tell as much as these: at most rows, at least one customer."""
    codes, names = number_groups(customers)
    share, moved = mean_influence(labels)
    if share in (0.0, 1.0):
        return float(names)
    variance = standard_error(moved, codes) ** 2
    return float(np.clip(share * (1 - share) / max(variance, 1e-300), 1, labels.size))
