"""Weights of answers: raked to known totals of customers, and what they cost in answers.

Raking is iterative proportional fitting (Deming and Stephan 1940); the cost is Kish's (1965).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TOLERANCE = 1e-9
_MOST_ROUNDS = 1_000
_ALIKE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Margin:
    """A way to part the customers, with how many there are of each kind.

    Attributes
    ----------
    codes : array of int, shape (n,)
        The kind of each who answered: a place in ``totals``.
    totals : array of float, shape (k,)
        Customers of each kind.
    names : tuple of str, length k
    """

    codes: Ints
    totals: Floats
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Raked:
    """Raked weights.

    Attributes
    ----------
    weight : array of float, shape (n,)
    capped : int
        Answers whose weight would have moved by more than the cap.
    missed : float
        The largest relative miss of a total that remains.
    """

    weight: Floats
    capped: int
    missed: float


def kish(weight: ArrayLike) -> float:
    """How many equally weighted answers would be worth as much as these.

    Examples
    --------
    >>> kish([1, 1, 1, 1, 2, 2, 2, 4])
    6.125
    """
    w = np.asarray(weight, np.float64)
    return float(w.sum() ** 2 / (w**2).sum()) if w.size else 0.0


def design_effect(weight: ArrayLike) -> float:
    """By how much weights of different size multiply a variance.

    Examples
    --------
    >>> round(design_effect([1, 1, 1, 1, 2, 2, 2, 4]), 5)
    1.30612
    """
    w = np.asarray(weight, np.float64)
    return w.size / kish(w) if w.size else float("nan")


def merge_empty(margin: Margin, *, fewest: int = 1) -> tuple[Margin, list[str]]:
    """Merge kinds that too few answered into their neighbour: nobody stands for them.

    Parameters
    ----------
    margin : Margin
    fewest : int, default 1
        Answers that a kind needs to stand by itself.

    Returns
    -------
    (Margin, list of str)
        The names of the kinds that were merged.

    Examples
    --------
    >>> margin = Margin(codes=np.array([0, 0, 2]), totals=np.array([5.0, 1.0, 4.0]),
    ...                 names=("a", "b", "c"))
    >>> fewer, merged = merge_empty(margin)
    >>> fewer.names, fewer.totals.tolist(), fewer.codes.tolist(), merged
    (('a', 'b, c'), [5.0, 5.0], [0, 0, 1], ['b'])
    """
    answers = np.bincount(margin.codes, minlength=margin.totals.size)
    lone = [
        name
        for name, count, total in zip(margin.names, answers, margin.totals, strict=True)
        if count < fewest and total > 0
    ]
    place, held, part = [], 0, 0
    for count in answers:
        place.append(part)
        held += int(count)
        if held >= fewest:
            part, held = part + 1, 0
    # What is left over at the end goes to the part before it.
    to = np.minimum(np.array(place), max(part - 1, 0))
    names = tuple(
        ", ".join(name for name, at in zip(margin.names, to, strict=True) if at == one)
        for one in range(int(to.max()) + 1)
    )
    totals = np.bincount(to, weights=margin.totals).astype(np.float64)
    return Margin(codes=to[margin.codes], totals=totals, names=names), lone


def rake(weight: ArrayLike, margins: Mapping[str, Margin], *, cap: float | None = None) -> Raked:
    """Bring the weighted answers to the known totals of every margin at once.

    Parameters
    ----------
    weight : array of float, shape (n,)
        Where to start; at least 0.
    margins : mapping of str to Margin
    cap : float, optional
        No weight ends more than so many times above or below where it began, up to one
        factor for all. Totals are then met less exactly.

    Returns
    -------
    Raked

    Raises
    ------
    DataError
        If nobody of a kind answered, or the margins do not add up to the same number of
        customers: weights could never meet them.

    Examples
    --------
    >>> start = [40, 30, 20, 10]
    >>> rows = Margin(codes=np.array([0, 0, 1, 1]), totals=np.array([60.0, 40.0]),
    ...               names=("u", "v"))
    >>> columns = Margin(codes=np.array([0, 1, 0, 1]), totals=np.array([55.0, 45.0]),
    ...                  names=("x", "y"))
    >>> rake(start, {"rows": rows, "columns": columns}).weight.round(6).tolist()
    [30.610723, 29.389277, 24.389277, 15.610723]
    """
    begun = np.asarray(weight, np.float64)
    for name, margin in margins.items():
        _require_answers(name, margin, begun)
    _require_alike(margins)
    w, missed = _fit(begun, margins)
    if cap is None or not margins:
        return Raked(weight=w, capped=0, missed=missed)
    ratio = w / begun
    usual = w.sum() / begun.sum()
    allowed = np.clip(ratio / usual, 1 / cap, cap)
    capped = int(np.sum(~np.isclose(allowed * usual, ratio)))
    if not capped:
        return Raked(weight=w, capped=0, missed=missed)
    bounded = begun * allowed
    bounded *= w.sum() / bounded.sum()
    return Raked(weight=bounded, capped=capped, missed=_miss(bounded, margins))


def _fit(begun: Floats, margins: Mapping[str, Margin]) -> tuple[Floats, float]:
    w, missed = begun.copy(), 0.0
    for _round in range(_MOST_ROUNDS):
        for margin in margins.values():
            sums = np.bincount(margin.codes, weights=w, minlength=margin.totals.size)
            with np.errstate(invalid="ignore", divide="ignore"):
                factor = np.where(sums > 0, margin.totals / sums, 0.0)
            w *= factor[margin.codes]
        missed = _miss(w, margins)
        if missed < _TOLERANCE:
            break
    return w, missed


def _miss(w: Floats, margins: Mapping[str, Margin]) -> float:
    worst = 0.0
    for margin in margins.values():
        there = margin.totals > 0
        sums = np.bincount(margin.codes, weights=w, minlength=margin.totals.size)
        worst = max(worst, float(np.abs(sums[there] / margin.totals[there] - 1).max(initial=0.0)))
    return worst


def _require_answers(name: str, margin: Margin, weight: Floats) -> None:
    sums = np.bincount(margin.codes, weights=weight, minlength=margin.totals.size)
    empty = [margin.names[at] for at in np.flatnonzero((sums <= 0) & (margin.totals > 0))]
    if empty:
        raise DataError(
            f"{name}: nobody of {', '.join(empty)} answered; weights cannot stand for them.",
            hint="Merge them into a neighbour.",
            column=name,
            count=len(empty),
        )


def _require_alike(margins: Mapping[str, Margin]) -> None:
    sums = {name: float(margin.totals.sum()) for name, margin in margins.items()}
    if sums and max(sums.values()) - min(sums.values()) > _ALIKE * max(sums.values()):
        told = ", ".join(f"{name} {total:,.0f}" for name, total in sums.items())
        raise DataError(f"the margins do not add up to the same number of customers: {told}.")
