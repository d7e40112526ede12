"""The description of a registered model: what it predicts, and its champion's card."""

from __future__ import annotations

from churnml.models.cards import mlflow_notes as cards
from churnml.registry import versions as registry
from churnml.registry.own_tags import own_tag, read_own_tag
from churnml.registry.promotion.history import all_events
from churnml.registry.store import Store

_WRITTEN = "card"


_EVENTS = 12
"""So many of the latest events are on the page; ``churnml history`` tells all."""
_WHY = 160


def _history(store: Store, name: str) -> list[tuple[str, ...]]:
    found = all_events(store, name)[-_EVENTS:]
    return [
        (
            one.when[:16].replace("T", " "),
            one.what,
            f"{one.version} over {one.over}" if one.over else one.version,
            one.who,
            one.why if len(one.why) <= _WHY else one.why[: _WHY - 1] + "…",
        )
        for one in reversed(found)
    ]


def refresh_card(store: Store, name: str) -> None:
    """Update a registered model's description with its champion's card.

    A description that somebody has rewritten in the UI is left as it is.

    Parameters
    ----------
    store : Store
    name : str
        Of a registered model; to be called where its aliases have moved.
    """
    model = store.client.get_registered_model(name)
    aliases = {alias: str(version) for alias, version in model.aliases.items()}
    task = model.tags.get("churnml.task", "")
    fresh = model.description == registry.first_description(task)
    if not fresh and not cards.is_own(model.description, read_own_tag(model.tags, _WRITTEN)):
        return
    champion = aliases.get(registry.CHAMPION)
    story = store.client.get_model_version(name, champion).description if champion else ""
    card = cards.registered_card(name, task, aliases, story or "", _history(store, name))
    if card != model.description:
        store.client.update_registered_model(name, description=card)
        store.client.set_registered_model_tag(name, own_tag(_WRITTEN), cards.mark(card))
