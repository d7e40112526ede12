"""Fit an encoder and a bag to a sample."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from churnml.errors import UsageError
from churnml.estimators.boosting.bag import Bag
from churnml.estimators.boosting.booster import Recipe
from churnml.estimators.boosting.crossfit import Plan, Start, fit_bag, level_rows
from churnml.estimators.boosting.init_score import Training
from churnml.estimators.boosting.ridge import Loss
from churnml.estimators.boosting.schedule import Schedule, affordable_richness, schedule
from churnml.estimators.encoding.encoder import Encoder, fit_encoder
from churnml.estimators.encoding.sample import Sample, matrix_signs
from churnml.estimators.parameters import (
    check_count,
    check_directions,
    check_flag,
    check_real,
    check_threads,
    read_leaves,
)

_FEWEST_EVENTS = 20
# So few cells are learned from faster by one thread than by several that wait for each other.
_SMALL = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """An estimator's parameters that shape the fit."""

    num_leaves: tuple[int, ...] | None
    learning_rate: float | None
    max_rounds: int
    folds: int | None
    repeats: int | None
    linear_start: bool | None
    min_leaf: int | None
    l2: float | None
    column_share: float | None
    monotone: Mapping[str, int] | None
    seed: int
    threads: int
    verbose: int = 0

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Settings:
        """The settings in an estimator's ``get_params()``.

        Raises
        ------
        UsageError
            A value out of its range, by the parameter's name.
        """
        leaves = read_leaves("num_leaves", params["num_leaves"])
        _check_ranges(params)
        return cls(
            num_leaves=leaves,
            learning_rate=params["learning_rate"],
            max_rounds=params["max_rounds"],
            folds=params["folds"],
            repeats=params["repeats"],
            linear_start=params["linear_start"],
            min_leaf=params["min_leaf"],
            l2=params["l2"],
            column_share=params["column_share"],
            monotone=params["monotone"],
            seed=seed_of(params["random_state"]),
            threads=threads_of(params["n_jobs"]),
            verbose=int(params["verbose"]),
        )


def _check_ranges(params: Mapping[str, Any]) -> None:
    for name, most in (("folds", None), ("repeats", 1000), ("min_leaf", None)):
        check_count(name, params[name], most=most, none=True)
    check_count("max_rounds", params["max_rounds"], least=0)
    check_real("learning_rate", params["learning_rate"], above=0, none=True)
    check_real("l2", params["l2"], least=0, none=True)
    check_real("column_share", params["column_share"], above=0, most=1, none=True)
    check_flag("linear_start", params["linear_start"], none=True)
    check_directions("monotone", params["monotone"])
    check_threads("n_jobs", params["n_jobs"])
    check_count("verbose", params["verbose"], least=0)


def seed_of(random_state: Any) -> int:
    """A whole number from anything that scikit-learn takes as a random state.

    Raises
    ------
    UsageError
        For anything else.
    """
    if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool):
        return int(random_state) % (2**31)
    with suppress(ValueError, TypeError):
        if not isinstance(random_state, bool):
            return int(check_random_state(random_state).randint(2**31 - 1))
    raise UsageError(
        f"random_state is {random_state!r}; a whole number, a RandomState or None was expected."
    )


def threads_of(n_jobs: int | None) -> int:
    """How many threads LightGBM is told; 0 for all.

    >>> threads_of(None), threads_of(-1), threads_of(2)
    (0, 0, 2)
    """
    return max(int(n_jobs or 0), 0)


@dataclass(frozen=True, kw_only=True)
class FittedBag:
    """An encoder, a bag, and the out-of-fold scores of the sample.

    Attributes
    ----------
    encoder : Encoder
    bag : Bag
    held_out : array of float64, shape (repeats, m)
    apart : array of float64, shape (members, s)
        Scores of a sample of the rows by every member of the bag, where it has one repeat.
    apart_weight : array of float64, shape (s,)
        The weights of these rows.
    matrix : array of float32, shape (m, k)
        The encoded sample.
    members : int
        How many members of each kind the bag averages.
    """

    encoder: Encoder
    bag: Bag
    held_out: NDArray[np.float64]
    apart: NDArray[np.float64]
    apart_weight: NDArray[np.float64]
    matrix: NDArray[np.float32]
    members: int


