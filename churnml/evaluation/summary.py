"""The test results as plain data, stored in the bundle and shown by the model card.

Counts and measures of many customers only; kinds with fewer than `FEWEST` rows are left out,
so that nothing in it is anybody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.base.tasks import TASKS, TaskName
from churnml.evaluation.evaluate import EVALUATORS, Evaluator
from churnml.evaluation.segments import segments
from churnml.evaluation.slices import Slice
from churnml.metrics import Estimate

FEWEST = 50
"""Rows that a kind of customers must have to be told."""

_DRAWS = 100
_GROUPS = 10


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Test rows with predictions and outcomes.

    Attributes
    ----------
    task : {"churn", "satisfaction"}
    X : DataFrame, shape (n, k)
    y, scores : array, shape (n,)
    customers : array, shape (n,)
        Whose row each is.
    regions : array, shape (n,), optional
        The region of each row's customer.
    """

    task: TaskName
    X: pd.DataFrame
    y: NDArray[np.float64]
    scores: NDArray[np.float64]
    customers: NDArray[Any]
    regions: ArrayLike | None = None

    @property
    def evaluator(self) -> Evaluator:
        """How its task is evaluated."""
        return EVALUATORS[TASKS[self.task].measured_as]


def evidence(
    outcome: Predictions,
    *,
    metrics: Mapping[str, Estimate],
    baselines: Mapping[str, Mapping[str, Estimate]],
    importance: Mapping[str, float],
    rows: Mapping[str, int],
    dates: Mapping[str, Sequence[str]],
    notes: Sequence[str],
) -> dict[str, Any]:
    """Summarise a training for the model card.

    Parameters
    ----------
    outcome : Predictions
    metrics : mapping of str to Estimate
    baselines : mapping of str to mapping of str to Estimate
    importance : mapping of str to float
        Mean absolute contribution by column.
    rows, dates : mapping
        Of ``train``, ``test`` and ``all``.
    notes : sequence of str

    Returns
    -------
    dict
        ``metrics`` and ``baselines`` (value, low and high of the headline measures),
        ``slices``, ``reliability``, ``importance``, ``rows``, ``dates``, ``notes``; only
        what JSON can hold.
    """
    task = outcome.task
    return {
        "metrics": _headline(task, metrics),
        "baselines": {name: _headline(task, baseline) for name, baseline in baselines.items()},
        "slices": slices(outcome),
        "reliability": calibration(outcome),
        "importance": {name: float(value) for name, value in importance.items()},
        "rows": dict(rows),
        "dates": {name: list(days) for name, days in dates.items()},
        "notes": list(notes),
    }


def _headline(task: TaskName, estimates: Mapping[str, Estimate]) -> dict[str, list[float | None]]:
    return {name: _plain(estimates[name]) for name in TASKS[task].headline if name in estimates}


def _plain(estimate: Estimate) -> list[float | None]:
    return [
        float(end) if math.isfinite(end) else None
        for end in (estimate.value, estimate.low, estimate.high)
    ]


def calibration(outcome: Predictions) -> list[dict[str, float]]:
    """Mean scores against outcomes, in ten groups of equal size, lowest scores first.

    Returns
    -------
    list of dict
        ``rows``, ``predicted``, ``observed`` and its 95 % interval over customers: ``low``,
        ``high``.
    """
    measure = outcome.evaluator.reliability
    bins = measure(outcome.y, outcome.scores, outcome.customers, bins=_GROUPS)
    return [one.to_dict() for one in bins]


def slices(outcome: Predictions) -> list[dict[str, Any]]:
    """Test results by customer segment, as far as known.

    Returns
    -------
    list of dict
        ``by`` and ``is`` name the slice; ``rows``; ``observed`` (``None`` where it would give
        away fewer than 10) and ``predicted`` means;
        ``metrics`` as in `evidence`, empty where too few left; ``worse`` and ``off``:
        whether it is significantly worse than the others, or its mean prediction off.
    """
    all_slices = outcome.evaluator.slices(
        segments(outcome.X, outcome.regions),
        outcome.y,
        outcome.scores,
        outcome.customers,
        draws=_DRAWS,
    )
    shown = [one for one in all_slices if one.rows >= FEWEST]
    return [_slice_record(one) for one in sorted(shown, key=lambda one: (one.column, one.value))]


def _slice_record(one: Slice) -> dict[str, Any]:
    return {
        "by": one.column,
        "is": one.value,
        "rows": one.rows,
        "observed": None if one.hidden else one.happened,
        "predicted": one.told,
        "metrics": {name: _plain(estimate) for name, estimate in one.metrics.items()},
        "worse": one.worse,
        "off": one.off,
    }
