"""Move aliases and record the event in the history atomically.

Where the store is a database both are one transaction: whoever is killed on the way has
changed nothing, and of two who start from the same champion one is told to look again. An
MLflow server offers no transaction; there the entry is written first, then the champion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from churnml.base.files import crash_point
from churnml.base.tasks import TaskName
from churnml.errors import BundleError, ChurnmlError, ModelError
from churnml.models.model import check_golden
from churnml.registry import versions as registry
from churnml.registry.promotion.history import Event, events, key_of, number_of, signed
from churnml.registry.resolve import Resolved, require_task, resolve
from churnml.registry.store import Store

Aliases = Mapping[str, str | None]


def add_event(store: Store, name: str, event: Event, *, seen: Aliases, aliases: Aliases) -> Event:
    """Add an event to a model's history, and move aliases with it.

    Parameters
    ----------
    store : Store
    name : str
        Of the registered model.
    event : Event
        Who, when and its number are filled in.
    seen : mapping of str to str or None
        The version that each alias must still have, ``None`` for none.
    aliases : mapping of str to str or None
        The version that each alias gets; ``None`` removes it where it names the event's
        version.

    Returns
    -------
    Event
        As it was added.

    Raises
    ------
    ModelError
        If an alias is no longer where it was seen; nothing was changed.
    """
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    with store.alone():
        # The client's own store: MLflow's interface moves one alias at a time.
        inner = store.client._get_registry_client().store
        if isinstance(inner, SqlAlchemyStore):
            added = _in_transaction(inner, name, event, seen, aliases)
        else:
            added = _by_steps(store, name, event, seen, aliases)
    crash_point("registry:moved")
    return added


def _in_transaction(inner: Any, name: str, event: Event, seen: Aliases, aliases: Aliases) -> Event:
    from mlflow.store.model_registry.dbmodels.models import (
        SqlModelVersionTag,
        SqlRegisteredModel,
        SqlRegisteredModelAlias,
        SqlRegisteredModelTag,
    )

    with _own_errors(), inner.ManagedSessionMaker(read_only=False) as session:
        query = inner._get_query(session, SqlRegisteredModel)
        # The row is held until the end, so that nobody else moves this model's aliases.
        model = query.filter(SqlRegisteredModel.name == name).with_for_update().one()
        held = {one.alias: one for one in model.registered_model_aliases}
        _require_unmoved(name, {alias: str(one.version) for alias, one in held.items()}, seen)
        own = {"workspace": model.workspace, "name": name}
        keys = [tag.key for tag in model.registered_model_tags]
        entry = _numbered(signed(event), keys)
        session.add(SqlRegisteredModelTag(**own, key=key_of(entry.number), value=entry.to_tag()))
        told = {"key": registry.GATE, "value": _mark(entry)}
        session.merge(SqlModelVersionTag(**own, version=int(event.version), **told))
        for alias, version in aliases.items():
            if version is not None:
                session.merge(SqlRegisteredModelAlias(**own, alias=alias, version=int(version)))
            elif alias in held and str(held[alias].version) == event.version:
                session.delete(held[alias])
        session.flush()
        crash_point("registry:written")
    return entry


@contextmanager
def _own_errors() -> Iterator[None]:
    """Re-raise churnml's errors, which MLflow's session wraps into its own."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if isinstance(error.__cause__, ChurnmlError):
            raise error.__cause__ from None
        raise


def _by_steps(store: Store, name: str, event: Event, seen: Aliases, aliases: Aliases) -> Event:
    _require_unmoved(name, registry.aliases_of(store, name), seen)
    entry = _numbered(signed(event), [key_of(one.number) for one in events(store, name)])
    store.client.set_registered_model_tag(name, key_of(entry.number), entry.to_tag())
    store.client.set_model_version_tag(name, event.version, registry.GATE, _mark(entry))
    ordered = sorted(aliases.items(), key=lambda one: one[0] != registry.CHAMPION)
    for alias, version in ordered:
        if version is not None:
            store.client.set_registered_model_alias(name, alias, version)
        elif registry.aliases_of(store, name).get(alias) == event.version:
            store.client.delete_registered_model_alias(name, alias)
    return entry


def _mark(event: Event) -> str:
    """The tag that MLflow shows beside a version."""
    return f"{event.what} {event.when}"


def _require_unmoved(name: str, current: Mapping[str, str], seen: Aliases) -> None:
    for alias, version in seen.items():
        if current.get(alias) != version:
            raise ModelError(
                f"{name}@{alias}: is {_version(current.get(alias))} now, and was "
                f"{_version(version)} when this command began; nothing was changed.",
                hint="Somebody else moved it. Look with churnml history, then run again.",
            )


def _version(version: str | None) -> str:
    return "absent" if version is None else f"version {version}"


def _numbered(event: Event, keys: Iterable[str]) -> Event:
    return replace(event, number=max(map(number_of, keys), default=0) + 1)


def trusted(store: Store, name: str, version: str, task: TaskName) -> Resolved:
    """A version, freshly downloaded, that is what was registered and scores as it did.

    Raises
    ------
    BundleError
        If it is damaged, was exchanged, or differs in one bit of its golden scores.
    """
    fresh = resolve(f"models:/{name}/{version}")
    require_task(fresh, task, name)
    registered = registry.digest_of(store, name, version)
    if registered and registered != fresh.model.digest:
        raise BundleError(
            f"{name}/{version}: its bundle is {fresh.model.digest[:16]}, and {registered[:16]} "
            "was registered: its files were replaced.",
            hint="Train again; do not use this version.",
        )
    check_golden(fresh.model, exact=True)
    return fresh
