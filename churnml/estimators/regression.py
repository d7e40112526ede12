"""One regression line on standardised columns: what boosting is measured against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.estimators.bag import Training, choose_penalty
from churnml.estimators.columns import align, as_frame, read_frame
from churnml.estimators.encoding import Encoder, fit_encoder
from churnml.estimators.inputs import draw_sample
from churnml.estimators.linear import Loss, fit_lines
from churnml.estimators.rows import assign_folds
from churnml.estimators.shapes import Shapes, add_up, design, fit_terms

_MOST_ROWS = 100_000
_FOLDS = 5


@dataclass(frozen=True)
class RegressionLine:
    """A logistic or ridge regression, its penalty chosen over group-wise folds.

    Attributes
    ----------
    encoder : Encoder
    shapes : Shapes
        One straight line a column.
    """

    encoder: Encoder
    shapes: Shapes

    @classmethod
    def fit(
        cls,
        X: Any,
        y: ArrayLike,
        *,
        loss: Loss,
        groups: ArrayLike | None = None,
        seed: int = 0,
    ) -> Self:
        """Learn from at most 100,000 of the rows, the same ones every time.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
        y : array of float, shape (n,)
            0 and 1 for the logistic loss.
        loss : {"logistic", "squared"}
        groups : array, shape (n,), optional
        seed : int
        """
        sample = draw_sample(as_frame(X), np.asarray(y, np.float64), None, groups)
        if len(sample.y) > _MOST_ROWS:
            # Rows stand in the order of a hash, so the first ones are a random sample.
            first = np.arange(_MOST_ROWS)
            values = {name: column.take(first) for name, column in sample.values.items()}
            kept = sample.y[first], sample.weight[first]
            _, group = np.unique(sample.group[first], return_inverse=True)
            sample = replace(sample, values=values, y=kept[0], weight=kept[1], group=group)
        count = int(sample.group.max()) + 1
        rank = np.random.default_rng(seed).permutation(count)[sample.group]
        encoder, matrix = fit_encoder(sample.values, sample.y, sample.weight, rank)
        terms = fit_terms(matrix, "lines")
        values_of = design(terms, matrix)
        fold = assign_folds(sample.y, sample.group, folds=min(_FOLDS, count), seed=seed)
        data = Training(matrix, sample.y, sample.weight, sample.group)
        penalty = choose_penalty(values_of, data, fold, loss, None)
        (line,) = fit_lines(values_of, sample.y, sample.weight, loss=loss, penalties=(penalty,))
        return cls(encoder, add_up(terms, line.intercept, line.weights))

    def score(self, X: Any) -> NDArray[np.float64]:
        """Log-odds, or scores in the target's unit, shape (n,)."""
        frame = align(as_frame(X), [column.name for column in self.encoder.columns])
        values = read_frame(frame, [column.kind for column in self.encoder.columns])
        return self.shapes.score(self.encoder.matrix(values))
