"""Predictions for everybody, held out for those who answered.

The features of those who answered are those of the same date as everybody's: taken when they
answered, they would differ from the population's for reasons that have nothing to do with
satisfaction. And what the surveys of the window brought is kept out of them: who answered would
otherwise carry the answer among the features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from churnml.estimators import SatisfactionRegressor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_KEYS = ("customer_id", "as_of")


class Predicts(Protocol):
    """Whatever predicts a score from a frame of features."""

    def predict(self, X: Any) -> Any:
        """Expected scores, shape (n,)."""


class Learns(Predicts, Protocol):
    """What learns to predict."""

    def fit(self, X: Any, y: Any) -> Any:
        """Learn from customers who answered."""


@dataclass(frozen=True, kw_only=True)
class HeldOutPredictions:
    """Predicted satisfaction, 0 to 100.

    Attributes
    ----------
    of_everybody : array of float, shape (N,)
        In the order of the file of features.
    held_out : array of float, shape (n,)
        Of the customers who answered, by models that had not seen their answers.
    """

    of_everybody: Floats
    held_out: Floats


@dataclass(frozen=True, kw_only=True)
class Features:
    """Everybody's features in a file.

    Attributes
    ----------
    path : Path
        Parquet, one row a customer.
    names : list of str
        The columns that models may read.
    batch : int
        Rows in memory at a time.
    """

    path: Path
    names: list[str]
    batch: int

    def batches(self, names: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """The features of all customers, batch by batch."""
        for table in self._tables(names or self.names):
            yield table.to_pandas()

    def rows(self, places: Ints) -> pd.DataFrame:
        """The features of the customers at rising places."""
        parts, begin = [], 0
        for table in self._tables(self.names):
            end = begin + table.num_rows
            here = places[(places >= begin) & (places < end)] - begin
            if here.size:
                parts.append(table.take(pa.array(here)))
            begin = end
        return pa.concat_tables(parts).to_pandas()

    def column(self, name: str) -> pa.ChunkedArray:
        """A column of everybody's."""
        return pq.read_table(self.path, columns=[name])[name]

    @property
    def columns(self) -> list[str]:
        """All columns of the file but the keys."""
        return [name for name in pq.read_schema(self.path).names if name not in _KEYS]

    def _tables(self, names: Sequence[str]) -> Iterator[pa.Table]:
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=self.batch, columns=list(names)):
                yield pa.Table.from_batches([batch])


def by_model(
    model: Predicts, features: Features, names: Sequence[str], places: Ints
) -> HeldOutPredictions:
    """Predict with a model that has learned from nothing that the window's answers say.

    Parameters
    ----------
    model : Predicts
    features : Features
    names : sequence of str
        The columns that it reads.
    places : array of int, shape (n,)
        Where those who answered stand in the file.
    """
    every = np.concatenate([np.asarray(model.predict(rows)) for rows in features.batches(names)])
    return HeldOutPredictions(of_everybody=every, held_out=every[places])


def cross_fit(
    features: Features,
    places: Ints,
    scores: ArrayLike,
    *,
    folds: int,
    seed: int,
    learner: Learns | None = None,
) -> HeldOutPredictions:
    """Predict everybody by the mean of models that each leave out a share of those who answered.

    Whoever answered is held out by the one model that has not seen the answer (Zrnic and Candès
    2024, arXiv 2309.16598).

    Parameters
    ----------
    features : Features
    places : array of int, shape (n,)
        Where those who answered stand in the file, rising.
    scores : array of float, shape (n,)
        Of each of them.
    folds, seed : int
    learner : Learns, optional
        By default a small `SatisfactionRegressor`.
    """
    X, y = features.rows(places), np.asarray(scores, np.float64)
    fold = np.random.default_rng(seed).permutation(y.size) % folds
    made, held_out = [], np.empty(y.size)
    for one in range(folds):
        inside = fold != one
        model = _fresh(learner, seed).fit(X[inside].reset_index(drop=True), y[inside])
        held_out[~inside] = model.predict(X[~inside].reset_index(drop=True))
        made.append(model)
    every = np.concatenate(
        [np.mean([model.predict(rows) for model in made], axis=0) for rows in features.batches()]
    )
    return HeldOutPredictions(of_everybody=every, held_out=held_out)


def _fresh(learner: Learns | None, seed: int) -> Any:
    """A model that has learned nothing yet: small, as there are several and few answers."""
    if learner is None:
        return SatisfactionRegressor(
            repeats=1, folds=3, num_leaves=(4,), learning_rate=0.1, max_rounds=100, l2=5.0,
            linear_start=True, random_state=seed,
        )  # fmt: skip
    from sklearn.base import clone

    return clone(learner)
