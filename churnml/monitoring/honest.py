"""Which model may speak of a month: one that had not learned from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from churnml.base.tasks import TaskName
from churnml.models.histograms import learned_until
from churnml.registry.resolve import Resolved, before_refit, resolve
from churnml.registry.store import mlflow_errors, open_store, store_exists, store_uri
from churnml.registry.versions import is_registered, versions_of

_MOST_VERSIONS = 6


class HonestModels:
    """A model, itself before its refit, and other versions of its name, as far as needed.

    Parameters
    ----------
    chosen : Resolved
        The one that is used today.
    """

    def __init__(self, chosen: Resolved) -> None:
        self.task: TaskName = chosen.model.task
        self._found = [chosen]
        self._coming = _others(chosen)

    def at(self, day: date) -> Resolved | None:
        """The first model that had learned nothing from a date on; None where there is none."""
        for one in self._found:
            if _had_not_learned(one, day):
                return one
        for one in self._coming:
            self._found.append(one)
            if _had_not_learned(one, day):
                return one
        return None

    def version(self, name: str, digest: str) -> Resolved | None:
        """The model of a record, where it can still be had."""
        for one in self._found:
            if one.model.digest == digest:
                return one
        if not is_registered(name) or not store_exists(store_uri()):
            return None
        try:
            one = resolve(f"models:/{name}")
        except Exception:
            # Deleted, or of another store: the month is then scored again by another.
            return None
        self._found.append(one)
        return one if one.model.digest == digest else None


def _had_not_learned(one: Resolved, day: date) -> bool:
    until = learned_until(one.model)
    return until is not None and until <= day


def _others(chosen: Resolved) -> Iterator[Resolved]:
    """The same model before its refit, then the other versions of its name, the latest first."""
    name, _stroke, number = chosen.version.partition("/")
    location = store_uri() if chosen.uri.startswith(("models:", "runs:")) else ""
    if not is_registered(chosen.version) or not location or not store_exists(location):
        return
    store = open_store(location)
    with mlflow_errors(location):
        versions = sorted((int(one.version) for one in versions_of(store, name)), reverse=True)
    others = [one for one in versions if str(one) != number][:_MOST_VERSIONS]
    for version in [int(number), *others]:
        with mlflow_errors(location):
            whole = chosen if str(version) == number else resolve(f"models:/{name}/{version}")
            first = before_refit(store, name, str(version))
        if whole is not chosen:
            yield whole
        if first is not None:
            # Its test is that of the model which was refitted.
            tested = {**whole.model.tested, **first.model.tested}
            yield replace(first, model=replace(first.model, tested=tested))
