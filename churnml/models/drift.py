"""Measure the drift of each column from the training data.

Two measures, which must agree: the population stability index (PSI) over the bins of the
stored profile, ``Σ (p - q) ln(p / q)``, and how far a number's distribution had to be moved
(the Wasserstein distance within the 5 % and 95 % quantiles) as a share of its spread in
training (the mean distance from the median). PSI alone raises an alarm in February, whose 28 days
empty the bins above, and distance alone at a rare event that happens twice as often. A
column's drift is the smaller of the two; missing values count as a PSI of their own,
categories and numbers frozen at one value by PSI alone. What chance gives samples of these
sizes is taken off first.

A number that moves by half a standard deviation drifts by 0.25, by a whole one by 1; in
another unit, or frozen, it drifts by more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.estimators.encoding.frames import MISSING, Values, as_frame, read_column
from churnml.models.model import InputColumn

Counts = NDArray[np.int64]

_RARE = 0.01
_CONSTANT = 0.999
_OFTEN = 0.8
_FEWEST_DATES = 3
_TAIL = 0.999
_DEVIATIONS = 3.3
_MOST_ROWS = 100_000
_MOST_GROWN = 1.0


@dataclass(frozen=True)
class Drift:
    """The drift of a column.

    Attributes
    ----------
    value : float
        0 for none; what gates judge.
    psi, shift : float
        Before chance is taken off; ``shift`` in spreads, NaN for categories.
    """

    value: float
    psi: float
    shift: float = float("nan")


def edges(column: InputColumn) -> NDArray[np.float64]:
    """The upper edges of a number's bins except the last: its distinct training quantiles."""
    return np.unique(np.asarray(column.knots, dtype=float))


def kept_levels(column: InputColumn) -> list[str]:
    """The category levels with bins of their own; all others share one."""
    return sorted(level for level, share in column.levels.items() if share >= _RARE)


def binned(column: InputColumn, values: Values) -> Counts:
    """The bin of each row; the last is for missing values, the one before for other categories.

    Parameters
    ----------
    column : InputColumn
    values : Values
        As `churnml.estimators.encoding.frames.read_column` gives them.
    """
    if column.kind == "number":
        ends = edges(column)
        bins = np.searchsorted(ends, values.numbers, side="left")
        return np.where(np.isnan(values.numbers), len(ends) + 1, bins).astype(np.int64)
    place = {level: at for at, level in enumerate(kept_levels(column))}
    lookup = [place.get(level, len(place)) for level in values.levels] + [len(place) + 1]
    codes = np.where(values.codes == MISSING, len(lookup) - 1, values.codes)
    return np.asarray(lookup, dtype=np.int64)[codes]


def width(column: InputColumn) -> int:
    """The number of a column's bins, including that of missing values."""
    own = len(edges(column)) if column.kind == "number" else len(kept_levels(column))
    return own + 2


def counted(columns: Iterable[InputColumn], rows: pd.DataFrame) -> dict[str, list[int]]:
    """Count rows by bin, for the columns whose drift can be measured.

    Parameters
    ----------
    columns : iterable of InputColumn
    rows : DataFrame, shape (n, k)
        Holds the columns by name.
    """
    frame = as_frame(rows)
    counts = {}
    for column in columns:
        if column.shares:
            bins = binned(column, read_column(frame[column.name], column.kind))
            counts[column.name] = np.bincount(bins, minlength=width(column)).tolist()
    return counts


def measure_drift(column: InputColumn, counts: Sequence[int] | Counts, trained: int) -> Drift:
    """Measure a column's drift from its profile.

    Parameters
    ----------
    column : InputColumn
        With ``shares``.
    counts : sequence of int
        Of `counted`.
    trained : int
        How many customers the profile was drawn from.

    Returns
    -------
    Drift

    Examples
    --------
    >>> age = InputColumn(
    ...     name="age",
    ...     kind="number",
    ...     knots=(30, 40, 50),
    ...     shares=(0.25, 0.25, 0.25, 0.25, 0.0),
    ... )
    >>> measure_drift(age, [250, 240, 260, 250, 0], 10_000).value
    0.0
    >>> measure_drift(age, [0, 0, 0, 1000, 0], 10_000).value > 1
    True
    """
    now, before = np.asarray(counts, dtype=float), np.asarray(column.shares, dtype=float)
    rows = int(now.sum())
    if not rows or before.max() >= _CONSTANT:
        return Drift(0.0, 0.0)
    chance = 1 / rows + 1 / max(trained, 1)
    absent = np.array([now[-1], rows - now[-1]])
    # A share of missing values that some training date had is none of this date's.
    had = float(np.clip(now[-1] / rows, *(column.absent or (before[-1], before[-1]))))
    lost = _psi(absent, np.array([had, 1 - had]))
    missing = _beyond(lost, 2, chance)
    now, before = now[:-1], before[:-1] / max(before[:-1].sum(), 1e-12)
    if not now.sum():
        return Drift(missing, lost)
    chance = 1 / now.sum() + 1 / max(trained, 1)
    psi = _psi(now, before)
    value = _beyond(psi, len(now), chance)
    if column.kind == "category":
        return Drift(max(value, missing), max(psi, lost))
    shift, noise = _moved(edges(column), now / now.sum(), before, chance)
    froze = now.max() >= _CONSTANT * now.sum() and before[now.argmax()] <= _OFTEN
    if not np.isnan(shift) and not froze:
        value = min(value, max(shift - noise, 0.0))
    return Drift(max(value, missing), max(psi, lost), shift)


