"""Cross-fit an X-learner: no row's effect or score comes of a model that saw its customer.

Customers are dealt into folds. A booster of outcomes leaves out two folds: with it the rows
of one of them get the differences from which the effect of the other is learned. So the
effect learned for a fold depends on none of its outcomes, not by way of other rows either;
with the boosters of outcomes merely leaving out a row's own fold it would, and differences
between customers would be found where there are none.

References
----------
Künzel, Sekhon, Bickel, Yu (2019), "Metalearners for estimating heterogeneous treatment
effects using machine learning", PNAS 116(10). Kennedy (2023), "Towards optimal doubly robust
estimation of heterogeneous causal effects", Electronic Journal of Statistics 17(2), for the
scores. Chernozhukov et al. (2018), "Double/debiased machine learning for treatment and
structural parameters", Econometrics Journal 21(1), for the folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from churnml.estimators.boosting.booster import Recipe, load
from churnml.estimators.boosting.folds import assign_folds
from churnml.estimators.uplift.boosters import Trees, with_offers
from churnml.estimators.uplift.experiment import CONTROL, Experiment, Floats, Ints

LEAST_PROPENSITY = 0.01
"""A learned probability below it counts as this much, so that no row outweighs all others."""


@dataclass(frozen=True, kw_only=True)
class CrossFitted:
    """What cross-fitting gives, of the experiment's rows in their order.

    Attributes
    ----------
    fold : array of int, shape (m,)
    effect : array, shape (m, offers)
        Raw effects by the models that left the row's fold out.
    scores : array, shape (m, offers)
        Doubly robust scores: each one's mean over rows is an effect's unbiased estimate.
    control : array, shape (m,)
        Probability of leaving without an offer.
    propensity : array, shape (m, offers + 1)
        Of each offer and, last, of control.
    texts : list of str
        Two boosters a fold and offer: learned from its treated, and from control.
    """

    fold: Ints
    effect: Floats
    scores: Floats
    control: Floats
    propensity: Floats
    texts: list[str]


def cross_fit(
    experiment: Experiment, recipe: Recipe, *, folds: int, seed: int, effects: bool = True
) -> CrossFitted:
    """Learn outcomes and effects fold by fold.

    Parameters
    ----------
    experiment : Experiment
    recipe : Recipe
    folds : int
        3 or more; 1 learns from all rows what it then says of them, which only shows what
        cross-fitting is for.
    seed : int
    effects : bool, default True
        Whether effects are learned; without them only scores are made.
    """
    trees = Trees(experiment, recipe)
    rows = len(experiment.y)
    fold = (
        assign_folds(experiment.y, experiment.group, folds=folds, seed=seed)
        if folds > 1
        else np.zeros(rows, np.int64)
    )
    propensity = (
        _learn_propensity(trees, experiment, fold, seed)
        if experiment.propensity is None
        else experiment.propensity
    )
    outcomes = _Outcomes(trees, experiment, fold, folds, seed)
    effect = np.zeros((rows, experiment.offers))
    texts: list[str] = []
    for out in range(folds) if effects else ():
        grown = _grow_effects(trees, experiment, outcomes, out, seed)
        texts += grown
        held = fold == out
        shares = treated_weights(experiment)
        effect[held] = raw_effects(load(grown), experiment.matrix[held], shares)
    chances = outcomes.held_out()
    scores = doubly_robust(experiment, chances, propensity)
    return CrossFitted(
        fold=fold,
        effect=effect,
        scores=scores,
        control=chances[:, -1],
        propensity=propensity,
        texts=texts,
    )


def treated_weights(experiment: Experiment) -> Floats:
    """By offer: the share of its rows among its own and those of control."""
    treated = np.bincount(
        experiment.offer[~experiment.control],
        weights=experiment.weight[~experiment.control],
        minlength=experiment.offers,
    )
    return treated / (treated + experiment.weight[experiment.control].sum())


def doubly_robust(experiment: Experiment, chances: Floats, propensity: Floats) -> Floats:
    """Scores whose mean is the effect of each offer, shape (m, offers).

    ``mu_k - mu_0 + 1[k] (y - mu_k) / e_k - 1[control] (y - mu_0) / e_0``.

    Parameters
    ----------
    experiment : Experiment
    chances, propensity : array, shape (m, offers + 1)
        Of leaving under each offer and, last, without one; and of being offered each.
    """
    base = chances[:, -1]
    lost = np.where(experiment.control, (experiment.y - base) / propensity[:, -1], 0.0)
    columns = []
    for at in range(experiment.offers):
        gained = np.where(
            experiment.offer == at, (experiment.y - chances[:, at]) / propensity[:, at], 0.0
        )
        columns.append(chances[:, at] - base + gained - lost)
    return np.column_stack(columns)


class _Outcomes:
    """Boosters of leaving by arm, one pair for every two folds left out."""

    def __init__(
        self, trees: Trees, experiment: Experiment, fold: Ints, folds: int, seed: int
    ) -> None:
        self.experiment, self.fold, self.folds = experiment, fold, folds
        left_out = list(combinations(range(folds), 2)) if folds > 1 else [(-1, -1)]
        self._pairs: dict[frozenset[int], list[lgb.Booster]] = {}
        for number, pair in enumerate(left_out):
            inside = ~np.isin(fold, pair)
            texts = []
            for arm, wanted in enumerate((~experiment.control, experiment.control)):
                rows = np.flatnonzero(inside & wanted)
                texts.append(
                    trees.grow(
                        rows,
                        experiment.y[rows],
                        experiment.weight[rows],
                        loss="logistic",
                        seed=seed + 2 * number + arm,
                    )
                )
            self._pairs[frozenset(pair)] = load(texts)

    def predict(self, held: NDArray[np.bool_], *out: int) -> Floats:
        """Chances of leaving of the rows, by boosters that left out these two folds."""
        pair = self._pairs[frozenset(out if self.folds > 1 else (-1,))]
        matrix, offers = self.experiment.matrix[held], self.experiment.offers
        columns = [
            pair[0].predict(with_offers(matrix, at, offers), num_threads=1) for at in range(offers)
        ]
        base = pair[1].predict(with_offers(matrix, CONTROL, offers), num_threads=1)
        return np.column_stack([*columns, base])

    def outside(self, out: int) -> Floats:
        """Chances of leaving, each row's fold and the fold ``out`` left out; 0 within it."""
        chances = np.zeros((len(self.fold), self.experiment.offers + 1))
        for one in range(self.folds):
            held = self.fold == one
            if self.folds == 1 or one != out:
                chances[held] = self.predict(held, one, out)
        return chances

    def held_out(self) -> Floats:
        """Chances of leaving by all the boosters that left each row's fold out."""
        chances = np.zeros((len(self.fold), self.experiment.offers + 1))
        for out in range(self.folds):
            held = self.fold == out
            others = [one for one in range(self.folds) if one != out] or [out]
            chances[held] = np.mean([self.predict(held, out, one) for one in others], axis=0)
        return chances


