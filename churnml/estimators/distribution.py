"""The whole distribution of a score, given its prediction, and intervals that cover.

For every threshold the share of scores at or below it falls as the prediction rises:
isotonic distributional regression on out-of-fold predictions (Henzi, Ziegel, Gneiting
2021; on point predictions: Walz et al. 2024, "EasyUQ"). It knows atoms and skewness, of
which survey scores are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

_MOST_THRESHOLDS = 60
_MOST_KNOTS = 60
_MOST_BINS = 400
_FOLDS = 5
_PRIOR_ROWS = 10.0


@dataclass(frozen=True)
class Distribution:
    """Shares of scores at or below thresholds, by prediction.

    Attributes
    ----------
    lowest : array of float64, shape (t,)
        The lowest score that each threshold stands for: itself where scores are few,
        else the threshold before.
    knots : array of float64, shape (k,)
        Predictions, rising; between two of them shares are interpolated.
    thresholds : array of float64, shape (t,)
        Scores, rising; the last one is the largest seen.
    shares : array of float64, shape (k, t)
    mass : float
        The predicted share that an interval must hold so that the promised share of
        scores lies within it.
    """

    lowest: NDArray[np.float64]
    knots: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    shares: NDArray[np.float64]
    mass: float = 0.9

    def at(self, prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shares for each prediction, shape (n, t)."""
        columns = [np.interp(prediction, self.knots, column) for column in self.shares.T]
        return np.column_stack(columns)

    def below(self, prediction: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
        """The share of scores at or below a threshold, for each prediction, shape (n,)."""
        at = int(np.searchsorted(self.thresholds, threshold, side="right")) - 1
        if at < 0:
            return np.zeros(prediction.size)
        return np.asarray(np.interp(prediction, self.knots, self.shares[:, at]))

    def interval(
        self, prediction: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The closed intervals from one threshold to another that hold ``mass``."""
        low, high = _bounds(self.at(prediction), self.mass)
        return self.lowest[low], self.thresholds[high]

    def to_state(self) -> dict[str, Any]:
        """Plain data that :meth:`from_state` reads."""
        return {
            "lowest": self.lowest.tolist(),
            "knots": self.knots.tolist(),
            "thresholds": self.thresholds.tolist(),
            "shares": self.shares.tolist(),
            "mass": self.mass,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Distribution:
        """The distribution of :meth:`to_state`."""
        lowest, knots, thresholds, shares = (
            np.array(state[name], np.float64)
            for name in ("lowest", "knots", "thresholds", "shares")
        )
        return cls(lowest, knots, thresholds, shares, float(state["mass"]))


def fit_distribution(
    prediction: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    coverage: float,
) -> Distribution:
    """Learn from predictions of rows that the model had not seen.

    Parameters
    ----------
    prediction, y, weight : array of float64, shape (n,)
    coverage : float
        The share of scores that intervals are to hold, between 0 and 1.

    Returns
    -------
    Distribution
    """
    thresholds = lowest = np.unique(y)
    if thresholds.size > _MOST_THRESHOLDS:
        thresholds = np.unique(np.quantile(y, np.linspace(0, 1, _MOST_THRESHOLDS), method="higher"))
        lowest = np.r_[y.min(), thresholds[:-1]]
    place = np.minimum(np.searchsorted(thresholds, y), thresholds.size - 1)
    knots = np.unique(np.quantile(prediction, np.linspace(0, 1, _MOST_KNOTS)))
    dropped = np.ones(y.size)
    fold = np.arange(y.size) % _FOLDS
    for one in range(min(_FOLDS, y.size) if y.size > 1 else 0):
        # Shares that had seen a score would make its interval too narrow.
        seen, unseen = fold != one, fold == one
        part = Distribution(
            lowest,
            knots,
            thresholds,
            _shares(prediction[seen], place[seen], weight[seen], knots, thresholds.size),
        )
        dropped[unseen] = _dropped_at(part.at(prediction[unseen]), place[unseen])
    shares = _shares(prediction, place, weight, knots, thresholds.size)
    mass = _conformal(dropped, weight, coverage)
    return Distribution(lowest, knots, thresholds, shares, mass)


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
    falling = IsotonicRegression(increasing=False, out_of_bounds="clip")
    found = np.column_stack(
        [falling.fit(centre, column, mass[held]).predict(knots) for column in below.T]
    )
    # A few rows' worth of the shares of all: nothing that was seen is held impossible.
    prior = _PRIOR_ROWS / (_PRIOR_ROWS + place.size)
    found = np.maximum.accumulate((1 - prior) * found + prior * overall, axis=1)
    found[:, -1] = 1.0
    return found


def _conformal(dropped: NDArray[np.float64], weight: NDArray[np.float64], coverage: float) -> float:
    """The mass that keeps the promised share of scores in, one row beyond the sample.

    A score is in the interval of a mass above the one at which the chain drops it.
    """
    order = np.argsort(dropped, kind="stable")
    held = np.cumsum(weight[order])
    at = int(np.searchsorted(held, coverage * (held[-1] + weight.mean())))
    if at >= dropped.size:
        return 1.0
    return float(np.nextafter(dropped[order[at]], np.inf))


def _chain(
    shares: NDArray[np.float64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Nested intervals for each row, from all thresholds to one: low, high and mass.

    Step by step the end goes whose side would have lost less, so that an atom at the
    top of the scale stays in and the tail below it pays.
    """
    rows, size = shares.shape
    every = np.arange(rows)
    below = np.column_stack([np.zeros(rows), shares])
    low, high = np.zeros(rows, np.int64), np.full(rows, size - 1)
    yield low, high, np.ones(rows)
    for _ in range(size - 1):
        lost_low = below[every, low + 1]
        lost_high = 1.0 - below[every, high]
        from_below = lost_low <= lost_high
        low, high = low + from_below, high - ~from_below
        yield low, high, below[every, high + 1] - below[every, low]


def _bounds(
    shares: NDArray[np.float64], mass: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The smallest intervals of the chain that hold ``mass``."""
    best_low = np.zeros(len(shares), np.int64)
    best_high = np.full(len(shares), shares.shape[1] - 1)
    for low, high, held in _chain(shares):
        enough = held >= mass
        if not enough.any():
            break
        best_low, best_high = np.where(enough, low, best_low), np.where(enough, high, best_high)
    return best_low, best_high


def _dropped_at(shares: NDArray[np.float64], at: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mass of the first interval of the chain that leaves each score out."""
    found = np.zeros(at.size)
    inside = np.ones(at.size, bool)
    for low, high, held in _chain(shares):
        left = inside & ((at < low) | (at > high))
        found[left] = held[left]
        inside &= ~left
    return found