def chance_of(column: InputColumn, counts: Sequence[int] | Counts, trained: int) -> float:
    """How probable so large a drift is by chance, beyond the usual between training dates.

    The smaller of two probabilities, of the values and of their absence, times two. Without
    drift a PSI is about χ² with one degree of freedom less than bins, times 1/n + 1/m.

    Parameters
    ----------
    column : InputColumn
    counts : sequence of int
    trained : int

    References
    ----------
    Yurdakul, Naranjo (2020), "Statistical properties of the population stability index",
    Journal of Risk Model Validation 14(4).

    Examples
    --------
    >>> age = InputColumn(name="age", kind="number", knots=(30, 40), shares=(0.3, 0.3, 0.4, 0.0))
    >>> round(chance_of(age, [310, 290, 400, 0], 10_000), 2)
    1.0
    >>> chance_of(age, [200, 300, 500, 0], 10_000) < 1e-6
    True
    """
    from scipy.stats import chi2

    now, before = np.asarray(counts, dtype=float), np.asarray(column.shares, dtype=float)
    rows = now.sum()
    if not rows or before.max() >= _CONSTANT:
        return 1.0
    had = float(np.clip(now[-1] / rows, *(column.absent or (before[-1], before[-1]))))
    parts = [(np.array([now[-1], rows - now[-1]]), np.array([had, 1 - had]))]
    if now[:-1].sum():
        parts.append((now[:-1], before[:-1] / max(before[:-1].sum(), 1e-12)))
    probable = []
    for seen, expected in parts:
        beyond = max(_psi(seen, expected) - column.usual, 0.0)
        noise = 1 / seen.sum() + 1 / max(trained, 1)
        probable.append(float(chi2.sf(beyond / noise, max(len(seen) - 1, 1))))
    return min(1.0, len(probable) * min(probable))


def _psi(now: NDArray[np.float64], before: NDArray[np.float64]) -> float:
    # Half a row in every bin, so that an empty one is no infinity.
    p = (now + 0.5) / (now.sum() + 0.5 * len(now))
    q = (before * now.sum() + 0.5) / (now.sum() + 0.5 * len(now))
    return float(((p - q) * np.log(p / q)).sum())


def _beyond(psi: float, bins: int, chance: float) -> float:
    """PSI less its 99.9 % quantile by chance, which is about χ² times 1/n + 1/m."""
    return float(max(psi - _chi_squared(bins - 1) * chance, 0.0)) if bins > 1 else 0.0


@cache
def _chi_squared(degrees: int) -> float:
    from scipy.stats import chi2

    return float(chi2.ppf(_TAIL, degrees))


def _moved(
    ends: NDArray[np.float64],
    now: NDArray[np.float64],
    before: NDArray[np.float64],
    chance: float,
) -> tuple[float, float]:
    """How far a number's distribution has moved, in spreads, beyond chance."""
    if len(ends) < 2:
        return float("nan"), 0.0
    gaps = np.diff(ends)
    reached, had = np.cumsum(now)[:-1], np.cumsum(before)[:-1]

    def area(heights: NDArray[np.float64]) -> float:
        return float((gaps * (heights[1:] + heights[:-1]) / 2).sum())

    spread = area(np.minimum(had, 1 - had))
    if not spread:
        return float("nan"), 0.0
    noise = area(_DEVIATIONS * np.sqrt(np.maximum(had * (1 - had), 0) * chance))
    return area(np.abs(reached - had)) / spread, noise / spread


