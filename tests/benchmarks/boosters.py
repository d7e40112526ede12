"""Models whose boosters have a stated size, and the boosters themselves."""

from __future__ import annotations

from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

from churnml.estimators import ChurnClassifier
from churnml.models.bundle import Model, save
from churnml.models.model import Origin
from churnml.models.profile import describe

COLUMNS, BAG = 120, 3
ROUNDS, LEAVES = 500, 63


def rows_of(count: int, columns: int = COLUMNS, seed: int = 0) -> pd.DataFrame:
    """Numbers, a twentieth of them missing."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, columns)).astype(np.float32)
    values[random.random(values.shape) < 0.05] = np.nan
    return pd.DataFrame(values, columns=[f"c{at:03d}" for at in range(columns)])


def leavers(rows: pd.DataFrame, seed: int = 1) -> np.ndarray:
    """Who left: the first columns tell."""
    known = rows.iloc[:, :5].fillna(0).to_numpy()
    risk = known @ np.array([0.8, 0.5, -0.5, 0.3, 0.2]) + known[:, 0] * known[:, 1] - 1
    return (np.random.default_rng(seed).random(len(rows)) < 1 / (1 + np.exp(-risk))).astype(int)


def grown() -> lgb.LGBMClassifier:
    """A booster of 500 trees of 63 leaves, as scikit-learn users fit it."""
    rows = rows_of(20_000)
    return lgb.LGBMClassifier(
        n_estimators=ROUNDS, num_leaves=LEAVES, verbose=-1, n_jobs=1, learning_rate=0.05
    ).fit(rows, leavers(rows))


def bag_of(text: str | None, n_jobs: int = 1, columns: int = COLUMNS) -> ChurnClassifier:
    """A churn model whose bag is three times the same booster; its own small ones without it."""
    rows = rows_of(2_000, columns, seed=2)
    quick = ChurnClassifier(
        repeats=1, folds=3, max_rounds=3, num_leaves=(4,), linear_start=False, n_jobs=n_jobs
    ).fit(rows, leavers(rows))
    if text is None:
        return quick
    state, _ = quick.to_state()
    state = {**state, "bag": {**state["bag"], "boosters": BAG}}
    return ChurnClassifier.from_state(state, [text] * BAG).set_params(n_jobs=n_jobs)


def saved(estimator: ChurnClassifier, rows: pd.DataFrame, table: dict, folder: Path) -> Model:
    """A bundle of the estimator for a table of these columns."""
    origin = Origin(name="churn-wide", kind="table", rows=len(rows), digest="", table=table)
    reference = estimator.predict_proba(rows)[:, 1]
    model = describe(estimator, rows, origin=origin, reference=reference)
    save(model, folder)
    return model
