"""Rows with known truth, and models that are good, shuffled, over-confident or leaking."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit


def churn_rows(rows: int = 8_000, seed: int = 0):
    """Columns, the true probability of leaving, and who left."""
    random = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "tenure": random.exponential(800, rows),
            "complaints": random.poisson(0.4, rows).astype(float),
            "brand": random.choice(["gotone", "easyown", "mzone", "senior"], rows),
            "noise": random.normal(size=rows),
        }
    )
    odds = -2.3 - 0.8 * np.log1p(X["tenure"] / 400) + 0.7 * X["complaints"]
    truth = expit(odds + 0.6 * (X["brand"] == "mzone") + random.normal(0, 0.7, rows))
    y = (random.random(rows) < truth).astype(float)
    return X, truth.to_numpy(), y


def honest(truth, seed: int = 1):
    """Probabilities that know a part of the truth, and are calibrated."""
    random = np.random.default_rng(seed)
    odds = logit(truth)
    # Shrunk to the mean as much as the noise is worth, as a regression would.
    seen = odds + random.normal(0, 0.5 * odds.std(), truth.size)
    slope = np.cov(odds, seen)[0, 1] / seen.var()
    rest = odds.var() * (1 - slope**2 * seen.var() / odds.var())
    steps = np.sqrt(rest) * np.linspace(-2.5, 2.5, 41)
    mass = np.exp(-(np.linspace(-2.5, 2.5, 41) ** 2) / 2)
    middle = odds.mean() + slope * (seen - seen.mean())
    return (expit(middle[:, None] + steps) * mass / mass.sum()).sum(axis=1)


def satisfaction_rows(rows: int = 4_000, seed: int = 0):
    """Columns, the true satisfaction, and the answers."""
    random = np.random.default_rng(seed)
    X = pd.DataFrame({"waited": random.exponential(8, rows), "noise": random.normal(size=rows)})
    truth = 82 - X["waited"].to_numpy() + random.normal(0, 4, rows)
    y = np.round(np.clip(truth + random.normal(0, 9, rows), 0, 100) / 10) * 10
    return X, np.clip(truth, 0, 100), y
