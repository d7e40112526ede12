"""Cross-fitting: boosters over group-wise folds, from the base rate or a linear start."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from churnml.base.progress import counted_off
from churnml.estimators.boosting.additive import Richness, Shapes, Term, add_up, design, fit_terms
from churnml.estimators.boosting.bag import Bag, Growth
from churnml.estimators.boosting.booster import Recipe, grow, load, make_dataset
from churnml.estimators.boosting.folds import assign_folds
from churnml.estimators.boosting.init_score import (
    Training,
    choose_penalty,
    raw_loss,
    start_line,
    term_signs,
)
from churnml.estimators.boosting.ridge import Line, Loss

Start = Literal["rate", "line"]
_MOST_WORKERS = 8
_GROWING = "growing boosters"
_CLEARLY = 0.005
_LEVEL_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a bag is cross-fitted.

    Attributes
    ----------
    folds : int
        Below 2 there is one member, grown on all rows.
    repeats : int
        How often the folds are drawn anew.
    starts : tuple of {"rate", "line"}
        What boosting starts from; of two, the better or their mean by held-out loss.
    richness : {"lines", "scores", "hinges"}
        The terms of a linear start.
    seed : int
    threads : int
        Members grown at once; 0 for as many as there are processors.
    verbose : int
        Above 0 a line is printed for each booster.
    """

    folds: int
    repeats: int
    starts: tuple[Start, ...]
    richness: Richness
    seed: int
    threads: int
    verbose: int = 0


@dataclass(frozen=True, kw_only=True)
class Member:
    """One booster, its initial score, and its out-of-fold scores."""

    line: Line
    text: str | None
    judged: NDArray[np.int64]
    scores: NDArray[np.float64]
    growth: Growth | None = None


@dataclass(frozen=True, kw_only=True)
class _Members:
    """Members of one kind, with what they start from."""

    recipe: Recipe
    terms: list[Term]
    members: list[Member]
    held_out: NDArray[np.float64]

    def joined(self, other: _Members) -> _Members:
        """The same kind with further repeats."""
        held_out = np.concatenate([self.held_out, other.held_out])
        return _Members(
            recipe=self.recipe,
            terms=self.terms,
            members=self.members + other.members,
            held_out=held_out,
        )

    def score(self, matrix: NDArray[np.float32], threads: int) -> NDArray[np.float64]:
        """Raw scores by each member, shape (members, n)."""
        values = design(self.terms, matrix)
        scores = np.array([member.line.score(values) for member in self.members])
        for place, member in enumerate(self.members):
            if member.text is not None:
                (booster,) = load([member.text])
                scores[place] += booster.predict(matrix, raw_score=True, num_threads=threads)
        return scores


def fit_bag(
    data: Training, recipes: Sequence[Recipe], plan: Plan
) -> tuple[Bag, NDArray[np.float64], NDArray[np.float64]]:
    """Fit a bag, and score its training rows out of fold.

    Parameters
    ----------
    data : Training
    recipes : sequence of Recipe
        The first is kept, unless another's held-out loss in the first repeat is smaller
        by more than half a per cent.
    plan : Plan

    Returns
    -------
    (Bag, array of float64, shape (repeats, m), array of float64, shape (members, s))
        The bag, out-of-fold raw scores, and the scores that every member by itself gives
        to a sample of the rows, `level_rows`, where there is one repeat; a fold's member
        is the mean of what was grown from either start.
    """
    fitter = _Fitter(data, plan, make_dataset(data.matrix, data.y, data.weight, recipes[0]))
    terms = fit_terms(data.matrix, plan.richness) if "line" in plan.starts else []
    loss = recipes[0].loss
    first = [fitter.fit(recipe, terms, plan.starts[0], [0]) for recipe in recipes]
    best = first[_clearly_least([part.held_out[0] for part in first], data, loss)]
    rest = list(range(1, plan.repeats))
    parts = [best.joined(fitter.fit(best.recipe, terms, plan.starts[0], rest)) if rest else best]
    for start in plan.starts[1:]:
        parts.append(fitter.fit(best.recipe, terms, start, [0, *rest]))
    if len(parts) == 2:
        parts = _better(parts, data, loss)
    members = [member for part in parts for member in part.members]
    texts = [member.text for member in members if member.text is not None]
    held_out = np.mean([part.held_out for part in parts], axis=0)
    growth = tuple(member.growth for member in members if member.growth is not None)
    rows = level_rows(len(data.y), plan.seed)
    apart = np.zeros((0, rows.size))
    if plan.repeats == 1:
        seen = data.matrix[rows]
        apart = np.mean([part.score(seen, plan.threads) for part in parts], axis=0)
    return (
        Bag(shapes=_mean_shapes(parts), texts=texts, boosters=load(texts), growth=growth),
        held_out,
        apart,
    )


