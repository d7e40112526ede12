"""Duplicate keys: decide which row is kept.

The row that was known first stays. If a later one won, what became known later would
change what a feature says of an earlier day.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml.tables.validation.scope import KNOWN, Scope, count, kept

_NO_VERSION = ibis.date(1, 1, 1)

KEPT = "row:kept"


@dataclass(frozen=True, eq=False)
class Duplicates:
    """The rows of a table with duplicate keys, stored in the engine.

    Attributes
    ----------
    rows : Table
        All of them, with `KEPT`: whether the row stays.
    keys : Table
        The keys, as ``key:`` columns.
    aside : int
        How many rows do not stay.
    """

    rows: ir.Table
    keys: ir.Table
    aside: int

    def resolved(self, scope: Scope, rows: ir.Table) -> ir.Table:
        """The rows with each key once."""
        others = _keyed(scope, rows).anti_join(self.keys, self.keys.columns)
        first = self.rows.filter(self.rows[KEPT])
        return ibis.union(others.select(*rows.columns), first.select(*rows.columns))


def key_columns(scope: Scope) -> tuple[str, ...]:
    """The columns that identify a row, the version included for states."""
    versions = ("valid_from",) if scope.spec.rows == "state" and scope.has("valid_from") else ()
    return (*scope.spec.key, *versions)


def _keyed(scope: Scope, rows: ir.Table) -> ir.Table:
    """The rows with key values that can be compared: no version equals no version."""
    return rows.mutate(
        **{
            f"key:{name}": rows[name].fill_null(_NO_VERSION) if name == "valid_from" else rows[name]
            for name in key_columns(scope)
        }
    )


def duplicates(scope: Scope, rows: ir.Table) -> Duplicates | None:
    """Find the rows that share a key and decide which stay; ``None`` if there are none.

    Parameters
    ----------
    scope : Scope
    rows : Table
        Its rows that are good otherwise.
    """
    names = [f"key:{name}" for name in key_columns(scope)]
    if not names:
        return None
    keyed = _keyed(scope, rows)
    twice = keyed.group_by(names).agg(n=_.count()).filter(_.n > 1).drop("n")
    if not count(twice):
        return None
    keys = kept(twice, "twice")
    judged = kept(_judged(scope, keyed.semi_join(keys, names), names), "shared")
    return Duplicates(judged, keys, count(judged.filter(~judged[KEPT])))


def _judged(scope: Scope, shared: ir.Table, names: list[str]) -> ir.Table:
    """Mark which rows stay: the first known, unless several first ones differ."""
    same_key = ibis.window(group_by=names)
    columns = [column.name for column in scope.columns if column.name != "known_at"]
    content = ibis.literal("|").join(
        [shared[name].cast("string").fill_null("\\N") for name in columns]
    )
    rows = shared.mutate(content=content, first=shared[KNOWN].min().over(same_key))
    of_first = rows[KNOWN].identical_to(rows.first).ifelse(rows.content, ibis.null("string"))
    rows = rows.mutate(of_first=of_first)
    alike = rows.of_first.min().over(same_key) == rows.of_first.max().over(same_key)
    order = ibis.window(group_by=names, order_by=[KNOWN, *scope.place])
    earliest = ibis.row_number().over(order) == 0
    return rows.mutate(**{KEPT: alike & earliest}).drop("content", "first", "of_first")
