"""The builders' view of an operator's tables, cut at each ``as_of``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

import pyarrow as pa
from ibis.expr import types as ir
from ibis.util import gen_name

from churnml.base.dates import parse_dates
from churnml.config.settings import Config
from churnml.features import monthly
from churnml.tables import asof
from churnml.tables.contract import TABLES, TableSpec
from churnml.tables.source.extra.table import extras_of

KEYS = ("customer_id", "as_of")

MONTHLY = ("bills", "usage", "ties")
"""The monthly tables, whose windows end with the latest month that is visible enough."""

_CUSTOMER_COLUMNS = (
    "activated_on",
    "terminated_on",
    "payment",
    "brand",
    "group_id",
    "birth_year",
    "region",
    "hall_id",
    "contract_ends_on",
)


class JoinedTable(NamedTuple):
    """A table to join to the customers, and the columns to take from it.

    Attributes
    ----------
    table : Table
        At most one row for each of its keys.
    columns : dict of str to Value
        Over ``table``. Builders that name the same part share one join.
    on : tuple of str
        Its keys.
    """

    table: ir.Table
    columns: dict[str, ir.Value]
    on: tuple[str, ...] = KEYS


@dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """The tables of a source and the dates at which they are seen.

    Attributes
    ----------
    tables : mapping of str to Table
        Typed as the contract says, each with a filled ``known_at``.
    dates : tuple of date
        Every ``as_of``, oldest first.
    latest : mapping of str to mapping of date to date
        For each monthly table and ``as_of`` the month in which its windows end.
    moments : Table
        ``as_of``, and for each monthly table ``{table}_ends``, that month as a
        `month_index`, and ``{table}_starts``, the first on record; null where there is none.
    config : Config
    only : Table, optional
        ``(customer_id, as_of)``, where not all customers are asked for.
    """

    tables: Mapping[str, ir.Table]
    dates: tuple[date, ...]
    latest: Mapping[str, Mapping[date, date]]
    moments: ir.Table
    config: Config
    only: ir.Table | None = None

    @cached_property
    def customers(self) -> ir.Table:
        """Every customer in force at each ``as_of``, including the terminated.

        With what ``moments`` has of their date.
        """
        rows = asof.in_force(self.tables["customers"], TABLES["customers"], self.moments)
        there = [name for name in _CUSTOMER_COLUMNS if name in rows.columns]
        return _shared(rows.select(*KEYS, *there).join(self.moments, "as_of"), "customers")

    @cached_property
    def rows(self) -> ir.Table:
        """The requested customers, with the columns of `customers`."""
        if self.only is None:
            return asof.eligible(self.customers)
        spine = self.only.select(*KEYS)
        rows = spine.left_join(self.customers, list(KEYS), rname="_{name}")
        return rows.drop(*(f"_{name}" for name in KEYS))

    @cached_property
    def bills(self) -> ir.Table:
        """Every customer's bills of the last months; see `monthly.bills`."""
        arpu_months = self.config.tiers.arpu_months
        rows = self.last_months("bills", monthly.bill_months(arpu_months))
        return monthly.bills(rows, arpu_months)

    @cached_property
    def usage(self) -> ir.Table:
        """The requested customers' usage of the last months; see `monthly.usage`."""
        return monthly.usage(self.wanted(self.last_months("usage", 12)))

    def last_months(self, table: str, months: int) -> ir.Table:
        """The visible rows of a monthly table's last months, with ``ago``, of all customers."""
        calendar = asof.calendar(self.latest[table], months)
        return asof.last_months(self.tables[table], TABLES[table], calendar)

    def visible(self, table: str, *columns: str) -> ir.Table:
        """The visible rows of an event table, of all customers.

        With ``customer_id``, ``as_of``, ``known_at`` and those of the columns that are there.
        """
        rows, declared = self.tables[table], self.spec(table)
        dated = {spec.known for spec in declared.columns if spec.name in columns and spec.known}
        there = [name for name in (*columns, *sorted(dated)) if name in rows.columns]
        rows = rows.select("customer_id", "known_at", *there)
        return asof.visible(rows, declared, self.moments)

    def spec(self, table: str) -> TableSpec:
        """What is declared of a table, of the contract or of one's own."""
        return TABLES[table] if table in TABLES else extras_of(self.tables)[table].spec

    def wanted(self, rows: ir.Table) -> ir.Table:
        """The rows of the requested customers."""
        return rows if self.only is None else rows.semi_join(self.only, list(KEYS))

    def has(self, *columns: str) -> bool:
        """Whether the source has all these columns, each written ``table.column``."""
        pairs = (column.split(".") for column in columns)
        return all(t in self.tables and c in self.tables[t].columns for t, c in pairs)


def _shared(table: ir.Table, name: str) -> ir.Table:
    """Make a table that is computed once, however many builders read it.

    An alias makes it a common table expression; without one Ibis copies it into every
    query that selects from it. Its name is new each time, as two feature tables may
    meet in one query.
    """
    return table.alias(gen_name(name))


def look(
    tables: Mapping[str, ir.Table],
    as_of: date | str | Iterable[date | str],
    config: Config,
    only: ir.Table | None = None,
) -> View:
    """Build the view of a source at the given dates.

    Asks the engine for the month in which the windows of each monthly table end, and for
    the first on record; all else stays lazy.
    """
    days = parse_dates(as_of)
    eligible = asof.spine(tables, days)
    monthly_tables = {name: tables[name] for name in MONTHLY if name in tables}
    latest = asof.latest_months(monthly_tables, eligible, days)
    first = asof.first_months(monthly_tables, days)
    spans = [
        (
            day,
            *(
                _index(months.get(name, {}).get(day))
                for name in MONTHLY
                for months in (first, latest)
            ),
        )
        for day in days
    ]
    types = {f"{name}_{edge}": pa.int64() for name in MONTHLY for edge in ("starts", "ends")}
    moments = asof.small_table(spans, as_of=pa.date32(), **types)
    return View(
        tables=tables, dates=tuple(days), latest=latest, moments=moments, config=config, only=only
    )


def _index(month: date | None) -> int | None:
    return None if month is None else month.year * 12 + month.month


def gather(rows: ir.Table, parts: Mapping[str, JoinedTable]) -> ir.Table:
    """Left-join the tables to the rows."""
    for name, part in parts.items():
        beside = part.table.select(*part.on, **part.columns)
        rows = rows.left_join(beside, list(part.on), rname=f"{{name}}_of_{name}")
    return rows