def level_rows(count: int, seed: int) -> NDArray[np.int64]:
    """Training rows on which members and bag are compared: all, or 20,000 at random."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:_LEVEL_ROWS])


def _least(scores: Sequence[NDArray[np.float64]], data: Training, loss: Loss) -> int:
    losses = [raw_loss(loss, data.y, score, data.weight) for score in scores]
    return int(np.argmin(losses))


def _clearly_least(scores: Sequence[NDArray[np.float64]], data: Training, loss: Loss) -> int:
    """The first, unless a later one is better by more than folds differ by luck."""
    losses = [raw_loss(loss, data.y, score, data.weight) for score in scores]
    best = int(np.argmin(losses))
    return best if losses[best] < (1 - _CLEARLY) * losses[0] else 0


@dataclass(frozen=True)
class _Fitter:
    """Grows members of any kind on the same rows and folds."""

    data: Training
    plan: Plan
    whole: lgb.Dataset

    def fit(
        self, recipe: Recipe, terms: list[Term], start: Start, repeats: Sequence[int]
    ) -> _Members:
        """Members of these repeats and all folds."""
        used = terms if start == "line" else []
        values = design(used, self.data.matrix)
        signs = term_signs(used, self.data.signs)
        folds = {repeat: _folds(self.data, self.plan, repeat) for repeat in repeats}
        penalty = None
        if used:
            fold = _folds(self.data, self.plan, 0)
            penalty = choose_penalty(values, self.data, fold, recipe.loss, signs)

        def member(place: tuple[int, int]) -> Member:
            inside, outside, judged = _parts(folds[place[0]], place[1], self.plan.folds)
            line = start_line(values, self.data, inside, recipe.loss, penalty, signs)
            return self._grow(recipe, place, line, (inside, outside, judged), line.score(values))

        places = [(one, fold) for one in repeats for fold in range(max(self.plan.folds, 1))]
        members = _side_by_side(member, places, self.plan.threads)
        held_out = np.zeros((len(repeats), len(self.data.y)))
        for (repeat, _), fitted in zip(places, members, strict=True):
            held_out[list(repeats).index(repeat), fitted.judged] = fitted.scores
        return _Members(recipe=recipe, terms=used, members=members, held_out=held_out)

    def _grow(
        self,
        recipe: Recipe,
        place: tuple[int, int],
        line: Line,
        rows: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
        start: NDArray[np.float64],
    ) -> Member:
        repeat, fold = place
        inside, outside, judged = rows
        if recipe.max_rounds == 0:
            return Member(line=line, text=None, judged=judged, scores=start[judged])
        leaves = recipe.num_leaves[repeat % len(recipe.num_leaves)]
        seed = (self.plan.seed + 1000 * repeat + fold) % 2**31
        losses: list[float] = []
        text = grow(
            self.whole, inside, outside, start, recipe, leaves=leaves, seed=seed, losses=losses
        )
        if self.plan.verbose:
            _tell(repeat, fold, losses)
        (booster,) = load([text])
        grown = booster.predict(self.data.matrix[judged], raw_score=True, num_threads=1)
        kind = "line" if line.weights.size else "rate"
        growth = Growth(
            fold=fold, repeat=repeat, start=kind, rows=outside.size, losses=tuple(losses)
        )
        return Member(
            line=line, text=text, judged=judged, scores=start[judged] + grown, growth=growth
        )


def _tell(repeat: int, fold: int, losses: Sequence[float]) -> None:
    """Print how a booster grew, where scikit-learn prints such lines."""
    best = int(np.argmin(losses)) if losses else -1
    found = f"{best + 1} trees, loss {losses[best]:.5f} on the fold left out" if losses else "grown"
    sys.stdout.write(f"repeat {repeat + 1}, fold {fold + 1}: {found}\n")


def _parts(
    folds: NDArray[np.int64], one: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows to grow on, to stop by and to judge; all of them where there are no folds."""
    everything = np.arange(folds.size)
    if count < 2:
        return everything, everything[:0], everything
    outside = np.flatnonzero(folds == one)
    return np.flatnonzero(folds != one), outside, outside


def _folds(data: Training, plan: Plan, repeat: int) -> NDArray[np.int64]:
    if plan.folds < 2:
        return np.zeros(len(data.y), np.int64)
    return assign_folds(data.y, data.group, folds=plan.folds, seed=plan.seed + repeat)


def _side_by_side(
    work: Callable[[tuple[int, int]], Member], places: Sequence[tuple[int, int]], threads: int
) -> list[Member]:
    """Fit members in parallel, one thread each, as threads sharing a small booster mostly wait."""
    workers = min(threads or os.cpu_count() or 1, len(places), _MOST_WORKERS)
    counts = {"total": len(places), "at_once": max(workers, 1)}
    if workers <= 1:
        return list(counted_off(map(work, places), _GROWING, "booster", **counts))
    with ThreadPoolExecutor(workers) as pool:
        return list(counted_off(pool.map(work, places), _GROWING, "booster", **counts))


def _better(parts: list[_Members], data: Training, loss: Loss) -> list[_Members]:
    """The first, the second or both, whichever has the smallest held-out loss."""
    first, second = (part.held_out.mean(axis=0) for part in parts)
    best = _least([(first + second) / 2, first, second], data, loss)
    return parts if best == 0 else [parts[best - 1]]


def _mean_shapes(parts: Sequence[_Members]) -> Shapes:
    """The mean initial score of all members; all parts have equally many."""
    terms = [term for part in parts for term in part.terms]
    intercepts = [member.line.intercept for part in parts for member in part.members]
    weights = [
        np.mean([member.line.weights for member in part.members], axis=0) / len(parts)
        for part in parts
    ]
    return add_up(terms, float(np.mean(intercepts)), np.concatenate(weights))
