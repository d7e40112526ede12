"""The history of a registered model: who moved its aliases, when, why, and with which digests.

An event is a tag of the registered model, ``mlflow.churnml.history.000001`` and so on; MLflow's
page of the model tells it in its description. `churnml.registry.promotion.aliases` adds it in
the transaction that moves the aliases; none is ever changed or removed. That a version was
registered is told by the version itself.
"""

from __future__ import annotations

import getpass
import json
import re
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from churnml.base.tasks import TaskName, find_task
from churnml.base.text import counted
from churnml.errors import ModelError
from churnml.errors.masking import masked
from churnml.registry import versions as registry
from churnml.registry.own_tags import own_tag, read_own_tag
from churnml.registry.store import Store, existing_store

if TYPE_CHECKING:
    import pandas as pd

TAG = own_tag("history.")
_LONGEST = 5000
_USER = "mlflow.user"
_PROCESS = "process"

EventKind = Literal["registered", "promoted", "forced", "refused", "rolled back"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event in a registered model's history.

    Attributes
    ----------
    what : {"registered", "promoted", "forced", "refused", "rolled back"}
        ``forced``: promoted although the gate said no, or could not be asked.
    version : str
        The version that it happened to.
    over : str or None
        The champion that it was measured against, or that it replaced.
    why : str
        The reason that was given, and what the gate found.
    digest, over_digest : str
        SHA-256 of the two bundles.
    who : str
        User and machine.
    when : str
        UTC, ISO 8601.
    source : str
        What they were measured on.
    months : tuple of str
        Its ``as_of`` dates.
    gains : mapping of str to list of float
        Of each measure over all customers: challenger, champion, and the gain with the
        ends of its interval.
    number : int
        Counts the events that were added; 0 for a registration.
    """

    what: EventKind
    version: str
    over: str | None = None
    why: str = ""
    digest: str = ""
    over_digest: str = ""
    who: str = ""
    when: str = ""
    source: str = ""
    months: tuple[str, ...] = ()
    gains: Mapping[str, list[float | None]] = field(default_factory=dict)
    number: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The event as plain data, without what it does not have."""
        fields = asdict(self) | {"months": list(self.months)}
        return {name: value for name, value in fields.items() if value}

    def to_tag(self) -> str:
        """The event as the text of a tag.

        Raises
        ------
        ModelError
            If it is longer than a store keeps.
        """
        fields = {name: value for name, value in self.to_dict().items() if name != "number"}
        text = json.dumps(masked(fields), ensure_ascii=False)
        if len(text) > _LONGEST:
            raise ModelError(
                f"The history's entry has {len(text)} characters; {_LONGEST} can be kept.",
                hint="Give a shorter reason.",
            )
        return text

    @staticmethod
    def from_tag(key: str, text: str) -> Event:
        """Read an event from a tag; an unreadable one keeps its text."""
        number = number_of(key)
        try:
            fields = json.loads(text)
            fields["months"] = tuple(fields.get("months", ()))
            return Event(**fields | {"number": number})
        except (ValueError, TypeError):
            return Event(
                what="refused", version="?", why=f"unreadable entry: {text[:200]}", number=number
            )


def key_of(number: int) -> str:
    """The tag of an event.

    >>> key_of(12)
    'mlflow.churnml.history.000012'
    """
    return f"{TAG}{number:06d}"


def number_of(key: str) -> int:
    """The number of an event's tag; 0 for any other tag. Earlier stores call it otherwise.

    >>> number_of("churnml.history.000012"), number_of("mlflow.churnml.history.000003")
    (12, 3)
    """
    match = re.fullmatch(r"(?:mlflow\.)?churnml\.history\.(\d+)", key)
    return int(match[1]) if match else 0


def signed(event: Event) -> Event:
    """Sign the event with this user and the current time."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(event, who=f"{user}@{socket.gethostname()}", when=now)


def events(store: Store, name: str) -> list[Event]:
    """The recorded events of a model's history, oldest first."""
    tags = store.client.get_registered_model(name).tags
    return [
        Event.from_tag(key, tags[key]) for key in sorted(filter(number_of, tags), key=number_of)
    ]


@dataclass(frozen=True, kw_only=True, repr=False)
class History:
    """What happened to a registered model.

    Attributes
    ----------
    name : str
    aliases : dict of str to str
        The versions that bear ``champion``, ``challenger`` and ``previous`` now.
    events : list of Event
        Registrations included, oldest first.
    """

    name: str
    aliases: dict[str, str]
    events: list[Event]

    def to_dict(self) -> dict[str, Any]:
        """The history as plain data, for ``--json``."""
        events = [event.to_dict() for event in self.events]
        return {"name": self.name, "aliases": self.aliases, "events": events}

    def __repr__(self) -> str:
        return f"History({self.name}: {counted(len(self.events), 'event')}, now {self.aliases})"

    def to_pandas(self) -> pd.DataFrame:
        """The events as a frame, one row each."""
        import pandas as pd

        return pd.DataFrame([asdict(event) for event in self.events])

    def _repr_html_(self) -> str:
        shown = ["when", "who", "what", "version", "over", "why"]
        return str(self.to_pandas()[shown].fillna("").to_html(index=False))


def history(task: TaskName, *, name: str | None = None) -> History:
    """Tell who registered, promoted or rolled back which version, when and why.

    Parameters
    ----------
    task : {"churn", "satisfaction", "hazard"}
    name : str, optional
        Of a registered model other than the operator's.

    Returns
    -------
    History

    Raises
    ------
    ModelError
        If there is no such model.

    Examples
    --------
    >>> import churnml
    >>> churnml.history("churn", name="nothing-of-this-name")
    Traceback (most recent call last):
    ...
    churnml.errors.ModelError: ...
    """
    with existing_store() as store:
        own = name or find_task(task, registered=True).name
        found = all_events(store, own)
        return History(name=own, aliases=registry.aliases_of(store, own), events=found)


def all_events(store: Store, name: str) -> list[Event]:
    """The full history of a registered model, including registrations, oldest first.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    registry.require_name(store, name)
    versions = sorted(registry.versions_of(store, name), key=lambda one: int(one.version))
    registered = [_registered(store, version) for version in versions]
    # In the same second a version is registered before anything happens to it.
    return sorted([*registered, *events(store, name)], key=lambda one: (one.when, one.number))


def _registered(store: Store, version: Any) -> Event:
    moment = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
    user, source = _origin(store, version.run_id)
    return Event(
        what="registered",
        version=str(version.version),
        when=moment.isoformat(timespec="seconds"),
        who=user,
        digest=read_own_tag(version.tags, "digest"),
        source=source,
    )


def _origin(store: Store, run_id: str | None) -> tuple[str, str]:
    from mlflow.exceptions import MlflowException

    if not run_id:
        return "", ""
    try:
        tags = store.client.get_run(run_id).data.tags
    except MlflowException:
        # The run was deleted for good; its version is still there.
        return "", ""
    user, host = tags.get(_USER, ""), read_own_tag(tags, _PROCESS).rpartition(":")[0]
    return f"{user}@{host}" if host else user, tags.get(registry.SOURCE, "")
