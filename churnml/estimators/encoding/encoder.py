"""Columns by name into one matrix of numbers that trees and linear scores both read.

Numbers stay as they are. A category of few levels becomes one column of 0 and 1 for each
level; of more, also its smoothed mean of the target, taken for each training row from the
rows before it in a random order so that no row sees its own answer. LightGBM's own
categorical splits are not used: they make unseen categories missing without a word.

What is not there has a place of its own: a missing number stays missing where training had
enough missing ones to learn from, else it takes the training median; a missing category is
a level where training had it; an unseen category is like no level, with the mean of all rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churnml.errors import DataError
from churnml.estimators.encoding.frames import MISSING, Kind, Values

FEW_LEVELS = 16
MOST_LEVELS = 50_000
FEWEST_CUSTOMERS = 10
_HIDDEN = "sha256:"
_SMOOTHING = 20.0
_FEWEST_MISSING = 1 / 2000


@dataclass(frozen=True, kw_only=True)
class ColumnEncoding:
    """How one column is encoded.

    Attributes
    ----------
    name : str
    kind : {"number", "category"}
    missing : bool
        Whether training had missing values here; of a number, in at least one row of
        2,000, for fewer teach nothing.
    median : float
        What a missing number becomes where training had too few.
    levels : list of str
        All levels seen in training, sorted.
    shown : list of str
        The levels with a column of their own.
    means : list of float
        The smoothed target mean of each level, then that of missing values; empty where
        the category has only columns of its own.
    prior : float
        The target mean of all rows: what an unseen level takes.
    rare : list of str
        The levels that fewer than ten customers have: a saved encoder knows them by a
        digest alone, for a name that few bear may be the name of somebody.
    """

    name: str
    kind: Kind
    missing: bool = False
    median: float = 0.0
    levels: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    means: list[float] = field(default_factory=list)
    prior: float = 0.0
    rare: list[str] = field(default_factory=list)

    @property
    def width(self) -> int:
        """The number of matrix columns it takes."""
        if self.kind == "number":
            return 1
        return len(self.shown) + bool(self.missing and self.shown) + bool(self.means)


@dataclass(frozen=True)
class Encoder:
    """The encoding of all columns, in the order of their names.

    Attributes
    ----------
    columns : list of ColumnEncoding
    """

    columns: list[ColumnEncoding]

    @property
    def owners(self) -> NDArray[np.int64]:
        """The column that each matrix column belongs to, as a position in ``columns``."""
        return np.repeat(np.arange(len(self.columns)), [c.width for c in self.columns])

    @property
    def categories(self) -> dict[str, list[str]]:
        """The levels seen in training, by column."""
        return {c.name: list(c.levels) for c in self.columns if c.kind == "category"}

    def matrix(self, values: Mapping[str, Values]) -> NDArray[np.float32]:
        """Encode rows.

        Parameters
        ----------
        values : mapping of str to Values
            Holds every column of the encoder; n rows each.

        Returns
        -------
        array of float32, shape (n, number of matrix columns), by columns in memory
        """
        rows = _length(values)
        out = np.empty((rows, sum(c.width for c in self.columns)), np.float32, order="F")
        start = 0
        for column in self.columns:
            _fill(out[:, start : start + column.width], column, values[column.name])
            start += column.width
        return out

    def unseen(self, values: Mapping[str, Values]) -> dict[str, int]:
        """Rows by column whose category was not seen in training, where there are any."""
        counts = {
            column.name: int((_known(column, values[column.name]) == len(column.levels)).sum())
            for column in self.columns
            if column.kind == "category"
        }
        return {name: count for name, count in counts.items() if count}

    def to_state(self) -> list[dict[str, Any]]:
        """Plain data that :meth:`from_state` reads; rare levels are digests in it."""
        return [_nameless(column) for column in self.columns]

    @classmethod
    def from_state(cls, state: list[dict[str, Any]]) -> Encoder:
        """The encoder that :meth:`to_state` wrote."""
        return cls([ColumnEncoding(**column) for column in state])


def _nameless(column: ColumnEncoding) -> dict[str, Any]:
    rare = set(column.rare)
    hidden = {
        part: [_digest(level) if level in rare else level for level in getattr(column, part)]
        for part in ("levels", "shown", "rare")
    }
    return asdict(column) | hidden


def _digest(level: str) -> str:
    if level.startswith(_HIDDEN):
        return level
    return _HIDDEN + hashlib.sha256(level.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _length(values: Mapping[str, Values]) -> int:
    first = next(iter(values.values()))
    return max(first.numbers.size, first.codes.size)


def _known(column: ColumnEncoding, values: Values) -> NDArray[np.int64]:
    """Positions in the training levels; one past them where unseen, two where missing."""
    place = {level: position for position, level in enumerate(column.levels)}
    unseen = len(place)
    lookup = [place.get(level, unseen) for level in values.levels] + [unseen + 1]
    for position, level in enumerate(values.levels if column.rare else ()):
        if lookup[position] == unseen:
            lookup[position] = place.get(_digest(level), unseen)
    return np.array(lookup, np.int64)[values.codes]


def _fill(out: NDArray[np.float32], column: ColumnEncoding, values: Values) -> None:
    if column.kind == "number":
        out[:, 0] = values.numbers
        if not column.missing:
            out[np.isnan(values.numbers), 0] = column.median
        return
    known = _known(column, values)
    unseen = len(column.levels)
    place = {level: position for position, level in enumerate(column.levels)}
    for position, level in enumerate(column.shown):
        out[:, position] = known == place[level]
    if column.missing and column.shown:
        out[:, len(column.shown)] = known == unseen + 1
    if column.means:
        table = np.array([*column.means[:-1], column.prior, column.means[-1]])
        out[:, -1] = table[known]


def fit_encoder(
    values: MutableMapping[str, Values],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    rank: NDArray[np.int64],
) -> tuple[Encoder, NDArray[np.float32]]:
    """Learn an encoder, and encode its own training rows without their answers.

    Parameters
    ----------
    values : dict of str to Values
        Emptied column by column, so that a large table is never held twice.
    y : array of float64, shape (n,)
    weight : array of float64, shape (n,)
    rank : array of int64, shape (n,)
        The place of the row's group in a random order: a training row's target means
        come from the groups before its own.

    Returns
    -------
    (Encoder, array of float32, shape (n, number of matrix columns))
    """
    columns = [_learn(name, values[name], y, weight, rank) for name in sorted(values)]
    encoder = Encoder(columns)
    out = np.empty((len(y), sum(column.width for column in columns)), np.float32, order="F")
    start = 0
    for column in columns:
        read = values.pop(column.name)
        stop = start + column.width
        _fill(out[:, start:stop], column, read)
        if column.means:
            out[:, stop - 1] = _ordered_means(read.codes, y, weight, rank, column.prior)
        start = stop
    return encoder, out


def _learn(
    name: str,
    values: Values,
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    rank: NDArray[np.int64],
) -> ColumnEncoding:
    if values.kind == "number":
        lost = np.isnan(values.numbers)
        median = 0.0 if lost.all() else float(np.median(values.numbers[~lost]))
        missing = bool(lost.any() and lost.mean() >= _FEWEST_MISSING)
        return ColumnEncoding(name=name, kind="number", missing=missing, median=median)
    if len(values.levels) > MOST_LEVELS:
        raise DataError(
            f"column {name!r} has {len(values.levels)} different texts.",
            hint="Leave it out, or group its values.",
            column=name,
            count=len(values.levels),
            expected=f"at most {MOST_LEVELS}",
        )
    levels = list(values.levels)
    missing = bool((values.codes == MISSING).any())
    few = len(levels) <= FEW_LEVELS
    # Of two levels one column says it all, unless a missing value is a third.
    shown = levels[1:] if len(levels) == 2 and not missing else levels
    prior = float(np.average(y, weights=weight))
    means = [] if len(levels) < 5 else _means(values.codes, y, weight, len(levels), prior)
    shown = shown if few else []
    rare = _rare(values.codes, levels, rank)
    return ColumnEncoding(
        name=name,
        kind="category",
        missing=missing,
        median=0.0,
        levels=levels,
        shown=shown,
        means=means,
        prior=prior,
        rare=rare,
    )


def _rare(codes: NDArray[np.int32], levels: list[str], rank: NDArray[np.int64]) -> list[str]:
    present = codes != MISSING
    groups = int(rank.max(initial=0)) + 1
    pairs = np.unique(codes[present].astype(np.int64) * groups + rank[present])
    counts = np.bincount(pairs // groups, minlength=len(levels))
    return [level for level, count in zip(levels, counts, strict=True) if count < FEWEST_CUSTOMERS]


def _means(
    codes: NDArray[np.int32],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    levels: int,
    prior: float,
) -> list[float]:
    """Target means by level, and last that of missing values, drawn to the mean of all."""
    bins = np.where(codes == MISSING, levels, codes)
    total = np.bincount(bins, weights=weight, minlength=levels + 1)
    hits = np.bincount(bins, weights=weight * y, minlength=levels + 1)
    return [float(mean) for mean in (hits + _SMOOTHING * prior) / (total + _SMOOTHING)]


def _ordered_means(
    codes: NDArray[np.int32],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    rank: NDArray[np.int64],
    prior: float,
) -> NDArray[np.float64]:
    """The mean of each row's level over the groups that come before its own.

    Leaving out a row's own fold instead would let a model read the answer back: within a
    level, the lower the mean of the others, the higher what was left out.
    """
    order = np.lexsort((rank, codes))
    level, group = codes[order], rank[order]
    mass, hits = weight[order], (weight * y)[order]
    new_level = np.r_[True, level[1:] != level[:-1]]
    new_group = new_level | np.r_[True, group[1:] != group[:-1]]
    before_mass, before_hits = (_before(part, new_level, new_group) for part in (mass, hits))
    out = np.empty(codes.size)
    out[order] = (before_hits + _SMOOTHING * prior) / (before_mass + _SMOOTHING)
    return out


def _before(
    part: NDArray[np.float64], new_level: NDArray[np.bool_], new_group: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Running sums within a level up to, not including, the row's own group."""
    total = np.r_[0.0, np.cumsum(part)[:-1]]
    starts = np.flatnonzero(new_level)
    at_level = np.repeat(total[starts], np.diff(np.r_[starts, part.size]))
    begins = np.flatnonzero(new_group)
    at_group = np.repeat(total[begins], np.diff(np.r_[begins, part.size]))
    return at_group - at_level
