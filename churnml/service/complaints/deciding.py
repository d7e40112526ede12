"""A classifier that is silent when unsure: calibrated, and bounded, on folds it has not seen."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from churnml.metrics.intervals import wilson

_FOLDS = 5

Floats = NDArray[np.float64]
Strings = NDArray[np.object_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Decider:
    """A classifier whose probabilities are calibrated, and how sure it must be.

    Attributes
    ----------
    model : LogisticRegression
    temperature : float
        Its scores are divided by this.
    thresholds : mapping of str to float
        The least probability at which a label is given; a label that is never right often
        enough is not in it.
    """

    model: LogisticRegression
    temperature: float
    thresholds: Mapping[str, float]

    def decide(self, grams: Any) -> tuple[Strings, Floats]:
        """The label of each row, ``None`` where it is unsure, and its probability."""
        chances = softmax(_scores(self.model, grams) / self.temperature, axis=1)
        best = chances.argmax(axis=1)
        labels = self.model.classes_[best].astype(object)
        sure = chances[np.arange(len(best)), best]
        least = np.array([self.thresholds.get(label, np.inf) for label in labels])
        labels[sure < least] = None
        return labels, sure


def fold_of(text: str) -> int:
    """The fold of a text: equal texts fall into one."""
    return zlib.crc32(text.encode()) % _FOLDS


def learn_decider(
    matrix: Any, labels: Strings, fold: NDArray[Any], *, learnt: set[str], precision: float
) -> Decider | None:
    """A classifier of the learnt labels, calibrated and bounded on folds it has not seen.

    The rows of other labels are no part of it, but count as mistakes where it gives them one.
    """
    if len(learnt) < 2:
        return None
    ours = np.isin(labels, list(learnt))
    classes = np.array(sorted(learnt))
    scores = np.zeros((len(labels), len(classes)))
    for part in range(_FOLDS):
        seen, held = ours & (fold != part), fold == part
        if not held.any():
            continue
        if len(set(labels[seen])) < 2:
            return None
        model = _fitted(matrix[seen], labels[seen])
        columns = np.searchsorted(classes, model.classes_)
        scores[held] = -50.0
        scores[np.ix_(held, columns)] = _scores(model, matrix[held])
    temperature = _temperature(scores[ours], np.searchsorted(classes, labels[ours].astype(str)))
    chances = softmax(scores / temperature, axis=1)
    best = chances.argmax(axis=1)
    sure = chances[np.arange(len(best)), best]
    right = classes[best] == labels.astype(str)
    thresholds = {}
    for at, label in enumerate(classes):
        given = best == at
        least = least_sure(sure[given], right[given], precision)
        if least is not None:
            thresholds[str(label)] = least
    model = _fitted(matrix[ours], labels[ours])
    return Decider(model=model, temperature=temperature, thresholds=thresholds)


def _fitted(matrix: Any, labels: Strings) -> LogisticRegression:
    with warnings.catch_warnings():
        # One that stops early is judged by the same folds.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=10.0, max_iter=200, tol=1e-3).fit(matrix, labels.astype(str))


def _scores(model: LogisticRegression, matrix: Any) -> Floats:
    scores = model.decision_function(matrix)
    return np.column_stack([np.zeros(len(scores)), scores]) if scores.ndim == 1 else scores


def _temperature(scores: Floats, truth: NDArray[np.int64]) -> float:
    """What the scores are divided by for their probabilities to be right on average.

    References
    ----------
    Guo et al. (2017), "On calibration of modern neural networks", ICML.
    """
    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        found = log_softmax(scores / np.exp(log_temperature), axis=1)
        return -float(found[rows, truth].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))


def least_sure(sure: Floats, right: NDArray[np.bool_], precision: float) -> float | None:
    """The least probability from which on enough decisions are right.

    Parameters
    ----------
    sure : array
        The probability of each decision.
    right : array of bool
    precision : float
        What the lower end of Wilson's 95 % interval must reach.

    Returns
    -------
    float or None
        None where no number of them does.

    Examples
    --------
    >>> sure = np.linspace(0.5, 1.0, 101)
    >>> round(least_sure(sure, sure > 0.6, 0.95), 3)
    0.605
    >>> least_sure(sure[:50], sure[:50] > 0, 0.95) is None
    True
    """
    order = np.argsort(-sure, kind="stable")
    count = np.arange(1.0, len(order) + 1)
    share = np.cumsum(right[order]) / count
    low, _high = wilson(share, count) if len(order) else (np.zeros(0), None)
    # Decisions of one probability are taken together.
    last = np.append(np.diff(sure[order]) != 0, True)[: len(order)]
    enough = np.flatnonzero((low >= precision) & last)
    return float(sure[order][enough[-1]]) if len(enough) else None
