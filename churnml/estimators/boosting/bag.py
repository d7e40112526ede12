"""A fitted bag: its members' initial scores and boosters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from churnml.estimators.boosting.additive import Shapes
from churnml.estimators.boosting.booster import load


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How one booster of a bag grew.

    Attributes
    ----------
    fold, repeat : int
        From 0; the fold was left out.
    start : {"rate", "line"}
        What it started from.
    rows : int
        In the fold left out.
    losses : tuple of float
        On the fold left out, after each round.
    """

    fold: int
    repeat: int
    start: str
    rows: int
    losses: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Bag:
    """A fitted bag: the mean of its members.

    Attributes
    ----------
    shapes : Shapes
        The mean of what the members start from.
    texts : list of str
        The boosters as LightGBM writes them.
    boosters : list of Booster
    growth : tuple of Growth
        Of the boosters, in order; empty for a bag that was loaded.
    """

    shapes: Shapes
    texts: list[str]
    boosters: list[lgb.Booster]
    growth: tuple[Growth, ...] = ()

    def score(self, matrix: NDArray[np.float32], threads: int = 0) -> NDArray[np.float64]:
        """Raw scores, shape (n,): log-odds, or the target's own unit."""
        total = np.zeros(matrix.shape[0])
        if matrix.shape[0] == 0:
            return total
        for booster in self.boosters:
            total += booster.predict(matrix, raw_score=True, num_threads=threads)
        return self.shapes.score(matrix) + total / max(len(self.boosters), 1)

    def to_state(self) -> dict[str, Any]:
        """Plain data beside the booster texts."""
        return {"line": self.shapes.to_state(), "boosters": len(self.texts)}

    @classmethod
    def from_state(cls, state: dict[str, Any], texts: Sequence[str]) -> Bag:
        """The bag of :meth:`to_state`."""
        return cls(shapes=Shapes.from_state(state["line"]), texts=list(texts), boosters=load(texts))
