"""Diagnose a model in words.

A finding is reported only where it is significant and large enough to matter: a sound model
gets none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.base.tasks import TASKS, TITLES
from churnml.metrics import satisfaction
from churnml.metrics.bootstrap import Estimate
from churnml.metrics.calibration import check_probabilities
from churnml.metrics.check_arrays import check_answers, check_groups, check_pair
from churnml.metrics.intervals import normal_quantile
from churnml.metrics.significance import (
    auc_influence,
    below_zero,
    mean_influence,
    standard_error,
)
from churnml.metrics.univariate import columns_alone

Floats = NDArray[np.float64]
Metrics = Mapping[str, Estimate]

SLOPES = (0.9, 1.1)
"""Slopes between these are no complaint."""
COVERAGE = (0.87, 0.93)
"""Coverages of a 90 % interval between these are no complaint."""

_SHIFT = 0.1
_POINTS = 1.0
_SURE = 0.001


@dataclass(frozen=True, kw_only=True)
class _Leaks:
    """The thresholds for suspecting leakage, in the task's measure of skill.

    ``column`` for one column alone, ``model`` for a model; ``strong`` for a model that is
    ``ahead`` of a regression by so much: trees beat a line, but hardly by as much where both
    read what was known.
    """

    column: float
    model: float
    strong: float
    ahead: float


_LEAKS = {
    "churn": _Leaks(column=0.93, model=0.95, strong=0.9, ahead=0.12),
    "satisfaction": _Leaks(column=0.8, model=0.9, strong=0.6, ahead=0.3),
}


@dataclass(frozen=True)
class Finding:
    """One problem of a model.

    Attributes
    ----------
    code : str
        For programs: ``leak``, ``over_confident``, ...
    message : str
        For people, with the figures that say so.
    column : str
        The column to blame, where there is one.
    """

    code: str
    message: str
    column: str = ""

    def to_dict(self) -> dict[str, str]:
        """The finding as plain data."""
        return {"code": self.code, "message": self.message, "column": self.column}


def diagnose_churn(
    y: ArrayLike,
    p: ArrayLike,
    metrics: Metrics,
    groups: ArrayLike | None = None,
    *,
    regression: ArrayLike | None = None,
    truth: ArrayLike | None = None,
    X: pd.DataFrame | None = None,
) -> list[Finding]:
    """Diagnose churn probabilities.

    Parameters
    ----------
    y : array, shape (n,)
        1 for those who left.
    p : array, shape (n,)
        Their probabilities.
    metrics : mapping of str to Estimate
        Of `churn_metrics` on the same rows.
    groups : array, shape (n,), optional
        The customer of each row; else every row is one.
    regression : array, shape (n,), optional
        What a plain regression says of the same rows.
    truth : array, shape (n,), optional
        The true probabilities, which nothing honest outdoes.
    X : DataFrame, shape (n, k), optional
        What the model read, to name the column that leaks.

    Returns
    -------
    list of Finding
        Empty where nothing is wrong.

    Examples
    --------
    >>> from churnml.metrics import churn_metrics
    >>> random = np.random.default_rng(0)
    >>> truth = random.beta(1, 6, 4000)
    >>> y = random.random(4000) < truth
    >>> diagnose_churn(y, truth, churn_metrics(y, truth, draws=50))
    []
    >>> shuffled = random.permutation(truth)
    >>> [one.code for one in diagnose_churn(y, shuffled, churn_metrics(y, shuffled, draws=50))]
    ['no_better_than_chance']
    """
    labels, chances = check_probabilities(y, p)
    customers = _numbers(groups, labels.size)
    area = metrics["auc"]
    if np.isnan(area.value):
        return [Finding("one_outcome", "Only one outcome occurs: nothing can be said.")]
    same = np.ptp(chances) == 0
    findings = [_constant(f"the probability {chances[0]:.1%}")] if same else []
    findings += [] if same else _ranking(area, "AUC", 0.5)
    if not findings:
        findings += _worse_than_regression(labels, chances, regression, customers)
        findings += _confidence(metrics.get("calibration_slope"))
    findings += _shift(labels, chances, metrics.get("calibration_in_the_large"))
    findings += _beyond_truth(labels, chances, truth, customers)
    plain = None if regression is None else auc_influence(labels, regression)[0]
    return findings + _leak("churn", area, X, labels, groups, plain=plain, told=_codes(findings))


def diagnose_satisfaction(
    y: ArrayLike,
    prediction: ArrayLike,
    metrics: Metrics,
    groups: ArrayLike | None = None,
    *,
    regression: ArrayLike | None = None,
    truth: ArrayLike | None = None,
    X: pd.DataFrame | None = None,
) -> list[Finding]:
    """Diagnose satisfaction predictions; parameters as in `diagnose_churn`.

    ``metrics`` are those of `satisfaction_metrics`; with ``interval_coverage`` among them
    the intervals, held to be 90 % ones, are judged too.
    """
    scores, predicted = check_pair(check_answers(y), prediction)
    customers = _numbers(groups, scores.size)
    if regression is not None:
        regression = check_pair(scores, regression, name="regression")[1]
    if truth is not None:
        truth = check_pair(scores, truth, name="truth")[1]
    order = metrics["spearman"]
    if np.isnan(order.value):
        if np.ptp(scores) == 0:
            return [Finding("one_outcome", "All answers are the same: nothing can be said.")]
        return [_constant(f"{predicted[0]:.1f} points"), *_bias(scores, predicted, customers)]
    findings = list(_ranking(order, "rank correlation", 0.0))
    if not findings:
        findings += _larger_error(scores, predicted, regression, customers)
        findings += _spread(scores, predicted, customers)
    findings += _bias(scores, predicted, customers)
    findings += _coverage(metrics.get("interval_coverage"))
    findings += _closer_than_truth(scores, predicted, truth, customers)
    plain = None if regression is None else satisfaction.r2(scores, regression)
    reached = metrics["r2"]
    return findings + _leak(
        "satisfaction", reached, X, scores, groups, plain=plain, told=_codes(findings)
    )


def _codes(findings: list[Finding]) -> set[str]:
    return {one.code for one in findings}


def _numbers(groups: ArrayLike | None, rows: int) -> NDArray[np.int64]:
    named = check_groups(groups, rows)
    return np.arange(rows) if named is None else named


def _constant(what: str) -> Finding:
    return Finding("constant", f"Everybody is given {what}: customers are not distinguished.")


def _ranking(estimate: Estimate, name: str, chance: float) -> Iterator[Finding]:
    if estimate.high < chance:
        yield Finding(
            "worse_than_chance",
            f"Ranks in the wrong order: {name} {estimate}, {chance} for chance. Its scores may "
            "stand for the opposite outcome.",
        )
    elif estimate.low <= chance:
        yield Finding(
            "no_better_than_chance",
            f"Ranks no better than chance: {name} {estimate}, {chance} for chance. Scores and "
            "customers may have been mixed up.",
        )


def _worse_than_regression(
    y: Floats, p: Floats, regression: ArrayLike | None, customers: NDArray[np.int64]
) -> Iterator[Finding]:
    if regression is None:
        return
    (own, moved), (plain, back) = auc_influence(y, p), auc_influence(y, regression)
    if below_zero(own - plain, standard_error(moved - back, customers)) < 0.025:
        yield Finding(
            "worse_than_regression",
            f"Ranks worse than a plain regression: AUC {own:.3f} against {plain:.3f}.",
        )


def _confidence(slope: Estimate | None) -> Iterator[Finding]:
    if slope is None:
        return
    if slope.high < SLOPES[0]:
        yield Finding(
            "over_confident",
            f"Over-confident: calibration slope {slope}, 1 expected. High probabilities are "
            "too high and low ones too low.",
        )
    elif slope.low > SLOPES[1]:
        yield Finding(
            "under_confident",
            f"Under-confident: calibration slope {slope}, 1 expected. Its probabilities lie "
            "too near to each other.",
        )


def _shift(y: Floats, p: Floats, gap: Estimate | None) -> Iterator[Finding]:
    if gap is None or gap.low <= 0 <= gap.high:
        return
    predicted, happened = float(p.mean()), float(y.mean())
    nearest = min(abs(gap.low), abs(gap.high))
    if nearest > _SHIFT * predicted:
        word = "low" if happened > predicted else "high"
        yield Finding(
            f"too_{word}",
            f"Probabilities are too {word} altogether: {predicted:.1%} on average, "
            f"{happened:.1%} left.",
        )


def _beyond_truth(
    y: Floats, p: Floats, truth: ArrayLike | None, customers: NDArray[np.int64]
) -> Iterator[Finding]:
    if truth is None:
        return
    (own, moved), (best, back) = auc_influence(y, p), auc_influence(y, truth)
    if below_zero(best - own, standard_error(moved - back, customers)) < _SURE:
        yield _too_good(f"AUC {own:.3f}, while the true probabilities reach {best:.3f}")


def _closer_than_truth(
    y: Floats, predicted: Floats, truth: ArrayLike | None, customers: NDArray[np.int64]
) -> Iterator[Finding]:
    if truth is None:
        return
    ideal = np.asarray(truth, np.float64)
    less, moved = mean_influence((y - predicted) ** 2 - (y - ideal) ** 2)
    if below_zero(less, standard_error(moved, customers)) < _SURE:
        own, best = satisfaction.r2(y, predicted), satisfaction.r2(y, ideal)
        yield _too_good(f"R² {own:.3f}, while the true satisfaction reaches {best:.3f}")


def _too_good(figures: str) -> Finding:
    return Finding(
        "too_good",
        f"Knows more than can be known: {figures}. A column leaks the outcome, or the model "
        "was trained on these rows.",
    )


def _larger_error(
    y: Floats, predicted: Floats, regression: ArrayLike | None, customers: NDArray[np.int64]
) -> Iterator[Finding]:
    if regression is None:
        return
    plain = np.asarray(regression, np.float64)
    less, moved = mean_influence((y - plain) ** 2 - (y - predicted) ** 2)
    if below_zero(less, standard_error(moved, customers)) < 0.025:
        own, other = satisfaction.r2(y, predicted), satisfaction.r2(y, plain)
        yield Finding(
            "worse_than_regression",
            f"Predicts worse than a plain regression: R² {own:.3f} against {other:.3f}.",
        )


def _spread(y: Floats, predicted: Floats, customers: NDArray[np.int64]) -> Iterator[Finding]:
    """Check the slope of answers on predictions: below 1 where predictions are too extreme."""
    centred = predicted - predicted.mean()
    variance = float(np.mean(centred**2))
    slope = float(np.mean(centred * y)) / variance
    moved = centred * (y - y.mean() - slope * centred) / variance / y.size
    error = normal_quantile() * standard_error(moved, customers)
    figures = f"an answer rises by {slope:.2f} where its prediction rises by 1"
    if slope + error < SLOPES[0]:
        yield Finding("over_confident", f"Over-confident: {figures}.")
    elif slope - error > SLOPES[1]:
        yield Finding("under_confident", f"Under-confident: {figures}.")


def _bias(y: Floats, predicted: Floats, customers: NDArray[np.int64]) -> Iterator[Finding]:
    gap, moved = mean_influence(y - predicted)
    if abs(gap) - normal_quantile() * standard_error(moved, customers) > _POINTS:
        word = "low" if gap > 0 else "high"
        yield Finding(
            f"too_{word}",
            f"Predictions are too {word} altogether: {predicted.mean():.1f} points on average, "
            f"{y.mean():.1f} answered.",
        )


def _coverage(estimate: Estimate | None) -> Iterator[Finding]:
    if estimate is None or (estimate.high >= COVERAGE[0] and estimate.low <= COVERAGE[1]):
        return
    word = "narrow" if estimate.value < COVERAGE[0] else "wide"
    yield Finding(
        "interval_coverage", f"Intervals are too {word}: they cover {estimate}, 0.9 expected."
    )


def _leak(
    task: str,
    reached: Estimate,
    X: pd.DataFrame | None,
    y: Floats,
    groups: ArrayLike | None,
    *,
    plain: float | None,
    told: set[str],
) -> list[Finding]:
    """Find columns that predict too well alone; else warn if the model is implausibly good.

    ``plain`` is what a regression reaches.
    """
    name, leaks = TITLES[TASKS[task].skill], _LEAKS[task]
    alone = {} if X is None else columns_alone(task, X, y, groups)
    found = [
        Finding(
            "leak",
            f"A leak is suspected: {column!r} alone nearly decides the outcome "
            f"({name} {value:.3f}). Was it known at the time?",
            column,
        )
        for column, value in list(alone.items())[:3]
        if value >= leaks.column
    ]
    if found or "too_good" in told:
        return found
    ahead = plain is not None and reached.low > max(leaks.strong, plain + leaks.ahead)
    if reached.low > leaks.model or ahead:
        against = f", where a regression reaches {plain:.3f}" if ahead else ""
        found.append(
            Finding(
                "too_good",
                f"Too good to be true: {name} {reached}{against}. Look for a column that tells "
                "the outcome, or for rows that it was trained on.",
            )
        )
    return found
