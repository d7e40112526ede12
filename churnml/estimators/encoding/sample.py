"""Read estimators' inputs: columns by name, targets, weights, groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from churnml.errors import DataError, UsageError
from churnml.estimators.boosting.folds import content_hash, order_rows
from churnml.estimators.encoding.encoder import Encoder
from churnml.estimators.encoding.frames import Values, align, as_frame, collected, read_frame


def fit_frame(estimator: BaseEstimator, X: Any) -> pd.DataFrame:
    """The training frame; the estimator learns the number of columns and their names."""
    frame = _checked(estimator, X, reset=True)
    if frame.shape[0] == 0:
        raise DataError(
            f"Found array with 0 sample(s) (shape={frame.shape}) while a minimum of 1 is required."
        )
    if frame.shape[1] == 0:
        raise DataError(
            f"Found array with 0 feature(s) (shape={frame.shape}) while a minimum of 1 is required."
        )
    return frame


def score_frame(estimator: BaseEstimator, X: Any, encoder: str = "encoder_") -> pd.DataFrame:
    """The columns of training in a frame to be scored, whatever their order."""
    check_is_fitted(estimator, encoder)
    X = collected(X)
    if isinstance(X, pd.DataFrame) or hasattr(X, "__arrow_c_stream__"):
        frame = as_frame(X)
    else:
        frame = _checked(estimator, X, reset=False)
        names = estimator.__dict__["columns_in_"]
        frame = frame.set_axis(names, axis=1)
    return align(frame, estimator.__dict__["columns_in_"])


def _checked(estimator: BaseEstimator, X: Any, *, reset: bool) -> pd.DataFrame:
    X = collected(X)
    if not isinstance(X, pd.DataFrame) and hasattr(X, "__arrow_c_stream__"):
        X = as_frame(X)
    if not isinstance(X, pd.DataFrame):
        X = validate_data(
            estimator,
            X,
            reset=reset,
            dtype=None,
            ensure_all_finite=False,
            ensure_min_samples=1 if reset else 0,
        )
        return as_frame(X)
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    return as_frame(X)


def score_values(estimator: BaseEstimator, X: Any) -> tuple[pd.DataFrame, dict[str, Values]]:
    """A frame to be scored, aligned, and its columns as the encoder reads them."""
    frame = score_frame(estimator, X)
    encoder: Encoder = estimator.__dict__["encoder_"]
    kinds = {column.name: column.kind for column in encoder.columns}
    return frame, read_frame(frame, [kinds[name] for name in frame.columns])


def read_scores(y: Any, bounds: tuple[float, float] | None) -> NDArray[np.float64]:
    """The scores to learn from.

    Raises
    ------
    DataError
        Missing, infinite or out-of-scale scores, and what is not a number.
    UsageError
        Bounds the wrong way round.
    """
    if y is None:
        raise DataError("This estimator requires y to be passed, but the target y is None.")
    scores = column_or_1d(_numeric(y), warn=True)
    bad = ~np.isfinite(scores)
    if bad.any():
        kind = "NaN" if np.isnan(scores).any() else "infinity"
        raise DataError(
            f"y: Input contains {kind}: {int(bad.sum())} of {len(scores)} scores are "
            "missing or infinite.",
            count=int(bad.sum()),
        )
    if bounds is not None:
        low, high = read_bounds(bounds)
        out = np.flatnonzero((scores < low) | (scores > high))
        if out.size:
            raise DataError(
                f"y: {out.size} scores outside {low:g} to {high:g} "
                f"(row {out[0] + 1}: {scores[out[0]]:g}).",
                hint="Bring the scores to the scale, or give the scale as bounds.",
                count=int(out.size),
                row=int(out[0]) + 1,
            )
    return scores


def read_bounds(bounds: Any) -> tuple[float, float]:
    """The ends of a scale.

    Raises
    ------
    UsageError
        If they are not two finite numbers, the lesser first.

    Examples
    --------
    >>> read_bounds((1, 5))
    (1.0, 5.0)
    """
    try:
        low, high = (float(end) for end in bounds)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if not (np.isfinite([low, high]).all() and low < high):
        raise UsageError(f"bounds is {bounds!r}; low below high was expected, as (0, 100).")
    return low, high


def _numeric(y: Any) -> NDArray[np.float64]:
    array = np.asarray(y)
    if np.iscomplexobj(array):
        raise DataError("y: Complex data not supported.")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"y: scores must be numbers ({error}).") from error


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The rows to learn from, in their canonical order.

    Attributes
    ----------
    values : dict of str to Values
        m rows each; emptied by encoding.
    y, weight : array of float64, shape (m,)
    group : array of int64, shape (m,)
    place : array of int64, shape (n,)
        Where each of the caller's rows went; -1 where its weight is 0.
    """

    values: dict[str, Values]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    group: NDArray[np.int64]
    place: NDArray[np.int64]

    def back(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of the ordered rows, at the caller's rows; NaN where the weight is 0."""
        return np.where(self.place >= 0, values[self.place], np.nan)


def draw_sample(
    frame: pd.DataFrame, y: NDArray[np.float64], sample_weight: Any, groups: Any
) -> Sample:
    """Read the columns, and put the rows in their canonical order.

    Raises
    ------
    DataError
        Other lengths, negative weights, weights that are all 0, missing groups.
    """
    if len(y) != len(frame):
        raise DataError(
            f"Found input variables with inconsistent numbers of samples: [{len(frame)}, {len(y)}]"
        )
    weight = _check_sample_weight(
        sample_weight, np.empty((len(frame), 1)), dtype=np.float64, ensure_non_negative=True
    )
    if not (weight > 0).any():
        raise DataError("sample_weight is zero for every row; some must be above 0.")
    weight = _scaled(weight)
    labels = None if groups is None else _check_groups(groups, len(frame))
    values = read_frame(frame, [None] * frame.shape[1])
    rows = order_rows(content_hash(values, y), weight, labels)
    # One column at a time, so that a large table is never held twice.
    for name in list(values):
        values[name] = values[name].take(rows.take)
    return Sample(
        values=values, y=y[rows.take], weight=rows.weight, group=rows.group, place=rows.place
    )


def _scaled(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights with a mean of 1 over the rows that count, unless they are whole numbers.

    A whole number says how often a row was met.
    """
    if (weight == np.round(weight)).all():
        return weight
    return weight / weight[weight > 0].mean()


def _check_groups(groups: Any, rows: int) -> NDArray[Any]:
    labels = np.asarray(pd.Series(groups))
    if len(labels) != rows:
        raise DataError(f"groups has {len(labels)} values for {rows} rows.")
    lost = int(pd.isna(labels).sum())
    if lost:
        raise DataError(f"groups has {lost} missing values.", count=lost)
    return labels


def matrix_signs(monotone: Mapping[str, int] | None, encoder: Encoder) -> NDArray[np.int64] | None:
    """Monotone directions by matrix column, None where none is asked.

    Raises
    ------
    UsageError
        Unknown columns, categories, and directions other than -1, 0 and 1.
    """
    if not monotone:
        return None
    kinds = {column.name: column.kind for column in encoder.columns}
    for name, sign in monotone.items():
        if name not in kinds:
            raise UsageError(f"monotone: column {name!r} is not among the columns of X.")
        if kinds[name] != "number" and sign:
            raise UsageError(f"monotone: column {name!r} is a category; only numbers have one.")
        if sign not in (-1, 0, 1):
            raise UsageError(f"monotone: {name!r} is {sign!r}; -1, 0 or 1 was expected.")
    by_column = np.array([monotone.get(column.name, 0) for column in encoder.columns], np.int64)
    return by_column[encoder.owners]