def _grow_effects(
    trees: Trees, experiment: Experiment, outcomes: _Outcomes, out: int, seed: int
) -> list[str]:
    """Two boosters of each offer's effect, from rows outside a fold: its own, and control's.

    Each offer has its own: where one offer keeps those whom another drives away, neither the
    customer nor the offer alone tells anything, and trees over all offers would not begin to
    split.
    """
    inside = (outcomes.fold != out) if outcomes.folds > 1 else np.ones(len(outcomes.fold), bool)
    chances = outcomes.outside(out)
    control = np.flatnonzero(inside & experiment.control)
    texts = []
    for at in range(experiment.offers):
        treated = np.flatnonzero(inside & (experiment.offer == at))
        # What the treated did beyond what they would have done, and control the other way.
        beyond = experiment.y[treated] - chances[treated, -1]
        short = chances[control, at] - experiment.y[control]
        number = seed + 10_000 + 2 * (out * experiment.offers + at)
        for rows, places, target, more in (
            (treated, treated, beyond, 0),
            (control, trees.would_be(inside, at), short, 1),
        ):
            weight = experiment.weight[rows]
            texts.append(trees.grow(places, target, weight, loss="squared", seed=number + more))
    return texts


def raw_effects(
    boosters: list[lgb.Booster],
    matrix: NDArray[np.float32],
    shares: Floats,
    threads: int = 1,
) -> Floats:
    """Effects before they are drawn to their mean, shape (n, offers).

    Parameters
    ----------
    boosters : list of Booster
        Of a fold, two for each offer: learned from its treated, and from control.
    matrix : array of float32, shape (n, k)
        Without offers.
    shares : array, shape (offers,)
        What control's booster weighs: the more of the rows were treated, the better known
        is the outcome of the treated that it was made with.
    threads : int
    """
    offers = len(shares)
    columns = []
    for at, share in enumerate(shares):
        rows = with_offers(matrix, at, offers)
        pair = boosters[2 * at : 2 * at + 2]
        treated, control = (one.predict(rows, num_threads=threads) for one in pair)
        columns.append((1 - share) * treated + share * control)
    return np.column_stack(columns)


def _learn_propensity(trees: Trees, experiment: Experiment, fold: Ints, seed: int) -> Floats:
    """Probability of each offer and, last, of control, by a booster that left the fold out."""
    arm = np.where(experiment.control, experiment.offers, experiment.offer)
    trees.read_arms(experiment.matrix)
    found = np.empty((len(fold), experiment.offers + 1))
    for out in np.unique(fold):
        held = fold == out
        inside = np.flatnonzero(~held) if fold.max() else np.arange(len(fold))
        booster = trees.choice(
            inside, np.flatnonzero(held), arm, experiment.weight, seed + int(out)
        )
        found[held] = booster.predict(experiment.matrix[held], num_threads=1)
    found = np.maximum(found, LEAST_PROPENSITY)
    return found / found.sum(axis=1, keepdims=True)
