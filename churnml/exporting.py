"""A saved model as a folder that stands on its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from churnml.bundle import Model
from churnml.durable import exchange, output_errors, sync_folder
from churnml.errors import OutputError
from churnml.tracking import save_mlflow_model


def export_model(model: Model, folder: str | Path, *, overwrite: bool = False) -> None:
    """Write an MLflow model folder with the bundle inside; it appears when it is complete.

    Parameters
    ----------
    model : Model
    folder : path
    overwrite : bool, default False
        Whether a model that stands there may be replaced.

    Raises
    ------
    OutputError
        If something stands there, other than a model that may be replaced, or it cannot
        be written.
    """
    folder = Path(folder)
    if folder.exists() and not (overwrite and _replaceable(folder)):
        hint = "Name another folder." if overwrite else "Give --overwrite to replace a model."
        raise OutputError(f"{folder}: stands there already.", hint=hint, file=str(folder))
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        with output_errors(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            save_mlflow_model(model, draft)
            if folder.exists() and not exchange(draft, folder):
                shutil.rmtree(folder)
            if draft.exists() and not folder.exists():
                draft.rename(folder)
            sync_folder(folder.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _replaceable(folder: Path) -> bool:
    """Whether the folder is a model, or empty: nothing of anybody else's."""
    return folder.is_dir() and ((folder / "MLmodel").exists() or not any(folder.iterdir()))
