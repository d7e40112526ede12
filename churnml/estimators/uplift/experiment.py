"""The rows of an experiment: who was offered what, what came of it, and how likely that was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import column_or_1d

from churnml.errors import DataError, UsageError

CONTROL = -1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Rows to learn effects from.

    Attributes
    ----------
    matrix : array of float32, shape (m, k)
        Encoded columns.
    y : array, shape (m,)
        1 where the customer left.
    offer : array of int, shape (m,)
        The place of the row's offer in the list of offers; -1 for control.
    offers : int
        How many there are.
    weight : array, shape (m,)
    group : array of int, shape (m,)
        The customer, from 0.
    propensity : array, shape (m, offers + 1), optional
        Probability of each offer and, last, of control; None where it is to be learned.
    drivers : array of bool, shape (k,), optional
        The columns by which effects may differ; None for all.
    accepted : array, shape (m,), optional
        The share of these rows' offers that was accepted; None where it is not known.
    """

    matrix: NDArray[np.float32]
    y: Floats
    offer: Ints
    offers: int
    weight: Floats
    group: Ints
    propensity: Floats | None = None
    drivers: NDArray[np.bool_] | None = None
    accepted: Floats | None = None

    @property
    def control(self) -> NDArray[np.bool_]:
        """Which rows were offered nothing."""
        return self.offer == CONTROL


def read_outcome(y: ArrayLike) -> Floats:
    """The outcome as 0 and 1.

    Raises
    ------
    DataError
        What is missing, or neither 0 nor 1.

    Examples
    --------
    >>> read_outcome([True, False])
    array([1., 0.])
    """
    given = column_or_1d(y)
    lost = int(pd.isna(given).sum())
    if lost:
        raise DataError(f"y: {lost} of {len(given)} outcomes are missing.", count=lost)
    try:
        numbers = given.astype(np.float64)
    except (TypeError, ValueError):
        numbers = np.full(len(given), np.nan)
    wrong = ~np.isin(numbers, (0.0, 1.0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"y: {int(wrong.sum())} of {len(given)} outcomes are neither 0 nor 1, such as "
            f"{given[row]!r} in row {row}; 1 for who left and 0 for who stayed were expected.",
            count=int(wrong.sum()),
            row=row,
        )
    return numbers


def read_offers(offer: Any, rows: int) -> tuple[list[str], Ints]:
    """The names of the offers, sorted, and each row's place among them; -1 for control.

    Raises
    ------
    DataError
        Another number of rows; no offer at all, or no control.

    Examples
    --------
    >>> names, codes = read_offers(["rebate", None, "data"], 3)
    >>> names, codes.tolist()
    (['data', 'rebate'], [1, -1, 0])
    """
    if offer is None:
        raise UsageError(
            "offer is missing: the name of each row's offer was expected, null for control."
        )
    given = pd.Series(np.asarray(offer, dtype=object))
    if len(given) != rows:
        raise DataError(f"offer has {len(given)} values for {rows} rows.", count=len(given))
    empty = given.isna()
    names = sorted({str(name) for name in given[~empty]})
    place = {name: at for at, name in enumerate(names)}
    codes = np.array(
        [
            CONTROL if nothing else place[str(name)]
            for name, nothing in zip(given, empty, strict=True)
        ],
        np.int64,
    )
    if not names:
        raise DataError("offer: every row is control; rows with an offer were expected.", count=0)
    if not empty.any():
        raise DataError(
            "offer: no row is control; without customers who were offered nothing no effect "
            "can be told.",
            hint="Null (None, NaN) marks control.",
            count=0,
        )
    return names, codes


def read_propensity(propensity: Any, names: list[str], codes: Ints) -> Floats | None:
    """The known probability of each offer and, last, of control, for every row.

    Parameters
    ----------
    propensity : None, float, array, mapping or frame
        None: to be learned. One number, or one a row: the probability of any offer, shared
        among the offers as the rows have them. A mapping from offer to probability, or a
        frame of one column an offer: control has the rest.
    names : list of str
    codes : array of int, shape (n,)

    Raises
    ------
    DataError
        Probabilities that are missing, not above 0, or leave nothing to control.

    Examples
    --------
    >>> read_propensity({"a": 0.25, "b": 0.25}, ["a", "b"], np.array([0, -1]))
    array([[0.25, 0.25, 0.5 ],
           [0.25, 0.25, 0.5 ]])
    """
    if propensity is None:
        return None
    rows = len(codes)
    if isinstance(propensity, Mapping | pd.DataFrame):
        missing = [name for name in names if name not in propensity]
        if missing:
            raise DataError(
                f"propensity says nothing of the offer {missing[0]!r}; {', '.join(names)} were "
                "expected."
            )
        columns = [np.broadcast_to(np.asarray(propensity[name], float), rows) for name in names]
        treated = np.column_stack(columns)
    else:
        given = np.asarray(propensity, np.float64)
        if given.ndim == 2 and given.shape == (rows, len(names)):
            treated = given
        elif given.ndim in (0, 1) and given.shape in ((), (rows,)):
            share = np.bincount(codes[codes >= 0], minlength=len(names)) / (codes >= 0).sum()
            treated = np.broadcast_to(given, rows)[:, None] * share
        else:
            raise DataError(
                f"propensity has shape {given.shape}; one number, ({rows},) or "
                f"({rows}, {len(names)}) was expected."
            )
    known = np.column_stack([treated, 1 - treated.sum(axis=1)])
    wrong = ~(known > 1e-9).all(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"propensity: {int(wrong.sum())} of {rows} rows have a probability that is missing or "
            f"0, such as row {row}; each offer and control must be possible.",
            hint="Leave out rows that could have been treated in one way alone.",
            count=int(wrong.sum()),
            row=row,
        )
    return known
