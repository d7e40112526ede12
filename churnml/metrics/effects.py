"""Effects of an offer, told from doubly robust scores: their mean, and whom it works for more.

A doubly robust score is a row's share in the effect: its mean over any rows that were not
chosen by their outcomes is their effect, without bias where the chance of an offer is known.
Effects are changes of the probability of leaving, so the best customers to treat have the
lowest scores; `priority` here means: the higher, the sooner.

References
----------
Yadlowsky, Fleming, Shah, Brunskill, Wager (2025), "Evaluating treatment prioritization rules
via rank-weighted average treatment effects", JASA 120. Their QINI is the area between the
gain curve of doubly robust scores and its chord, per customer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from churnml.errors import DataError
from churnml.metrics.bootstrap import bootstrap
from churnml.metrics.check_arrays import check_groups, numbers
from churnml.metrics.check_options import check_whole
from churnml.metrics.intervals import LEVEL, normal_quantile
from churnml.metrics.significance import away_from_zero, standard_error

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """An estimate with its standard error over customers.

    Attributes
    ----------
    value, error : float
    low, high : float
        Ends of the interval at ``level``.
    level : float
    """

    value: float
    error: float
    low: float
    high: float
    level: float = LEVEL

    @property
    def p(self) -> float:
        """The chance to see an estimate as far from 0 where there is no effect."""
        return away_from_zero(self.value, self.error)

    @property
    def p_above(self) -> float:
        """The chance to see one as high, or higher, where there is no effect."""
        if self.error == 0:
            return 1.0
        return float(ndtr(-self.value / self.error))

    def to_dict(self) -> dict[str, float]:
        """The estimate as plain data."""
        return {"value": self.value, "low": self.low, "high": self.high, "p": self.p}


def effect_of(value: float, error: float, level: float = LEVEL) -> Effect:
    """An estimate with its normal interval.

    >>> effect_of(1.0, 0.5).low.__round__(3)
    0.02
    """
    half = normal_quantile(level) * error
    return Effect(value=value, error=error, low=value - half, high=value + half, level=level)


def mean_effect(
    scores: ArrayLike, groups: ArrayLike | None = None, *, level: float = LEVEL
) -> Effect:
    """The mean of doubly robust scores, with its error over customers.

    Parameters
    ----------
    scores : array, shape (n,)
    groups : array, shape (n,), optional
        The customer of each row; without them each row is one.
    level : float, default 0.95

    Raises
    ------
    DataError
        No rows, or scores that are missing or infinite.

    Examples
    --------
    >>> mean_effect([1.0, 3.0, 1.0, 3.0]).value
    2.0
    """
    values, customers = _checked(scores, groups)
    mean = float(values.mean())
    return effect_of(mean, standard_error((values - mean) / values.size, customers), level)


def qini(
    scores: ArrayLike,
    priority: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    level: float = LEVEL,
) -> Effect:
    """Whether a ranking puts those first whom the offer keeps: 0 for a ranking by lot.

    ``integral of q TOC(q)``, with ``TOC(q)`` the customers kept per customer treated among the
    first share q, less the same among all: the area between the gain curve and its chord, in
    customers kept per customer of the base. The interval is for a ranking given beforehand;
    what the learning of it might have been is not in it.

    Parameters
    ----------
    scores : array, shape (n,)
        Doubly robust scores of the change of the probability of leaving.
    priority : array, shape (n,)
        The higher, the sooner treated; from models that saw nothing of these customers.
    groups : array, shape (n,), optional
    level : float, default 0.95

    Examples
    --------
    >>> qini([-1.0, -1.0, 0.0, 0.0], [4, 3, 2, 1]).value
    0.125
    """
    value, influence = qini_influence(scores, priority)
    customers = _checked(scores, groups)[1]
    return effect_of(value, standard_error(influence, customers), level)


def qini_influence(scores: ArrayLike, priority: ArrayLike) -> tuple[float, Floats]:
    """The QINI and by how much each row moves it, shape (n,); they add up to 0.

    Parameters
    ----------
    scores, priority
        As for `qini`.

    Examples
    --------
    >>> value, moved = qini_influence([-1.0, -1.0, 0.0, 0.0], [4, 3, 2, 1])
    >>> value, bool(abs(moved.sum()) < 1e-12)
    (0.125, True)
    """
    values, _ = _checked(scores, None)
    order = numbers("priorities", priority)
    if order.shape != values.shape:
        raise DataError(
            f"priority has shape {order.shape}, scores {values.shape}; one of each a row was "
            "expected."
        )
    kept = -values
    share = _ranks(order)
    away = kept - kept.mean()
    value = float((kept * (0.5 - share)).mean())
    # A row also moves the ranks of those below it.
    moved = away * (0.5 - share) - value + _moved_ranks(away, order)
    return value, (moved - moved.mean()) / values.size


def _ranks(priority: Floats) -> Floats:
    """The share of rows before each one, from the highest priority; ties in their middle."""
    _, place, count = np.unique(-priority, return_inverse=True, return_counts=True)
    before = np.r_[0, np.cumsum(count)[:-1]]
    return np.asarray((before[place] + count[place] / 2) / priority.size)


def rank_within(priority: ArrayLike, part: ArrayLike) -> Floats:
    """Priorities that may be compared across parts: each row's rank within its own, 0 to 1.

    Models that left a fold out are the higher the lower that fold itself is, since both make
    up the same mean; ranked over all folds at once, a ranking that knows nothing looks worse
    than one by lot.

    Parameters
    ----------
    priority : array, shape (n,)
        The higher, the sooner treated.
    part : array, shape (n,)
        The fold of each row.

    Examples
    --------
    >>> rank_within([5.0, 7.0, 0.1, 0.3], [0, 0, 1, 1]).tolist()
    [0.25, 0.75, 0.25, 0.75]
    """
    order, parts = numbers("priorities", priority), np.asarray(part)
    ranked = np.zeros(order.size)
    for one in np.unique(parts):
        inside = parts == one
        ranked[inside] = 1 - _ranks(order[inside])
    return ranked


def _moved_ranks(away: Floats, priority: Floats) -> Floats:
    """By how much the ranks that a row gives to others move the QINI."""
    place = np.unique(-priority, return_inverse=True)[1]
    here = np.bincount(place, weights=away)
    after = away.sum() - np.cumsum(here)
    return -np.asarray((after + here / 2)[place]) / priority.size


@dataclass(frozen=True, kw_only=True)
class GainCurve:
    """Customers kept per 1,000 of the base, by the share that is treated.

    Attributes
    ----------
    share : array, shape (k,)
        From 0 to 1.
    kept, low, high : array, shape (k,)
        Per 1,000 customers of the base, with the interval at each point.
    level : float
    """

    share: Floats
    kept: Floats
    low: Floats
    high: Floats
    level: float

    def to_dict(self) -> dict[str, Any]:
        """The curve as plain data."""
        return {name: getattr(self, name).tolist() for name in ("share", "kept", "low", "high")}


def gain_curve(
    scores: ArrayLike,
    priority: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    points: int = 20,
    draws: int = 200,
    seed: int = 0,
    level: float = LEVEL,
) -> GainCurve:
    """The customers kept if the first of a ranking are treated, with a band over customers.

    Parameters
    ----------
    scores, priority, groups
        As for `qini`.
    points : int, default 20
        At which the curve is told, evenly spread.
    draws : int, default 200
        Of the bootstrap.
    seed : int
    level : float, default 0.95
        Of each point by itself, not of the whole curve.

    Examples
    --------
    >>> curve = gain_curve([-0.5, -0.5, 0.0, 0.0], [4, 3, 2, 1], points=2)
    >>> curve.kept.tolist()
    [0.0, 250.0, 250.0]
    """
    values, customers = _checked(scores, groups)
    order = numbers("priorities", priority)
    check_whole("points", points)
    ranked = np.argsort(-order, kind="stable")
    falling = order[ranked]
    ends = np.flatnonzero(np.r_[falling[1:] != falling[:-1], True])
    kept = -values[ranked]
    shares = np.arange(1, points + 1) / points

    def at(weight: Floats) -> Floats:
        mass = weight[ranked]
        share = np.r_[0.0, np.cumsum(mass)[ends]] / mass.sum()
        gained = np.r_[0.0, np.cumsum(mass * kept)[ends]] / mass.sum()
        return np.interp(shares, share, gained)

    curve = _Remembered(at)
    found = bootstrap(
        {str(one): curve.point(one) for one in range(points)},
        customers,
        draws=draws,
        seed=seed,
        level=level,
    )
    told = [found[str(one)] for one in range(points)]
    columns = (
        np.r_[0.0, [1000 * getattr(one, name) for one in told]] for name in ("value", "low", "high")
    )
    middle, low, high = columns
    return GainCurve(share=np.r_[0.0, shares], kept=middle, low=low, high=high, level=level)


class _Remembered:
    """A curve that is worked out once for all its points."""

    def __init__(self, at: Any) -> None:
        self._at, self._curve = at, np.zeros(0)
        self._weight: Floats | None = None

    def point(self, place: int) -> Any:
        def measure(weight: Floats) -> float:
            if self._weight is not weight:
                self._weight, self._curve = weight, self._at(weight)
            return float(self._curve[place])

        return measure


@dataclass(frozen=True, kw_only=True)
class Fifth:
    """The customers of one fifth of the predicted effect.

    Attributes
    ----------
    place : int
        1 for the fifth that an offer is said to keep most.
    rows : int
    predicted : float
        Mean predicted effect.
    effect : Effect
        What doubly robust scores say.
    """

    place: int
    rows: int
    predicted: float
    effect: Effect


def effects_by_fifth(
    scores: ArrayLike,
    predicted: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    priority: ArrayLike | None = None,
    fifths: int = 5,
) -> list[Fifth]:
    """The effect in each fifth of the predicted effect, those kept most first.

    Parameters
    ----------
    scores : array, shape (n,)
    predicted : array, shape (n,)
        Effects by models that saw nothing of these customers; equal ones stay together.
    groups : array, shape (n,), optional
    priority : array, shape (n,), optional
        What fifths are made by, the higher the sooner; by default the predicted effects, those
        kept most first.
    fifths : int, default 5

    Examples
    --------
    >>> found = effects_by_fifth([-1.0, -1.0, 1.0, 1.0], [0, 0, 1, 1], fifths=2)
    >>> [one.effect.value for one in found]
    [-1.0, 1.0]
    """
    values, customers = _checked(scores, groups)
    told = numbers("predicted effects", predicted)
    order = -told if priority is None else numbers("priorities", priority)
    place = np.minimum((_ranks(order) * fifths).astype(int), fifths - 1)
    return [
        Fifth(
            place=int(one) + 1,
            rows=int((place == one).sum()),
            predicted=float(told[place == one].mean()),
            effect=mean_effect(values[place == one], customers[place == one]),
        )
        for one in np.unique(place)
    ]


def _checked(scores: ArrayLike, groups: ArrayLike | None) -> tuple[Floats, Ints]:
    values = numbers("scores", scores)
    if values.ndim != 1 or not values.size:
        raise DataError(f"scores has shape {values.shape}; one a row was expected.")
    lost = ~np.isfinite(values)
    if lost.any():
        raise DataError(
            f"scores: {int(lost.sum())} of {values.size} are missing or infinite.",
            count=int(lost.sum()),
        )
    customers = check_groups(groups, values.size)
    return values, np.arange(values.size) if customers is None else customers
