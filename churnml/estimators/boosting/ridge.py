"""Ridge fits, linear or logistic: where boosting may start.

Most of what telecom tables hold about churn is nearly additive in the log-odds. Trees that
start from a ridge score need not rebuild a slope out of steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

Loss = Literal["logistic", "squared"]
PENALTIES = (30000.0, 10000.0, 3000.0, 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0)
_TOLERANCE = 1e-4


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
        """The score of every row."""
        return np.asarray(self.intercept + design @ self.weights)


def fit_lines(
    design: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    loss: Loss,
    penalties: tuple[float, ...],
    signs: NDArray[np.int64] | None = None,
    steps: int = 12,
) -> list[Line]:
    """Ridge fits, one a penalty.

    Minimises the weighted loss (for the squared one: half of it, in units of the target's
    variance) plus half the penalty times the squared weights; the intercept is free.

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
    steps : int, default 12
        Newton steps at most; three tell good penalties from bad ones.

    Returns
    -------
    list of Line

    Examples
    --------
    >>> x = np.array([[-1.0], [0.0], [1.0]])
    >>> (line,) = fit_lines(x, np.array([1.0, 3.0, 5.0]), np.ones(3), loss="squared",
    ...                     penalties=(0.0,))
    >>> round(line.intercept, 4), line.weights.round(4)
    (3.0, array([2.]))
    """
    wide = np.column_stack([np.ones(len(y)), design])
    if signs is None or not signs.any():
        return _path(wide, y, weight, loss, penalties, steps)
    return [_signed(wide, y, weight, loss, penalty, signs, steps) for penalty in penalties]


def _path(
    wide: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    loss: Loss,
    penalties: tuple[float, ...],
    steps: int,
) -> list[Line]:
    if loss == "squared":
        return _squared(wide, y, weight, penalties)
    lines = []
    beta = np.zeros(wide.shape[1])
    for penalty in penalties:
        beta = _logistic(wide, y, weight, penalty, beta, steps)
        lines.append(Line(float(beta[0]), beta[1:].copy()))
    return lines


def _signed(
    wide: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    loss: Loss,
    penalty: float,
    signs: NDArray[np.int64],
    steps: int,
) -> Line:
    used = np.ones(wide.shape[1], bool)
    while True:
        (line,) = _path(wide[:, used], y, weight, loss, (penalty,), steps)
        weights = np.zeros(wide.shape[1] - 1)
        weights[used[1:]] = line.weights
        wrong = np.r_[False, weights * signs < 0]
        if not wrong.any():
            return Line(line.intercept, weights)
        used &= ~wrong


def _squared(
    wide: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    penalties: tuple[float, ...],
) -> list[Line]:
    gram = (wide.T * weight) @ wide
    moment = wide.T @ (weight * y)
    lines = []
    for penalty in penalties:
        beta = cho_solve(cho_factor(gram + np.diag(_ridge(wide, penalty))), moment)
        lines.append(Line(float(beta[0]), np.asarray(beta[1:])))
    return lines


def _ridge(wide: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
    # The tiny addend keeps equal columns solvable; the intercept's is tinier still.
    return np.r_[1e-9, np.full(wide.shape[1] - 1, penalty + 1e-6)]


def _logistic(
    wide: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    penalty: float,
    start: NDArray[np.float64],
    steps: int,
) -> NDArray[np.float64]:
    ridge = _ridge(wide, penalty)
    beta = start.copy()
    if not beta.any():
        rate = np.clip(np.average(y, weights=weight), 1e-6, 1 - 1e-6)
        beta[0] = np.log(rate / (1 - rate))
    for _ in range(steps):
        chance = expit(wide @ beta)
        slope = wide.T @ (weight * (chance - y)) + ridge * beta
        bend = (wide.T * (weight * np.maximum(chance * (1 - chance), 1e-6))) @ wide
        step = cho_solve(cho_factor(bend + np.diag(ridge)), slope)
        # From far off a full step may overshoot.
        beta -= step * min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < _TOLERANCE:
            break
    return beta
