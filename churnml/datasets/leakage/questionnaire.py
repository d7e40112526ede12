"""Detect answers to multiple-choice survey questions by how they are coded.

Survey software writes each choice into a column of its own: the choice's number where it
was ticked (1, 2, 3, ... and often 98 or 99 for "other"), and the same mark (-1, 0, nothing)
wherever it was not. Such columns stand side by side. The question before them, whose one
answer decides whether the choices were shown, and the free texts after them belong to the
same survey.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_FEWEST = 4
_ALIKE = 0.99
_FEW_TEXTS = 20


def answers(X: pd.DataFrame) -> list[str]:
    """Find columns that look like survey answers.

    Parameters
    ----------
    X : DataFrame, shape (n, k)
        In the order of the file.

    Returns
    -------
    list of str
        Empty where fewer than four columns are choices.

    Examples
    --------
    >>> X = pd.DataFrame({"age": [30, 40, 50], **{f"q{at}": [-1, at, -1] for at in range(1, 5)}})
    >>> answers(X)
    ['q1', 'q2', 'q3', 'q4']
    """
    codes = {name: _choice(X[name]) for name in X.columns}
    blocks = _blocks(list(X.columns), codes)
    questions = {name for block in blocks for name in block}
    for block in blocks:
        ticked = np.column_stack([_ticked(X[name], codes[name]) for name in block])
        questions |= _gates(X, block, np.asarray(ticked.any(axis=1)), questions)
    marks = [_ticked(X[name], codes[name]) for name in sorted(questions) if codes[name]]
    questions |= {name for name in X.columns if name not in questions and _follows(X[name], marks)}
    return [name for name in X.columns if name in questions]


def _choice(column: pd.Series) -> tuple[float, float] | None:
    """Mark and number of a choice: ``(-1, 3)``; the mark is NaN where nothing stands."""
    if not pd.api.types.is_numeric_dtype(column):
        return None
    levels = np.unique(column.dropna().to_numpy(dtype=float))
    if column.isna().any():
        return (np.nan, float(levels[0])) if len(levels) == 1 else None
    if len(levels) != 2 or levels[0] > 0 or levels[1] < 1 or levels[1] % 1:
        return None
    return float(levels[0]), float(levels[1])


def _blocks(
    names: Sequence[str], codes: dict[str, tuple[float, float] | None]
) -> list[tuple[str, ...]]:
    """Find runs of neighbouring choices with ascending numbers and the same mark."""
    blocks: list[list[str]] = []
    last: tuple[float, float] | None = None
    for name in names:
        code = codes[name]
        joined = code and last and _same(code[0], last[0]) and code[1] > last[1]
        if joined:
            blocks[-1].append(name)
        elif code:
            blocks.append([name])
        last = code
    return [tuple(block) for block in blocks if len(block) >= _FEWEST]


def _same(one: float, other: float) -> bool:
    return one == other or (np.isnan(one) and np.isnan(other))


def _ticked(column: pd.Series, code: tuple[float, float] | None) -> NDArray[np.bool_]:
    return np.asarray(column == (code or (0, 0))[1], dtype=bool)


def _gates(
    X: pd.DataFrame, block: Sequence[str], shown: NDArray[np.bool_], questions: set[str]
) -> set[str]:
    """The question just before a block, whose one answer says that the choices were shown."""
    place = list(X.columns).index(block[0])
    before = [name for name in X.columns[max(place - 1, 0) : place] if name not in questions]
    for name in before:
        values = pd.factorize(X[name], use_na_sentinel=False)[0]
        if values.max(initial=0) == 1 and not shown.all():
            agree = (values == 1) == shown
            if agree.mean() >= _ALIKE or (~agree).mean() >= _ALIKE:
                return {name}
    return set()


def _follows(column: pd.Series, marks: Sequence[NDArray[np.bool_]]) -> bool:
    """Whether a text stands where one choice ("other, namely") was ticked, and nowhere else."""
    if pd.api.types.is_numeric_dtype(column) or not marks:
        return False
    there = column.notna().to_numpy()
    if there.sum() < _FEW_TEXTS or there.mean() > 0.5:
        return False
    return any((there == mark).mean() >= _ALIKE and mark[there].mean() >= 0.9 for mark in marks)
