"""Settings of the boosters tried on folds, one booster a fold, without fitting a whole bag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone, is_classifier

from churnml.estimators.boosting.additive import design, fit_terms
from churnml.estimators.boosting.booster import Recipe, grow, load, make_dataset
from churnml.estimators.boosting.fit import Settings, first_recipe
from churnml.estimators.boosting.folds import assign_folds
from churnml.estimators.boosting.init_score import (
    Training,
    choose_penalty,
    raw_loss,
    start_line,
    term_signs,
)
from churnml.estimators.boosting.ridge import Loss
from churnml.estimators.boosting.schedule import affordable_richness, schedule
from churnml.estimators.churn import ChurnClassifier
from churnml.estimators.encoding.encoder import fit_encoder
from churnml.estimators.encoding.sample import draw_sample, fit_frame, matrix_signs
from churnml.estimators.satisfaction import SatisfactionRegressor

FOLDS = 5
# Folds other than those of the fit, so that no setting is chosen for the fit's own luck.
_OTHER_FOLDS = 5_003


@dataclass(frozen=True, kw_only=True)
class Trials:
    """What all trials share: the encoded rows, their folds, and what boosting starts from.

    Attributes
    ----------
    data : Training
    whole : Dataset
        The binned matrix.
    fold : array of int64, shape (m,)
    starts : list of array of float64, shape (m,)
        One a fold.
    recipe : Recipe
        The rule's own.
    """

    data: Training
    whole: lgb.Dataset
    fold: NDArray[np.int64]
    starts: list[NDArray[np.float64]]
    recipe: Recipe

    def losses(self, params: Mapping[str, Any]) -> Iterator[float]:
        """The mean loss of the rows left out, fold by fold.

        Parameters
        ----------
        params : mapping
            Of the estimator: any of ``num_leaves`` (one number), ``min_leaf``, ``l2``,
            ``column_share``.

        Yields
        ------
        float
            Log loss, or mean squared error.
        """
        given = dict(params)
        if "num_leaves" in given:
            given["num_leaves"] = (given["num_leaves"],)
        recipe = replace(self.recipe, **given)
        for one, start in enumerate(self.starts):
            yield self._loss(recipe, one, start)

    def _loss(self, recipe: Recipe, one: int, start: NDArray[np.float64]) -> float:
        inside, outside = np.flatnonzero(self.fold != one), np.flatnonzero(self.fold == one)
        leaves = recipe.num_leaves[0]
        text = grow(self.whole, inside, outside, start, recipe, leaves=leaves, seed=one)
        (booster,) = load([text])
        grown = booster.predict(self.data.matrix[outside], raw_score=True, num_threads=1)
        score, weight = start[outside] + grown, self.data.weight[outside]
        return raw_loss(recipe.loss, self.data.y[outside], score, weight) / float(weight.sum())


def prepare_trials(
    estimator: ChurnClassifier | SatisfactionRegressor,
    X: Any,
    y: ArrayLike,
    groups: ArrayLike | None = None,
) -> Trials:
    """Encode the rows and find what boosting starts from, once for all trials.

    Parameters
    ----------
    estimator : ChurnClassifier or SatisfactionRegressor
        Unfitted.
    X : DataFrame, shape (n, k)
    y : array, shape (n,)
        0 and 1, or scores.
    groups : array, shape (n,), optional
        Rows of one customer share a value and are never parted by a fold.
    """
    loss: Loss = "logistic" if is_classifier(estimator) else "squared"
    settings = Settings.of(estimator.get_params(deep=False))
    target = np.asarray(y, dtype=np.float64)
    sample = draw_sample(fit_frame(clone(estimator), X), target, None, groups)
    customers = int(sample.group.max()) + 1
    rank = np.random.default_rng(settings.seed).permutation(customers)[sample.group]
    encoder, matrix = fit_encoder(sample.values, sample.y, sample.weight, rank)
    signs = matrix_signs(settings.monotone, encoder)
    data = Training(
        matrix=matrix, y=sample.y, weight=sample.weight, group=sample.group, signs=signs
    )
    recipe = first_recipe(settings, matrix, sample.y, loss, signs)
    seed = settings.seed + _OTHER_FOLDS
    fold = assign_folds(data.y, data.group, folds=min(FOLDS, customers), seed=seed)
    return Trials(
        data=data,
        whole=make_dataset(matrix, data.y, data.weight, recipe),
        fold=fold,
        starts=_starts(data, fold, recipe, linear=settings.linear_start),
        recipe=recipe,
    )


def _starts(
    data: Training, fold: NDArray[np.int64], recipe: Recipe, *, linear: bool | None
) -> list[NDArray[np.float64]]:
    """A linear score for each fold where the rule affords one, else the mean alone."""
    richness = affordable_richness(data.matrix)
    rule = schedule(len(data.y), len(data.y), len(data.y), data.matrix.shape[1])
    wanted = rule.linear if linear is None else linear
    terms = fit_terms(data.matrix, richness) if wanted and richness else []
    values, signs = design(terms, data.matrix), term_signs(terms, data.signs)
    penalty = choose_penalty(values, data, fold, recipe.loss, signs) if terms else None
    insides = [np.flatnonzero(fold != one) for one in np.unique(fold)]
    return [
        start_line(values, data, inside, recipe.loss, penalty, signs).score(values)
        for inside in insides
    ]