def profiled(
    column: InputColumn, bins: Counts, times: Sequence[Any] | pd.Series | None = None
) -> dict[str, Any]:
    """``shares``, ``usual`` and ``absent`` of a column, from the bins of its training rows.

    Parameters
    ----------
    column : InputColumn
    bins : array of int, shape (n,)
        Of `binned`.
    times : sequence, shape (n,), optional
        The date of each row: ``usual`` is the largest drift of a date's rows against all, or
        against those of the first date. A record that grows longer, and what grows with it,
        moves on at each date: it will have moved as far again when the model is in use. The
        latter counts as 1 at most, so that another unit stands out.

    Returns
    -------
    dict
        Without ``shares`` where the column has one value at each date, as a month has: it
        drifts by nature; and where there are fewer than three dates, which do not tell what
        changes from month to month.
    """
    counts = np.bincount(bins, minlength=width(column))
    if not counts.sum():
        return {}
    own = InputColumn(
        name=column.name,
        kind=column.kind,
        knots=column.knots,
        levels=column.levels,
        shares=tuple((counts / counts.sum()).tolist()),
    )
    if times is None:
        return {"shares": own.shares}
    months = pd.factorize(np.asarray(times))[0]
    cells = np.bincount(months * width(column) + bins, minlength=(months.max() + 1) * width(column))
    table = cells.reshape(-1, width(column))
    calendar = ((table > 0).sum(axis=1) == 1).all() and (counts > 0).sum() > 1
    if len(table) < _FEWEST_DATES or calendar:
        return {}
    lost = table[:, -1] / table.sum(axis=1)
    own = replace(own, absent=(float(lost.min()), float(lost.max())))
    usual = max(measure_drift(own, row, len(bins)).value for row in table)
    first = replace(own, shares=tuple((table[0] / table[0].sum()).tolist()))
    grown = max(measure_drift(first, row, int(table[0].sum())).value for row in table[1:])
    usual = max(usual, min(grown, _MOST_GROWN))
    return {"shares": own.shares, "usual": usual, "absent": own.absent}


def drift_by_month(
    columns: Iterable[InputColumn], X: pd.DataFrame, times: Sequence[Any] | pd.Series, trained: int
) -> pd.DataFrame:
    """Measure each column's drift at each date from a model's profile.

    Parameters
    ----------
    columns : iterable of InputColumn
        A model's inputs; those that ``X`` lacks are left out.
    X : DataFrame, shape (n, k)
    times : shape (n,)
        The date of each row.
    trained : int
        How many customers the profile was drawn from.

    Returns
    -------
    DataFrame
        ``feature``, ``as_of``, ``rows``, ``drift``, ``psi``, ``shift``, ``usual``; by
        feature and date.
    """
    when = pd.Series(np.asarray(times)).reset_index(drop=True)
    # A table that is absent leaves its columns out.
    own = [column for column in columns if column.shares and column.name in X]
    records = []
    for day in sorted(when.unique()):
        rows = X.iloc[np.flatnonzero(when == day)]
        rows = rows.iloc[:: max(len(rows) // _MOST_ROWS, 1)]
        for name, counts in counted(own, rows).items():
            column = next(one for one in own if one.name == name)
            one = measure_drift(column, counts, trained)
            records.append((name, str(day), len(rows), one.value, one.psi, one.shift, column.usual))
    names = ["feature", "as_of", "rows", "drift", "psi", "shift", "usual"]
    table = pd.DataFrame(records, columns=names)
    return table.sort_values(["feature", "as_of"], ignore_index=True)


def exceeds(column: InputColumn, drift: Drift, limit: float) -> bool:
    """Whether a column's drift exceeds a limit beyond its usual drift."""
    return drift.value > limit + column.usual


def describe_drift(column: InputColumn, drift: Drift, counts: Sequence[int], limit: float) -> str:
    """Describe a column's drift in a sentence."""
    rows = int(np.sum(counts))
    numbers = f"drift {drift.value:.2f} (population stability index {drift.psi:.2f}"
    if not np.isnan(drift.shift):
        numbers += f", moved by {drift.shift:.2f} of the spread in training"
    where = f"; {_medians(column, counts)}" if column.kind == "number" else ""
    usual = f" above the usual {column.usual:.2f}" if column.usual else ""
    return (
        f"{column.name}: {rows} rows differ from those of training by {numbers}; "
        f"at most {limit:g}{usual} expected){where}."
    )


def _medians(column: InputColumn, counts: Sequence[int]) -> str:
    ends, now = edges(column), np.asarray(counts, dtype=float)
    lost = now[-1] / max(now.sum(), 1)
    was = column.missing
    if abs(lost - was) > 0.2:
        return f"missing in {lost:.1%} of them, in training in {was:.1%}"
    reached = np.cumsum(now[:-1])
    place = int(np.searchsorted(reached, reached[-1] / 2))
    shown = f"above {ends[-1]:g}" if place >= len(ends) else f"at most {ends[place]:g}"
    return f"the median was {np.median(column.knots):g} and is {shown}"


def summed(parts: Iterable[Mapping[str, Sequence[int]]]) -> dict[str, list[int]]:
    """Sum the counts of several batches."""
    total: dict[str, Counts] = {}
    for part in parts:
        for name, counts in part.items():
            so_far = total.get(name, np.zeros(len(counts), dtype=np.int64))
            total[name] = so_far + np.asarray(counts, dtype=np.int64)
    return {name: counts.tolist() for name, counts in total.items()}
