"""Resolve a model URI to a verified model and its version.

``models:/churn@champion``, ``models:/churn/3``, ``models:/m-...``, ``runs:/<id>/model``,
and folders. An alias is looked up once: whoever resolves it has one version from then on.
Whatever the registry says about how to load a model is not followed; a model is churnml's
own bundle (`churnml.models.bundle`) or is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.base.files import OUT_OF_ROOM, plain_reason, system_code
from churnml.base.scratch import temporary_folder
from churnml.base.tasks import TASKS, TaskName
from churnml.errors import BundleError, ModelError, OutputError, UsageError
from churnml.models import bundle
from churnml.models.model import Model
from churnml.registry.store import Store, mlflow_errors, open_store, store_exists, store_uri
from churnml.registry.versions import (
    BEFORE_REFIT,
    CHAMPION,
    EXPORTED_AS,
    MODEL_NAME,
    aliases_of,
    champion_uri,
    find_version,
    is_registered,
    require_version,
    versions_of,
)

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

_LOADERS = ("churnml.scoring.pyfunc",)
_REGISTERED = re.compile(r"models:/(?P<name>[^/@]+)(@(?P<alias>[^/@]+)|/(?P<version>[^/@]+))")
_LOGGED = re.compile(r"models:/(?P<id>m-[0-9a-f]+)")
_OF_RUN = re.compile(r"runs:/(?P<id>[^/]+)(/(?P<path>.+))?")


@dataclass(frozen=True)
class Resolved:
    """A model with its URI, version and digest.

    Attributes
    ----------
    model : Model
    uri : str
        As it was asked for.
    version : str
        ``name/version``, for a folder too where it was exported from a registered version;
        else the model's name and the start of its digest.
    """

    model: Model
    uri: str
    version: str


def resolve(uri: str | Path) -> Resolved:
    """Load the model that a URI names.

    Parameters
    ----------
    uri : str or path
        ``models:/name@alias``, ``models:/name/version``, ``models:/m-id``,
        ``runs:/id/model``, or a folder that holds a bundle or an MLflow model of churnml.

    Raises
    ------
    ModelError
        If there is no such model; the message says which there are.
    BundleError
        If it was damaged, or is not a model of churnml.
    """
    text = str(uri)
    if not text.startswith(("models:", "runs:")):
        return _from_folder(text)
    location = store_uri()
    if not store_exists(location):
        raise ModelError(
            f"{text}: no model: there is no model store at {location}.",
            hint="Train one with churnml train, run from the folder that holds mlflow.db, or set "
            "MLFLOW_TRACKING_URI.",
        )
    store = open_store(location)
    with mlflow_errors(location):
        return _from_store(store, text)


def load_model(uri: Model | str | Path) -> Model:
    """The model that a URI names, checked.

    Parameters
    ----------
    uri : str or path
        ``models:/name@alias``, ``models:/name/version``, ``runs:/id/model``, or a folder.

    Returns
    -------
    Model
        ``.task``, ``.estimator``, ``.names`` (its columns), ``.digest``, ``.origin`` (what it
        was made from), ``.version``.

    Raises
    ------
    ModelError
        If there is no such model; the message says which there are.
    BundleError
        If it was damaged, or is not a model of churnml.

    Examples
    --------
    >>> import churnml
    >>> churnml.load_model("no/such/folder")
    Traceback (most recent call last):
    ...
    churnml.errors.ModelError: no/such/folder: no such model folder. Give a folder, ...
    """
    found = as_resolved(uri)
    return replace(found.model, uri=found.uri, version=found.version)


def as_resolved(model: Model | str | Path) -> Resolved:
    """A model with its name and version: loaded where a URI is given."""
    if not isinstance(model, Model):
        return resolve(model)
    name = model.version or f"{model.origin.name or model.task}/{model.digest[:8]}"
    return Resolved(model, model.uri or name, name)


def require_task(found: Resolved, task: TaskName, name: str) -> None:
    """Refuse a model of the other task.

    Raises
    ------
    ModelError
        Says which task it is of.
    """
    if found.model.task != task:
        raise ModelError(
            f"{found.version} predicts {found.model.task}, not {task}.",
            hint=f"Name the task {found.model.task}, with --name {name}.",
        )


def resolve_champions() -> dict[str, Resolved]:
    """Load the existing champions of the tasks scored by default, by task.

    Raises
    ------
    ModelError
        If none exists.
    """
    champions: dict[str, Resolved] = {}
    uris = {name: champion_uri(name) for name, task in TASKS.items() if task.by_default}
    location = store_uri()
    if store_exists(location):
        store = open_store(location)
        with mlflow_errors(location):
            aliases = {task: aliases_of(store, task) for task in uris}
            for task, uri in uris.items():
                if CHAMPION in aliases[task]:
                    champions[task] = _from_store(store, uri)
    if not champions:
        raise ModelError(
            f"No model: neither {' nor '.join(uris.values())} exists in {location}.",
            hint="Train one with churnml train, or name one with --churn-model.",
        )
    return champions


def find_champion(task: TaskName) -> Resolved | None:
    """The champion of a task; None where there is none.

    Raises
    ------
    BundleError
        If it was damaged, or is not a model of churnml.
    """
    location = store_uri()
    if not store_exists(location):
        return None
    store = open_store(location)
    with mlflow_errors(location):
        if CHAMPION not in aliases_of(store, task):
            return None
        return _from_store(store, champion_uri(task))


def _from_folder(text: str) -> Resolved:
    folder = Path(text.removeprefix("file://"))
    if not folder.is_dir():
        raise ModelError(
            f"{text}: no such model folder.",
            hint=_registered_as(text) or "Give a folder, or a URI such as models:/churn@champion.",
            file=text,
        )
    model = load_folder(folder)
    name = model.origin.name or folder.resolve().name
    version = _exported_as(folder) or f"{name}/{model.digest[:8]}"
    return Resolved(model, text, version)


def _exported_as(folder: Path) -> str | None:
    """The registered version recorded in an MLflow model folder."""
    if bundle.is_bundle(folder):
        return None
    metadata = _mlmodel(folder).get("metadata")
    version = metadata.get(EXPORTED_AS) if isinstance(metadata, dict) else None
    return version if isinstance(version, str) and is_registered(version) else None


def _registered_as(name: str) -> str | None:
    """A hint at the registered model that was meant where a bare name was given."""
    location = store_uri()
    if "/" in name or not store_exists(location):
        return None
    try:
        store = open_store(location)
        with mlflow_errors(location):
            versions = sorted(int(one.version) for one in versions_of(store, name))
            champion = CHAMPION in aliases_of(store, name)
    except ModelError:
        # The folder that is not there is what matters.
        return None
    if not versions:
        return None
    uri = champion_uri(name) if champion else f"models:/{name}/{versions[-1]}"
    return f"Did you mean the registered model {uri}?"


def load_folder(folder: Path) -> Model:
    """The model of a folder: a bundle, or an MLflow model with a bundle inside.

    Raises
    ------
    BundleError
        If it is neither, or damaged.
    """
    if bundle.is_bundle(folder):
        return bundle.load(folder)
    return bundle.load(_bundle_of(folder))


def _bundle_of(folder: Path) -> Path:
    """The bundle in an MLflow model, which must be one of churnml's own and bring no code."""
    return _own_bundle(folder, _mlmodel(folder)["flavors"]["python_function"])


