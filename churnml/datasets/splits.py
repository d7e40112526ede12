"""Split into training and test sets without leakage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.errors import DataError, LabelWindowError
from churnml.metrics.check_arrays import check_groups, numbers
from churnml.metrics.check_options import check_share, check_whole

RowIndex = NDArray[np.int64]


def forward_split(
    times: Sequence[date] | pd.Series, window_end: Callable[[date], date], *, test_dates: int = 2
) -> tuple[RowIndex, RowIndex]:
    """Train on the past, test on the last dates, with an embargo as long as the label window.

    A training date's label window must have ended when the first test date begins; dates
    between are in neither part.

    Parameters
    ----------
    times : sequence of date, shape (n,)
        Each row's ``as_of``.
    window_end : function
        The first date after the label window of an ``as_of``.
    test_dates : int, default 2
        How many of the last dates are for testing; at least 1.

    Returns
    -------
    (array of int64, array of int64)
        Row positions to train on and to test on.

    Raises
    ------
    DataError
        If there are no rows.
    LabelWindowError
        If no date is left to train on.

    Examples
    --------
    >>> days = [date(2026, month, 1) for month in (1, 2, 3, 4)]
    >>> forward_split(days, lambda day: day.replace(month=day.month + 2), test_dates=1)
    (array([0, 1]), array([3]))
    """
    check_whole("test_dates", test_dates)
    stamps = np.asarray(pd.Series(list(times), dtype=object))
    if not stamps.size:
        raise DataError("there are no rows to split.", count=0)
    days = sorted(set(stamps))
    tested = days[-test_dates:]
    trained = [day for day in days if window_end(day) <= tested[0]]
    if not trained:
        raise LabelWindowError(
            f"no as_of is left to train on: {len(days)} dates from {days[0]} to {days[-1]}, "
            f"tested from {tested[0]}.",
            hint="Give more dates, or test on fewer.",
            count=len(days),
        )
    return _rows(stamps, trained), _rows(stamps, tested)


def _rows(stamps: NDArray[np.object_], days: Sequence[date]) -> RowIndex:
    return np.flatnonzero(pd.Series(stamps).isin(list(days)).to_numpy())


def group_split(
    y: ArrayLike, groups: ArrayLike | None = None, *, test_share: float = 0.3, seed: int = 0
) -> tuple[RowIndex, RowIndex]:
    """Split by customer, with similar means of ``y``.

    Parameters
    ----------
    y : array, shape (n,)
    groups : array, shape (n,), optional
        The customer of each row; else every row is one.
    test_share : float, default 0.3
        Between 0 and 1, of the customers.
    seed : int

    Returns
    -------
    (array of int64, array of int64)

    Raises
    ------
    DataError
        With fewer than two customers, and customers that do not fit the rows.
    UsageError
        ``test_share`` or ``seed`` out of range.

    Examples
    --------
    >>> train, test = group_split([0, 0, 1, 1, 0, 0, 1, 1], test_share=.5)
    >>> len(train), len(test)
    (4, 4)
    """
    check_share("test_share", test_share)
    check_whole("seed", seed, least=0)
    target = numbers("labels", y)
    numbered = check_groups(groups, target.size)
    codes = np.arange(target.size) if numbered is None else numbered
    count = np.bincount(codes)
    if count.size < 2:
        raise DataError(f"{count.size} customers cannot be split into two parts.")
    mean = np.bincount(codes, weights=target) / count
    random = np.random.default_rng(seed)
    shuffled = random.permutation(count.size)
    ordered = shuffled[np.argsort(mean[shuffled], kind="stable")]
    # Every stretch of customers alike in the target gives the same share to the test.
    steps = np.floor((np.arange(count.size) + random.random()) * test_share)
    chosen = ordered[np.diff(steps, append=np.floor((count.size + 1) * test_share)) > 0]
    tested = np.zeros(count.size, bool)
    tested[chosen] = True
    if tested.all() or not tested.any():
        tested[:] = False
        tested[ordered[0]] = True
    return np.flatnonzero(~tested[codes]), np.flatnonzero(tested[codes])
