"""Cross-fitted bags: a linear start and early-stopped boosters over group-wise folds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from churnml.estimators.booster import Recipe, grow, load, make_dataset, mean_score
from churnml.estimators.linear import (
    Line,
    Loss,
    Scaling,
    fit_lines,
    fit_scaling,
    line_from_state,
    line_state,
)
from churnml.estimators.rows import assign_folds

PENALTIES = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0)


@dataclass(frozen=True)
class Bag:
    """A fitted bag.

    Attributes
    ----------
    scaling : Scaling
        Of the linear part.
    line : Line
        The mean of the folds' linear starts.
    texts : list of str
        The boosters as LightGBM writes them.
    boosters : list of Booster
    """

    scaling: Scaling
    line: Line
    texts: list[str]
    boosters: list[lgb.Booster]

    def score(self, matrix: NDArray[np.float32], threads: int = 0) -> NDArray[np.float64]:
        """Raw scores, shape (n,): log-odds, or the target's own unit."""
        design = self.scaling.design(matrix)
        return mean_score(self.boosters, self.line, matrix, design, threads)

    def to_state(self) -> dict[str, Any]:
        """Plain data beside the booster texts."""
        return {
            "scaling": asdict(self.scaling),
            "line": line_state(self.line),
            "boosters": len(self.texts),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], texts: list[str]) -> Bag:
        """The bag of :meth:`to_state`."""
        line = line_from_state(state["line"])
        return cls(Scaling(**state["scaling"]), line, list(texts), load(texts))


@dataclass(frozen=True)
class Training:
    """What a bag is fitted to.

    Attributes
    ----------
    matrix : array of float32, shape (m, k)
    y, weight : array of float64, shape (m,)
    group : array of int64, shape (m,)
    """

    matrix: NDArray[np.float32]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    group: NDArray[np.int64]


def fit_bag(
    data: Training,
    recipe: Recipe,
    *,
    folds: int,
    repeats: int,
    seed: int,
    linear: bool,
    signs: NDArray[np.int64] | None = None,
) -> tuple[Bag, NDArray[np.float64]]:
    """Fit a bag, and score its training rows by members that have not seen them.

    Parameters
    ----------
    data : Training
    recipe : Recipe
    folds : int
        Below 2 there is one member, grown on all rows.
    repeats : int
        How often the folds are drawn anew.
    seed : int
    linear : bool
        Whether boosting starts from a ridge score.
    signs : array of int, shape (k,), optional
        Monotone directions of the matrix columns.

    Returns
    -------
    (Bag, array of float64, shape (repeats, m))
        Out-of-fold raw scores.
    """
    scaling = fit_scaling(data.matrix)
    design = scaling.design(data.matrix) if linear else np.empty((len(data.y), 0))
    penalty = PENALTIES[0]
    lines, texts, held_out = [], [], []
    whole = make_dataset(data.matrix, data.y, data.weight, recipe)
    for repeat in range(repeats):
        fold = _folds(data, folds, seed + repeat)
        if linear and repeat == 0:
            penalty = choose_penalty(design, data, fold, recipe.loss, scaling, signs)
        scores = np.zeros(len(data.y))
        for one in range(max(folds, 1)):
            inside = np.flatnonzero(fold != one) if folds > 1 else np.arange(len(fold))
            outside = np.flatnonzero(fold == one) if folds > 1 else np.arange(0)
            line = _start(design, data, inside, recipe.loss, penalty, scaling, signs)
            start = line.score(design)
            leaves = recipe.num_leaves[repeat % len(recipe.num_leaves)]
            text = grow(
                whole,
                inside,
                outside,
                start,
                recipe,
                leaves=leaves,
                seed=seed + 1000 * repeat + one,
            )
            judged = outside if folds > 1 else inside
            (booster,) = load([text])
            trees = booster.predict(data.matrix[judged], raw_score=True)
            scores[judged] = start[judged] + trees
            lines.append(line)
            texts.append(text)
        held_out.append(scores)
    return Bag(scaling, _mean_line(lines, scaling), texts, load(texts)), np.array(held_out)


def _folds(data: Training, folds: int, seed: int) -> NDArray[np.int64]:
    if folds < 2:
        return np.zeros(len(data.y), np.int64)
    return assign_folds(data.y, data.group, folds=folds, seed=seed)


def _term_signs(scaling: Scaling, signs: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    return None if signs is None else np.r_[signs, np.zeros(len(scaling.holes), np.int64)]


def choose_penalty(
    design: NDArray[np.float64],
    data: Training,
    fold: NDArray[np.int64],
    loss: Loss,
    scaling: Scaling,
    signs: NDArray[np.int64] | None,
) -> float:
    """The ridge penalty with the smallest loss on the folds left out."""
    total = np.zeros(len(PENALTIES))
    for one in np.unique(fold):
        inside, outside = fold != one, fold == one
        if inside.any():
            lines = fit_lines(
                design[inside],
                data.y[inside],
                data.weight[inside],
                loss=loss,
                penalties=PENALTIES,
                signs=_term_signs(scaling, signs),
            )
            for at, line in enumerate(lines):
                score = line.score(design[outside])
                total[at] += raw_loss(loss, data.y[outside], score, data.weight[outside])
    return PENALTIES[int(np.argmin(total))]


def raw_loss(
    loss: Loss,
    y: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> float:
    """The summed loss of raw scores."""
    if loss == "squared":
        return float(weight @ (y - score) ** 2)
    return float(weight @ (np.logaddexp(0, score) - y * score))


def _start(
    design: NDArray[np.float64],
    data: Training,
    inside: NDArray[np.int64],
    loss: Loss,
    penalty: float,
    scaling: Scaling,
    signs: NDArray[np.int64] | None,
) -> Line:
    y, weight = data.y[inside], data.weight[inside]
    if design.shape[1] == 0:
        mean = float(np.average(y, weights=weight))
        return Line(_logit(mean) if loss == "logistic" else mean, np.zeros(0))
    (line,) = fit_lines(
        design[inside],
        y,
        weight,
        loss=loss,
        penalties=(penalty,),
        signs=_term_signs(scaling, signs),
    )
    return line


def _logit(rate: float) -> float:
    clipped = min(max(rate, 1e-6), 1 - 1e-6)
    return float(np.log(clipped / (1 - clipped)))


def _mean_line(lines: list[Line], scaling: Scaling) -> Line:
    terms = len(scaling.mean) + len(scaling.holes)
    weights = [line.weights if line.weights.size else np.zeros(terms) for line in lines]
    return Line(
        float(np.mean([line.intercept for line in lines])), np.asarray(np.mean(weights, axis=0))
    )
