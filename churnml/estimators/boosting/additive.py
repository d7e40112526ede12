"""Piecewise-linear terms of single columns, and the additive scores built from them.

A linear score sees a column as a straight line. Here it also sees its normal scores, which
bring long tails in, and hinges at four of its quantiles, which bend. All of them are
piecewise linear in the column, so any weighted sum is one piecewise-linear function a
column: that is all that a fitted model keeps, and its contributions can be read off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Richness = Literal["lines", "scores", "hinges"]
RICHNESS: tuple[Richness, ...] = ("hinges", "scores", "lines")
_HINGES = (0.2, 0.4, 0.6, 0.8)
_SCORE_KNOTS = 33
_TAIL = 0.005


@dataclass(frozen=True, kw_only=True)
class Term:
    """One standardised term: a function of a matrix column, 0 where it is missing.

    Attributes
    ----------
    at : int
        The matrix column.
    knots, values : array of float64, shape (k,)
        Between knots interpolated, beyond them constant. No knots: the term is 1 where
        the column is missing, less its mean, divided by its spread.
    lost : float
        The term's value where the column is missing.
    rises : bool
        Whether the term rises with the column, and so has the sign of its weight.
    """

    at: int
    knots: NDArray[np.float64]
    values: NDArray[np.float64]
    lost: float
    rises: bool = True

    def of(self, column: NDArray[np.float32]) -> NDArray[np.float64]:
        """The term for every row."""
        return np.where(np.isnan(column), self.lost, np.interp(column, self.knots, self.values))


def fit_terms(matrix: NDArray[np.float32], richness: Richness) -> list[Term]:
    """Learn the terms of all columns from a training matrix, without its target.

    Tails beyond the 0.5th and 99.5th percentile are clipped: one customer who spends a
    thousand times the usual must not bend the line for all others, nor be written into it.
    A column that hardly ever differs from one value has no term: that is for the trees.
    """
    return [
        term
        for at in range(matrix.shape[1])
        for term in _column_terms(at, matrix[:, at].astype(np.float64), richness)
    ]


def count_terms(matrix: NDArray[np.float32], richness: Richness) -> int:
    """The maximum number of terms."""
    each = {"lines": 1, "scores": 2, "hinges": 2 + len(_HINGES)}[richness]
    several = sum(np.unique(matrix[:1000, at]).size > 2 for at in range(matrix.shape[1]))
    return int(several * each + matrix.shape[1] - several)


def _column_terms(at: int, column: NDArray[np.float64], richness: Richness) -> Iterator[Term]:
    lost = np.isnan(column)
    known = column[~lost]
    if known.size == 0:
        return
    if lost.mean() > _TAIL:
        share = float(lost.mean())
        spread = (share * (1 - share)) ** 0.5
        flat = np.full(1, -share / spread)
        yield Term(at=at, knots=np.zeros(1), values=flat, lost=(1 - share) / spread, rises=False)
    low, high = np.quantile(known, [_TAIL, 1 - _TAIL])
    if low == high and np.unique(known).size == 2:
        low, high = known.min(), known.max()
    if low == high:
        return
    pieces = [np.array([low, high])]
    curves = [np.array([low, high])]
    if np.unique(known).size > 2:
        if richness != "lines":
            knots, scores = _normal_scores(known)
            pieces.append(knots)
            curves.append(scores)
        if richness == "hinges":
            for bend in np.unique(np.quantile(known, _HINGES)):
                if low < bend < high:
                    pieces.append(np.array([bend, high]))
                    curves.append(np.array([0.0, high - bend]))
    for knots, values in zip(pieces, curves, strict=True):
        raw = np.interp(known, knots, values)
        # A missing value counts as the mean.
        spread = float(raw.std()) * (1 - lost.mean()) ** 0.5
        if spread > 1e-9 * float(np.abs(values).max()):
            yield Term(at=at, knots=knots, values=(values - raw.mean()) / spread, lost=0.0)


def _normal_scores(
    known: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    shares = np.clip(np.linspace(0, 1, _SCORE_KNOTS), _TAIL, 1 - _TAIL)
    knots = np.unique(np.quantile(known, shares))
    ordered = np.sort(known)
    left = np.searchsorted(ordered, knots, side="left")
    right = np.searchsorted(ordered, knots, side="right")
    edge = 0.5 / known.size
    return knots, ndtri(np.clip((left + right) / 2 / known.size, edge, 1 - edge))


def design(terms: Sequence[Term], matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """All terms for all rows, shape (n, terms), by columns in memory."""
    out = np.empty((matrix.shape[0], len(terms)), order="F")
    for place, term in enumerate(terms):
        out[:, place] = term.of(matrix[:, term.at])
    return out


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One column's contribution to a linear score, a piecewise-linear function.

    Attributes
    ----------
    at : int
        The matrix column.
    knots, values : list of float
        Beyond the knots constant.
    lost : float
        Where the column is missing.
    """

    at: int
    knots: list[float]
    values: list[float]
    lost: float

    def of(self, column: NDArray[np.float32]) -> NDArray[np.float64]:
        """The contribution of every row; its training mean is 0."""
        return np.where(np.isnan(column), self.lost, np.interp(column, self.knots, self.values))


@dataclass(frozen=True)
class Shapes:
    """A linear score: an intercept and one shape a column.

    Attributes
    ----------
    intercept : float
    shapes : list of Shape
    """

    intercept: float
    shapes: list[Shape]

    def score(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """The score of every row, added up column by column."""
        total = np.full(matrix.shape[0], self.intercept)
        for shape in self.shapes:
            total += shape.of(matrix[:, shape.at])
        return total

    def to_state(self) -> dict[str, Any]:
        """Plain data that :meth:`from_state` reads."""
        return {"intercept": self.intercept, "shapes": [vars(shape) for shape in self.shapes]}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Shapes:
        """The score of :meth:`to_state`."""
        return cls(float(state["intercept"]), [Shape(**shape) for shape in state["shapes"]])


def add_up(terms: Sequence[Term], intercept: float, weights: NDArray[np.float64]) -> Shapes:
    """Turn weighted terms into shapes."""
    by_column: dict[int, list[tuple[Term, float]]] = {}
    for term, weight in zip(terms, weights, strict=True):
        if weight:
            by_column.setdefault(term.at, []).append((term, float(weight)))
    return Shapes(intercept, [_sum(at, some) for at, some in sorted(by_column.items())])


def _sum(at: int, some: Sequence[tuple[Term, float]]) -> Shape:
    knots = np.unique(np.concatenate([term.knots for term, _ in some]))
    values = sum(weight * np.interp(knots, term.knots, term.values) for term, weight in some)
    lost = sum(weight * term.lost for term, weight in some)
    return Shape(at=at, knots=knots.tolist(), values=np.asarray(values).tolist(), lost=float(lost))
