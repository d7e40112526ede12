"""Log a model to MLflow and register it as a version."""

from __future__ import annotations

import logging
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from churnml.base.files import crash_point
from churnml.base.scratch import temporary_folder
from churnml.errors import ModelError
from churnml.models import bundle
from churnml.models.model import Model
from churnml.models.signature import signature
from churnml.registry import resolve as resolving
from churnml.registry import versions as registry
from churnml.registry.store import Store, mlflow_quietly, quiet
from churnml.registry.tracking.registered_card import refresh_card
from churnml.registry.tracking.run import TrainingRecord, requirements

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel, ModelVersion

LOADER = "churnml.scoring.pyfunc"
"""The module through which MLflow loads the model."""


def log_model(store: Store, run_id: str, model: Model, name: str) -> tuple[LoggedModel, str]:
    """Log a model, read it back and check it; return it with its digest."""
    from mlflow.entities import LoggedModelOutput

    client = store.client
    logged = client.create_logged_model(
        client.get_run(run_id).info.experiment_id,
        name=name,
        source_run_id=run_id,
        model_type=model.task,
    )
    try:
        with temporary_folder() as folder:
            path = Path(folder) / name
            save_mlflow_model(model, path, run_id=run_id, model_id=logged.model_id)
            client.log_model_artifacts(logged.model_id, str(path))
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        digest = _read_back(store, logged, model)
    except BaseException:
        with suppress(Exception):
            client.finalize_logged_model(logged.model_id, "FAILED")
        raise
    return client.finalize_logged_model(logged.model_id, "READY"), digest


def save_mlflow_model(
    model: Model, path: Path, *, run_id: str | None = None, model_id: str | None = None
) -> None:
    """Write a folder that is an MLflow model with the bundle inside.

    Parameters
    ----------
    model : Model
    path : Path
        Absent.
    run_id, model_id : str, optional
        Of MLflow, where it is to be logged.
    """
    mlflow_quietly()
    import mlflow.pyfunc
    from mlflow.models import Model as MlflowModel

    with temporary_folder() as folder:
        data = Path(folder) / "bundle"
        bundle.save(model, data)
        # An environment that uv made has no pip, which is no loss to the model.
        environment = quiet("mlflow.utils.environment", below=logging.ERROR)
        with quiet("mlflow.pyfunc"), environment:
            mlflow.pyfunc.save_model(
                str(path),
                loader_module=LOADER,
                data_path=str(data),
                mlflow_model=MlflowModel(run_id=run_id, model_uuid=model_id, model_id=model_id),
                signature=signature(model),
                input_example=bundle.golden_rows(model).head(3),
                pip_requirements=requirements(model),
            )
    for cache in path.rglob("__pycache__"):
        shutil.rmtree(cache, ignore_errors=True)


def _read_back(store: Store, logged: LoggedModel, model: Model) -> str:
    from mlflow.models import Model as MlflowModel

    with resolving.downloaded(store, logged.artifact_location) as folder:
        kept = MlflowModel.load(str(folder))
        fresh = resolving.load_folder(folder)
    if kept.signature != signature(model):
        raise ModelError(f"MLflow did not keep the signature of model {model.origin.name}.")
    bundle.check_golden(fresh, exact=True)
    return fresh.digest


def register(
    store: Store, run_id: str, logged: LoggedModel, training: TrainingRecord, digest: str, card: str
) -> tuple[str, str]:
    """Register a new version with its card and alias, or nothing at all."""
    name = training.model.origin.name
    with store.alone(), store.current():
        registry.ensure_name(store, name, training.model.task)
        version: ModelVersion = store.client.create_model_version(
            name,
            source=f"models:/{logged.model_id}",
            run_id=run_id,
            tags={"churnml.task": training.model.task, registry.DIGEST: digest},
            description=card.strip() or None,
            model_id=logged.model_id,
        )
        crash_point("version:registered")
        try:
            alias = registry.give_alias(
                store, name, str(version.version), may_lead=training.may_lead
            )
        except BaseException:
            store.client.delete_model_version(name, version.version)
            raise
        refresh_card(store, name)
    crash_point("alias:given")
    return str(version.version), alias
