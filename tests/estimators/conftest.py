"""What the tests of the estimators share: makers of small tables with a known law."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

Table = tuple[pd.DataFrame, np.ndarray]


@pytest.fixture(scope="session")
def churn_table() -> Callable[..., Table]:
    """Makes tables of customers, and who of them left."""
    return _churn_table


def _churn_table(rows: int = 600, seed: int = 0) -> Table:
    """Customers whose log-odds of leaving fall with tenure and differ by plan."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "tenure": random.integers(0, 72, rows).astype(float),
            "bill": np.round(random.lognormal(4, 0.5, rows), 2),
            "plan": random.choice(["basic", "family", "gold"], rows, p=[0.5, 0.3, 0.2]),
            "roams": random.random(rows) < 0.3,
            "complaints": random.poisson(0.4, rows).astype(float),
        }
    )
    frame.loc[random.random(rows) < 0.1, "bill"] = np.nan
    odds = 0.5 - frame["tenure"] / 20 + 0.8 * frame["complaints"] + (frame["plan"] == "basic")
    y = (random.random(rows) < 1 / (1 + np.exp(-odds.to_numpy()))).astype(int)
    return frame, y


@pytest.fixture(scope="session")
def satisfaction_table() -> Callable[..., Table]:
    """Makes tables of customers, and how satisfied they said they were."""
    return _satisfaction_table


def _satisfaction_table(rows: int = 600, seed: int = 0) -> Table:
    """Answers on the scale of 1 to 10 brought to 0 to 100, most of them at the top."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "wait_minutes": random.exponential(8, rows),
            "complaints": random.poisson(0.5, rows).astype(float),
            "hall": random.choice(["east", "west", "north"], rows),
        }
    )
    mood = 11 - frame["wait_minutes"] / 6 - 1.5 * frame["complaints"] + random.normal(0, 2, rows)
    return frame, ((mood.round().clip(1, 10) - 1) / 9 * 100).to_numpy()
