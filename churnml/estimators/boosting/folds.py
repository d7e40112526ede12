"""Order rows canonically, and assign grouped folds.

A model must not depend on the order in which rows happen to arrive. Rows are sorted by a
hash of their content, and rows that are alike in everything become one row that weighs as
much as all of them: repeating a row and doubling its weight are the same thing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.estimators.encoding.frames import Values

_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, kw_only=True)
class TrainingRows:
    """The rows to train on.

    Attributes
    ----------
    take : array of int64, shape (m,)
        The caller's row that each row to train on is.
    weight : array of float64, shape (m,)
        Above 0; the sum over rows that are alike.
    group : array of int64, shape (m,)
        Numbered from 0 in order of appearance.
    place : array of int64, shape (n,)
        Where each of the caller's rows went; -1 where its weight is 0.
    """

    take: NDArray[np.int64]
    weight: NDArray[np.float64]
    group: NDArray[np.int64]
    place: NDArray[np.int64]


def _mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit words (the finaliser of splitmix64)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _text_word(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def content_hash(columns: Mapping[str, Values], y: NDArray[np.float64]) -> NDArray[np.uint64]:
    """One 64-bit word a row, from every value by its column's name.

    Neither the order of rows nor that of columns matters.
    """
    total = _mix(y.astype(np.float64).view(np.uint64) + np.uint64(1))
    for name, values in columns.items():
        if values.kind == "number":
            words = values.numbers.view(np.uint32).astype(np.uint64)
            words[np.isnan(values.numbers)] = np.uint64(0x7FC00000)
        else:
            texts = [_text_word(text) for text in values.levels] + [0]
            words = np.array(texts, np.uint64)[values.codes]
        total = total + _mix((words + np.uint64(_text_word(name))) * _ODD)
    return _mix(total)


def order_rows(
    hashes: NDArray[np.uint64],
    weight: NDArray[np.float64],
    groups: NDArray[np.generic] | None,
) -> TrainingRows:
    """Sort rows by content, and join those that are alike within their group.

    Parameters
    ----------
    hashes : array of uint64, shape (n,)
    weight : array of float64, shape (n,)
        Rows of weight 0 are left out.
    groups : array, shape (n,), optional
        Rows of one group stay together in every fold. Without it each distinct row is
        a group.

    Returns
    -------
    TrainingRows
    """
    kept = np.flatnonzero(weight > 0)
    words = hashes[kept]
    if groups is None:
        label, alike = np.zeros(kept.size, np.int64), words
    else:
        label = pd.factorize(np.asarray(groups)[kept])[0].astype(np.int64)
        # A group is known by what it holds, never by its name or its place.
        held = np.zeros(label.max(initial=-1) + 1, np.uint64)
        np.add.at(held, label, words)
        alike = held[label]
    order = np.lexsort((label, alike, words))
    words, label = words[order], label[order]
    first = np.ones(kept.size, bool)
    first[1:] = (words[1:] != words[:-1]) | (label[1:] != label[:-1])
    position = np.cumsum(first) - 1
    total = np.zeros(int(first.sum()))
    np.add.at(total, position, weight[kept[order]])
    place = np.full(weight.size, -1, np.int64)
    place[kept[order]] = position
    group = np.arange(total.size) if groups is None else pd.factorize(label[first])[0]
    return TrainingRows(
        take=kept[order[first]], weight=total, group=group.astype(np.int64), place=place
    )


def assign_folds(
    y: NDArray[np.float64], group: NDArray[np.int64], *, folds: int, seed: int
) -> NDArray[np.int64]:
    """A fold for every row, whole groups at a time, alike in the mean of ``y``.

    Parameters
    ----------
    y : array of float64, shape (m,)
    group : array of int64, shape (m,)
        Numbered from 0 without gaps.
    folds : int
        At most the number of groups.
    seed : int

    Returns
    -------
    array of int64, shape (m,)
        From 0 to ``folds - 1``.

    Examples
    --------
    >>> fold = assign_folds(np.array([0., 0, 1, 1]), np.arange(4), folds=2, seed=0)
    >>> sorted(fold[:2].tolist()), sorted(fold[2:].tolist())
    ([0, 1], [0, 1])
    """
    count = np.bincount(group)
    mean = np.bincount(group, weights=y) / count
    random = np.random.default_rng(seed)
    shuffled = random.permutation(count.size)
    # Larger groups first within a mean, so that the folds come out alike in size too.
    dealt = shuffled[np.lexsort((-count[shuffled], mean[shuffled]))]
    of_group = np.empty(count.size, np.int64)
    # In turn, so that no fold has more than one customer of a kind above another.
    of_group[dealt] = random.permutation(folds)[np.arange(dealt.size) % folds]
    return of_group[group]
