"""How sure a measure is: bootstrap over customers.

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
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.errors import DataError, UsageError

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
        The ends of the percentile interval; NaN where the measure is undefined.
    level : float
        The interval's coverage, 0.95 by default.
    """

    value: float
    low: float
    high: float
    level: float = 0.95

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "not defined"
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"

    def to_dict(self) -> dict[str, float]:
        """The estimate as plain data."""
        return {"value": self.value, "low": self.low, "high": self.high, "level": self.level}


def bootstrap(
    measures: Mapping[str, Measure],
    groups: ArrayLike | int,
    *,
    draws: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Estimate]:
    """Percentile intervals of measures, over customers drawn with replacement.

    Parameters
    ----------
    measures : mapping of str to function
        Each takes weights of shape (n,), one a row, and gives a number.
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

    Examples
    --------
    >>> y = np.array([0., 1., 1., 0., 1.])
    >>> found = bootstrap({"rate": lambda w: float(np.average(y, weights=w))}, 5)
    >>> found["rate"].value, found["rate"].low < .6 < found["rate"].high
    (0.6, True)
    """
    if draws < 1 or not 0 < level < 1:
        raise UsageError(f"draws is {draws} and level {level}; 1 or more, and 0 to 1, go.")
    label, customers = _customers(groups)
    found = {name: np.empty(draws) for name in measures}
    for draw, times in enumerate(_drawn(customers, draws, seed)):
        weight = times if label is None else times[label]
        for name, measure in measures.items():
            found[name][draw] = measure(weight)
    ones = np.ones(customers if label is None else label.size)
    return {
        name: _estimate(measure(ones), found[name], level) for name, measure in measures.items()
    }


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
        return None, int(groups)
    codes, names = pd.factorize(np.asarray(groups))
    if codes.size == 0:
        raise DataError("there are no rows to evaluate.")
    if len(names) == codes.size:
        return None, codes.size
    return codes.astype(np.int64), len(names)


def _estimate(value: float, drawn: NDArray[Any], level: float) -> Estimate:
    known = drawn[~np.isnan(drawn)]
    if known.size == 0 or math.isnan(value):
        return Estimate(value, float("nan"), float("nan"), level)
    tail = (1 - level) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return Estimate(value, float(low), float(high), level)


def paired_difference(first: Measure, second: Measure) -> Measure:
    """The measure that says by how much ``first`` exceeds ``second`` on the same draw."""
    return lambda weight: first(weight) - second(weight)
