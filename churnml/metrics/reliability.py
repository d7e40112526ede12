"""How often what was given a probability happened, with intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from churnml.metrics.calibration import check_probabilities, probability_bins
from churnml.metrics.check_arrays import check_groups, number_groups
from churnml.metrics.check_options import check_share, check_whole
from churnml.metrics.significance import mean_influence, standard_error


@dataclass(frozen=True)
class Bin:
    """Rows of similar probability.

    Attributes
    ----------
    rows : int
    predicted, observed : float
        Mean probability, and the share to which it happened.
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
    level: float = 0.95,
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
    at = probability_bins(chances, check_whole("bins", bins))
    found = []
    for number in np.unique(at):
        rows = np.flatnonzero(at == number)
        share = float(labels[rows].mean())
        count = _independent(labels[rows], customers[rows])
        low, high = wilson(share, count, level)
        found.append(Bin(rows.size, float(chances[rows].mean()), share, low, high))
    return found


def wilson(share: float, count: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share of ``count`` independent rows.

    >>> low, high = wilson(0.5, 100)
    >>> round(low, 3), round(high, 3)
    (0.404, 0.596)
    """
    z = float(norm.ppf((1 + check_share("level", level)) / 2))
    spread = z * z / count
    middle = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt(share * (1 - share) / count + spread / count / 4) / (1 + spread)
    # At the ends the two are the same but for rounding.
    low = 0.0 if share == 0 else float(middle - half)
    high = 1.0 if share == 1 else float(middle + half)
    return low, high


def _independent(labels: NDArray[np.float64], customers: NDArray[np.int64]) -> float:
    """How many independent rows tell as much as these: at most rows, at least one customer."""
    codes, names = number_groups(customers)
    share, moved = mean_influence(labels)
    if share in (0.0, 1.0):
        return float(names)
    variance = standard_error(moved, codes) ** 2
    return float(np.clip(share * (1 - share) / max(variance, 1e-300), 1, labels.size))
