"""Bootstrap confidence intervals over customers.

Rows of one customer are alike, so customers are drawn, not rows; a draw is a weight for
every row, and a measure is a function of such weights. What is drawn together may be
compared: the difference of two models on the same draws is a measure of its own.

References
----------
Efron, Tibshirani (1993), "An introduction to the bootstrap", chapter 13.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import ChurnmlError, DataError
from churnml.metrics.check_arrays import number_groups
from churnml.metrics.check_options import check_draws, check_share
from churnml.metrics.intervals import LEVEL

INTERVALS = "95 % intervals over customers, for the time of these rows"
"""What intervals are about, wherever they are printed: another month has shocks of its own."""

MONTHS_NOTE = (
    "What a month does to all customers alike is in no such interval; "
    "`churnml backtest` tells how much measures differ from month to month."
)

Measure = Callable[[NDArray[np.float64]], float]

_AHEAD = 100_000


@dataclass(frozen=True)
class Estimate:
    """A measure with its interval.

    Attributes
    ----------
    value : float
        On the data as they are.
    low, high : float
        The ends of the percentile interval, less its bias for a `Distance`; NaN where the
        measure is undefined.
    level : float
        The interval's coverage, 0.95 by default.
    """

    value: float
    low: float
    high: float
    _: KW_ONLY
    level: float = LEVEL

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "not defined"
        return f"{self.value:.4f} ({self.low:.4f} to {self.high:.4f})"

    def to_dict(self) -> dict[str, float]:
        """The estimate as plain data."""
        return {"value": self.value, "low": self.low, "high": self.high, "level": self.level}


def format_estimate(estimate: Estimate | None, *, alone: bool = False) -> str:
    """Format a measure, with its interval unless ``alone``.

    >>> format_estimate(Estimate(.8123, .8, .83)), format_estimate(None)
    ('0.812 (0.800 to 0.830)', '–')
    >>> format_estimate(Estimate(.8123, .8, .83), alone=True)
    '0.812'
    """
    if estimate is None or estimate.value != estimate.value:
        return "–"
    digits = 3 if abs(estimate.value) < 10 else 1
    value = f"{estimate.value:,.{digits}f}"
    return (
        value if alone else f"{value} ({estimate.low:,.{digits}f} to {estimate.high:,.{digits}f})"
    )


@dataclass(frozen=True)
class Distance:
    """A measure that is a mean distance from 0, such as the calibration error.

    Chance makes it larger, never smaller: it exceeds what it estimates, and the draws, which
    add chance to chance, exceed it in turn, so that plain percentiles often lie above the
    value itself. The median of the draws less the value, their median bias, says by how much.
    `bootstrap` takes it from the upper end, and twice from the lower, since the value has a
    like bias of its own; nothing goes below 0. The interval holds the value. Where there is a
    distance it holds that too as often as other intervals do; of perfect probabilities its
    lower end comes near 0, and reaches it in about half of all samples.

    Parameters
    ----------
    measure : function
        Takes weights of shape (n,), gives a number of at least 0.

    References
    ----------
    Efron, Tibshirani (1993), "An introduction to the bootstrap", chapter 10 for the
    estimate of a bias by the draws, section 14.3 for the median bias.
    """

    measure: Measure

    def __call__(self, weight: NDArray[np.float64]) -> float:
        """The measure under these weights."""
        return self.measure(weight)


def bootstrap(
    measures: Mapping[str, Measure],
    groups: ArrayLike | int,
    *,
    draws: int = 200,
    seed: int = 0,
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Compute percentile intervals of measures by resampling customers.

    Parameters
    ----------
    measures : mapping of str to function
        Each takes weights of shape (n,), one a row, and gives a number; one that is a
        distance from 0 may say so, see `Distance`.
    groups : array, shape (n,), or int
        The customer of each row; a whole number stands for that many rows of as many
        customers.
    draws : int, default 200
        At least 1.
    seed : int
    level : float, default 0.95
        Between 0 and 1.

    Returns
    -------
    dict of str to Estimate

    Raises
    ------
    DataError
        No rows, rows without a customer, and rows that a measure does not have.
    UsageError
        ``draws``, ``seed`` or ``level`` out of range.

    Examples
    --------
    >>> y = np.array([0., 1., 1., 0., 1.])
    >>> found = bootstrap({"rate": lambda w: float(np.average(y, weights=w))}, 5)
    >>> found["rate"].value, found["rate"].low < .6 < found["rate"].high
    (0.6, True)
    """
    check_draws(draws, seed)
    check_share("level", level)
    label, customers = _customers(groups)
    # First, so that rows that do not fit are told before the draws.
    values = _values(measures, customers if label is None else label.size)
    drawn = {name: np.empty(draws) for name in measures}
    for draw, times in enumerate(_drawn(customers, draws, seed)):
        weight = times if label is None else times[label]
        for name, measure in measures.items():
            drawn[name][draw] = measure(weight)
    return {
        name: _estimate(values[name], drawn[name], level, distance=isinstance(measure, Distance))
        for name, measure in measures.items()
    }


def _values(measures: Mapping[str, Measure], rows: int) -> dict[str, float]:
    """The measures of the unresampled rows."""
    ones, values = np.ones(rows), {}
    for name, measure in measures.items():
        try:
            values[name] = measure(ones)
        except ChurnmlError:
            raise
        except (IndexError, ValueError) as error:
            raise DataError(
                f"{name} cannot be measured with {rows:,} weights: {error}",
                hint="groups must have one customer for each row of the measure.",
                count=rows,
            ) from error
    return values


def _drawn(customers: int, draws: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each customer was drawn, draw by draw."""
    random = np.random.default_rng(seed)

    def draw() -> NDArray[np.float64]:
        drawn = random.integers(0, customers, customers)
        return np.bincount(drawn, minlength=customers).astype(np.float64)

    if customers < _AHEAD:
        yield from (draw() for _ in range(draws))
        return
    # The next draw is made by a second core while this one is measured.
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(draw)
        for left in range(draws - 1, -1, -1):
            times = coming.result()
            if left:
                coming = worker.submit(draw)
            yield times


def _customers(groups: ArrayLike | int) -> tuple[NDArray[np.int64] | None, int]:
    """The customer's number of each row, and how many there are; None: each row is one."""
    if isinstance(groups, int | np.integer):
        if groups < 1:
            raise DataError("there are no rows to evaluate.", count=0)
        return None, int(groups)
    codes, customers = number_groups(groups)
    return (None if customers == codes.size else codes), customers


def _estimate(value: float, drawn: NDArray[Any], level: float, *, distance: bool) -> Estimate:
    known = drawn[~np.isnan(drawn)]
    if known.size == 0 or math.isnan(value):
        return Estimate(value, float("nan"), float("nan"), level=level)
    tail = (1 - level) / 2
    low, middle, high = np.quantile(known, [tail, 0.5, 1 - tail])
    if distance:
        bias = max(middle - value, 0.0)
        low, high = min(max(low - 2 * bias, 0.0), value), max(high - bias, value)
    return Estimate(value, float(low), float(high), level=level)


def paired_difference(first: Measure, second: Measure) -> Measure:
    """The difference of two measures on the same draws."""
    return lambda weight: first(weight) - second(weight)
