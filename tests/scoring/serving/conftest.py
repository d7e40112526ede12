"""Models as MLflow loads them."""

from pathlib import Path

import pytest

from churnml.models.bundle import Model
from churnml.registry.export import export_model


@pytest.fixture(scope="session")
def folders(
    churn: Model, satisfaction: Model, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Both toy models, exported, by task."""
    place = tmp_path_factory.mktemp("exported")
    for model in (churn, satisfaction):
        export_model(model, place / model.task)
    return {task: place / task for task in ("churn", "satisfaction")}
