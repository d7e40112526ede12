"""Roll back to the previous champion."""

from __future__ import annotations

from churnml.base.files import crash_point
from churnml.base.tasks import TaskName, find_task
from churnml.errors import ModelError
from churnml.registry import versions as registry
from churnml.registry.promotion.aliases import add_event, trusted
from churnml.registry.promotion.history import Event
from churnml.registry.promotion.outcome import Outcome, for_the_ui, require_reason
from churnml.registry.store import existing_store
from churnml.registry.tracking.registered_card import refresh_card
from churnml.registry.versions import CHAMPION, PREVIOUS


def rollback(task: TaskName, *, name: str | None = None, reason: str | None = None) -> Outcome:
    """Swap the champion and the previous champion.

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

    Examples
    --------
    >>> import churnml
    >>> churnml.rollback("churn", name="nothing-of-this-name")
    Traceback (most recent call last):
    ...
    churnml.errors.ModelError: ...
    """
    require_reason(reason)
    with existing_store() as store:
        own = name or find_task(task, registered=True).name
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
        aliases = registry.aliases_of(store, own)
        return Outcome(name=own, event=event, verdict=None, aliases=aliases, notes=[])
