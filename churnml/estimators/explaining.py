"""Contributions of a whole bag: its trees and its line, by the caller's own columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.estimators.bag import Bag
from churnml.estimators.contributions import build_tables
from churnml.estimators.encoding import Encoder


class Explainer:
    """Exact contributions to a bag's raw score.

    Parameters
    ----------
    bag : Bag

    Attributes
    ----------
    base : float
        The mean raw score; a linear term counts from its training mean, which is 0.
    """

    def __init__(self, bag: Bag) -> None:
        self._bag = bag
        self._tables = build_tables(bag.texts, len(bag.scaling.mean))
        weights = bag.line.weights
        self._holes = {
            at: (weights[len(bag.scaling.mean) + extra], share)
            for extra, (at, share) in enumerate(
                zip(bag.scaling.holes, bag.scaling.hole_shares, strict=True)
            )
        }
        expected = sum(weight * share for weight, share in self._holes.values())
        self.base = self._tables.base + bag.line.intercept + float(expected)

    def contributions(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Contributions by matrix column, shape (n, columns)."""
        out = self._tables.contributions(matrix)
        for at, weight in enumerate(self._bag.line.weights[: matrix.shape[1]]):
            if weight:
                out[:, at] += weight * self._bag.scaling.term(matrix, at)
        for at, (weight, share) in self._holes.items():
            out[:, at] += weight * (np.isnan(matrix[:, at]) - share)
        return out


def column_sums(
    contributions: NDArray[np.float64], encoder: Encoder, names: list[str]
) -> pd.DataFrame:
    """Contributions of matrix columns added up by the caller's columns, in their order."""
    sums = np.zeros((contributions.shape[0], len(encoder.columns)), order="F")
    for at, owner in enumerate(encoder.owners):
        sums[:, owner] += contributions[:, at]
    place = {column.name: at for at, column in enumerate(encoder.columns)}
    found: dict[str, Any] = {name: sums[:, place[name]] for name in names}
    return pd.DataFrame(found)
