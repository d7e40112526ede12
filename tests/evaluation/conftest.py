"""Customers with known chances of leaving, and small models that know more or less of them."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from churnml.datasets.dataset import Dataset
from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.models.bundle import Model, Origin
from churnml.models.profile import describe

QUICK = {"repeats": 1, "folds": 2, "max_rounds": 40, "linear_start": False, "n_jobs": 1}
LABEL = {"gap": "0d", "horizon": "2mo", "definition": "either"}


def population(rows: int, seed: int) -> Dataset:
    """Customers of four brands; the elderly leave for a reason of their own."""
    random = np.random.default_rng(seed)
    brand = random.choice(["gotone", "easyown", "mzone", "senior"], rows, p=[0.3, 0.3, 0.2, 0.2])
    general, own = random.normal(size=rows), random.normal(size=rows)
    cause = np.where(brand == "senior", own, general)
    left = random.random(rows) < 1 / (1 + np.exp(1.5 - 1.5 * cause))
    X = pd.DataFrame(
        {
            "lifecycle_brand": brand,
            "tier_individual_now": random.choice(["standard", "silver"], rows),
            "arpu_mean_3m_yuan": random.gamma(2, 150, rows),
            "general": general,
            "blurred": general + random.normal(0, 0.8, rows),
            "own": own,
            "luck": random.normal(size=rows),
        }
    )
    groups = pd.Series([f"c{number:05d}" for number in range(rows)], name="customer_id")
    times = pd.Series(np.where(np.arange(rows) % 2, date(2026, 3, 1), date(2026, 4, 1)))
    return Dataset(X=X, y=pd.Series(left.astype(float), name="churned"), groups=groups, times=times)


def model(data: Dataset, columns: list[str], task: str = "churn", **facts: object) -> Model:
    """A small model that sees these columns alone."""
    kind = ChurnClassifier if task == "churn" else SatisfactionRegressor
    X = data.X[columns]
    estimator = kind(**QUICK).fit(X, data.y, groups=data.groups)
    origin = Origin(name=task, label=LABEL, rows=len(X), **facts)
    return describe(estimator, X, origin=origin, reference=estimator.oof_)


@pytest.fixture(scope="session")
def taught() -> Dataset:
    """Customers to learn from."""
    return population(4_000, 1)


@pytest.fixture(scope="session")
def unseen() -> Dataset:
    """Customers to measure on."""
    return population(5_000, 2)


@pytest.fixture(scope="session")
def good(taught) -> Model:
    """Knows why everybody leaves."""
    return model(taught, ["lifecycle_brand", "general", "own"])


@pytest.fixture(scope="session")
def middling(taught) -> Model:
    """Knows why the elderly leave, and roughly why the others do."""
    return model(taught, ["lifecycle_brand", "blurred", "own"])


@pytest.fixture(scope="session")
def unfair(taught) -> Model:
    """Knows why the others leave, and nothing of the elderly."""
    return model(taught, ["lifecycle_brand", "general"])


@pytest.fixture(scope="session")
def useless(taught) -> Model:
    """Knows nothing."""
    return model(taught, ["luck"])
