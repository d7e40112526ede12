"""Small areas after Fay and Herriot (1979): cells with few answers lean on all cells together.

The estimate of each cell is its own mean drawn towards a regression over all cells, the more
the less its own answers can tell. How much cells truly differ (the between variance) is
estimated as R's package sae does (`eblupFH`, `mseFH`: Rao and Molina 2015, chapter 6), or
integrated over, so that cells never all read alike just because its estimate fell to 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Method = Literal["reml", "ml", "fh"]

_ROUNDS = 200
_POINTS = 80
_FAR = 4.0


@dataclass(frozen=True, kw_only=True)
class FayHerriot:
    """A fitted area model.

    Attributes
    ----------
    between : float
        Variance between areas that the regression leaves.
    beta, beta_error : array of float, shape (p,)
        Coefficients and their standard errors.
    estimate, mse : array of float, shape (m,)
        The areas' values (EBLUP) and their mean squared errors.
    log_likelihood, aic, bic : float
    """

    between: float
    beta: Floats
    beta_error: Floats
    estimate: Floats
    mse: Floats
    log_likelihood: float
    aic: float
    bic: float


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """Areas' values with the between variance integrated over.

    Attributes
    ----------
    estimate, variance : array of float, shape (m,)
    own : array of float, shape (m,)
        How much of each area's own mean is in its value, 0 to 1.
    between : float
        The between variance expected.
    """

    estimate: Floats
    variance: Floats
    own: Floats
    between: float


@dataclass(frozen=True, kw_only=True)
class _Fit:
    """Generalised least squares at one between variance."""

    precision: Floats
    cover: Floats
    beta: Floats
    residual: Floats


def _fit(between: float, y: Floats, variance: Floats, X: Floats) -> _Fit:
    precision = 1 / (between + variance)
    cover = np.asarray(np.linalg.inv((X * precision[:, None]).T @ X), np.float64)
    beta = cover @ (X.T @ (precision * y))
    return _Fit(precision=precision, cover=cover, beta=beta, residual=y - X @ beta)


def fay_herriot(
    direct: ArrayLike,
    variance: ArrayLike,
    X: ArrayLike,
    *,
    method: Method = "reml",
    tolerance: float = 1e-9,
) -> FayHerriot:
    """Fit the area model with the between variance estimated.

    Parameters
    ----------
    direct, variance : array of float, shape (m,)
        The areas' own means, and the variance of each.
    X : array of float, shape (m, p)
        What is known of each area; a column of ones is an intercept.
    method : {"reml", "ml", "fh"}
        Restricted or full likelihood, or Fay and Herriot's moments.
    tolerance : float, default 1e-9
        Relative change of the between variance at which its search ends.

    Returns
    -------
    FayHerriot

    Examples
    --------
    >>> found = fay_herriot([66, 75, 78, 80], [4, 9, 2, 6], np.ones((4, 1)))
    >>> bool(found.between > 0), bool(66 < found.estimate[0] < 75)
    (True, True)
    """
    y, D = np.asarray(direct, np.float64), np.asarray(variance, np.float64)
    x = np.asarray(X, np.float64)
    between = _between(y, D, x, method, tolerance)
    fit = _fit(between, y, D, x)
    shrunk = D * fit.precision
    m, p = x.shape
    likelihood = -0.5 * (
        m * np.log(2 * np.pi)
        - np.log(fit.precision).sum()
        + float(np.sum(fit.precision * fit.residual**2))
    )
    return FayHerriot(
        between=between,
        beta=fit.beta,
        beta_error=np.sqrt(np.diag(fit.cover)),
        estimate=x @ fit.beta + (1 - shrunk) * fit.residual,
        mse=_mse(fit, D, x, method),
        log_likelihood=float(likelihood),
        aic=float(-2 * likelihood + 2 * (p + 1)),
        bic=float(-2 * likelihood + np.log(m) * (p + 1)),
    )


def _between(y: Floats, D: Floats, x: Floats, method: Method, tolerance: float) -> float:
    step = _STEPS[method]
    between = float(np.median(D))
    for _round in range(_ROUNDS):
        moved = between + step(_fit(between, y, D, x), x)
        done = between == 0 or abs((moved - between) / between) <= tolerance
        # Beyond the least variance there is no covariance matrix to go on with.
        between = max(moved, -0.999 * float(D.min()))
        if done:
            break
    return max(between, 0.0)


def _restricted(fit: _Fit, x: Floats) -> float:
    projection = np.diag(fit.precision) - (
        (x * fit.precision[:, None]) @ fit.cover @ (x * fit.precision[:, None]).T
    )
    scaled = fit.precision * fit.residual
    score = -0.5 * np.trace(projection) + 0.5 * float(scaled @ scaled)
    return float(score / (0.5 * np.sum(projection * projection.T)))


def _full(fit: _Fit, x: Floats) -> float:
    scaled = fit.precision * fit.residual
    score = -0.5 * fit.precision.sum() + 0.5 * float(scaled @ scaled)
    return float(score / (0.5 * np.sum(fit.precision**2)))


def _moments(fit: _Fit, x: Floats) -> float:
    over = float(np.sum(fit.precision * fit.residual**2)) - (x.shape[0] - x.shape[1])
    return over / float(fit.precision.sum())


_STEPS: dict[Method, Callable[[_Fit, Floats], float]] = {
    "reml": _restricted,
    "ml": _full,
    "fh": _moments,
}


def _mse(fit: _Fit, D: Floats, x: Floats, method: Method) -> Floats:
    weight, squares = fit.precision, float(np.sum(fit.precision**2))
    shrunk = D * weight
    own = D * (1 - shrunk)
    regression = shrunk**2 * np.einsum("ij,jk,ik->i", x, fit.cover, x)
    m, total = x.shape[0], float(weight.sum())
    of_between = 2 * m / total**2 if method == "fh" else 2 / squares
    mse = own + regression + 2 * shrunk**2 * weight * of_between
    if method == "ml":
        curved = (x * (weight**2)[:, None]).T @ x
        bias = -float(np.trace(fit.cover @ curved)) / squares
        mse = mse - bias * shrunk**2
    if method == "fh":
        bias = 2 * (m * squares - total**2) / total**3
        mse = mse - bias * shrunk**2
    return np.asarray(mse)


def pool(direct: ArrayLike, variance: ArrayLike, X: ArrayLike, *, points: int = _POINTS) -> Pooled:
    """The areas' values with the between variance integrated over a grid.

    Its standard deviation is taken to be uniform beforehand (Gelman 2006); no likely value is
    left out.

    Parameters
    ----------
    direct, variance : array of float, shape (m,)
        Areas without an answer have an infinite variance; their own mean is not read.
    X : array of float, shape (m, p)
    points : int, default 80
        Of the grid.

    Returns
    -------
    Pooled

    Examples
    --------
    >>> found = pool([66, 75, 78, 80, np.nan], [4, 9, 2, 6, np.inf], np.ones((5, 1)))
    >>> float(found.own[-1]), bool(66 < found.estimate[0] < 75)
    (0.0, True)
    """
    D, x = np.asarray(variance, np.float64), np.asarray(X, np.float64)
    y = np.where(np.isfinite(D), np.asarray(direct, np.float64), 0.0)
    there = np.isfinite(D)
    usual = _fit(float(np.median(D[there])), y[there], D[there], x[there])
    freedom = max(int(there.sum()) - x.shape[1], 1)
    reach = _FAR * np.sqrt(max(float(np.sum(usual.residual**2)) / freedom, 1e-12))
    grid = np.linspace(0.0, reach, points) ** 2
    weights = np.empty(points)
    values = np.empty((points, y.size))
    errors, owns = np.empty_like(values), np.empty_like(values)
    for at, between in enumerate(grid):
        fit = _fit(between, y[there], D[there], x[there])
        _, size = np.linalg.slogdet(fit.cover)
        weights[at] = 0.5 * (
            size + np.log(fit.precision).sum() - float(np.sum(fit.precision * fit.residual**2))
        )
        own = np.where(there, between / (between + np.where(there, D, 1.0)), 0.0)
        mean = x @ fit.beta
        values[at] = mean + own * (y - mean)
        regression = np.einsum("ij,jk,ik->i", x, fit.cover, x)
        errors[at] = between * (1 - own) + (1 - own) ** 2 * regression
        owns[at] = own
    chance = np.exp(weights - weights.max())
    chance /= chance.sum()
    estimate = chance @ values
    return Pooled(
        estimate=estimate,
        variance=chance @ (errors + (values - estimate) ** 2),
        own=chance @ owns,
        between=float(chance @ grid),
    )
