"""The versions of a registered model: rolled back, told, compared."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from churnml.base.files import crash_point
from churnml.datasets.dataset import Task
from churnml.errors import BundleError, ModelError, UsageError
from churnml.errors.masking import without_secrets
from churnml.evaluation.contest import Verdict
from churnml.models.model import check_golden
from churnml.registry import resolve as resolving
from churnml.registry import versions as registry
from churnml.registry.compare import Comparison, compare
from churnml.registry.promotion.aliases import add_event
from churnml.registry.promotion.history import Event, history
from churnml.registry.promotion.measure import require_task
from churnml.registry.resolve import Resolved
from churnml.registry.store import Store, mlflow_errors, open_store, store_exists, store_uri
from churnml.registry.tracking.registered_card import refresh_card
from churnml.registry.versions import CHAMPION, PREVIOUS

_LONGEST_REASON = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a version.

    Attributes
    ----------
    name : str
        Of the registered model.
    event : Event
        As it stands in the history.
    verdict : Verdict or None
        ``None`` where nothing was measured.
    aliases : dict of str to str
        After it.
    notes : list of str
    """

    name: str
    event: Event
    verdict: Verdict | None
    aliases: dict[str, str]
    notes: list[str]

    @property
    def moved(self) -> bool:
        """Whether the aliases moved."""
        return self.event.what != "refused"

    def to_dict(self) -> dict[str, Any]:
        """The outcome as plain data, for ``--json``."""
        return {
            "name": self.name,
            "moved": self.moved,
            "event": self.event.to_dict(),
            "aliases": self.aliases,
            "gate": self.verdict.to_dict() if self.verdict else None,
            "notes": self.notes,
        }


def rollback(task: Task, *, name: str | None = None, reason: str | None = None) -> Outcome:
    """Make the previous champion the champion again; the two change places.

    Parameters
    ----------
    task : {"churn", "satisfaction"}
    name : str, optional
        Of a registered model other than the operator's.
    reason : str, optional
        Kept in the history.

    Raises
    ------
    ModelError
        If there is no previous champion, or somebody else moved an alias meanwhile.
    BundleError
        If it is damaged, or does not reproduce its golden scores.
    """
    require_reason(reason)
    with opened_registry() as store:
        own = name or task
        registry.require_name(store, own)
        aliases = registry.aliases_of(store, own)
        previous, champion = aliases.get(PREVIOUS), aliases.get(CHAMPION)
        if previous is None:
            raise ModelError(
                f"{own}: there is no previous champion to go back to.",
                hint="churnml history tells what happened; churnml promote --version N moves on.",
            )
        digest = trusted(store, own, previous, task).model.digest
        below = registry.digest_of(store, own, champion) if champion else ""
        event = Event(
            what="rolled back",
            version=previous,
            over=champion,
            why=reason or "",
            digest=digest,
            over_digest=below,
        )
        crash_point("promotion:checked")
        swapped = {CHAMPION: previous, PREVIOUS: champion}
        seen = {CHAMPION: champion, PREVIOUS: previous}
        event = add_event(store, own, event, seen=seen, aliases=swapped)
        with for_the_ui():
            refresh_card(store, own)
        return Outcome(
            name=own, event=event, verdict=None, aliases=registry.aliases_of(store, own), notes=[]
        )


def told_history(task: Task, *, name: str | None = None) -> dict[str, Any]:
    """Everything that happened to a registered model, oldest first, and its aliases now.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    with opened_registry() as store:
        own = name or task
        found = [event.to_dict() for event in history(store, own)]
        return {"name": own, "aliases": registry.aliases_of(store, own), "events": found}


def compare_models(first: str, second: str) -> Comparison:
    """Two models side by side, by URI."""
    return compare(resolving.resolve(first), resolving.resolve(second))


@contextmanager
def opened_registry() -> Iterator[Store]:
    """The model store, which must be there; its errors as errors of churnml."""
    location = store_uri()
    if not store_exists(location):
        raise ModelError(
            f"{location}: no model store there.",
            hint="Train a model with churnml train, run from the folder that holds mlflow.db, or "
            "set MLFLOW_TRACKING_URI.",
        )
    store = open_store(location)
    with mlflow_errors(location):
        yield store


@contextmanager
def for_the_ui() -> Iterator[None]:
    """What only repeats for MLflow's UI what the history says: it may fail, and is logged."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:
        _log.warning(
            "MLflow's UI does not show all: %s", without_secrets(str(error)).partition("\n")[0]
        )


def require_reason(reason: str | None) -> None:
    """Refuse a reason that says nothing, or more than can be kept.

    Raises
    ------
    UsageError
    """
    if reason is None:
        return
    if not reason.strip():
        raise UsageError("The reason is empty.", hint="Say why; it is kept in the history.")
    if len(reason) > _LONGEST_REASON:
        raise UsageError(
            f"The reason has {len(reason)} characters.", hint=f"At most {_LONGEST_REASON} are kept."
        )


def trusted(store: Store, name: str, version: str, task: Task) -> Resolved:
    """A version, freshly downloaded, that is what was registered and scores as it did.

    Raises
    ------
    BundleError
        If it is damaged, was exchanged, or differs in one bit of its golden scores.
    """
    fresh = resolving.resolve(f"models:/{name}/{version}")
    require_task(fresh, task, name)
    registered = registry.digest_of(store, name, version)
    if registered and registered != fresh.model.digest:
        raise BundleError(
            f"{name}/{version}: its bundle is {fresh.model.digest[:16]}, and {registered[:16]} "
            "was registered: its files were exchanged.",
            hint="Train again; do not use this version.",
        )
    check_golden(fresh.model, exact=True)
    return fresh
