"""Find slices of customers for whom a model is worse than for the others.

Each value of each column (brand, tier, region, …) is a slice. A slice is *worse* where its
measure (the AUC of churn, the mean error of satisfaction) is so much worse than the mean of
the column's other values that chance does not explain it, and *off* where its mean
prediction is not what happened; both by Holm's rule over all slices, so that among many
slices none is named by luck. The others are measured value by value too: of customers of
several brands a model also ranks brand against brand, and next to that each single brand
would look worse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.base.text import counted
from churnml.errors import DataError
from churnml.evaluation.segments import UNKNOWN
from churnml.metrics import satisfaction
from churnml.metrics.bootstrap import Estimate, Measure, bootstrap
from churnml.metrics.calibration import check_probabilities, slope_measure
from churnml.metrics.check_arrays import check_answers, check_groups, check_interval, check_pair
from churnml.metrics.check_options import check_kind
from churnml.metrics.ranking import Ranked
from churnml.metrics.significance import (
    auc_influence,
    away_from_zero,
    below_zero,
    holm,
    mean_influence,
    standard_error,
)

FEWEST = 50
"""Positives (churn) or answers (satisfaction) from which on a slice is measured."""

LEAST_CUSTOMERS = 10
"""Customers from which on a value is named."""

RARE = "rare values"
"""What the values of fewer customers are called together."""

_ALPHA = 0.05
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Influence = Callable[[Ints], tuple[float, Floats, float]]
"""Of some rows: their measure, by how much each row moves it, and its weight in a mean."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The customers with one value of one column, and a model's metrics for them.

    Attributes
    ----------
    column, value : str
    rows, positives : int
        ``positives``: who left; who was dissatisfied.
    happened, told : float
        Mean outcome and mean prediction.
    metrics : dict of str to Estimate
        With intervals over customers; empty where the slice is too small.
    difference : float
        Measure of the slice less the mean of the column's other values, weighted by their
        leavers or answers; below 0: worse, in the units of the AUC, or in points nearer to
        the truth.
    p_worse, p_off : float
        Holm-corrected chances of such a difference, and of such a distance between
        ``happened`` and ``told``, where there is none.
    worse, off : bool
        Whether these are below 0.05.
    note : str
        Why there are no metrics; empty where there are.
    hidden : bool
        Whether so few left, or stayed, that a reader is told neither number.
    """

    column: str
    value: str
    rows: int
    positives: int
    happened: float
    told: float
    metrics: dict[str, Estimate] = field(default_factory=dict)
    difference: float = float("nan")
    p_worse: float = float("nan")
    p_off: float = float("nan")
    worse: bool = False
    off: bool = False
    note: str = ""
    hidden: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The slice as plain data; without who left and their share where these are hidden."""
        plain = {name: value for name, value in vars(self).items() if name != "metrics"}
        if self.hidden:
            plain |= {"positives": None, "happened": None}
        return plain | {"metrics": {name: one.to_dict() for name, one in self.metrics.items()}}


def churn_slices(
    frame: pd.DataFrame,
    y: ArrayLike,
    p: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    fewest: int = FEWEST,
    draws: int = 200,
    seed: int = 0,
) -> list[Slice]:
    """Evaluate every value of every column: AUC and calibration, the worst first.

    Parameters
    ----------
    frame : DataFrame, shape (n, k)
        One column a way to cut; missing values are a slice of their own, and so are values
        of fewer than ten customers together.
    y : array, shape (n,)
        1 for those who left.
    p : array, shape (n,)
        Their probabilities.
    groups : array, shape (n,), optional
        The customer of each row; else every row is one.
    fewest : int, default 50
        A slice with fewer leavers, or fewer others, is reported as too small.
    draws : int, default 200
    seed : int

    Returns
    -------
    list of Slice
        Those significantly worse, then the others, each from the largest difference on;
        then those too small.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> p = random.uniform(0, 0.6, 2000)
    >>> y = random.random(2000) < p
    >>> brand = np.where(np.arange(2000) < 700, "senior", "gotone")
    >>> told = np.where(brand == "senior", random.permutation(p), p)
    >>> worst = churn_slices(pd.DataFrame({"brand": brand}), y, told, draws=20)[0]
    >>> worst.value, worst.worse
    ('senior', True)
    """
    check_kind("frame", frame, pd.DataFrame)
    labels, chances = check_probabilities(y, p)
    cuts = _Cuts(frame, labels.size, groups)

    def measures(rows: Ints) -> dict[str, Measure]:
        ranked = Ranked(labels[rows], chances[rows])
        return {
            "auc": ranked.auc,
            "lift_top_10pct": lambda weight: ranked.lift(0.1, weight),
            "calibration_in_the_large": _mean_of((labels - chances)[rows]),
            "calibration_slope": slope_measure(labels[rows], chances[rows]),
        }

    def worth(rows: Ints) -> tuple[float, Floats, float]:
        return *auc_influence(labels[rows], chances[rows]), labels[rows].sum()

    def size(rows: Ints) -> tuple[int, str]:
        left = int(labels[rows].sum())
        stayed = rows.size - left
        if min(left, stayed) >= fewest:
            return left, ""
        if stayed < LEAST_CUSTOMERS <= left:
            return left, f"too small: fewer than {LEAST_CUSTOMERS} stayed"
        return left, _too_small(left, "leaver")

    found = _judged(cuts, labels, chances, (size, worth, measures), draws=draws, seed=seed)
    return [replace(one, hidden=_few(one)) for one in found]


