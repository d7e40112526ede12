"""Versions, aliases and tags of registered models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from churnml.errors import ModelError
from churnml.registry.own_tags import own_tag, read_own_tag
from churnml.registry.store import Store

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS = "previous"
MODEL_NAME = "model"
"""What a run calls the model that is registered."""

BEFORE_REFIT = "before_refit"
"""What a run calls the same model before it learned from its test rows too."""

SOURCE = "churnml.source"
MAPPING = "churnml.mapping"
"""Tags of a run: where the operator tables lay, and their mapping."""

DIGEST = own_tag("digest")
"""Tag of a version: the SHA-256 that names its bundle."""

EXPORTED_AS = "churnml_version"
"""Key of a folder's metadata: the version that it was exported from."""

GATE = "churnml.gate"
"""Tag of a version: what became of it last, and when."""


def champion_uri(task: str) -> str:
    """The default model URI of a task.

    >>> champion_uri("churn")
    'models:/churn@champion'
    """
    return f"models:/{task}@{CHAMPION}"


def is_registered(version: str) -> bool:
    """Whether a text names a registered version, ``name/number``.

    >>> is_registered("churn/3"), is_registered("churn/0a3f9c21")
    (True, False)
    """
    return re.fullmatch(r"[^/@\s]+/[1-9]\d{0,6}", version) is not None


def require_name(store: Store, name: str) -> None:
    """Check that a registered model exists.

    Raises
    ------
    ModelError
        Says which there are.
    """
    from mlflow.exceptions import MlflowException

    try:
        store.client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise ModelError(
            f"{name}: no such registered model. {listing(store)}",
            hint="Train one with churnml train, or name one of these with --name.",
        ) from None


def require_version(store: Store, name: str, version: str) -> ModelVersion:
    """Return a version of a registered model, or raise an error.

    Raises
    ------
    ModelError
        If it is not there; says which are.
    """
    return find_version(store, f"models:/{name}/{version}", name, None, version)


def find_version(
    store: Store, uri: str, name: str, alias: str | None, number: str | None
) -> ModelVersion:
    """Find a version by alias or number.

    Raises
    ------
    ModelError
        If it is not there; says which are.
    """
    from mlflow.exceptions import MlflowException

    try:
        if alias is not None:
            return store.client.get_model_version_by_alias(name, alias)
        return store.client.get_model_version(name, str(number))
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        raise ModelError(
            f"{uri}: no such model. {listing(store)}",
            hint="Train one with churnml train, or name one of these.",
        ) from None


def listing(store: Store) -> str:
    """List a registry's content, for a message."""
    names = [model.name for model in store.client.search_registered_models(max_results=20)]
    if not names:
        return "The registry is empty."
    shown = []
    for name in names:
        versions = sorted(int(v.version) for v in versions_of(store, name))
        aliases = ", ".join(f"@{alias}" for alias in sorted(aliases_of(store, name)))
        shown.append(f"{name} ({', '.join(map(str, versions[-5:]))}; {aliases})")
    return f"The registry holds {'; '.join(shown)}."


def versions_of(store: Store, name: str) -> list[ModelVersion]:
    """All versions of a registered model."""
    quoted = name.replace("'", "\\'")
    return list(store.client.search_model_versions(f"name = '{quoted}'"))


def aliases_of(store: Store, name: str) -> dict[str, str]:
    """Versions by alias; empty if there is no such registered model."""
    from mlflow.exceptions import MlflowException

    try:
        return {a: str(v) for a, v in store.client.get_registered_model(name).aliases.items()}
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}


def digest_of(store: Store, name: str, version: str) -> str:
    """The digest with which a version was registered; empty if none was recorded."""
    return read_own_tag(require_version(store, name, version).tags, "digest")


def source_of(store: Store, name: str, version: str) -> tuple[str | None, str | None]:
    """The location of a version's operator tables and their mapping, as its run recorded it."""
    run_id = require_version(store, name, version).run_id
    tags = store.client.get_run(run_id).data.tags if run_id else {}
    return tags.get(SOURCE), tags.get(MAPPING)


def ensure_name(store: Store, name: str, task: str) -> None:
    """Create a registered model if there is none of that name."""
    from mlflow.exceptions import MlflowException

    try:
        store.client.create_registered_model(
            name, tags={"churnml.task": task}, description=first_description(task)
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def first_description(task: str) -> str:
    """The description of a registered model until it has a champion."""
    return f"A **{task}** model by churnml."


def give_alias(store: Store, name: str, version: str, *, may_lead: bool = True) -> str:
    """Make a new version champion if there is none and it may lead, else challenger."""
    led = CHAMPION in aliases_of(store, name)
    alias = CHAMPION if may_lead and not led else CHALLENGER
    store.client.set_registered_model_alias(name, alias, version)
    return alias
