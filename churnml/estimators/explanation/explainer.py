"""Contributions of a whole bag, trees and shapes, by input column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.estimators.boosting.bag import Bag
from churnml.estimators.encoding.encoder import Encoder
from churnml.estimators.explanation.treeshap import build_tables


class Explainer:
    """Exact contributions to a bag's raw score.

    Parameters
    ----------
    bag : Bag
    columns : int
        Matrix columns.

    Attributes
    ----------
    base : float
        The mean raw score; a shape counts from its training mean, which is 0.
    """

    def __init__(self, bag: Bag, columns: int) -> None:
        self._shapes = bag.shapes
        self._tables = build_tables(bag.texts, columns)
        self.base = self._tables.base + bag.shapes.intercept

    def contributions(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Contributions by matrix column, shape (n, columns)."""
        out = self._tables.contributions(matrix)
        for shape in self._shapes.shapes:
            out[:, shape.at] += shape.of(matrix[:, shape.at])
        return out


def column_sums(
    contributions: NDArray[np.float64], encoder: Encoder, names: list[str]
) -> pd.DataFrame:
    """Contributions of matrix columns added up by the caller's columns, in their order."""
    sums = np.zeros((contributions.shape[0], len(encoder.columns)), order="F")
    for at, owner in enumerate(encoder.owners):
        sums[:, owner] += contributions[:, at]
    place = {column.name: at for at, column in enumerate(encoder.columns)}
    totals: dict[str, Any] = {name: sums[:, place[name]] for name in names}
    return pd.DataFrame(totals)
