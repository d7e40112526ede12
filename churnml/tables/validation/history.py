"""Summarise a table by customer, to decide which closer checks are needed.

One pass over the rows makes one row for each customer; whether any bill is nobody's, lies
outside a life, comes twice or leaves a gap can be seen from these. Only where one does,
the rows are looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml.tables.asof import month_index
from churnml.tables.validation.blank import is_blank
from churnml.tables.validation.scope import Scope, kept

_BITS = 48
"""Months that can be told apart; beyond that two may look alike, which a closer check settles."""


# All engines have it; Ibis does not know that Spark does.
_union = ibis.udf.agg.builtin(lambda bits: None, name="bit_or", signature=(("int64",), "int64"))


@dataclass(frozen=True, eq=False, kw_only=True)
class Spans:
    """A table's customers, and whether any of them has orphaned, repeated or missing rows.

    Attributes
    ----------
    customers : Table
        ``customer_id``; ``first`` and ``last`` event (months as a `month_index`); ``begins``
        and ``ends`` of service, null where there is no such customer.
    strangers, outside : int
        Customers that do not exist, and those with events outside their lives.
    repeated, gapped : int
        Of a monthly table: customers that may have a month twice, and that lack one.
    """

    customers: ir.Table
    strangers: int
    outside: int
    repeated: int = 0
    gapped: int = 0

    @property
    def orphans(self) -> ir.Table:
        """The ``customer_id`` values that are no customer's."""
        return self.customers.filter(self.customers.begins.isnull()).select("customer_id")


def lives(customers: Scope) -> ir.Table:
    """When each customer's service began and ended, from all rows, bad ones included.

    A row that is set aside must not make orphans of its customer's bills.
    """
    rows = customers.rows.filter(customers.rows.customer_id.notnull())
    days = rows.group_by("customer_id").agg(
        begins=_.activated_on.min().fill_null(ibis.date(1900, 1, 1)), ends=_.terminated_on.max()
    )
    return kept(days.filter(~is_blank(days.customer_id)), "lives")


def spans(scope: Scope, lives: ir.Table) -> Spans:
    """Summarise a table by customer.

    Parameters
    ----------
    scope : Scope
        Of a table with ``customer_id``.
    lives : Table
        See `lives`.
    """
    monthly = scope.spec.rows == "month"
    when = month_index(scope.rows.month) if monthly else scope.rows[scope.spec.event]
    rows = scope.rows.select("customer_id", when=when).filter(_.customer_id.notnull())
    facts = {"first": rows.when.min(), "last": rows.when.max()}
    if monthly:
        bit = ibis.literal(1 << (_BITS - 1)) >> (rows.when % _BITS).cast("int32")
        # Each month is a bit of its own: their sum is their union only if none comes twice.
        facts |= {"have": rows.when.count(), "bits": bit.sum(), "seen": _union(bit)}
    by_customer = rows.group_by("customer_id").agg(**facts)
    # What has no id is not an orphan: it is reported as a missing id.
    named = by_customer.filter(~is_blank(by_customer.customer_id))
    counts = named.left_join(lives, "customer_id")
    customers = kept(counts.drop("customer_id_right"), "spans")
    return Spans(customers=customers, **_counts(customers, monthly=monthly))


def _counts(customers: ir.Table, *, monthly: bool) -> dict[str, int]:
    counts = {
        "strangers": customers.count(where=customers.begins.isnull()),
        "outside": customers.count(where=_outside(customers, monthly=monthly)),
    }
    if monthly:
        lacking = customers["last"] - customers["first"] + 1 - customers.have
        counts["repeated"] = customers.count(where=customers.bits != customers.seen)
        counts["gapped"] = customers.count(where=lacking > 0)
    return customers.aggregate(**counts).to_pyarrow().to_pylist()[0]


def _outside(customers: ir.Table, *, monthly: bool) -> ir.BooleanValue:
    first, last = customers["first"], customers["last"]
    if monthly:
        return (first < month_index(customers.begins)) | (last > month_index(customers.ends))
    end = (customers.ends + ibis.interval(days=1)).cast("timestamp")
    return (first < customers.begins.cast("timestamp")) | (last >= end)
