"""What tests share: two small trained models, an empty MLflow store, PostgreSQL, Spark."""

import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from churnml.datasets.flat import FlatData, read_training
from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.models.bundle import Model, Origin
from churnml.models.profile import describe
from churnml.registry.store import Store, open_store
from tests import postgres

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So it is where a shell runs the tests in the background; all that they start would
    # ignore Ctrl-C too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# For type checkers alone; not to be imported.
collect_ignore = ["typed_user_script.py"]

# A machine that does more than one thing makes no example wrong.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

LONG_NOTEBOOKS = (
    "07_registry_and_scoring.ipynb",
    "08_bring_your_own_table.ipynb",
    "10_service_quality.ipynb",
    "11_a_campaign.ipynb",
    "12_columns_of_your_own.ipynb",
)

SPARK_WARNINGS = (
    # pyspark 4.3 says so at every call, and asks pandas 3 for what that has given up.
    "ignore:PySpark does not yet fully support",
    "ignore:The copy keyword is deprecated",
    "ignore:Series.values returning an ndarray that drops timezone",
    # The gateway to Java leaves its sockets to the garbage collector.
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)

QUICK = {"repeats": 1, "max_rounds": 100, "n_jobs": 1}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the notebooks that take long, before pytest leaves the slow ones out."""
    for item in items:
        if item.path.name in LONG_NOTEBOOKS:
            item.add_marker(pytest.mark.slow)
        if "spark_session" in getattr(item, "fixturenames", ()):
            for message in SPARK_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(message))


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
def customers_csv(customers: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as the file that a data scientist has."""
    path = tmp_path_factory.mktemp("table") / "toy.csv"
    customers.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def learned(customers_csv: Path) -> FlatData:
    """That file as ``train churn`` reads it."""
    return read_training(customers_csv, task="churn", target="left", id="id", drop=["score"])


@pytest.fixture(scope="session")
def features(learned: FlatData) -> pd.DataFrame:
    """What the models see of the customers."""
    return learned.X


@pytest.fixture(scope="session")
def churn(learned: FlatData) -> Model:
    """A churn model that has not been saved."""
    estimator = ChurnClassifier(**QUICK).fit(learned.X, learned.y)
    return describe(
        estimator, learned.X, origin=_origin("churn-toy", learned), reference=estimator.oof_
    )


@pytest.fixture(scope="session")
def satisfaction(customers: pd.DataFrame, learned: FlatData) -> Model:
    """A satisfaction model that has not been saved."""
    estimator = SatisfactionRegressor(**QUICK).fit(learned.X, customers["score"])
    return describe(
        estimator, learned.X, origin=_origin("satisfaction-toy", learned), reference=estimator.oof_
    )


def _origin(name: str, learned: FlatData) -> Origin:
    rows = len(learned.X)
    return Origin(
        name=name, kind="table", rows=rows, digest=learned.fingerprint, table=learned.signature
    )


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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[str], str]]:
    """A throw-away PostgreSQL, reached through a socket: makes a database, gives its address."""
    place = postgres.programs()
    if place is None:
        pytest.skip("no PostgreSQL server here")
    with postgres.running(place) as make:
        yield make


@pytest.fixture(scope="session")
def spark_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """One local Spark with two cores, for all tests of a process."""
    if shutil.which("java") is None:
        pytest.skip("no Java here")
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        # Compiling each plan of a hundred columns takes longer than the few rows do.
        "spark.sql.codegen.wholeStage": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        builder = SparkSession.builder
        for name, value in settings.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
    yield session
    session.stop()