def _mlmodel(folder: Path) -> dict[str, Any]:
    """Read the metadata of an MLflow model folder."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load((folder / "MLmodel").read_text("utf-8"))
        content["flavors"]["python_function"]["loader_module"]
    except FileNotFoundError:
        raise BundleError(
            f"{folder}: no model: neither {bundle.CONTENT} nor MLmodel is there.",
            hint="Give the folder of a model that churnml has trained.",
            file=str(folder),
        ) from None
    except (OSError, YAMLError, ValueError, TypeError, KeyError):
        raise BundleError(
            f"{folder / 'MLmodel'}: cannot be read.",
            hint="Take a fresh copy of the model.",
            file=str(folder),
        ) from None
    return dict(content)


def _own_bundle(folder: Path, flavor: Any) -> Path:
    loader = flavor.get("loader_module")
    if loader not in _LOADERS or flavor.get("code"):
        kind = f"loaded by {loader!r}" + (" with code of its own" if flavor.get("code") else "")
        raise BundleError(
            f"{folder}: not a model of churnml: {kind}.",
            hint="Only models that churnml has trained are loaded.",
            file=str(folder),
            expected=_LOADERS[0],
        )
    data = (folder / str(flavor.get("data", ""))).resolve()
    if not data.is_relative_to(folder.resolve()):
        raise BundleError(f"{folder}: its data lie outside of it.", file=str(folder))
    return data


def _from_store(store: Store, uri: str) -> Resolved:
    if match := _LOGGED.fullmatch(uri):
        return _logged(store, uri, match["id"])
    if match := _REGISTERED.fullmatch(uri):
        version = find_version(store, uri, match["name"], match["alias"], match["version"])
        return _registered(store, uri, version)
    if match := _OF_RUN.fullmatch(uri):
        return _of_run(store, uri, match["id"], match["path"])
    raise UsageError(
        f"{uri!r}: not a model URI.",
        hint="Write models:/name@alias, models:/name/version, runs:/id/model or a folder.",
    )


def before_refit(store: Store, name: str, version: str) -> Resolved | None:
    """A version's model before its refit, if its run has it."""
    run_id = require_version(store, name, version).run_id
    outputs = store.client.get_run(run_id).outputs if run_id else None
    for output in outputs.model_outputs if outputs else []:
        if store.client.get_logged_model(output.model_id).name == BEFORE_REFIT:
            model = _logged(store, f"runs:/{run_id}/{BEFORE_REFIT}", output.model_id)
            return replace(model, version=f"{name}/{version} before its refit")
    return None


