"""Export a saved model as a self-contained folder with its model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

from churnml.base.files import write_file
from churnml.base.placing import Product, ReadPlaces, only, require_apart
from churnml.models import bundle
from churnml.models.bundle import Model
from churnml.models.cards.model_card import FIGURE, calibration_figure, model_card
from churnml.registry.resolve import as_resolved
from churnml.registry.tracking import save_mlflow_model
from churnml.registry.versions import EXPORTED_AS, is_registered

CARD = "MODEL_CARD.md"

_FILES = (
    "MLmodel",
    "conda.yaml",
    "python_env.yaml",
    "requirements.txt",
    "input_example.json",
    "serving_input_example.json",
    CARD,
    FIGURE,
)
_OF_THE_MOMENT = ("utc_time_created", "model_uuid", "model_id", "run_id")


def export_model(
    model: Model,
    folder: str | Path,
    *,
    version: str | None = None,
    notes: Sequence[str] = (),
    overwrite: bool = False,
) -> None:
    """Write an MLflow model folder with the bundle and a card; it appears when complete.

    The same model gives the same bytes: nothing in it tells when, where or by whom it was
    written.

    Parameters
    ----------
    model : Model
    folder : path
    version : str, optional
        What scores shall call the model, ``name/version``; left out where it is not registered.
    notes : sequence of str
        Limits that the card shall name.
    overwrite : bool, default False
        Whether a model that stands there may be replaced.

    Raises
    ------
    OutputError
        If something stands there, other than a model that may be replaced, or it cannot
        be written.
    """
    with EXPORTED.replaced(folder, overwrite=overwrite) as draft:
        save_mlflow_model(model, draft)
        _sign(draft / "MLmodel", version)
        _add_card(model, draft, notes)


@dataclass(frozen=True, kw_only=True)
class Exported:
    """Where a model was written.

    Attributes
    ----------
    model : str
        Its version.
    folder : str
    card : str
        The file of its model card.
    """

    model: str
    folder: str
    card: str

    def to_dict(self) -> dict[str, Any]:
        """The export as plain data, for ``--json``."""
        return {"model": self.model, "folder": self.folder, "card": self.card}

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.model)} in {escape(self.folder)}, with {escape(self.card)}</p>"


def export(
    model: Model | str | Path,
    folder: str | Path,
    *,
    note: str | Sequence[str] = (),
    overwrite: bool = False,
) -> Exported:
    """Write a model into a folder that ``score`` and MLflow read, with its model card.

    Parameters
    ----------
    model : Model, str or path
        A model or its URI.
    folder : path
    note : str, or sequence of str
        Limits that the card shall name.
    overwrite : bool, default False
        Whether a model that stands there may be replaced.

    Returns
    -------
    Exported

    Raises
    ------
    ModelError
        If there is no such model.
    OutputError
        If something stands there that may not be replaced, or it cannot be written.

    Examples
    --------
    >>> import churnml
    >>> churnml.export("no/such/folder", "copy")
    Traceback (most recent call last):
    ...
    churnml.errors.ModelError: no/such/folder: no such model folder. Give a folder, ...
    """
    resolved = as_resolved(model)
    if resolved.uri and Path(resolved.uri).exists():
        place = Path(resolved.uri)
        require_apart(folder, ReadPlaces(places=(place,), tables=(place,)))
    export_model(
        resolved.model, folder, version=resolved.version, notes=_several(note), overwrite=overwrite
    )
    return Exported(model=resolved.version, folder=str(folder), card=str(Path(folder) / CARD))


def _ours(folder: Path) -> bool:
    """Whether a folder is an exported model of this package and holds nothing else."""
    return bundle.is_bundle(folder / "data" / "bundle") and only(
        folder, lambda name: name in _FILES or name.startswith("data/bundle/")
    )


EXPORTED = Product(what="a model", ours=_ours)


def _sign(path: Path, version: str | None) -> None:
    """Take time and random ids out of an MLmodel file, and put in what the model is called.

    MLflow makes new ids on loading.
    """
    from mlflow.models import Model as MlflowModel
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    content = yaml.load(path.read_text("utf-8"))
    with path.open("w", encoding="utf-8") as file:
        kept = {k: v for k, v in content.items() if k not in _OF_THE_MOMENT}
        if version is not None and is_registered(version):
            kept["metadata"] = {**(kept.get("metadata") or {}), EXPORTED_AS: version}
        yaml.dump(kept, file)
    MlflowModel.load(str(path))


def _several(note: str | Sequence[str]) -> Sequence[str]:
    return (note,) if isinstance(note, str) else note


def _add_card(model: Model, folder: Path, notes: Sequence[str]) -> None:
    # The digest is that of the bundle that lies here, whether or not it was loaded from one.
    saved = replace(model, digest=bundle.load(folder / "data" / "bundle").digest)
    write_file(folder / CARD, model_card(saved, notes).encode())
    figure = calibration_figure(saved)
    if figure is not None:
        # Matplotlib would write its version into the file.
        figure.savefig(folder / FIGURE, metadata={"Software": None})
