"""Validate the arrays given to metrics: labels, scores, weights, groups, intervals.

Each function gives back arrays that fit each other, or says what was found, how often and
where, and what was expected. What runs once a draw is handed such arrays and looks no more.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.errors import DataError
from churnml.metrics.check_options import check_pair_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FEW = 50


def numbers(name: str, values: ArrayLike) -> Floats:
    """Values of any shape as float64, the missing as NaN.

    Raises
    ------
    DataError
        Text, dates, rows of several lengths.

    Examples
    --------
    >>> numbers("scores", [1, None])
    array([ 1., nan])
    """
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        return values
    try:
        given = np.asarray(values)
        text = given.dtype.kind == "O" and pd.api.types.infer_dtype(given.ravel()) == "string"
        if given.dtype.kind in "biufO" and not text:
            return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        given = np.asarray(values, dtype=object)
    examples = _examples(given.ravel()[:1_000])
    raise DataError(
        f"the {name} are not numbers: {examples}; numbers were expected.",
        value=examples,
        expected="float",
    )


def check_labels(y: ArrayLike) -> Floats:
    """Labels of 0 and 1, of any shape.

    Raises
    ------
    DataError
        Text, other numbers, missing ones.

    Examples
    --------
    >>> check_labels([True, False])
    array([1., 0.])
    """
    try:
        labels = numbers("labels", y)
    except DataError as error:
        raise _no_labels(np.asarray(y, dtype=object).ravel()[:1_000]) from error
    strange = ~((labels == 0) | (labels == 1))
    if strange.any():
        examples = _examples(labels[strange][:1_000])
        raise DataError(
            f"y holds {examples} in {int(strange.sum()):,} of {labels.size:,} rows; "
            "0 and 1 were expected.",
            count=int(strange.sum()),
            value=examples,
            expected="0 or 1",
        )
    return labels


def _no_labels(values: NDArray[np.object_]) -> DataError:
    texts = sorted({one for one in values if isinstance(one, str)})
    shown = _examples(texts or values)
    return DataError(
        f"the labels are {'text' if texts else 'not numbers'} ({shown}); 0 and 1 were expected.",
        hint=f"y == {texts[-1]!r} makes them, where that says who left." if texts else None,
        value=shown,
        expected="0 or 1",
    )


def check_binary(y: ArrayLike, score: ArrayLike, *, name: str = "scores") -> tuple[Floats, Floats]:
    """Labels of 0 and 1 and finite scores, shape (n,) both, at least one.

    Raises
    ------
    DataError
        For anything else.

    Examples
    --------
    >>> check_binary([0, 1], [0.2, 3])
    (array([0., 1.]), array([0.2, 3. ]))
    """
    return check_pair(check_labels(y), score, name=name)


def check_pair(
    y: ArrayLike, values: ArrayLike, *, name: str = "predictions"
) -> tuple[Floats, Floats]:
    """Finite numbers and others to compare them with, shape (n,) both, at least one.

    Raises
    ------
    DataError
        For anything else.

    Examples
    --------
    >>> check_pair([60, 80], [70, 75])
    (array([60., 80.]), array([70., 75.]))
    """
    first, second = numbers("scores", y), numbers(name, values)
    _same_rows(first, name, second)
    return _finite("scores", first), _finite(name, second)


def check_answers(y: ArrayLike) -> Floats:
    """Satisfaction from 0 to 100, shape (n,), at least one.

    Raises
    ------
    DataError
        Scores outside; and more than 50 of which none exceeds 10, an answer from 0 to 10.

    Examples
    --------
    >>> check_answers([60, 100])
    array([ 60., 100.])
    """
    scores, _ = check_pair(y, y)
    refuse(
        (scores < 0) | (scores > 100),
        scores,
        "satisfaction scores lie outside 0 to 100",
        hint="Bring them to 0 to 100 before they are learnt from or measured.",
    )
    if scores.size > _FEW and scores.max() <= 10:
        raise DataError(
            f"all {scores.size:,} satisfaction scores lie between {scores.min():g} and "
            f"{scores.max():g}: these look like answers from 0 to 10; 0 to 100 was expected.",
            hint="Multiply the scores, and their predictions, by 10.",
            count=scores.size,
            expected="0 to 100",
        )
    return scores


def check_interval(interval: tuple[ArrayLike, ArrayLike], rows: int) -> tuple[Floats, Floats]:
    """Low and high ends, finite, shape (rows,) each.

    Raises
    ------
    UsageError
        If there are not two of them.
    DataError
        If they are not numbers, or not one for each row.

    Examples
    --------
    >>> check_interval(([50], [70]), 1)
    (array([50.]), array([70.]))
    """
    check_pair_of("interval", interval, "(low, high)")
    every = np.zeros(rows)
    low, high = (
        check_pair(every, end, name=name)[1]
        for name, end in zip(("low ends", "high ends"), interval, strict=True)
    )
    return low, high


def check_weight(weight: ArrayLike | None, rows: int) -> Floats | None:
    """One weight for each row, not all of them 0; None where none are given.

    Raises
    ------
    DataError
        As `row_weights`, and where all are 0.

    Examples
    --------
    >>> check_weight([1, 0], 2)
    array([1., 0.])
    """
    if weight is None:
        return None
    given = row_weights(weight, rows)
    if not given.any():
        raise DataError(
            f"all {rows:,} weights are 0; at least one above 0 was expected.",
            count=rows,
            expected="one above 0",
        )
    return given


def row_weights(weight: ArrayLike, rows: int) -> Floats:
    """Finite weights of at least 0, shape (rows,); cheap enough for every draw.

    Raises
    ------
    DataError
        For anything else.

    Examples
    --------
    >>> row_weights([0, 0], 2)
    array([0., 0.])
    """
    given = numbers("weights", weight)
    if given.shape != (rows,):
        raise DataError(
            f"the weights have shape {given.shape}; ({rows},) was expected, one for each row.",
            hint="weight.ravel() has one dimension." if given.size == rows else None,
            expected=f"({rows},)",
        )
    # A NaN is neither.
    if not (given.min(initial=0) >= 0 and given.max(initial=0) < np.inf):
        refuse(
            ~((given >= 0) & (given < np.inf)),
            given,
            "weights are negative, missing or infinite",
            expected="finite numbers of 0 or more",
        )
    return given


def check_groups(groups: ArrayLike | None, rows: int) -> Ints | None:
    """The number of each row's customer, from 0 on, shape (rows,); None where none are given.

    Raises
    ------
    DataError
        Other lengths, missing customers.

    Examples
    --------
    >>> check_groups(["b", "a", "b"], 3)
    array([0, 1, 0])
    """
    if groups is None:
        return None
    given = _customers(groups)
    if given.shape != (rows,):
        raise DataError(
            f"groups has shape {given.shape}, y {rows:,} rows; one customer a row was expected.",
            hint="Without groups every row is a customer of its own.",
            expected=f"({rows},)",
        )
    return number_groups(given)[0]


def number_groups(groups: ArrayLike) -> tuple[Ints, int]:
    """The number of each row's customer, from 0 on, and how many there are.

    Raises
    ------
    DataError
        No rows, missing customers.

    Examples
    --------
    >>> number_groups(["b", "a", "b"])
    (array([0, 1, 0]), 2)
    """
    given = _customers(groups)
    if given.ndim != 1:
        raise DataError(f"groups has shape {given.shape}; one customer a row was expected.")
    codes, names = pd.factorize(given)
    if codes.size == 0:
        raise DataError("there are no rows to evaluate.")
    lost = int((codes < 0).sum())
    if lost:
        raise DataError(
            f"groups misses the customer of {lost:,} of {codes.size:,} rows, such as row "
            f"{int(np.argmin(codes))}; one customer a row was expected.",
            hint="Drop these rows, or give each a customer of its own.",
            count=lost,
            row=int(np.argmin(codes)),
        )
    return codes.astype(np.int64, copy=False), len(names)


def _customers(groups: ArrayLike) -> NDArray[Any]:
    try:
        return np.asarray(groups)
    except ValueError as error:
        raise DataError(
            "groups holds lists of several lengths; one customer a row was expected."
        ) from error


def refuse(
    wrong: NDArray[np.bool_],
    values: Floats,
    what: str,
    *,
    expected: str = "",
    hint: str | None = None,
) -> None:
    """Raise `DataError` where rows are wrong: how many, and the first of them.

    Examples
    --------
    >>> values = np.array([0.5, 1.5])
    >>> refuse(values > 1, values, "probabilities lie outside 0 to 1")
    Traceback (most recent call last):
    churnml.errors.DataError: 1 probabilities lie outside 0 to 1, such as 1.5 in row 1.
    """
    count = int(wrong.sum())
    if not count:
        return
    row = int(np.argmax(wrong))
    raise DataError(
        f"{count:,} {what}, such as {values[row]:g} in row {row}"
        + (f"; {expected} were expected." if expected else "."),
        hint=hint,
        count=count,
        row=row,
        value=f"{values[row]:g}",
        expected=expected or None,
    )


def _same_rows(first: Floats, name: str, second: Floats) -> None:
    if first.shape != second.shape or first.ndim != 1:
        raise DataError(
            f"y has shape {first.shape}, the {name} {second.shape}; one of each a row was "
            "expected.",
            hint=_one_column(first, name, second),
        )
    if not first.size:
        raise DataError("there are no rows to evaluate.", count=0)


def _one_column(first: Floats, name: str, second: Floats) -> str | None:
    if second.ndim == 2 and second.shape[1] == 2:
        return "Of a classifier take the second column: predict_proba(X)[:, 1]."
    for whose, one in (("y", first), (f"the {name}", second)):
        if one.ndim == 2 and one.shape[1] == 1:
            return f"Take the one column of {whose}: [:, 0]."
    return None


def _finite(name: str, values: Floats) -> Floats:
    # The sum of finite numbers is finite, but for the largest there are.
    if not np.isfinite(values.sum()):
        lost = ~np.isfinite(values)
        refuse(lost, values, f"{name} are missing or infinite", expected="finite numbers")
    return values


def _examples(values: Iterable[Any]) -> str:
    """The first five that differ, as they would be written."""
    plain = (one.item() if isinstance(one, np.generic) else one for one in values)
    examples = dict.fromkeys(reprlib.repr(one) for one in plain)
    return ", ".join(list(examples)[:5])
