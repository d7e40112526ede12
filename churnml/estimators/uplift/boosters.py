"""Small boosters on shared bins: outcomes by arm, effects, and the chance of each offer."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from churnml.estimators.boosting.booster import Recipe, make_dataset, model_text
from churnml.estimators.uplift.experiment import Experiment, Floats, Ints

_PATIENCE = 10
_EFFECT_ROUNDS = 20
"""More would fit noise: effects are small against theirs."""


class Trees:
    """Grows boosters on the rows of one experiment, all over the same bins.

    Parameters
    ----------
    experiment : Experiment
    recipe : Recipe
        Its loss is of no account.
    """

    def __init__(self, experiment: Experiment, recipe: Recipe) -> None:
        self.recipe = recipe
        self.rows, self.offers = len(experiment.y), experiment.offers
        own = with_offers(experiment.matrix, experiment.offer, self.offers)
        self._with_offers = self._binned(own)
        width = experiment.matrix.shape[1]
        self._drivers = np.ones(width, bool) if experiment.drivers is None else experiment.drivers
        # Without the offers, which would tell the arm itself.
        self._bare = self._binned(experiment.matrix)
        self._told = self._bare

    def _binned(self, matrix: NDArray[np.float32]) -> lgb.Dataset:
        whole = np.asfortranarray(matrix)
        return make_dataset(whole, np.zeros(self.rows), np.ones(self.rows), self.recipe)

    def outcome(self, rows: Ints, left: Floats, weight: Floats, *, seed: int) -> str:
        """The text of a booster of leaving; the offer is one of its columns.

        Parameters
        ----------
        rows : array of int
            Places, ascending.
        left, weight : array
            Of the same rows.
        seed : int
        """
        return self._grow(
            self._with_offers,
            rows,
            left,
            weight,
            rounds=self.recipe.max_rounds,
            params=self._params(seed) | {"objective": "binary"},
        )

    def tell_acceptance(self, matrix: NDArray[np.float32], chances: Floats) -> None:
        """Give the trees of effects the chance that each offer is accepted, shape (m, offers)."""
        self._told = self._binned(with_acceptance(matrix, chances))

    def effect(self, offer: int, rows: Ints, target: Floats, weight: Floats, *, seed: int) -> str:
        """The text of a booster of an offer's effect: few stumps, which know nothing of the arm.

        Parameters
        ----------
        offer : int
        rows : array of int
        target, weight : array
        seed : int
        """
        drivers = self._drivers
        if self._told is not self._bare:
            # Of acceptance, that of the offer itself.
            drivers = np.r_[drivers, np.arange(self.offers) == offer]
        params = {
            "objective": "regression",
            "num_leaves": 2,
            # A gain of 0: such a column is never split by.
            "feature_contri": drivers.astype(float).tolist(),
        }
        return self._grow(
            self._told,
            rows,
            target,
            weight / weight.mean(),
            rounds=min(self.recipe.max_rounds, _EFFECT_ROUNDS),
            params=self._params(seed) | params,
        )

    def _grow(
        self,
        binned: lgb.Dataset,
        rows: Ints,
        target: Floats,
        weight: Floats,
        *,
        rounds: int,
        params: dict[str, Any],
    ) -> str:
        params = params | {"boost_from_average": True}
        train = binned.subset(rows.tolist(), params=params).construct()
        train.set_label(target).set_weight(weight)
        booster = lgb.engine.train(params, train, rounds)
        return model_text(booster, booster.current_iteration())

    def choice(
        self, inside: Ints, outside: Ints, arm: Ints, weight: Floats, seed: int
    ) -> lgb.Booster:
        """A booster of the chance of each arm, stopped where rows outside gain nothing.

        Where offers were drawn by lot it stops at once, and says the arms' shares.
        """
        params = self._params(seed) | {
            "objective": "multiclass",
            "metric": "multi_logloss",
            "num_class": self.offers + 1,
            "boost_from_average": True,
        }
        sets = []
        for rows in (inside, outside):
            part = self._bare.subset(rows.tolist(), params=params).construct()
            sets.append(part.set_label(arm[rows]).set_weight(weight[rows]))
        stop = lgb.early_stopping(_PATIENCE, verbose=False)
        return lgb.engine.train(
            params, sets[0], self.recipe.max_rounds, valid_sets=sets[1:], callbacks=[stop]
        )

    def _params(self, seed: int) -> dict[str, Any]:
        return self.recipe.params(leaves=self.recipe.num_leaves[0], seed=seed)


def with_offers(matrix: NDArray[np.float32], offer: Ints | int, offers: int) -> NDArray[np.float32]:
    """The matrix with one more column for each offer: 1 where the row has it.

    >>> with_offers(np.zeros((2, 1), np.float32), np.array([1, -1]), 2).tolist()
    [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    code = np.broadcast_to(offer, len(matrix))
    return np.column_stack([matrix, *((code == at).astype(np.float32) for at in range(offers))])


def with_acceptance(matrix: NDArray[np.float32], chances: Floats) -> NDArray[np.float32]:
    """The matrix with one more column for each offer: the chance that it is accepted.

    >>> with_acceptance(np.zeros((1, 1), np.float32), np.array([[0.5]])).tolist()
    [[0.0, 0.5]]
    """
    return np.column_stack([matrix, chances.astype(np.float32)])