def _few(one: Slice) -> bool:
    return bool(one.note) and min(one.positives, one.rows - one.positives) < LEAST_CUSTOMERS


def satisfaction_slices(
    frame: pd.DataFrame,
    y: ArrayLike,
    prediction: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    interval: tuple[ArrayLike, ArrayLike] | None = None,
    fewest: int = FEWEST,
    draws: int = 200,
    seed: int = 0,
) -> list[Slice]:
    """Evaluate every value of every column: error, bias and coverage, the worst first.

    As `churn_slices`, for scores and predictions from 0 to 100; a slice is too small with
    fewer than ``fewest`` answers.
    """
    check_kind("frame", frame, pd.DataFrame)
    scores, predicted = check_pair(check_answers(y), prediction)
    cuts = _Cuts(frame, scores.size, groups)
    errors = np.abs(scores - predicted)
    ends = None if interval is None else check_interval(interval, scores.size)

    def measures(rows: Ints) -> dict[str, Measure]:
        measures_by_name: dict[str, Measure] = {
            "mae": _mean_of(errors[rows]),
            "bias": _mean_of((predicted - scores)[rows]),
            "spearman": satisfaction.spearman_measure(scores[rows], predicted[rows]),
        }
        if ends is not None:
            inside = (ends[0] <= scores) & (scores <= ends[1])
            measures_by_name["interval_coverage"] = _mean_of(inside[rows].astype(float))
        return measures_by_name

    def worth(rows: Ints) -> tuple[float, Floats, float]:
        return *mean_influence(-errors[rows]), float(rows.size)

    def size(rows: Ints) -> tuple[int, str]:
        low = int((scores[rows] <= satisfaction.DISSATISFIED).sum())
        return low, _too_small(rows.size, "answer") if rows.size < fewest else ""

    return _judged(cuts, scores, predicted, (size, worth, measures), draws=draws, seed=seed)


def _too_small(number: int, one: str) -> str:
    if number < LEAST_CUSTOMERS:
        return f"too small: fewer than {LEAST_CUSTOMERS} {one}s"
    return f"too small: {counted(number, one)}"


def _mean_of(values: Floats) -> Measure:
    def mean(weight: Floats) -> float:
        total = weight.sum()
        return float(weight @ values / total) if total else float("nan")

    return mean


def without_rare(values: NDArray[np.object_], customers: Ints) -> NDArray[np.object_]:
    """Values with those of fewer than ten customers put together, so that none is named.

    Where they are fewer than ten customers together, the next rarest value goes with them:
    else the total less the values that are named would tell of them.

    Parameters
    ----------
    values : array of str, shape (n,)
    customers : array of int, shape (n,)
        The customer of each row.

    Examples
    --------
    >>> values = np.array(["a"] * 30 + ["b"] * 20 + ["c"] * 2, object)
    >>> sorted(set(without_rare(values, np.arange(52))))
    ['a', 'rare values']
    """
    frame = pd.DataFrame({"value": values, "customer": customers})
    sizes = frame.groupby("value")["customer"].nunique().sort_values(kind="stable")
    number = int((sizes < LEAST_CUSTOMERS).sum())
    if not number:
        return values
    while (together := frame["value"].isin(sizes.index[:number])).any() and number < len(sizes):
        if frame.loc[together, "customer"].nunique() >= LEAST_CUSTOMERS:
            break
        number += 1
    return np.where(together, RARE, values)


def rows_by_value(frame: pd.DataFrame, customers: Ints) -> dict[tuple[str, str], Ints]:
    """The rows of every value of every column, values of few customers put together.

    Parameters
    ----------
    frame : DataFrame, shape (n, k)
        One column a way to cut; missing values are a value of their own.
    customers : array of int, shape (n,)
        The customer of each row.

    Returns
    -------
    dict of (str, str) to array
        By column and value. A column of rare values alone is passed over.

    Examples
    --------
    >>> frame = pd.DataFrame({"brand": ["mzone"] * 10 + [None] * 10})
    >>> {name: len(rows) for name, rows in rows_by_value(frame, np.arange(20)).items()}
    {('brand', 'mzone'): 10, ('brand', 'not recorded'): 10}
    """
    found: dict[tuple[str, str], Ints] = {}
    for column in frame.columns:
        values = frame[column].astype(object).where(frame[column].notna(), UNKNOWN).astype(str)
        codes, names = pd.factorize(without_rare(values.to_numpy(), customers), sort=True)
        if len(names) == 1 and names[0] == RARE:
            continue
        for code, name in enumerate(names):
            found[str(column), str(name)] = np.flatnonzero(codes == code)
    return found


