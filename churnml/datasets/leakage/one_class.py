"""Columns that stand for one class alone, or for one customer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_RATIO = 0.02
_EXPECTED = 20.0
_FEW_ROWS = 20
_PAIRS = 200
_ALIKE = 0.98
_SURPRISING = 6.0


def one_class(
    column: pd.Series,
    left: NDArray[np.bool_],
    words: tuple[str, str] = ("leavers'", "stayers'"),
) -> str | None:
    """How a column is filled for one class alone; ``None`` where it is not.

    Filled means that a value stands there, or another than the commonest, if that is the
    value of a third of the rows.

    Parameters
    ----------
    column : Series, shape (n,)
    left : array of bool, shape (n,)
    words : (str, str)
        Whose rows those are that are ``left``, and the others.

    Examples
    --------
    >>> left = np.arange(400) < 100
    >>> one_class(pd.Series(np.where(left, "price", None)), left)
    "a value stands in 100 rows, 100.0% of them leavers' (25.0% of all rows are)"
    >>> one_class(pd.Series(["a", None] * 200), left) is None
    True
    """
    for mark, what in _marks(column):
        for word, its in zip(words, (left, ~left), strict=True):
            if _alone(mark, its):
                return (
                    f"{what} in {mark.sum()} rows, {its[mark].mean():.1%} of them {word} "
                    f"({its.mean():.1%} of all rows are)"
                )
    return None


def _marks(column: pd.Series) -> Iterator[tuple[NDArray[np.bool_], str]]:
    codes, levels = pd.factorize(column)
    there = codes >= 0
    yield there, "a value stands"
    yield ~there, "no value stands"
    counts = np.bincount(codes[there], minlength=len(levels))
    if len(levels) > 1 and counts.max() * 3 >= len(column):
        common = int(counts.argmax())
        shown = f"{levels[common]:g}" if isinstance(levels[common], float) else levels[common]
        yield there & (codes != common), f"another value than {str(shown)!r} stands"
        yield codes == common, f"{str(shown)!r} stands"


def _alone(rows: NDArray[np.bool_], its: NDArray[np.bool_]) -> bool:
    """Whether nearly all of some rows are of one class, far beyond chance."""
    count = int(rows.sum())
    if count < _FEW_ROWS or count == len(rows):
        return False
    expected = count * float((~its).mean())
    strangers = int((~its[rows]).sum())
    enough = expected >= _EXPECTED and int(its[rows].sum()) >= 0.05 * its.sum()
    return enough and strangers <= _RATIO * expected


def repeats(column: pd.Series, y: NDArray[np.float64]) -> tuple[float, str]:
    """How much a column looks like the name of a customer who has several rows.

    Parameters
    ----------
    column : Series, shape (n,)
    y : array of float, shape (n,)

    Returns
    -------
    (float, str)
        0 where it does not; else the more the surer. And what was found.

    Examples
    --------
    >>> who = pd.Series(np.repeat(np.arange(300), 3))
    >>> repeats(who, np.repeat(np.arange(300) % 4 == 0, 3).astype(float))[1]
    '300 values in 900 rows, and the target is the same in all rows of one in 100.0% of them'
    >>> repeats(who, (np.arange(900) % 4 == 0).astype(float))
    (0.0, '')
    """
    codes, levels = pd.factorize(column)
    rows, count = int((codes >= 0).sum()), len(levels)
    # Fewer values than a twentieth of the rows are a category, not customers.
    if count < 0.05 * rows or count > 0.95 * rows or rows < len(column):
        return 0.0, ""
    sizes = np.bincount(codes, minlength=count)
    several = sizes > 1
    if several.sum() < _PAIRS:
        return 0.0, ""
    groups = pd.Series(y).groupby(codes)
    same = float(((groups.max() == groups.min()).to_numpy()[several]).mean())
    expected = _by_chance(y, sizes[several])
    error = np.sqrt(max(expected * (1 - expected), 1e-9) / several.sum())
    if same < _ALIKE or (same - expected) < _SURPRISING * error:
        return 0.0, ""
    evidence = (
        f"{count} values in {rows} rows, and the target is the same in all rows of one in "
        f"{same:.1%} of them"
    )
    return same + float(sizes[several].sum()) / rows, evidence


def _by_chance(y: NDArray[np.float64], sizes: NDArray[np.int64]) -> float:
    """The share of groups of these sizes whose targets would agree if rows were dealt out."""
    _, counts = np.unique(y, return_counts=True)
    shares = counts / counts.sum()
    return float(np.mean([(shares**size).sum() for size in np.minimum(sizes, 50)]))
