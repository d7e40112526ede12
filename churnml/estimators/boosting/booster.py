"""A bag of LightGBM boosters, each stopped early on the fold it has not seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from churnml.estimators.boosting.ridge import Loss
from churnml.estimators.explanation.treeshap import PACK_NODES

_OBJECTIVES: dict[Loss, str] = {"logistic": "binary", "squared": "regression"}
_METRICS: dict[Loss, str] = {"logistic": "binary_logloss", "squared": "l2"}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of every booster of a bag.

    Attributes
    ----------
    loss : {"logistic", "squared"}
    num_leaves : tuple of int
        Taken in turn, one for each repeat of the folds.
    learning_rate : float
    max_rounds : int
    patience : int
        Rounds without a better loss on the fold left out before growing stops.
    min_leaf : int
        Rows a leaf holds at least.
    l2 : float
    column_share, row_share : float
        Drawn anew for every tree.
    monotone : tuple of int
        +1, -1 or 0 for each matrix column; empty for none.
    """

    loss: Loss
    num_leaves: tuple[int, ...]
    learning_rate: float
    max_rounds: int
    patience: int
    min_leaf: int
    l2: float = 5.0
    column_share: float = 0.5
    row_share: float = 0.8
    monotone: tuple[int, ...] = ()

    def params(self, *, leaves: int, seed: int) -> dict[str, Any]:
        """LightGBM's parameters for one booster."""
        given: dict[str, Any] = {
            "objective": _OBJECTIVES[self.loss],
            "metric": _METRICS[self.loss],
            "boost_from_average": False,
            "num_leaves": leaves,
            # Contribution tables hold all answers along a path.
            "max_depth": PACK_NODES,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.min_leaf,
            "min_sum_hessian_in_leaf": 1e-3,
            "lambda_l2": self.l2,
            "feature_fraction": self.column_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,
            "seed": seed,
            "deterministic": True,
            "force_col_wise": True,
            "feature_pre_filter": False,
            # Enough to place 255 cuts; the sample is held in double precision.
            "bin_construct_sample_cnt": 50_000,
            "num_threads": 1,
            "verbosity": -1,
        }
        if any(self.monotone):
            given["monotone_constraints"] = list(self.monotone)
            given["monotone_constraints_method"] = "intermediate"
        return given


def make_dataset(
    matrix: NDArray[np.float32],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    recipe: Recipe,
) -> lgb.Dataset:
    """The binned matrix that all boosters of a bag share.

    Columns are called ``f0001`` and so on: LightGBM refuses or mangles many names.
    """
    names = [f"f{at + 1:04d}" for at in range(matrix.shape[1])]
    params = recipe.params(leaves=recipe.num_leaves[0], seed=0)
    whole = lgb.Dataset(
        matrix,
        label=y,
        weight=weight,
        feature_name=names,
        params=params,
        free_raw_data=False,
    )
    return whole.construct()


def grow(
    whole: lgb.Dataset,
    inside: NDArray[np.int64],
    outside: NDArray[np.int64],
    start: NDArray[np.float64],
    recipe: Recipe,
    *,
    leaves: int,
    seed: int,
    losses: list[float] | None = None,
) -> str:
    """Grow one booster on the rows ``inside``, stopped by its loss on those ``outside``.

    Parameters
    ----------
    whole : Dataset
    inside, outside : array of int64
        Row positions, ascending. Without any outside all rounds are grown.
    start : array of float64, shape (n,)
        The score that every row starts from.
    recipe : Recipe
    leaves, seed : int
    losses : list of float, optional
        Gets the loss on ``outside`` after each round, up to the best one.

    Returns
    -------
    str
        The model text, cut at the best round.
    """
    params = recipe.params(leaves=leaves, seed=seed)
    train = whole.subset(inside.tolist(), params=params).construct()
    train.set_init_score(start[inside])
    watched: list[lgb.Dataset] = []
    callbacks = []
    if outside.size:
        held = whole.subset(outside.tolist(), params=params).construct()
        held.set_init_score(start[outside])
        watched.append(held)
        callbacks.append(lgb.early_stopping(recipe.patience, verbose=False))
    evals: dict[str, dict[str, list[float]]] = {}
    if watched and losses is not None:
        callbacks.append(lgb.record_evaluation(evals))
    booster = lgb.engine.train(
        params, train, recipe.max_rounds, valid_sets=watched, callbacks=callbacks
    )
    best = booster.best_iteration if outside.size else booster.current_iteration()
    if losses is not None:
        losses += [float(value) for one in evals.values() for value in one[_METRICS[recipe.loss]]][
            :best
        ]
    return model_text(booster, best)


def model_text(booster: lgb.Booster, rounds: int) -> str:
    """A booster's text without what prediction does not need.

    The block of parameters tells the number of threads, so that the same model would have
    other bytes on another machine; the ranges of the columns are single customers' values.
    """
    text = booster.model_to_string(num_iteration=rounds, importance_type="gain")
    head, _, rest = text.partition("\nparameters:\n")
    tail = rest.partition("end of parameters\n")[2]
    unsaid = "feature_infos=" + " ".join(["none"] * booster.num_feature())
    return re.sub("^feature_infos=.*$", unsaid, head, count=1, flags=re.M) + "\n" + tail


def load(texts: Sequence[str]) -> list[lgb.Booster]:
    """Load boosters from texts."""
    return [lgb.Booster(model_str=text) for text in texts]
