"""Prediction-powered means: what a survey's answers say, made sharper by predictions for everybody.

The population is finite and every customer's prediction is known, so that the mean prediction
carries no error of its own: all that varies is how far the answers lie from the predictions of
those who gave them (Angelopoulos et al. 2023, Science 382:669; the tuning is that of PPI++,
arXiv 2311.01453, with weights and over a finite population).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from churnml.metrics.intervals import LEVEL

Floats = NDArray[np.float64]

_CORRECTED_FROM = 0.05
"""From this share of the population on, the sample is no longer small beside it."""


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A mean with its error.

    Attributes
    ----------
    value : float
        In the unit of the answers.
    variance : float
        Of ``value``; NaN where a single answer, or a single cluster, gives none.
    freedom : float
        Degrees of freedom of the variance: one less than the answers or clusters.
    influence : Series
        How much each customer or cluster moves ``value``, by its name: their squares add up
        to the variance, and those of two surveys to their covariance.
    """

    value: float
    variance: float
    freedom: float
    influence: pd.Series

    def interval(self, low: float = 0.0, high: float = 100.0) -> tuple[float, float]:
        """The 95 % interval by Student's t, clipped to a scale."""
        if not np.isfinite(self.variance):
            return float("nan"), float("nan")
        half = float(student.ppf((1 + LEVEL) / 2, self.freedom)) * float(np.sqrt(self.variance))
        return max(self.value - half, low), min(self.value + half, high)


def weighted_mean(values: ArrayLike, weight: ArrayLike) -> float:
    """The weighted mean after Hájek: weights are divided by their sum.

    Examples
    --------
    >>> weighted_mean([80, 60], [1, 3])
    65.0
    """
    return float(np.average(np.asarray(values, np.float64), weights=np.asarray(weight)))


def tuning(answers: ArrayLike, predictions: ArrayLike, weight: ArrayLike) -> float:
    """How far predictions are to be trusted: 0 leaves them out, 1 takes them whole.

    The slope of the answers on the predictions that makes the error smallest, from 0 to 1.

    Parameters
    ----------
    answers, predictions, weight : array of float, shape (n,)

    Examples
    --------
    >>> tuning([50, 60, 70], [40, 60, 80], [1, 1, 1])
    0.5
    >>> tuning([50, 60, 70], [60, 60, 60], [1, 1, 1])
    0.0
    """
    y, f, w = (np.asarray(one, np.float64) for one in (answers, predictions, weight))
    about_y, about_f = y - weighted_mean(y, w), f - weighted_mean(f, w)
    spread = float(np.sum(w**2 * about_f**2))
    if spread <= 1e-12 * max(float(np.sum(w**2 * f**2)), 1e-300):
        return 0.0
    return float(np.clip(np.sum(w**2 * about_y * about_f) / spread, 0.0, 1.0))


def prediction_powered(
    answers: ArrayLike,
    predictions: ArrayLike,
    mean_prediction: float,
    *,
    weight: ArrayLike | None = None,
    tuned: float | None = None,
    clusters: ArrayLike | None = None,
    population: int | None = None,
) -> Mean:
    """The mean of everybody, from the answers of some and predictions for all.

    Parameters
    ----------
    answers : array of float, shape (n,)
    predictions : array of float, shape (n,)
        Of those who answered, by a model that has not seen their answers.
    mean_prediction : float
        Mean of the predictions over the whole population, those who answered included.
    weight : array of float, shape (n,), optional
        How many customers each answer stands for, up to a factor.
    tuned : float, optional
        From 0 to 1, as `tuning` gives it, which is the default. At 0 the weighted mean of
        the answers remains.
    clusters : array, shape (n,), optional
        Answers of one customer, or of one hall where halls were drawn, share a value.
    population : int, optional
        Customers. Where more than 5 % of them answered, the error is smaller by what is known
        already.

    Returns
    -------
    Mean

    Examples
    --------
    >>> y, f = [80, 60, 100, 90], [78, 66, 88, 84]
    >>> found = prediction_powered(y, f, 77.5, tuned=1.0)
    >>> round(found.value, 2), round(found.variance**0.5, 3)
    (81.0, 3.775)
    """
    y, f = np.asarray(answers, np.float64), np.asarray(predictions, np.float64)
    w = np.ones(y.size) if weight is None else np.asarray(weight, np.float64)
    trust = tuning(y, f, w) if tuned is None else tuned
    rest = y - trust * f
    left = weighted_mean(rest, w)
    names = np.arange(y.size) if clusters is None else np.asarray(clusters)
    moved = pd.Series(w * (rest - left) / w.sum(), index=names)
    if clusters is not None:
        moved = moved.groupby(level=0).sum()
    count = moved.size
    share = count / population if population else 0.0
    kept = max(1.0 - share, 0.0) if share > _CORRECTED_FROM else 1.0
    moved = moved * np.sqrt(kept * count / (count - 1)) if count > 1 else moved * np.nan
    return Mean(
        value=trust * mean_prediction + left,
        variance=float((moved**2).sum()) if count > 1 else float("nan"),
        freedom=float(count - 1),
        influence=moved,
    )


def explained(answers: ArrayLike, predictions: ArrayLike, tuned: float, weight: ArrayLike) -> float:
    """The share of the answers' variance that tuned predictions take away.

    Below 0 where they add to it.

    Examples
    --------
    >>> round(explained([50, 60, 70], [40, 60, 80], 0.5, [1, 1, 1]), 2)
    1.0
    """
    y, f = np.asarray(answers, np.float64), np.asarray(predictions, np.float64)
    whole = spread(y, weight)
    return 1 - spread(y - tuned * f, weight) / whole if whole > 0 else 0.0


def spread(values: ArrayLike, weight: ArrayLike) -> float:
    """The weighted variance of values.

    Examples
    --------
    >>> spread([50, 60, 70], [1, 1, 1])
    100.0
    """
    y, w = np.asarray(values, np.float64), np.asarray(weight, np.float64)
    if y.size < 2:
        return float("nan")
    return float(np.average((y - np.average(y, weights=w)) ** 2, weights=w)) * y.size / (y.size - 1)


def effective_answers(answers: int, customers: int, correlation: float) -> float:
    """How many answers without predictions would be worth as much (Broska et al. 2024).

    Parameters
    ----------
    answers : int
    customers : int
        With a prediction alone.
    correlation : float
        Of answers and predictions.

    Examples
    --------
    >>> round(effective_answers(913, 27_795, 0.3))
    1000
    """
    return answers * (answers + customers) / (answers + (1 - correlation**2) * customers)
