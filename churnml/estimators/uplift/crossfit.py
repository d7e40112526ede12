"""Cross-fit effects: no row's effect or score comes of a model that saw its customer.

Customers are dealt into folds. A booster of outcomes leaves out two folds: with it the rows
of one of them get the differences from which the effect of the other is learned. So the
effect learned for a fold depends on none of its outcomes, not by way of other rows either;
with the boosters of outcomes merely leaving out a row's own fold it would, and differences
between customers would be found where there are none.

An offer seldom moves everybody by the same points: it keeps a share of those who would leave,
as a change of the log-odds does. What is learned is therefore the effect divided by
``v = m (1 - m)`` of the chance ``m`` of leaving, to which the log-odds' change is equal to the
first order, with weights by which no row counts more than it tells: the R-learner,

    minimise  sum of v (w - e)^2 [(y - m) / (v (w - e)) - r(x)]^2

over an offer's rows (w 1) and control's (w 0), e the probability of the offer among them. What
``m`` gets wrong is the same in both arms and cancels.

References
----------
Nie, Wager (2021), "Quasi-oracle estimation of heterogeneous treatment effects", Biometrika
108(2), for the R-learner. Kennedy (2023), "Towards optimal doubly robust estimation of
heterogeneous causal effects", Electronic Journal of Statistics 17(2), for the scores.
Chernozhukov et al. (2018), "Double/debiased machine learning for treatment and structural
parameters", Econometrics Journal 21(1), for the folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from churnml.estimators.boosting.booster import Recipe, load
from churnml.estimators.boosting.folds import assign_folds
from churnml.estimators.uplift.boosters import Trees, with_acceptance, with_offers
from churnml.estimators.uplift.experiment import CONTROL, Experiment, Floats, Ints

LEAST_PROPENSITY = 0.01
"""A learned probability below it counts as this much, so that no row outweighs all others."""
_LEAST_RISK = 1e-3
_LEAST_ACCEPTED = 100


@dataclass(frozen=True, kw_only=True)
class CrossFitted:
    """What cross-fitting gives, of the experiment's rows in their order.

    Attributes
    ----------
    fold : array of int, shape (m,)
    relative : array, shape (m, offers)
        Effects in units of risk less their fold's mean, by models that left the fold out.
    level : list of float
        By offer, the mean over folds of what was taken away.
    risk : array, shape (m,)
        What they are the units of: ``m (1 - m)`` of the chance of leaving without an offer.
    scores : array, shape (m, offers)
        Doubly robust scores: each one's mean over rows is an effect's unbiased estimate.
    control : array, shape (m,)
        Probability of leaving without an offer.
    propensity : array, shape (m, offers + 1)
        Of each offer and, last, of control.
    effects : list of str
        A booster a fold and offer.
    outcomes : list of str
        Boosters of leaving without an offer.
    acceptance : list of str
        A booster a fold of whether an offer is accepted; none where that is not known.
    """

    fold: Ints
    relative: Floats
    level: list[float]
    risk: Floats
    scores: Floats
    control: Floats
    propensity: Floats
    effects: list[str]
    outcomes: list[str]
    acceptance: list[str]


def cross_fit(experiment: Experiment, recipe: Recipe, *, folds: int, seed: int) -> CrossFitted:
    """Learn outcomes and effects fold by fold.

    Parameters
    ----------
    experiment : Experiment
    recipe : Recipe
    folds : int
        3 or more; 1 learns from all rows what it then says of them, which only shows what
        cross-fitting is for.
    seed : int
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
    acceptance = _grow_acceptance(trees, experiment, fold, seed)
    matrix = experiment.matrix
    if acceptance:
        chances = np.zeros((rows, experiment.offers))
        for out, text in enumerate(acceptance):
            held = fold == out
            chances[held] = acceptance_chances(load([text]), matrix[held], experiment.offers)
        trees.tell_acceptance(matrix, chances)
        matrix = with_acceptance(matrix, chances)
    relative = np.zeros((rows, experiment.offers))
    levels: list[Floats] = []
    texts: list[str] = []
    for out in range(folds):
        grown = _grow_effects(trees, experiment, outcomes, propensity, out, seed)
        texts += grown
        held = fold == out
        found = relative_effects(load(grown), matrix[held])
        # Folds have levels of their own, which are no differences between customers.
        levels.append(np.average(found, axis=0, weights=experiment.weight[held]))
        relative[held] = found - levels[-1]
    chances = outcomes.held_out()
    return CrossFitted(
        fold=fold,
        relative=relative,
        level=np.mean(levels, axis=0).tolist(),
        risk=risk_of(chances[:, -1]),
        scores=doubly_robust(experiment, chances, propensity),
        control=chances[:, -1],
        propensity=propensity,
        effects=texts,
        outcomes=outcomes.texts,
        acceptance=acceptance,
    )