def fit_sample(sample: Sample, loss: Loss, settings: Settings) -> FittedBag:
    """Encode a sample and fit a bag to it."""
    groups = int(sample.group.max()) + 1
    rank = np.random.default_rng(settings.seed).permutation(groups)[sample.group]
    encoder, matrix = fit_encoder(sample.values, sample.y, sample.weight, rank)
    return _fit(encoder, matrix, sample, sample.y, loss, settings)


def first_recipe(
    settings: Settings,
    matrix: NDArray[np.float32],
    y: NDArray[np.float64],
    loss: Loss,
    signs: NDArray[np.int64] | None,
) -> Recipe:
    """The default recipe, used unless another is clearly better."""
    rarest = _rarest(y) if loss == "logistic" else len(y)
    rule = schedule(len(y), len(y), rarest, matrix.shape[1])
    return _recipes(settings, rule, len(y), loss, signs, alone=False)[0]


def refit_for(
    fitted: FittedBag, sample: Sample, event: NDArray[np.float64], settings: Settings
) -> FittedBag | None:
    """A second bag on the same matrix, for an event of 0 and 1; None where it is too rare."""
    if min(event.sum(), (1 - event).sum()) < _FEWEST_EVENTS:
        return None
    return _fit(fitted.encoder, fitted.matrix, sample, event, "logistic", settings, choose=False)


def _fit(
    encoder: Encoder,
    matrix: NDArray[np.float32],
    sample: Sample,
    y: NDArray[np.float64],
    loss: Loss,
    settings: Settings,
    *,
    choose: bool = True,
) -> FittedBag:
    groups = int(sample.group.max()) + 1
    rarest = _rarest(y) if loss == "logistic" else len(y)
    rule = schedule(len(y), groups, rarest, matrix.shape[1])
    signs = matrix_signs(settings.monotone, encoder)
    folds = rule.folds if settings.folds is None else min(settings.folds, groups, rarest)
    rule = rule if choose else replace(rule, choose=False)
    recipes = _recipes(settings, rule, len(y), loss, signs, alone=folds < 2)
    richness = affordable_richness(matrix)
    plan = Plan(
        folds=folds,
        repeats=(settings.repeats or rule.repeats) if folds > 1 else 1,
        starts=_starts(settings.linear_start, rule.linear and richness is not None),
        richness=richness or "lines",
        seed=settings.seed,
        threads=settings.threads,
        verbose=settings.verbose,
    )
    data = Training(matrix=matrix, y=y, weight=sample.weight, group=sample.group, signs=signs)
    bag, held_out, apart = fit_bag(data, recipes, plan)
    weight = sample.weight[level_rows(len(y), plan.seed)]
    members = plan.repeats * max(folds, 1)
    return FittedBag(
        encoder=encoder,
        bag=bag,
        held_out=held_out,
        apart=apart,
        apart_weight=weight,
        matrix=matrix,
        members=members,
    )


def _recipes(
    settings: Settings,
    rule: Schedule,
    rows: int,
    loss: Loss,
    signs: NDArray[np.int64] | None,
    *,
    alone: bool,
) -> list[Recipe]:
    """Candidate recipes, from strongly regularised to flexible."""
    first = Recipe(
        loss=loss,
        num_leaves=settings.num_leaves or (8, 4, 16),
        learning_rate=settings.learning_rate or rule.learning_rate,
        max_rounds=min(settings.max_rounds, 100) if alone else settings.max_rounds,
        patience=rule.patience,
        min_leaf=settings.min_leaf or int(np.clip(rows // 40, 1, 30)),
        l2=5.0 if settings.l2 is None else settings.l2,
        column_share=settings.column_share or 0.5,
        # Of a handful of rows a bag could draw none.
        row_share=0.8 if rows >= 100 else 1.0,
        monotone=() if signs is None else tuple(signs.tolist()),
    )
    given = (settings.min_leaf, settings.l2, settings.column_share)
    if not rule.choose or alone or settings.max_rounds == 0 or given != (None, None, None):
        return [first]
    bold = replace(first, column_share=1.0, l2=1.0)
    if settings.num_leaves is not None:
        return [first, bold]
    small = max(first.min_leaf // 3, 1)
    return [first, bold, replace(bold, num_leaves=(16, 12, 24), min_leaf=small)]


def _starts(asked: bool | None, fits: bool) -> tuple[Start, ...]:
    if asked is None:
        return ("rate", "line") if fits else ("rate",)
    return ("line",) if asked else ("rate",)


def _rarest(y: NDArray[np.float64]) -> int:
    return int(np.unique(y, return_counts=True)[1].min())
