"""Cross-fitted bags: boosters over group-wise folds, from the base rate or a linear start."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from churnml.estimators.booster import Recipe, grow, load, make_dataset
from churnml.estimators.linear import PENALTIES, Line, Loss, fit_lines
from churnml.estimators.rows import assign_folds
from churnml.estimators.shapes import Richness, Shapes, Term, add_up, design, fit_terms

Start = Literal["rate", "line"]
_LINE_ROWS = 20_000
_MOST_WORKERS = 8


@dataclass(frozen=True)
class Bag:
    """A fitted bag: the mean of its members.

    Attributes
    ----------
    shapes : Shapes
        The mean of what the members start from.
    texts : list of str
        The boosters as LightGBM writes them.
    boosters : list of Booster
    """

    shapes: Shapes
    texts: list[str]
    boosters: list[lgb.Booster]

    def score(self, matrix: NDArray[np.float32], threads: int = 0) -> NDArray[np.float64]:
        """Raw scores, shape (n,): log-odds, or the target's own unit."""
        total = np.zeros(matrix.shape[0])
        if matrix.shape[0] == 0:
            return total
        for booster in self.boosters:
            total += booster.predict(matrix, raw_score=True, num_threads=threads)
        return self.shapes.score(matrix) + total / max(len(self.boosters), 1)

    def to_state(self) -> dict[str, Any]:
        """Plain data beside the booster texts."""
        return {"line": self.shapes.to_state(), "boosters": len(self.texts)}

    @classmethod
    def from_state(cls, state: dict[str, Any], texts: Sequence[str]) -> Bag:
        """The bag of :meth:`to_state`."""
        return cls(Shapes.from_state(state["line"]), list(texts), load(texts))


@dataclass(frozen=True)
class Training:
    """What a bag is fitted to.

    Attributes
    ----------
    matrix : array of float32, shape (m, k)
    y, weight : array of float64, shape (m,)
    group : array of int64, shape (m,)
    signs : array of int64, shape (k,), or None
        Monotone directions of the matrix columns.
    """

    matrix: NDArray[np.float32]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    group: NDArray[np.int64]
    signs: NDArray[np.int64] | None = None


