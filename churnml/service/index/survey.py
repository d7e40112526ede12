"""A survey as plain arrays: everybody with predictions, and who answered with weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WHOLE = ""
"""What the row of all customers bears as ``by`` and as ``cell``."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """One way to part the customers into cells.

    Attributes
    ----------
    codes : array of int, shape (N,)
        Of every customer, a place in ``names``.
    names : tuple of str
        Of the cells, in the order in which they are shown.
    """

    codes: NDArray[np.int32]
    names: tuple[str, ...]

    def counts(self) -> Ints:
        """Customers of each cell."""
        return np.bincount(self.codes, minlength=len(self.names))


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What an index is computed from.

    Attributes
    ----------
    predictions : array of float, shape (N,)
        Of every customer, 0 to 100; all alike where there are none.
    invited : array of int, shape (N,)
        Invitations of each customer.
    levels : mapping of str to Level
    place : array of int, shape (n,)
        Of each answer, the customer's place among all; answers of one customer share it.
    score : array of float, shape (n,)
    held_out : array of float, shape (n,)
        The prediction of the customer by a model that has not seen the answer.
    weight : array of float, shape (n,)
        How many customers each answer stands for; of several answers of a customer, its share.
    ids : array of str, shape (n,)
        The customer of each answer, to compare with other surveys.
    """

    predictions: Floats
    invited: Ints
    levels: Mapping[str, Level]
    place: Ints
    score: Floats
    held_out: Floats
    weight: Floats
    ids: NDArray[np.object_]

    @property
    def customers(self) -> int:
        """How many there are, whether or not they answered."""
        return self.predictions.size


def shares_of_customers(place: Ints) -> Floats:
    """One over the number of answers of each answer's customer.

    Examples
    --------
    >>> shares_of_customers(np.array([3, 5, 5])).tolist()
    [1.0, 0.5, 0.5]
    """
    counts = pd.Series(place).map(pd.Series(place).value_counts())
    return 1 / counts.to_numpy(np.float64)
