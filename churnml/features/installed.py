"""Builders that other packages install: found by entry point, never in a model.

A package announces a builder in its ``pyproject.toml``::

    [project.entry-points."churnml.features"]
    loyalty = "our_features.loyalty"

It is a module (or object) with ``FEATURES``, ``parts`` and ``columns`` as churnml's own
builders have them, or a function made one by `builder`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeAlias

from ibis.expr import types as ir

from churnml.errors import UsageError
from churnml.features.declaration import Feature
from churnml.features.view import KEYS, JoinedTable, View

GROUP = "churnml.features"
"""The entry points that name builders."""

Found: TypeAlias = "ir.Table | Mapping[str, ir.Value]"


@dataclass(frozen=True, eq=False)
class FunctionBuilder:
    """A builder made of one function; see `builder`.

    Attributes
    ----------
    FEATURES : tuple of Feature
    function : callable
    """

    FEATURES: tuple[Feature, ...]
    function: Callable[[View], Found]

    def __call__(self, view: View) -> Found:
        """What the function gives."""
        return self.function(view)

    def parts(self, view: View) -> dict[str, JoinedTable]:
        """The table of the function, joined by customer and date."""
        name = getattr(self.function, "__qualname__", "function")
        table = _as_table(name, self.function(view))
        absent = [key for key in KEYS if key not in table.columns]
        absent += [one.name for one in self.FEATURES if one.name not in table.columns]
        if absent:
            raise UsageError(
                f"{name}: its table has no column {absent[0]!r}.",
                hint=f"Give {', '.join(KEYS)} and every feature declared, by its name.",
                column=absent[0],
            )
        columns = {one.name: table[one.name] for one in self.FEATURES}
        return {f"{name}:{id(self)}": JoinedTable(table, columns)}

    def columns(self, row: ir.Table, view: View) -> dict[str, ir.Value]:
        """No further features."""
        return {}


def _as_table(name: str, found: Found) -> ir.Table:
    """Columns by name, all over one table, as a table with its keys."""
    if isinstance(found, ir.Table):
        return found
    tables = {one for value in found.values() for one in value.op().relations}
    if len(tables) != 1:
        raise UsageError(
            f"{name}: its columns come from {len(tables)} tables; one expected.",
            hint="Join them, or return a table.",
        )
    table: ir.Table = next(iter(tables)).to_expr()
    keys = [key for key in KEYS if key in table.columns]
    return table.select(*keys, **found)


def builder(*features: Feature) -> Callable[[Callable[[View], Found]], FunctionBuilder]:
    """Make a function from a `View` to Ibis columns a builder of features.

    Parameters
    ----------
    *features : Feature
        What it builds.

    Returns
    -------
    callable
        A decorator. The function returns a table with ``customer_id``, ``as_of`` (at most one
        row for each pair) and the features by name, or a dict of such a table's columns.

    Examples
    --------
    >>> @builder(Feature(name="wait_longest_seconds", unit="seconds", driver="service_window",
    ...                  en="Longest wait", zh="最长等待", needs=("contacts.wait_seconds",)))
    ... def longest_wait(view):
    ...     rows = view.visible("contacts", "wait_seconds", "started_at")
    ...     return rows.group_by("customer_id", "as_of").agg(
    ...         wait_longest_seconds=rows.wait_seconds.max())
    >>> [one.name for one in longest_wait.FEATURES]
    ['wait_longest_seconds']
    """

    def made(function: Callable[[View], Found]) -> FunctionBuilder:
        definition = json.dumps({"builder": f"{function.__module__}.{function.__qualname__}"})
        named = (replace(one, definition=one.definition or definition) for one in features)
        return FunctionBuilder(tuple(named), function)

    return made


@cache
def installed() -> tuple[Any, ...]:
    """The builders of other packages, in the order of their names.

    Raises
    ------
    UsageError
        If one cannot be loaded, or is no builder; names its package.
    """
    return tuple(
        _loaded(one) for one in sorted(entry_points(group=GROUP), key=lambda one: one.name)
    )


def _loaded(point: EntryPoint) -> Any:
    package = point.dist.name if point.dist is not None else "a package"
    where = f"{GROUP}: {point.name} of {package} ({point.value})"
    try:
        found = point.load()
    except Exception as error:
        raise UsageError(
            f"{where} cannot be loaded ({type(error).__name__}: {error}).",
            hint=f"Mend or uninstall {package}.",
        ) from error
    lacking = [name for name in ("FEATURES", "parts", "columns") if not hasattr(found, name)]
    if lacking:
        raise UsageError(
            f"{where} is not a builder: it has no {lacking[0]}.",
            hint="Make the function one with churnml.features.builder.",
        )
    return found
