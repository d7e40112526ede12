"""Compare a model with the true probabilities of a simulation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.base.tasks import of_task
from churnml.metrics import satisfaction
from churnml.metrics.bootstrap import Estimate, Measure, bootstrap
from churnml.metrics.calibration import check_probabilities
from churnml.metrics.check_arrays import check_groups
from churnml.metrics.ranking import Ranked

OLDER_NAME = "auc_share_above_chance"
"""Printed nowhere: it says what ``auc_share`` says."""


def share_of_possible(
    task: str,
    y: ArrayLike,
    scores: ArrayLike,
    truth: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    draws: int = 200,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Compute what the true probabilities reach, and the share of it that a model reaches.

    Parameters
    ----------
    task : {"churn", "satisfaction"}
    y : array, shape (n,)
        What happened.
    scores : array, shape (n,)
        The model's.
    truth : array, shape (n,)
        The true probabilities of leaving, or the true satisfaction.
    groups : array, shape (n,), optional
        The customer of each row; else every row is one.
    draws : int, default 200
    seed : int

    Returns
    -------
    dict of str to Estimate
        Churn: ``auc_of_truth`` and ``auc_share``, (AUC - 0.5) / (AUC of the truth - 0.5):
        who guesses has 0, who knows has 1. Satisfaction: ``r2_of_truth`` and ``r2_share``,
        a ratio, as R² itself starts at 0. Both on the same draws. ``OLDER_NAME`` is
        ``auc_share`` once more, for programs that read it.

    Raises
    ------
    DataError, UsageError
        Rows or customers that do not fit; another ``task``.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> truth = random.beta(1, 6, 4000)
    >>> y = random.random(4000) < truth
    >>> found = share_of_possible("churn", y, truth**2, truth, draws=20)
    >>> found["auc_share"].value
    1.0
    """
    measures = of_task(task, _MEASURES)(y, scores, truth)
    rows = np.asarray(y).size
    codes = check_groups(groups, rows)
    return bootstrap(measures, rows if codes is None else codes, draws=draws, seed=seed)


def _areas(y: ArrayLike, scores: ArrayLike, truth: ArrayLike) -> dict[str, Measure]:
    labels, _ = check_probabilities(y, truth, name="true probabilities")
    own, best = Ranked(labels, scores), Ranked(labels, truth)

    def above_chance(weight: NDArray[np.float64]) -> float:
        return _part(own.auc(weight) - 0.5, best.auc(weight) - 0.5)

    return {
        "auc_of_truth": best.auc,
        "auc_share": above_chance,
        OLDER_NAME: above_chance,
    }


def _shares(y: ArrayLike, scores: ArrayLike, truth: ArrayLike) -> dict[str, Measure]:
    own, best = satisfaction.r2_measure(y, scores), satisfaction.r2_measure(y, truth)
    return {
        "r2_of_truth": best,
        "r2_share": lambda weight: _part(own(weight), best(weight)),
    }


def _part(own: float, best: float) -> float:
    return own / best if best > 0 else float("nan")


_MEASURES = {"churn": _areas, "satisfaction": _shares}
