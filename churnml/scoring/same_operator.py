"""Refuse a champion of another operator, unless the user wants it so."""

from __future__ import annotations

from churnml.errors import ModelError
from churnml.registry.resolve import Resolved
from churnml.tables.places import share_living_in
from churnml.tables.source import Source

_LEAST = 0.5


def require_same_operator(champion: Resolved, source: Source) -> None:
    """Refuse a model that nobody named and that learned from another operator.

    Parameters
    ----------
    champion : Resolved
        Models that say nothing of their operator are taken as they are.
    source : Source

    Raises
    ------
    ModelError
        If the mapping names another operator than in training, or fewer than half of the
        customers live in regions or halls that the model knows.
    """
    origin = champion.model.origin
    if origin.operator and source.operator and origin.operator != source.operator:
        raise _refused(
            champion, f"learned from {origin.operator}, and these are tables of {source.operator}"
        )
    if not any(origin.places.values()):
        return
    share = share_living_in(source, origin.places)
    if share < _LEAST:
        raise _refused(
            champion,
            f"knows the regions or halls of only {share:.0%} of these customers, so it "
            "learned from another operator",
        )


def _refused(champion: Resolved, why: str) -> ModelError:
    return ModelError(
        f"{champion.uri} ({champion.version}): {why}.",
        hint="Train one of your own with churnml train, name a model, or give --any-source.",
        code="OTHER_OPERATOR",
        value=champion.version,
    )