class _Cuts:
    """The rows of every value of every column, and the customer of each row."""

    def __init__(self, frame: pd.DataFrame, rows: int, groups: ArrayLike | None) -> None:
        if len(frame) != rows:
            raise DataError(f"The frame to cut by has {len(frame)} rows, the labels {rows}.")
        if not frame.columns.is_unique:
            twice = frame.columns[frame.columns.duplicated()][0]
            raise DataError(f"The frame to cut by has the column {twice!r} twice.", column=twice)
        named = check_groups(groups, rows)
        self.rows = rows
        self.customers = np.arange(rows) if named is None else named
        self.slices = rows_by_value(frame, self.customers)

    def others(self, name: tuple[str, str]) -> list[Ints]:
        """The rows of each of the column's other values."""
        column, value = name
        return [rows for (of, one), rows in self.slices.items() if of == column and one != value]


def _judged(
    cuts: _Cuts,
    happened: Floats,
    predicted: Floats,
    kind: tuple[Callable[[Ints], tuple[int, str]], Influence, Callable[[Ints], dict[str, Measure]]],
    *,
    draws: int,
    seed: int,
) -> list[Slice]:
    size, worth, measures = kind
    found = [
        _described(name, rows, happened, predicted, size(rows))
        for name, rows in cuts.slices.items()
    ]
    large = [one for one in found if not one.note]
    small = sorted((one for one in found if one.note), key=lambda one: (one.column, one.value))
    places = {(one.column, one.value): cuts.slices[one.column, one.value] for one in large}
    drawn: dict[str, Measure] = {}
    for at, rows in enumerate(places.values()):
        drawn |= {f"{at}.{name}": _within(rows, one) for name, one in measures(rows).items()}
    estimates = bootstrap(drawn, cuts.customers, draws=draws, seed=seed) if drawn else {}
    against = [_against_others(cuts, name, worth) for name in places]
    off = [_distance(cuts, rows, happened - predicted) for rows in places.values()]
    worse = holm([chance for _difference, chance in against])
    apart = holm(off)
    judged = [
        replace(
            one,
            metrics=_of(estimates, at),
            difference=against[at][0],
            p_worse=float(worse[at]),
            p_off=float(apart[at]),
            worse=bool(worse[at] < _ALPHA),
            off=bool(apart[at] < _ALPHA),
        )
        for at, one in enumerate(large)
    ]
    judged.sort(key=lambda one: (not one.worse, np.nan_to_num(one.difference), one.column))
    return judged + small


def _described(
    name: tuple[str, str], rows: Ints, happened: Floats, predicted: Floats, counted: tuple[int, str]
) -> Slice:
    positives, note = counted
    means = float(happened[rows].mean()), float(predicted[rows].mean())
    return Slice(
        column=name[0],
        value=name[1],
        rows=rows.size,
        positives=positives,
        happened=means[0],
        told=means[1],
        note=note,
    )


def _within(rows: Ints, measure: Measure) -> Measure:
    return lambda weight: measure(weight[rows])


def _of(estimates: dict[str, Estimate], at: int) -> dict[str, Estimate]:
    prefix = f"{at}."
    return {
        name.removeprefix(prefix): one for name, one in estimates.items() if name.startswith(prefix)
    }


def _against_others(cuts: _Cuts, name: tuple[str, str], worth: Influence) -> tuple[float, float]:
    """The difference from the mean of the column's other values, and its chance."""
    measured = [(rows, *worth(rows)) for rows in cuts.others(name)]
    others = [one for one in measured if not np.isnan(one[1])]
    if not others:
        # A column with one value has nobody to compare with.
        return float("nan"), 1.0
    mass = sum(weight for *_rest, weight in others)
    rows = cuts.slices[name]
    difference, moved, _weight = worth(rows)
    influence = np.zeros(cuts.rows)
    influence[rows] = moved
    for rows, value, moved, weight in others:
        difference -= weight / mass * value
        influence[rows] = -weight / mass * moved
    return difference, below_zero(difference, standard_error(influence, cuts.customers))


def _distance(cuts: _Cuts, rows: Ints, gaps: Floats) -> float:
    mean, moved = mean_influence(gaps[rows])
    return away_from_zero(mean, standard_error(moved, cuts.customers[rows]))
