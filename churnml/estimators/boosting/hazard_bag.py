"""A bag of boosters over person-months, each stopped early by customers it has not seen."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from churnml.base.progress import counted_off
from churnml.estimators.boosting.bag import Growth
from churnml.estimators.boosting.booster import Recipe, load, model_text
from churnml.estimators.boosting.folds import assign_folds
from churnml.estimators.boosting.person_months import PersonMonthRows, PersonMonths
from churnml.estimators.calibration import Calibration, fit_calibration, level_bag

MANY = 2_000_000
"""Person-months above which one booster does, and a fifth of the customers is held out."""

_SMALL = 2_000_000
_FEWEST_EVENTS = 60
_LEVEL_ROWS = 60_000


@dataclass(frozen=True, kw_only=True)
class HazardBag:
    """Raw log-odds of leaving in a month: the month's base, plus the mean of boosters.

    Attributes
    ----------
    start : array of float64, shape (months,)
        Log-odds of the average customer, by month.
    texts : list of str
    boosters : list of Booster
    growth : tuple of Growth
        Of the boosters, in order; empty for a bag that was loaded.
    """

    start: NDArray[np.float64]
    texts: list[str]
    boosters: list[lgb.Booster]
    growth: tuple[Growth, ...] = ()

    def score(self, rows: NDArray[np.float32], threads: int = 0) -> NDArray[np.float64]:
        """Raw scores of person-months; the last column of ``rows`` is the month."""
        total = np.zeros(len(rows))
        if len(rows) == 0:
            return total
        for booster in self.boosters:
            total += booster.predict(rows, raw_score=True, num_threads=threads)
        return self.start[rows[:, -1].astype(int) - 1] + total / len(self.boosters)


@dataclass(frozen=True, kw_only=True)
class Growing:
    """The data and settings of the boosters.

    Attributes
    ----------
    matrix : array of float32, shape (n, k)
    months : PersonMonths
    group : array of int64, shape (n,)
        Rows of one customer, never parted.
    recipe : Recipe
    folds : int
        Below 2 there is one booster, grown on everything without stopping early.
    seed, threads : int
    verbose : int
        Above 0 a line is printed for each booster.
    """

    matrix: NDArray[np.float32]
    months: PersonMonths
    group: NDArray[np.int64]
    recipe: Recipe
    folds: int
    seed: int
    threads: int
    verbose: int = 0


def fit_hazard_bag(
    given: Growing, count: int
) -> tuple[HazardBag, NDArray[np.float64], NDArray[np.bool_]]:
    """Fit a bag, and score person-months out of fold.

    Parameters
    ----------
    given : Growing
    count : int
        Months that the bag tells apart.

    Returns
    -------
    (HazardBag, array of float64, array of bool), shapes (N,)
        Held-out raw scores, and which person-months have one: all of them but for very
        many, of which a fifth is enough.
    """
    months = given.months
    start = base_log_odds(months, count)
    scores, judged = np.zeros(len(months)), np.zeros(len(months), bool)
    fold = _folds(given)
    texts, growth = [], []
    members = 1 if given.folds < 2 or len(months) > MANY else given.folds
    for one in counted_off(range(members), "growing boosters", "booster", total=members):
        outside = fold == one
        inside, watched = (~outside, outside) if given.folds > 1 else (outside, ~outside)
        text, losses = _grow(given, start, inside, watched, one)
        texts.append(text)
        growth.append(
            Growth(fold=one, repeat=0, start="rate", rows=int(outside.sum()), losses=losses)
        )
        (booster,) = load([texts[-1]])
        member = HazardBag(start=start, texts=texts[-1:], boosters=[booster])
        if given.verbose:
            loss = f", held-out log loss {losses[-1]:.4f}" if losses else ""
            sys.stdout.write(f"booster {one + 1} of {members}: {booster.num_trees()} trees{loss}\n")
        judging = months.take(outside)
        found = [
            member.score(rows, given.threads)
            for rows in PersonMonthRows(given.matrix, judging).chunks()
        ]
        scores[outside] = np.concatenate([np.zeros(0), *found])
        judged |= outside
    return (
        HazardBag(start=start, texts=texts, boosters=load(texts), growth=tuple(growth)),
        scores,
        judged,
    )


def base_log_odds(months: PersonMonths, count: int) -> NDArray[np.float64]:
    """Log-odds of leaving by month; a month that none was seen in takes the last one's."""
    at = months.month.astype(np.int64) - 1
    rows = np.bincount(at, weights=months.weight, minlength=count)
    left = np.bincount(at, weights=months.weight * months.left, minlength=count)
    overall = left.sum() / rows.sum()
    # Drawn a little to the mean of all months: a month may have seen few leave.
    rate = (left + 20 * overall) / (rows + 20)
    rate[int(at.max()) + 1 :] = rate[int(at.max())]
    clipped = np.clip(rate, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _folds(given: Growing) -> NDArray[np.int64]:
    """The fold of each person-month."""
    months = given.months
    if given.folds < 2:
        return np.zeros(len(months), np.int64)
    left = np.zeros(given.group.size)
    left[months.row[months.left]] = 1.0
    of_row = assign_folds(left, given.group, folds=given.folds, seed=given.seed)
    return of_row[months.row]


def _grow(
    given: Growing,
    start: NDArray[np.float64],
    inside: NDArray[np.bool_],
    outside: NDArray[np.bool_],
    member: int,
) -> tuple[str, tuple[float, ...]]:
    """The model text, cut at the best round, and the losses of the customers held out."""
    params = _params(given, member)
    train = _dataset(given, given.months.take(inside), start, params, None)
    watched, callbacks = [], []
    evals: dict[str, dict[str, list[float]]] = {}
    if outside.any():
        watched.append(_dataset(given, given.months.take(outside), start, params, train))
        callbacks.append(lgb.early_stopping(given.recipe.patience, verbose=False))
        callbacks.append(lgb.record_evaluation(evals))
    booster = lgb.engine.train(
        params, train, given.recipe.max_rounds, valid_sets=watched, callbacks=callbacks
    )
    best = booster.best_iteration if outside.any() else booster.current_iteration()
    losses = [float(loss) for one in evals.values() for loss in one["binary_logloss"][:best]]
    return model_text(booster, best), tuple(losses)


def _params(given: Growing, member: int) -> dict[str, Any]:
    leaves = given.recipe.num_leaves[member % len(given.recipe.num_leaves)]
    params = given.recipe.params(leaves=leaves, seed=(given.seed + member) % 2**31)
    # So few cells are learned from faster by one thread than by several that wait.
    cells = len(given.months) * given.matrix.shape[1]
    # Fewer would draw a warning that no setting silences on this way in.
    params["bin_construct_sample_cnt"] = 100_000
    params["num_threads"] = given.threads if cells > _SMALL else 1
    return params


def _dataset(
    given: Growing,
    months: PersonMonths,
    start: NDArray[np.float64],
    params: dict[str, Any],
    reference: lgb.Dataset | None,
) -> lgb.Dataset:
    names = [f"f{at + 1:04d}" for at in range(given.matrix.shape[1] + 1)]
    dataset = lgb.Dataset(
        PersonMonthRows(given.matrix, months),
        label=months.left.astype(np.float32),
        weight=months.weight,
        init_score=start[months.month - 1],
        feature_name=names,
        params=params,
        reference=reference,
    )
    return dataset.construct()


def calibrate(
    months: PersonMonths,
    scores: NDArray[np.float64],
    judged: NDArray[np.bool_],
    *,
    count: int,
    members: int,
) -> list[Calibration]:
    """One calibration a month, learned from held-out scores.

    A month in which too few were seen to leave is calibrated as all months together.
    """
    held = months.take(judged)
    raw = scores[judged]
    pooled = _calibration(held, raw, np.ones(len(held), bool), members)
    calibrations = []
    for month in range(1, count + 1):
        here = held.month == month
        events = int(held.left[here].sum())
        enough = min(events, int(here.sum()) - events) >= _FEWEST_EVENTS
        calibrations.append(_calibration(held, raw, here, members) if enough else pooled)
    return calibrations


def level_months(
    calibrations: list[Calibration], bag: HazardBag, given: Growing
) -> list[Calibration]:
    """Give each month of a bag the mean chance that its members have, as `level_bag` says."""
    months = given.months
    drawn = np.random.default_rng(given.seed).permutation(len(months))[:_LEVEL_ROWS]
    chosen = np.zeros(len(months), bool)
    chosen[drawn] = True
    seen = months.take(chosen)
    members = [
        HazardBag(start=bag.start, texts=[text], boosters=[one])
        for text, one in zip(bag.texts, bag.boosters, strict=True)
    ]
    rows = PersonMonthRows(given.matrix, seen)
    scores = np.array(
        [
            np.concatenate([one.score(part, given.threads) for part in rows.chunks()])
            for one in members
        ]
    )
    levelled = []
    for month, one in enumerate(calibrations, start=1):
        here = seen.month == month
        weight = seen.weight[here].astype(float)
        levelled.append(level_bag(one, scores[:, here], weight) if here.any() else one)
    return levelled


def _calibration(
    held: PersonMonths, raw: NDArray[np.float64], here: NDArray[np.bool_], members: int
) -> Calibration:
    return fit_calibration(
        raw[None, here], held.left[here].astype(float), held.weight[here].astype(float), members
    )