def _registered(store: Store, uri: str, version: ModelVersion) -> Resolved:
    if version.model_id:
        location = store.client.get_logged_model(version.model_id).artifact_location
    else:
        location = store.client.get_model_version_download_uri(version.name, version.version)
    with downloaded(store, location) as folder:
        return Resolved(load_folder(folder), uri, f"{version.name}/{version.version}")


def _logged(store: Store, uri: str, model_id: str) -> Resolved:
    location = store.client.get_logged_model(model_id).artifact_location
    with downloaded(store, location) as folder:
        model = load_folder(folder)
    return Resolved(model, uri, f"{model.origin.name}/{model_id}")


def _of_run(store: Store, uri: str, run_id: str, path: str | None) -> Resolved:
    outputs = store.client.get_run(run_id).outputs
    models = [
        store.client.get_logged_model(output.model_id)
        for output in (outputs.model_outputs if outputs else [])
    ]
    wanted = [model for model in models if model.name == (path or MODEL_NAME)]
    if not wanted:
        names = ", ".join(f"runs:/{run_id}/{model.name}" for model in models) or "none"
        raise ModelError(f"{uri}: no such model; the run has {names}.")
    return _logged(store, uri, wanted[0].model_id)


@contextmanager
def downloaded(store: Store, location: str) -> Iterator[Path]:
    """A model's files in a temporary folder, removed at the end of the block."""
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    with temporary_folder() as folder:
        try:
            path = download_artifacts(
                artifact_uri=location, dst_path=str(folder), tracking_uri=store.uri
            )
        except (OSError, MlflowException) as error:
            if system_code(error) in OUT_OF_ROOM:
                raise OutputError(
                    f"TMPDIR: the model's files cannot be copied into {folder.parent} "
                    f"({plain_reason(error)}).",
                    hint="Point TMPDIR to a folder with more space, or raise the limit (ulimit "
                    "-f).",
                    file=str(folder.parent),
                ) from None
            raise ModelError(
                f"{location}: the model's files cannot be read ({plain_reason(error)[:200]}).",
                hint="Was the folder of the store moved? Its paths are absolute.",
            ) from None
        yield Path(path)
