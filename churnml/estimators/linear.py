"""Ridge scores, linear or logistic, on standardised columns: where boosting may start.

Most of what telecom tables hold about churn is nearly linear in the log-odds. Trees that
start from a ridge score need not rebuild a slope out of steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit
from threadpoolctl import threadpool_limits

Loss = Literal["logistic", "squared"]
_NEWTON_STEPS = 12


@dataclass(frozen=True)
class Scaling:
    """How matrix columns are made comparable: clipped, centred, divided; missing is 0.

    Attributes
    ----------
    low, high, mean, spread : list of float
        One a matrix column. ``spread`` is 1 where a column does not vary.
    holes : list of int
        The matrix columns whose being missing is a term of its own.
    hole_shares : list of float
        The share of rows where they were missing in training.
    """

    low: list[float]
    high: list[float]
    mean: list[float]
    spread: list[float]
    holes: list[int]
    hole_shares: list[float]

    def design(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """The terms of a linear score, shape (n, columns + holes)."""
        width = len(self.mean)
        out = np.empty((matrix.shape[0], width + len(self.holes)), order="F")
        for at in range(width):
            out[:, at] = self.term(matrix, at)
        for extra, at in enumerate(self.holes):
            out[:, width + extra] = np.isnan(matrix[:, at])
        return out

    def term(self, matrix: NDArray[np.float32], at: int) -> NDArray[np.float64]:
        """One standardised column."""
        clipped = np.clip(matrix[:, at].astype(np.float64), self.low[at], self.high[at])
        scaled = (clipped - self.mean[at]) / self.spread[at]
        return np.where(np.isnan(scaled), 0.0, scaled)


def fit_scaling(matrix: NDArray[np.float32]) -> Scaling:
    """Learn the scaling of a training matrix.

    Tails beyond the 0.5th and 99.5th percentile are clipped: one customer who spends
    a thousand times the usual must not bend the line for all others. A column that
    is nearly constant between them keeps its whole range.
    """
    low, high, mean, spread, holes, shares = [], [], [], [], [], []
    for at in range(matrix.shape[1]):
        column = matrix[:, at].astype(np.float64)
        lost = np.isnan(column)
        known = column[~lost] if not lost.all() else np.zeros(1)
        bottom, top = np.quantile(known, [0.005, 0.995])
        if bottom == top:
            bottom, top = known.min(), known.max()
        known = np.clip(known, bottom, top)
        deviation = float(known.std())
        low.append(float(bottom))
        high.append(float(top))
        mean.append(float(known.mean()))
        spread.append(deviation if deviation > 1e-9 * max(abs(top), 1e-30) else 1.0)
        if 0.005 < lost.mean() < 1:
            holes.append(at)
            shares.append(float(lost.mean()))
    return Scaling(low, high, mean, spread, holes, shares)


@dataclass(frozen=True)
class Line:
    """A fitted linear score: ``intercept + design @ weights``.

    Attributes
    ----------
    intercept : float
    weights : array of float64, one a term
    """

    intercept: float
    weights: NDArray[np.float64]

    def score(self, design: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score of every row, added up term by term.

        A matrix product may round a row differently in company than alone.
        """
        total = np.full(design.shape[0], self.intercept)
        for at, weight in enumerate(self.weights):
            if weight:
                total += weight * design[:, at]
        return total


def fit_lines(
    design: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    loss: Loss,
    penalties: tuple[float, ...],
    signs: NDArray[np.int64] | None = None,
) -> list[Line]:
    """Ridge fits, one a penalty.

    Minimises the weighted loss plus half the penalty times the squared weights; the
    intercept is free.

    Parameters
    ----------
    design : array, shape (n, k)
    y : array of float64, shape (n,)
        0 and 1 for the logistic loss.
    weight : array of float64, shape (n,)
    loss : {"logistic", "squared"}
    penalties : tuple of float
        From the largest to the smallest: each fit starts from the last.
    signs : array of int, shape (k,), optional
        +1 or -1 where a weight must not have the other sign, 0 elsewhere. A term
        that would is left out.

    Returns
    -------
    list of Line
    """
    wide = np.column_stack([np.ones(len(y)), design])
    # One thread: sums of several threads differ in the last bits with their number.
    with threadpool_limits(limits=1, user_api="blas"):
        if signs is None or not signs.any():
            return _path(wide, y, weight, loss, penalties)
        return [_signed(wide, y, weight, loss, penalty, signs) for penalty in penalties]


def _path(
    wide: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    loss: Loss,
    penalties: tuple[float, ...],
) -> list[Line]:
    lines = []
    beta = np.zeros(wide.shape[1])
    for penalty in penalties:
        beta = _solve(wide, y, weight, loss, penalty, beta)
        lines.append(Line(float(beta[0]), beta[1:].copy()))
    return lines


def _signed(
    wide: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    loss: Loss,
    penalty: float,
    signs: NDArray[np.int64],
) -> Line:
    used = np.ones(wide.shape[1], bool)
    while True:
        beta = np.zeros(wide.shape[1])
        beta[used] = _solve(wide[:, used], y, weight, loss, penalty, beta[used])
        wrong = np.r_[False, beta[1:] * signs < 0]
        if not wrong.any():
            return Line(float(beta[0]), beta[1:])
        used &= ~wrong


def _solve(
    wide: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    loss: Loss,
    penalty: float,
    start: NDArray[np.float64],
) -> NDArray[np.float64]:
    ridge = np.full(wide.shape[1], penalty)
    ridge[0] = 1e-9
    if loss == "squared":
        gram = (wide.T * weight) @ wide + np.diag(ridge)
        return np.asarray(cho_solve(cho_factor(gram), wide.T @ (weight * y)))
    beta = start.copy()
    if not beta.any():
        rate = np.clip(np.average(y, weights=weight), 1e-6, 1 - 1e-6)
        beta[0] = np.log(rate / (1 - rate))
    for _ in range(_NEWTON_STEPS):
        chance = expit(wide @ beta)
        slope = wide.T @ (weight * (chance - y)) + ridge * beta
        bend = (wide.T * (weight * np.maximum(chance * (1 - chance), 1e-6))) @ wide
        step = cho_solve(cho_factor(bend + np.diag(ridge)), slope)
        beta -= np.clip(step, -4, 4)
        if np.abs(step).max() < 1e-6:
            break
    return beta


def line_state(line: Line) -> dict[str, Any]:
    """Plain data of a line."""
    return {"intercept": line.intercept, "weights": [float(w) for w in line.weights]}


def line_from_state(state: dict[str, Any]) -> Line:
    """The line of :func:`line_state`."""
    return Line(float(state["intercept"]), np.array(state["weights"], np.float64))
