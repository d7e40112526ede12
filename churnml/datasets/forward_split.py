"""A scikit-learn splitter that tests on later months than it trains on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator

from churnml.base.dates import add_span, dates_of, read_span
from churnml.base.text import counted
from churnml.errors import DataError, LabelWindowError, UsageError
from churnml.labels.window import Window
from churnml.metrics.check_options import check_whole

RowIndex = NDArray[np.int64]


class ForwardSplit(BaseCrossValidator):
    """Train on the past, test on the months after it, the oldest test first.

    Each fold tests on ``test_months`` months, whole ones, so that no customer's rows of one
    month are parted; the folds' months follow one another and end with the last. It trains
    on all rows whose labels were known when its first test row was drawn: their date plus
    gap and horizon lies at or before that row's.

    Parameters
    ----------
    n_splits : int
        Folds, at least 1.
    horizon, gap : str, default "2mo" and "0d"
        How far the label looks, and how long after the row's date it begins: ``60d``, ``2mo``.
    test_months : int, default 1
        Months that a fold tests on. Months without any row are passed over.
    times : sequence of date, shape (n,), optional
        The date that each row stands for, its ``as_of``: dates, moments or their text. Given
        here for use as ``cv=``, or to :meth:`split`.

    Examples
    --------
    >>> times = ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"]
    >>> for train, test in ForwardSplit(2).split(times, times=times):
    ...     print(train, test)
    [0 1] [3]
    [0 1 2] [4]
    >>> ForwardSplit(2, times=times)
    ForwardSplit(2, horizon='2mo', gap='0d', test_months=1, times=<5 dates>)

    With scikit-learn's tools::

        cross_val_score(churn, data.X, data.y, cv=ForwardSplit(3, times=data.times))

    The oldest rows are never tested: what needs a prediction of every row, such as
    ``cross_val_predict`` and ``StackingClassifier``, says that it "only works for partitions".
    ``StackingClassifier(models, cv="prefit")`` stacks models that were fitted on earlier months.
    """

    # The dates are for the splitter alone: they reach it without being asked for.
    __metadata_request__split: ClassVar = {"times": True}

    def __init__(
        self,
        n_splits: int,
        *,
        horizon: str = "2mo",
        gap: str = "0d",
        test_months: int = 1,
        times: Any = None,
    ) -> None:
        check_whole("n_splits", n_splits)
        check_whole("test_months", test_months)
        for name, span in (("horizon", horizon), ("gap", gap)):
            _check_span(name, span)
        self.n_splits = n_splits
        self.horizon = horizon
        self.gap = gap
        self.test_months = test_months
        self.times = times

    def split(
        self, X: Any, y: Any = None, groups: Any = None, times: Any = None
    ) -> Iterator[tuple[RowIndex, RowIndex]]:
        """Row positions to train on and to test on, fold by fold.

        Parameters
        ----------
        X : frame or array, shape (n, k)
            Its number of rows counts alone.
        y, groups : ignored
        times : sequence of date, shape (n,), optional
            By default those of the constructor.

        Yields
        ------
        (array of int64, array of int64)

        Raises
        ------
        UsageError
            Without dates.
        DataError
            If the dates do not fit the rows, or some are missing.
        LabelWindowError
            If there are fewer months than the folds need; the message says how many folds
            there can be.
        """
        given = self.times if times is None else times
        if given is None:
            raise UsageError(
                "ForwardSplit needs the date that each row stands for.",
                hint="Give times to the constructor, or to split.",
            )
        days = dates_of(given, "times")
        rows = _count(X)
        if days.size != rows:
            raise DataError(
                f"times: {days.size:,} dates for {counted(rows, 'row')}.",
                hint="Give one date for each row of X, in its order.",
                count=int(days.size),
                expected=f"{rows} dates",
            )
        yield from self._folds(days)

    def _folds(self, days: NDArray[np.datetime64]) -> list[tuple[RowIndex, RowIndex]]:
        months = days.astype("datetime64[M]")
        known = self._known_from(days)
        every = np.unique(months)
        folds: list[tuple[RowIndex, RowIndex]] = []
        for end in range(len(every), 0, -self.test_months):
            tested = (months <= every[end - 1]) & (months >= every[max(end - self.test_months, 0)])
            trained = known <= days[tested].min()
            whole = end >= self.test_months
            if not whole or not trained.any() or len(folds) == self.n_splits:
                break
            folds.append((np.flatnonzero(trained), np.flatnonzero(tested)))
        if len(folds) < self.n_splits:
            raise LabelWindowError(
                f"{counted(self.n_splits, 'fold')} of {counted(self.test_months, 'test month')}: "
                f"{counted(len(every), 'month')} of rows, {days.min()} to {days.max()}, allow "
                f"{len(folds)}, as gap ({self.gap}) and horizon ({self.horizon}) lie between "
                "training and test.",
                hint="Give more months, or ask for fewer folds.",
                value=self.n_splits,
                expected=f"<= {len(folds)}",
            )
        return folds[::-1]

    def _known_from(self, days: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
        """The first date after each row's label, which is never the row's own date."""
        window = Window(self.gap, self.horizon)
        distinct, place = np.unique(days, return_inverse=True)
        ends = [max(window.end(day), add_span(day, "1d")) for day in distinct.astype(date)]
        return np.array(ends, "datetime64[D]")[place]

    def get_n_splits(
        self, X: Any = None, y: Any = None, groups: Any = None, times: Any = None
    ) -> int:
        """How many folds there are."""
        return self.n_splits

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """What the constructor was given, for ``clone``."""
        names = ("n_splits", "horizon", "gap", "test_months", "times")
        return {name: getattr(self, name) for name in names}

    def __repr__(self) -> str:
        times = "" if self.times is None else f", times=<{len(self.times):,} dates>"
        return (
            f"ForwardSplit({self.n_splits}, horizon={self.horizon!r}, gap={self.gap!r}, "
            f"test_months={self.test_months}{times})"
        )


def _check_span(name: str, span: Any) -> None:
    try:
        read_span(span)
    except UsageError as error:
        raise UsageError(f"{name}: {error.message}", hint=error.hint) from None


def _count(X: Any) -> int:
    shape = getattr(X, "shape", None)
    return int(shape[0]) if shape else len(X)
