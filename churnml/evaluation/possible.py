"""How much of what can be known a model knows, where the truth is known: in simulations."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from churnml.evaluation import satisfaction
from churnml.evaluation.calibration import check_probabilities
from churnml.evaluation.intervals import Estimate, Measure, bootstrap
from churnml.evaluation.ranking import Ranked


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
    """What the truth itself reaches on these rows, and the share of it that a model reaches.

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
        Churn: ``auc_of_truth``, ``auc_share`` (the model's AUC as a share of it) and
        ``auc_share_above_chance`` (of what both have above 0.5). Satisfaction:
        ``r2_of_truth``, ``r2_share``. Both on the same draws.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> truth = random.beta(1, 6, 4000)
    >>> y = random.random(4000) < truth
    >>> found = share_of_possible("churn", y, truth**2, truth, draws=20)
    >>> found["auc_share"].value
    1.0
    """
    rows = np.asarray(y).size
    measures = _areas(y, scores, truth) if task == "churn" else _shares(y, scores, truth)
    return bootstrap(measures, rows if groups is None else groups, draws=draws, seed=seed)


def _areas(y: ArrayLike, scores: ArrayLike, truth: ArrayLike) -> dict[str, Measure]:
    labels, _ = check_probabilities(y, truth)
    own, best = Ranked(labels, scores), Ranked(labels, truth)
    return {
        "auc_of_truth": best.auc,
        "auc_share": lambda weight: own.auc(weight) / best.auc(weight),
        "auc_share_above_chance": lambda weight: _part(
            own.auc(weight) - 0.5, best.auc(weight) - 0.5
        ),
    }


def _shares(y: ArrayLike, scores: ArrayLike, truth: ArrayLike) -> dict[str, Measure]:
    return {
        "r2_of_truth": lambda weight: satisfaction.r2(y, truth, weight),
        "r2_share": lambda weight: _part(
            satisfaction.r2(y, scores, weight), satisfaction.r2(y, truth, weight)
        ),
    }


def _part(own: float, best: float) -> float:
    return own / best if best > 0 else float("nan")
