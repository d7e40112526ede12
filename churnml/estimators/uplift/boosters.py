"""Small boosters on shared bins: outcomes by arm, effects, and the chance of each offer."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from churnml.estimators.boosting.booster import Recipe, make_dataset, model_text
from churnml.estimators.boosting.ridge import Loss
from churnml.estimators.uplift.experiment import Experiment, Floats, Ints

_OBJECTIVE = {"logistic": "binary", "squared": "regression"}
_PATIENCE = 10


class Trees:
    """Grows boosters on the rows of one experiment, all over the same bins.

    The first *m* rows are those of the experiment with their own offers. After them come
    the control rows once for each offer, as what they would have been offered.

    Parameters
    ----------
    experiment : Experiment
    recipe : Recipe
        Its loss is of no account.
    """

    def __init__(self, experiment: Experiment, recipe: Recipe) -> None:
        self.recipe = recipe
        self.rows, self.offers = len(experiment.y), experiment.offers
        self.controls = np.flatnonzero(experiment.control)
        own = with_offers(experiment.matrix, experiment.offer, self.offers)
        would = [
            with_offers(experiment.matrix[self.controls], at, self.offers)
            for at in range(self.offers)
        ]
        whole = np.asfortranarray(np.vstack([own, *would]))
        target = np.zeros(len(whole))
        self._whole = make_dataset(whole, target, np.ones(len(whole)), recipe)

    def would_be(self, inside: NDArray[np.bool_], offer: int) -> Ints:
        """The places of the control rows inside, as if each had been offered something."""
        taken = np.flatnonzero(inside[self.controls])
        return self.rows + offer * len(self.controls) + taken

    def grow(self, rows: Ints, target: Floats, weight: Floats, *, loss: Loss, seed: int) -> str:
        """The text of a booster on these rows.

        Parameters
        ----------
        rows : array of int
            Places, ascending.
        target, weight : array
            Of the same rows.
        loss : {"logistic", "squared"}
        seed : int
        """
        params = self._params(seed) | {"objective": _OBJECTIVE[loss], "boost_from_average": True}
        train = self._whole.subset(rows.tolist(), params=params).construct()
        train.set_label(target).set_weight(weight)
        booster = lgb.engine.train(params, train, self.recipe.max_rounds)
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

    def read_arms(self, matrix: NDArray[np.float32]) -> None:
        """Bin the columns without the offers, which would tell the arm itself."""
        self._bare = make_dataset(matrix, np.zeros(self.rows), np.ones(self.rows), self.recipe)

    def _params(self, seed: int) -> dict[str, Any]:
        return self.recipe.params(leaves=self.recipe.num_leaves[0], seed=seed)


def with_offers(matrix: NDArray[np.float32], offer: Ints | int, offers: int) -> NDArray[np.float32]:
    """The matrix with one more column for each offer: 1 where the row has it.

    >>> with_offers(np.zeros((2, 1), np.float32), np.array([1, -1]), 2).tolist()
    [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    code = np.broadcast_to(offer, len(matrix))
    return np.column_stack([matrix, *((code == at).astype(np.float32) for at in range(offers))])
