"""What tests of saved models share: two small trained models and an empty MLflow store."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from churnml.bundle import Model, Origin
from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.profile import describe
from churnml.store import Store, open_store

CANARY = 98765.4375
"""A value that one customer alone has, and that nothing may give away."""


@pytest.fixture(scope="session")
def customers() -> pd.DataFrame:
    """600 customers of a flat table, with what happened to them."""
    random = np.random.default_rng(0)
    rows = 600
    frame = pd.DataFrame(
        {
            "id": [f"{number:05d}" for number in range(rows)],
            "tenure": random.integers(1, 72, rows).astype(float),
            "费用": random.gamma(2, 40, rows).round(2),
            "plan": random.choice(["basic", "plus", "max"], rows),
            "online": random.random(rows) < 0.5,
        }
    )
    frame.loc[::7, "费用"] = np.nan
    risk = 1 / (1 + frame["tenure"] / 12) + 0.2 * (frame["plan"] == "basic")
    frame["left"] = random.random(rows) < risk / 1.3
    noise = random.normal(0, 15, rows)
    frame["score"] = np.clip(70 + frame["tenure"] / 4 - 10 * frame["online"] + noise, 0, 100)
    return frame


@pytest.fixture(scope="session")
def features(customers: pd.DataFrame) -> pd.DataFrame:
    """What the models see of them."""
    return customers.drop(columns=["id", "left", "score"])


@pytest.fixture(scope="session")
def churn(customers: pd.DataFrame, features: pd.DataFrame) -> Model:
    """A churn model that has not been saved."""
    estimator = ChurnClassifier(repeats=1, n_jobs=1).fit(features, customers["left"])
    origin = Origin(name="churn-toy", kind="table", rows=len(features), digest="ab" * 32)
    return describe(estimator, features, origin=origin, reference=estimator.oof_)


@pytest.fixture(scope="session")
def satisfaction(customers: pd.DataFrame, features: pd.DataFrame) -> Model:
    """A satisfaction model that has not been saved."""
    estimator = SatisfactionRegressor(repeats=1, n_jobs=1).fit(features, customers["score"])
    origin = Origin(name="satisfaction-toy", kind="table", rows=len(features))
    return describe(estimator, features, origin=origin, reference=estimator.oof_)


@pytest.fixture(scope="session")
def _empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    open_store(f"sqlite:///{folder / 'mlflow.db'}")
    return folder / "mlflow.db"


@pytest.fixture
def store(_empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store in a working folder of the test's own. Making one takes seconds."""
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copy(_empty_store, folder / "mlflow.db")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return open_store()