@dataclass(frozen=True)
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
    """

    folds: int
    repeats: int
    starts: tuple[Start, ...]
    richness: Richness
    seed: int
    threads: int


@dataclass(frozen=True)
class Member:
    """One booster, what it starts from, and its scores of the rows it has not seen."""

    line: Line
    text: str | None
    judged: NDArray[np.int64]
    scores: NDArray[np.float64]


def fit_bag(data: Training, recipe: Recipe, plan: Plan) -> tuple[Bag, NDArray[np.float64]]:
    """Fit a bag, and score its training rows by members that have not seen them.

    Parameters
    ----------
    data : Training
    recipe : Recipe
    plan : Plan

    Returns
    -------
    (Bag, array of float64, shape (repeats, m))
        Out-of-fold raw scores.
    """
    whole = make_dataset(data.matrix, data.y, data.weight, recipe)
    folds = [_folds(data, plan, repeat) for repeat in range(plan.repeats)]
    fitted: list[tuple[list[Member], NDArray[np.float64], list[Term]]] = []
    for start in plan.starts:
        terms = fit_terms(data.matrix, plan.richness) if start == "line" else []
        members, held_out = _cross_fit(whole, data, recipe, plan, folds, terms)
        fitted.append((members, held_out, terms))
    if len(fitted) == 2:
        fitted = _better(fitted, data, recipe.loss)
    members = [member for one, _, _ in fitted for member in one]
    texts = [member.text for member in members if member.text is not None]
    shapes = _mean_shapes([(one, terms) for one, _, terms in fitted])
    held_out = np.mean([scores for _, scores, _ in fitted], axis=0)
    return Bag(shapes, texts, load(texts)), held_out


def _folds(data: Training, plan: Plan, repeat: int) -> NDArray[np.int64]:
    if plan.folds < 2:
        return np.zeros(len(data.y), np.int64)
    return assign_folds(data.y, data.group, folds=plan.folds, seed=plan.seed + repeat)


def _cross_fit(
    whole: lgb.Dataset,
    data: Training,
    recipe: Recipe,
    plan: Plan,
    folds: Sequence[NDArray[np.int64]],
    terms: Sequence[Term],
) -> tuple[list[Member], NDArray[np.float64]]:
    """Members of all repeats and folds, and their held-out scores, shape (repeats, m)."""
    values = design(terms, data.matrix)
    signs = _term_signs(terms, data.signs)
    penalty = choose_penalty(values, data, folds[0], recipe.loss, signs) if terms else None

    def member(repeat: int, one: int) -> Member:
        everything = np.arange(len(data.y))
        alone = plan.folds < 2
        inside = everything if alone else np.flatnonzero(folds[repeat] != one)
        outside = everything[:0] if alone else np.flatnonzero(folds[repeat] == one)
        line = _start(values, data, inside, recipe.loss, penalty, signs)
        start = line.score(values)
        judged = everything if alone else outside
        if recipe.max_rounds == 0:
            return Member(line, None, judged, start[judged])
        text = grow(
            whole,
            inside,
            outside,
            start,
            recipe,
            leaves=recipe.num_leaves[repeat % len(recipe.num_leaves)],
            seed=(plan.seed + 1000 * repeat + one) % 2**31,
        )
        (booster,) = load([text])
        grown = booster.predict(data.matrix[judged], raw_score=True, num_threads=1)
        return Member(line, text, judged, start[judged] + grown)

    places = [(repeat, one) for repeat in range(plan.repeats) for one in range(max(plan.folds, 1))]
    members = _side_by_side(lambda place: member(*place), places, plan.threads)
    held_out = np.zeros((plan.repeats, len(data.y)))
    for (repeat, _), found in zip(places, members, strict=True):
        held_out[repeat, found.judged] = found.scores
    return members, held_out


def _side_by_side(
    work: Callable[[tuple[int, int]], Member], places: Sequence[tuple[int, int]], threads: int
) -> list[Member]:
    """Each member on one thread: threads that share a small booster mostly wait."""
    workers = min(threads or os.cpu_count() or 1, len(places), _MOST_WORKERS)
    if workers <= 1:
        return [work(place) for place in places]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, places))


def choose_penalty(
    values: NDArray[np.float64],
    data: Training,
    fold: NDArray[np.int64],
    loss: Loss,
    signs: NDArray[np.int64] | None,
) -> float:
    """The ridge penalty with the smallest loss on the folds left out."""
    total = np.zeros(len(PENALTIES))
    for one in np.unique(fold):
        inside, outside = np.flatnonzero(fold != one)[:_LINE_ROWS], np.flatnonzero(fold == one)
        if inside.size == 0:
            return PENALTIES[0]
        lines = fit_lines(
            values[inside],
            data.y[inside],
            data.weight[inside],
            loss=loss,
            penalties=PENALTIES,
            signs=signs,
        )
        for at, line in enumerate(lines):
            score = line.score(values[outside])
            total[at] += raw_loss(loss, data.y[outside], score, data.weight[outside])
    return PENALTIES[int(np.argmin(total))]


def raw_loss(
    loss: Loss, y: NDArray[np.float64], score: NDArray[np.float64], weight: NDArray[np.float64]
) -> float:
    """The summed loss of raw scores."""
    if loss == "squared":
        return float(weight @ (y - score) ** 2)
    return float(weight @ (np.logaddexp(0, score) - y * score))


def _start(
    values: NDArray[np.float64],
    data: Training,
    inside: NDArray[np.int64],
    loss: Loss,
    penalty: float | None,
    signs: NDArray[np.int64] | None,
) -> Line:
    y, weight = data.y[inside], data.weight[inside]
    if penalty is None:
        mean = float(np.average(y, weights=weight))
        return Line(_logit(mean) if loss == "logistic" else mean, np.zeros(values.shape[1]))
    some = inside[:_LINE_ROWS]
    (line,) = fit_lines(
        values[some],
        data.y[some],
        data.weight[some],
        loss=loss,
        penalties=(penalty,),
        signs=signs,
    )
    return line


def _logit(rate: float) -> float:
    clipped = min(max(rate, 1e-6), 1 - 1e-6)
    return float(np.log(clipped / (1 - clipped)))


def _term_signs(
    terms: Sequence[Term], signs: NDArray[np.int64] | None
) -> NDArray[np.int64] | None:
    if signs is None:
        return None
    return np.array([signs[term.at] if term.rises else 0 for term in terms], np.int64)


def _better(
    fitted: list[tuple[list[Member], NDArray[np.float64], list[Term]]],
    data: Training,
    loss: Loss,
) -> list[tuple[list[Member], NDArray[np.float64], list[Term]]]:
    """The first, the second or both, whichever has the smallest held-out loss."""
    first, second = (scores.mean(axis=0) for _, scores, _ in fitted)
    losses = [
        raw_loss(loss, data.y, score, data.weight)
        for score in ((first + second) / 2, first, second)
    ]
    best = int(np.argmin(losses))
    return fitted if best == 0 else [fitted[best - 1]]


def _mean_shapes(parts: Sequence[tuple[Sequence[Member], Sequence[Term]]]) -> Shapes:
    """The mean of all members' starts, where all parts have equally many members."""
    terms = [term for _, some in parts for term in some]
    intercepts, weights = [], []
    for members, some in parts:
        intercepts += [member.line.intercept for member in members]
        if some:
            mean = np.mean([member.line.weights for member in members], axis=0)
            weights.append(mean / len(parts))
    joined = np.concatenate(weights) if weights else np.zeros(0)
    return add_up(terms, float(np.mean(intercepts)), joined)
