"""A store with three versions of one model."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from churnml.registry.store import Store, open_store
from churnml.registry.tracking import Data, TrainingRecord, log_training


@pytest.fixture(scope="session")
def _three_versions(_empty_store, churn, tmp_path_factory) -> Path:
    """A store with versions 1 (champion) to 3 (challenger) of one model of a flat table."""
    folder = tmp_path_factory.mktemp("versions")
    shutil.copy(_empty_store, folder / "mlflow.db")
    store = open_store(f"sqlite:///{folder / 'mlflow.db'}")
    for _ in range(3):
        log_training(
            TrainingRecord(
                model=churn,
                title="toy",
                data=Data(name="toy", source="toy.csv", digest="ab" * 32, rows=600, target="left"),
            ),
            store=store,
        )
    return folder


@pytest.fixture
def registered(_three_versions, tmp_path, monkeypatch) -> Iterator[Store]:
    """That store, as if nobody had touched it; its artifacts are put back afterwards."""
    work, kept = tmp_path / "work", tmp_path / "kept"
    work.mkdir()
    shutil.copy(_three_versions / "mlflow.db", work)
    artifacts = _three_versions / "mlartifacts"
    shutil.copytree(artifacts, kept, copy_function=os.link)
    monkeypatch.chdir(work)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    yield open_store()
    shutil.rmtree(artifacts)
    kept.rename(artifacts)