def risk_of(chance: Floats) -> Floats:
    """What effects are the units of: ``m (1 - m)``, about the chance where it is small.

    >>> risk_of(np.array([0.0, 0.1, 0.5])).round(4).tolist()
    [0.001, 0.09, 0.25]
    """
    return np.asarray(np.maximum(chance * (1 - chance), _LEAST_RISK))


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
        self.texts: list[str] = []
        for number, pair in enumerate(left_out):
            inside = ~np.isin(fold, pair)
            texts = []
            for arm, wanted in enumerate((~experiment.control, experiment.control)):
                rows = np.flatnonzero(inside & wanted)
                texts.append(
                    trees.outcome(
                        rows,
                        experiment.y[rows],
                        experiment.weight[rows],
                        seed=seed + 2 * number + arm,
                    )
                )
            self.texts.append(texts[-1])
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
    trees: Trees,
    experiment: Experiment,
    outcomes: _Outcomes,
    propensity: Floats,
    out: int,
    seed: int,
) -> list[str]:
    """A booster of each offer's effect, from rows outside a fold: its own, and control's.

    Each offer has its own: where one offer keeps those whom another drives away, neither the
    customer nor the offer alone tells anything, and trees over all offers would not begin to
    split.
    """
    inside = (outcomes.fold != out) if outcomes.folds > 1 else np.ones(len(outcomes.fold), bool)
    chances = outcomes.outside(out)
    texts = []
    for at in range(experiment.offers):
        rows = np.flatnonzero(inside & ((experiment.offer == at) | experiment.control))
        share = propensity[rows, at] / (propensity[rows, at] + propensity[rows, -1])
        mean = share * chances[rows, at] + (1 - share) * chances[rows, -1]
        beyond = (experiment.offer[rows] == at) - share
        risk = risk_of(mean)
        texts.append(
            trees.effect(
                at,
                rows,
                (experiment.y[rows] - mean) / (risk * beyond),
                experiment.weight[rows] * risk * beyond**2,
                seed=seed + 10_000 + out * experiment.offers + at,
            )
        )
    return texts


def _grow_acceptance(trees: Trees, experiment: Experiment, fold: Ints, seed: int) -> list[str]:
    """Boosters of whether an offer is accepted, each leaving out a fold; none of too few.

    An offer keeps, for the most part, those who accept it, and ten times as many accept one as
    leave: who would accept is known long before who is kept.
    """
    accepted = experiment.accepted
    if accepted is None:
        return []
    made = ~experiment.control
    count = float(accepted[made].sum())
    if min(count, made.sum() - count) < _LEAST_ACCEPTED:
        return []
    texts = []
    for out in range(int(fold.max()) + 1):
        rows = np.flatnonzero(made & (fold != out) if fold.max() else made)
        texts.append(
            trees.outcome(rows, accepted[rows], experiment.weight[rows], seed=seed + 20_000 + out)
        )
    return texts


def acceptance_chances(
    boosters: list[lgb.Booster], matrix: NDArray[np.float32], offers: int, threads: int = 1
) -> Floats:
    """The mean chance that each offer is accepted, shape (n, offers)."""
    each = [with_offers(matrix, at, offers) for at in range(offers)]
    columns = [
        np.mean([one.predict(rows, num_threads=threads) for one in boosters], axis=0)
        for rows in each
    ]
    return np.column_stack(columns)


def relative_effects(
    boosters: list[lgb.Booster], matrix: NDArray[np.float32], threads: int = 1
) -> Floats:
    """Effects in units of risk by the boosters of a fold, one an offer: shape (n, offers)."""
    return np.column_stack([one.predict(matrix, num_threads=threads) for one in boosters])


def _learn_propensity(trees: Trees, experiment: Experiment, fold: Ints, seed: int) -> Floats:
    """Probability of each offer and, last, of control, by a booster that left the fold out."""
    arm = np.where(experiment.control, experiment.offers, experiment.offer)
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
