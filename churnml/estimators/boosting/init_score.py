"""The initial score of boosting: the base rate, or a ridge score with a cross-validated penalty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churnml.estimators.boosting.additive import Term
from churnml.estimators.boosting.ridge import PENALTIES, Line, Loss, fit_lines

_LINE_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Training:
    """The training data of a bag.

    Attributes
    ----------
    matrix : array of float32, shape (m, k)
    y, weight : array of float64, shape (m,)
    group : array of int64, shape (m,)
    signs : array of int64, shape (k,), or None
        Monotone directions of the matrix columns.
    """

    matrix: NDArray[np.float32]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    group: NDArray[np.int64]
    signs: NDArray[np.int64] | None = None


def choose_penalty(
    values: NDArray[np.float64],
    data: Training,
    fold: NDArray[np.int64],
    loss: Loss,
    signs: NDArray[np.int64] | None,
) -> float:
    """Choose the ridge penalty with the smallest cross-validated loss."""
    total = np.zeros(len(PENALTIES))
    for one in np.unique(fold):
        inside, outside = np.flatnonzero(fold != one)[:_LINE_ROWS], np.flatnonzero(fold == one)
        if inside.size == 0:
            return PENALTIES[0]
        lines = fit_lines(
            values[inside],
            data.y[inside],
            data.weight[inside],
            loss=loss,
            penalties=PENALTIES,
            signs=signs,
            steps=3,
        )
        for at, line in enumerate(lines):
            score = line.score(values[outside])
            total[at] += raw_loss(loss, data.y[outside], score, data.weight[outside])
    return PENALTIES[int(np.argmin(total))]


def raw_loss(
    loss: Loss, y: NDArray[np.float64], score: NDArray[np.float64], weight: NDArray[np.float64]
) -> float:
    """The summed loss of raw scores."""
    if loss == "squared":
        return float(weight @ (y - score) ** 2)
    return float(weight @ (np.logaddexp(0, score) - y * score))


def start_line(
    values: NDArray[np.float64],
    data: Training,
    inside: NDArray[np.int64],
    loss: Loss,
    penalty: float | None,
    signs: NDArray[np.int64] | None,
) -> Line:
    """The line that the rows ``inside`` give; without a penalty their mean alone."""
    y, weight = data.y[inside], data.weight[inside]
    if penalty is None:
        mean = float(np.average(y, weights=weight))
        return Line(_logit(mean) if loss == "logistic" else mean, np.zeros(values.shape[1]))
    some = inside[:_LINE_ROWS]
    (line,) = fit_lines(
        values[some],
        data.y[some],
        data.weight[some],
        loss=loss,
        penalties=(penalty,),
        signs=signs,
    )
    return line


def _logit(rate: float) -> float:
    clipped = min(max(rate, 1e-6), 1 - 1e-6)
    return float(np.log(clipped / (1 - clipped)))


def term_signs(terms: Sequence[Term], signs: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """Monotone directions of the terms, from those of the matrix columns."""
    if signs is None:
        return None
    return np.array([signs[term.at] if term.rises else 0 for term in terms], np.int64)
