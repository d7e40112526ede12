"""The whole distribution of a score, given what boosters say of it.

For every threshold the share of scores at or below it is the mean of two estimates that
err differently. Isotonic distributional regression on the predicted score (Henzi, Ziegel,
Gneiting 2021; on point predictions: Walz et al. 2024, "EasyUQ") knows atoms and skewness,
of which survey scores are made, but moves in steps. Cumulative logits on the predicted
score and on the log-odds of dissatisfaction are smooth. Both learn from predictions of rows
that the boosters had not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.isotonic import isotonic_regression

from churnml.estimators.distribution.conformal import bounds, conformal_mass, dropped_at, masses_by
from churnml.estimators.distribution.cumulative_logit import fit_cumulative

_MOST_THRESHOLDS = 60
_MOST_KNOTS = 60
_MOST_BINS = 400
_FOLDS = 5
_PRIOR_ROWS = 4.0
_ARRAYS = ("lowest", "centres", "thresholds", "knots", "shares", "lines")


@dataclass(frozen=True)
class Index:
    """What boosters say of some rows.

    Attributes
    ----------
    score : array of float64, shape (n,)
        Predicted scores.
    odds : array of float64, shape (n,)
        Log-odds of dissatisfaction, in any scale; 0 where nobody learned them.
    """

    score: NDArray[np.float64]
    odds: NDArray[np.float64]

    def rows(self, at: NDArray[np.bool_]) -> Index:
        """Some of the rows."""
        return Index(self.score[at], self.odds[at])


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """Shares of scores at or below thresholds, by what boosters say.

    Attributes
    ----------
    lowest, centres : array of float64, shape (t,)
        The lowest and the mean score that each threshold stands for: itself where
        different scores are few, else those above the threshold before.
    thresholds : array of float64, shape (t,)
        Scores, rising; the last one is the largest seen.
    knots : array of float64, shape (k,)
        Predicted scores, rising; between two of them isotonic shares are interpolated.
    shares : array of float64, shape (k, t)
    lines : array of float64, shape (t - 1, 3)
        Intercepts and slopes of the cumulative logits.
    mass : float
        The predicted share that an interval must hold so that the promised share of
        scores lies within it.
    masses : dict of str to float
        The same by label, where enough customers have it.
    """

    lowest: NDArray[np.float64]
    centres: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    knots: NDArray[np.float64]
    shares: NDArray[np.float64]
    lines: NDArray[np.float64]
    mass: float = 0.9
    masses: Mapping[str, float] = field(default_factory=dict)

    def _below_each(self, index: Index) -> Iterator[NDArray[np.float64]]:
        """Shares at or below each threshold but the last, shape (n,) each.

        Column by column, since the bits of a matrix product depend on the number of rows.
        """
        reached = np.zeros(index.score.size)
        for at, (start, by_score, by_odds) in enumerate(self.lines):
            steps = np.interp(index.score, self.knots, self.shares[:, at])
            smooth = expit(start + by_score * index.score + by_odds * index.odds)
            reached = np.maximum(reached, (steps + smooth) / 2)
            yield reached

    def at(self, index: Index) -> NDArray[np.float64]:
        """Shares at or below each threshold, shape (n, t)."""
        return np.column_stack([*self._below_each(index), np.ones(index.score.size)])

    def mean(self, index: Index) -> NDArray[np.float64]:
        """The distribution's mean, shape (n,); rises with the score, falls with the odds."""
        return self._mean(index.score.size, self._below_each(index))

    def mean_of(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean out of :meth:`at`, shape (n,), to the bit that of :meth:`mean`."""
        return self._mean(len(shares), shares[:, :-1].T)

    def _mean(self, rows: int, below_each: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
        mean = np.full(rows, self.centres[-1])
        for gap, below in zip(np.diff(self.centres), below_each, strict=True):
            mean -= gap * below
        return mean

    def below(self, shares: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
        """The share of scores at or below any threshold, out of :meth:`at`, shape (n,)."""
        at = int(np.searchsorted(self.thresholds, threshold, side="right")) - 1
        return shares[:, at].copy() if at >= 0 else np.zeros(len(shares))

    def interval(
        self, shares: NDArray[np.float64], label: NDArray[np.object_] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The closed intervals from one threshold to another that hold enough mass."""
        mass = np.full(len(shares), self.mass)
        if label is not None:
            for one, its in self.masses.items():
                mass[label == one] = its
        low, high = bounds(shares, mass)
        return self.lowest[low], self.thresholds[high]

    def to_state(self) -> dict[str, Any]:
        """Plain data that :meth:`from_state` reads."""
        state: dict[str, Any] = {name: getattr(self, name).tolist() for name in _ARRAYS}
        return state | {"mass": self.mass, "masses": dict(self.masses)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Distribution:
        """The distribution of :meth:`to_state`."""
        arrays = {name: np.array(state[name], np.float64) for name in _ARRAYS}
        arrays["lines"] = arrays["lines"].reshape(-1, 3)
        return cls(**arrays, mass=float(state["mass"]), masses=dict(state["masses"]))


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What a distribution learns from: n rows that the boosters had not seen.

    Attributes
    ----------
    index : Index
    y, weight : array of float64, shape (n,)
    group : array of int64, shape (n,)
        The customer.
    label : array of object, shape (n,), optional
        A kind of customers, text or None, that may have intervals of its own.
    """

    index: Index
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    group: NDArray[np.int64]
    label: NDArray[np.object_] | None = None


def fit_distribution(
    seen: Outcomes, *, coverage: float, cut: float, ends: tuple[float, float] | None = None
) -> Distribution:
    """Learn the distribution, and how much mass its intervals must hold.

    Parameters
    ----------
    seen : Outcomes
    coverage : float
        The share of scores that intervals are to hold, between 0 and 1.
    cut : float
        Scores at or below it are told from those above exactly.
    ends : (float, float), optional
        Of the scale: where different scores are many, one beyond all seen may come.
    """
    y, weight, index = seen.y, seen.weight, seen.index
    lowest, thresholds = _levels(y, cut, ends)
    place = np.searchsorted(thresholds, y)
    held = np.bincount(place, weights=weight, minlength=thresholds.size)
    centres = np.bincount(place, weights=weight * y, minlength=thresholds.size) / held
    # Rounding must not push a level beyond itself.
    centres = np.clip(centres, lowest, thresholds)
    knots = np.unique(np.quantile(index.score, np.linspace(0, 1, _MOST_KNOTS)))
    lines = fit_cumulative(index.score, index.odds, place, weight, thresholds.size)
    every = np.ones(y.size, bool)

    def learned(rows: NDArray[np.bool_]) -> Distribution:
        shares = _shares(index.score[rows], place[rows], weight[rows], knots, thresholds.size)
        return Distribution(
            lowest=lowest,
            centres=centres,
            thresholds=thresholds,
            knots=knots,
            shares=shares,
            lines=lines,
        )

    dropped = np.ones(y.size)
    fold = seen.group % _FOLDS
    for one in np.unique(fold) if np.unique(fold).size > 1 else ():
        # Shares that had seen a score would make its interval too narrow.
        unseen = fold == one
        part = learned(~unseen)
        dropped[unseen] = dropped_at(part.at(index.rows(unseen)), place[unseen])
    mass = conformal_mass(dropped, weight, seen.group, coverage)
    masses = (
        {} if seen.label is None else masses_by(seen.label, dropped, weight, seen.group, coverage)
    )
    return replace(learned(every), mass=mass, masses=masses)


def _levels(
    y: NDArray[np.float64], cut: float, ends: tuple[float, float] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lowest and the highest score of each level: all scores, or stretches between quantiles.

    A stretch begins just above the threshold before: no new score falls between two.
    """
    every = np.unique(y)
    if every.size <= _MOST_THRESHOLDS:
        return every, every
    some = np.quantile(y, np.linspace(0, 1, _MOST_THRESHOLDS), method="higher")[1:]
    highest = np.unique(np.r_[some, every[every <= cut][-1:]])
    low, high = ends or (every[0], every[-1])
    highest[-1] = high
    return np.r_[low, np.nextafter(highest[:-1], np.inf)], highest


def _shares(
    prediction: NDArray[np.float64],
    place: NDArray[np.int64],
    weight: NDArray[np.float64],
    knots: NDArray[np.float64],
    thresholds: int,
) -> NDArray[np.float64]:
    """Shares at or below each threshold by knot, falling from knot to knot."""
    edges = np.unique(np.quantile(prediction, np.linspace(0, 1, _MOST_BINS + 1)[1:-1]))
    at = np.searchsorted(edges, prediction, side="right")
    counts = np.zeros((edges.size + 1, thresholds))
    np.add.at(counts, (at, place), weight)
    mass = counts.sum(axis=1)
    held = mass > 0
    centre = np.bincount(at, weights=weight * prediction, minlength=mass.size)[held] / mass[held]
    below = np.cumsum(counts[held], axis=1) / mass[held, None]
    overall = np.cumsum(counts.sum(axis=0)) / mass.sum()
    # Rounding must not push a bin's mean below that of the bin before.
    centre = np.maximum.accumulate(centre)
    falling = [
        isotonic_regression(column, sample_weight=mass[held], increasing=False)
        for column in below.T
    ]
    shares = np.column_stack([np.interp(knots, centre, column) for column in falling])
    # A few rows' worth of the shares of all: nothing that was seen is held impossible.
    prior = _PRIOR_ROWS / (_PRIOR_ROWS + place.size)
    shares = np.maximum.accumulate((1 - prior) * shares + prior * overall, axis=1)
    shares[:, -1] = 1.0
    return shares
