"""The kinds of customers for whom a new model must not be worse: brands and tiers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ELDERLY = "senior"
"""The brand of the elderly (老年), which is looked at first."""

COLUMNS = {
    "lifecycle_brand": "brand",
    "tier_individual_now": "card",
    "tier_group_now": "group tier",
}
"""The features that tell a customer's kind, and what to call each."""


@dataclass(frozen=True)
class Slice:
    """Customers of one kind.

    Attributes
    ----------
    name : str
        For example ``brand senior``.
    rows : array of int64
        Their places.
    """

    name: str
    rows: NDArray[np.int64]


def slices(X: pd.DataFrame) -> list[Slice]:
    """Every brand, individual tier and group tier among some rows, the elderly first.

    Parameters
    ----------
    X : DataFrame, shape (n, k)
        Operator features; a kind whose feature is absent is passed over.

    Returns
    -------
    list of Slice
        Rows whose brand or tier is missing are in none of that kind.

    Examples
    --------
    >>> rows = pd.DataFrame({"lifecycle_brand": ["mzone", "senior", None, "mzone"]})
    >>> [(one.name, one.rows.tolist()) for one in slices(rows)]
    [('brand senior', [1]), ('brand mzone', [0, 3])]
    """
    found = []
    for column, kind in COLUMNS.items():
        if column not in X:
            continue
        values = X[column].astype("object")
        levels = sorted({str(value) for value in values[values.notna()]})
        levels.sort(key=lambda level: level != ELDERLY)
        found += [
            Slice(f"{kind} {level}", np.flatnonzero((values == level).to_numpy(bool)))
            for level in levels
        ]
    return found
