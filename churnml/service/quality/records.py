"""An operator's tables as the indicators read them: the rows of the months told, with their cells.

Whatever counts rows does so in the engine, in whole numbers, so that the order in which rows are
read changes no bit. Cells are the customers' columns as they stand at ``as_of``; a contact in a
hall belongs to the hall where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from itertools import permutations
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
from ibis import _
from ibis.expr import types as ir
from ibis.util import gen_name

from churnml.base.dates import month_starts, months_before
from churnml.config.settings import Config
from churnml.features import tiers
from churnml.features.view import View, gather, look
from churnml.tables import asof
from churnml.tables.contract import TABLES

WHOLE = ""
"""What stands for all customers in ``by`` and ``cell``."""

UNIT = 10_000
"""Scores and speeds are added up in ten-thousandths."""

_CELLS = ("brand", "region", "hall_id", "group_id")
_LIFE = ("activated_on", "terminated_on")


@dataclass(frozen=True, eq=False, kw_only=True)
class Records:
    """The tables at a date, and the months that are told.

    Attributes
    ----------
    tables : mapping of str to Table
        Cut at ``day``.
    day : date
        ``as_of``.
    config : Config
    months : tuple of date
        First days of the whole months told, oldest first.
    notes : list of str
        What a reader must know; grows as the tables are read.
    """

    tables: Mapping[str, ir.Table]
    day: date
    config: Config
    months: tuple[date, ...]
    notes: list[str] = field(default_factory=list)
    _named: dict[str, ir.Table] = field(default_factory=dict)

    @cached_property
    def view(self) -> View:
        """The tables as the features see them."""
        return look(self.tables, self.day, self.config)

    @cached_property
    def customers(self) -> ir.Table:
        """Every customer ever, kept by the engine.

        ``customer_id``, ``activated_on``, ``terminated_on``; ``brand``, ``region``,
        ``hall_id``, ``group_id`` as far as they are there; ``individual_tier``,
        ``group_tier`` and ``arpu`` of the eligible.
        """
        rows = asof.in_force(self.tables["customers"], TABLES["customers"], asof.moments(self.day))
        there = [name for name in _CELLS if name in rows.columns]
        rows = rows.select("customer_id", *_LIFE, *there)
        joined = gather(self.view.rows, tiers.parts(self.view))
        features = tiers.columns(joined, self.view)
        named = {
            "individual_tier": features["tier_individual_now"],
            "group_tier": features.get("tier_group_now", ibis.null("string")),
            "arpu": joined.arpu,
        }
        valued = joined.select("customer_id", **named)
        return rows.left_join(valued, "customer_id", rname="_{name}").drop("_customer_id").cache()

    def table(self, name: str) -> ir.Table:
        """One of the tables, compiled once."""
        if name not in self._named:
            self._named[name] = compiled(self.tables[name], name)
        return self._named[name]

    def kept(self, name: str, make: Callable[[], ir.Table]) -> ir.Table:
        """Rows that are made once and kept by the engine, as few as the answers of a survey."""
        if name not in self._named:
            self._named[name] = make().cache()
        return self._named[name]

    def has(self, *columns: str) -> bool:
        """Whether the source has all these columns, each written ``table.column``."""
        pairs = (column.split(".") for column in columns)
        return all(t in self.tables and c in self.tables[t].columns for t, c in pairs)

    @property
    def by(self) -> tuple[str, ...]:
        """The columns whose values are cells, those of all customers first."""
        there = [name for name in self.config.quality.by if name in self.customers.columns]
        return (WHOLE, *there)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The months told as moments: from the first, before the second."""
        first, last = self.months[0], months_before(self.months[-1], -1)
        return datetime(first.year, first.month, 1), datetime(last.year, last.month, 1)

    def recent(self, rows: ir.Table) -> ir.Table:
        """Rows of the last months, which make profiles and menus."""
        first = self.months[-self.config.quality.profile_months :][0]
        return rows.filter(_.month >= first)

    def events(self, table: str, moment: str) -> ir.Table:
        """The rows of an event table in the months told, each with its ``month`` and cells."""
        key = f"{table} by {moment}"
        if key not in self._named:
            self._named[key] = compiled(self.within(self.tables[table], moment), table)
        return self._named[key]

    def within(self, rows: ir.Table, moment: str) -> ir.Table:
        """Rows of the months told, each with its ``month`` and cells."""
        start, end = self.span
        rows = rows.filter(rows[moment] >= start, rows[moment] < end)
        month = rows[moment].truncate("M").cast("date")
        return self.placed(rows.mutate(month=month, on=rows[moment].date()))

    def monthly(self, table: str) -> ir.Table:
        """The rows of a monthly table in the months told, each with its cells."""
        key = f"{table} by month"
        if key not in self._named:
            rows = self.tables[table]
            rows = rows.filter(rows.month.isin(list(self.months)))
            self._named[key] = compiled(self.placed(rows), table)
        return self._named[key]

    def placed(self, rows: ir.Table) -> ir.Table:
        """Rows with their customers' cells.

        A contact in a hall or at a terminal is in the hall where it was, or in none if nobody
        says; ``home_hall`` is the customer's own.
        """
        own = rows.rename(own_hall="hall_id") if "hall_id" in rows.columns else rows
        wanted = ("activated_on", *_CELLS, "individual_tier", "group_tier")
        home = [name for name in wanted if name in self.customers.columns]
        joined = own.left_join(
            self.customers.select("customer_id", *home), "customer_id", rname="_{name}"
        ).drop("_customer_id")
        if "contact_id" not in rows.columns:
            return joined
        nowhere = ibis.null("string")
        there = joined.own_hall if "own_hall" in joined.columns else nowhere
        at_home = joined.hall_id if "hall_id" in joined.columns else nowhere
        in_hall = joined.channel.isin(["hall", "terminal"])
        return joined.mutate(hall_id=in_hall.ifelse(there, at_home), home_hall=at_home)

    @cached_property
    def present(self) -> pd.DataFrame:
        """Customers with service in each month: ``by``, ``cell``, ``month``, ``customers``."""
        spans = [(month, months_before(month, -1)) for month in self.months]
        calendar = asof.small_table(spans, month=pa.date32(), after=pa.date32())
        rows = self.customers.cross_join(calendar)
        here = (rows.activated_on < rows.after) & (
            rows.terminated_on.isnull() | (rows.terminated_on >= rows.month)
        )
        columns = [name for name in self.by if name != WHOLE]
        finest = read(rows.filter(here).group_by("month", *columns).agg(customers=_.count()))
        return pd.concat(rolled_up(finest, self.by, ["customers"]), ignore_index=True)


def nested(told: Records) -> dict[tuple[str, str], dict[str, tuple[str, ...]]]:
    """Columns whose values lie within those of another: halls in regions.

    Returns
    -------
    dict
        For pairs of columns, by value of the second, the values of the first within it.
    """
    columns = [by for by in told.by if by]
    found: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
    for inner, outer in permutations(columns, 2):
        rows = told.customers.filter(_[inner].notnull() & _[outer].notnull())
        pairs = read(rows.select(inner, outer).distinct())
        if len(pairs) and pairs[inner].is_unique and not pairs[outer].is_unique:
            groups = pairs.groupby(outer)[inner]
            found[inner, outer] = {str(at): tuple(sorted(one)) for at, one in groups}
    return found


def records(tables: Mapping[str, ir.Table], day: date, config: Config) -> Records:
    """The tables and the whole months before a date, as far as bills reach back."""
    asked = month_starts(months_before(day, config.quality.months), day.replace(day=1))
    first = tables["bills"].month.min().to_pyarrow().as_py()
    begins = first.date() if isinstance(first, datetime) else first
    months = tuple(month for month in asked if begins is None or month >= begins)
    notes = []
    if len(months) < len(asked):
        notes.append(
            f"bills begin with {begins:%Y-%m}: {len(months)} of {len(asked)} months are told."
        )
    return Records(tables=tables, day=day, config=config, months=months, notes=notes)


def compiled(rows: ir.Table, name: str) -> ir.Table:
    """The same rows as a view of the embedded engine, so that no query compiles them again.

    Other engines are not ours to put views into.
    """
    con = rows.get_backend()
    return con.create_view(gen_name(name), rows) if con.name == "duckdb" else rows


def flag(value: ir.BooleanValue) -> ir.IntegerValue:
    """1 or 0; null stays null."""
    return value.cast("int64")


def cell(rows: ir.Table, by: str) -> ir.Table:
    """Rows with the value of a column as ``cell``; those without one are left out."""
    if by == WHOLE:
        return rows.mutate(cell=ibis.literal(WHOLE))
    return rows.filter(rows[by].notnull()).mutate(cell=rows[by])


def read(table: ir.Table) -> pd.DataFrame:
    """A small table as a frame in a fixed order, its months as dates."""
    rows = table.to_pyarrow()
    frame = pd.DataFrame({name: rows[name].to_pylist() for name in rows.column_names})
    if "month" in frame:
        frame["month"] = [
            day.date() if isinstance(day, datetime) else day for day in frame["month"]
        ]
    keys = [name for name in ("month", "cell") if name in frame]
    return frame.sort_values(keys, ignore_index=True) if keys else frame


_PARTS = ("top", "bottom", "clusters", "top2", "cross", "bottom2")


def tally(
    rows: ir.Table,
    measures: Mapping[str, tuple[ir.Value, ir.Value]],
    *,
    by: Sequence[str],
    cluster: Sequence[str],
) -> pd.DataFrame:
    """Sums over clusters of what several ratios need, in one pass over the rows.

    Parameters
    ----------
    rows : Table
        With ``month``.
    measures : mapping of str to (Value, Value)
        By name: what is added up on top, and below; whole numbers, null where a row does not
        count.
    by : sequence of str
        The columns of the cells.
    cluster : sequence of str
        What rows have in common that belong together; nothing where every row is alone.

    Returns
    -------
    DataFrame
        ``indicator``, ``by``, ``cell``, ``month`` and what `intervals.ratio` takes.
    """
    names = list(measures)
    columns = [name for name in by if name != WHOLE]
    # Rows of known customers; and what reads both tables DuckDB does not add up, customer by
    # customer and in memory, before it joins them.
    known = rows.activated_on.notnull()
    flat = rows.select(
        *dict.fromkeys(("month", *columns, *cluster)),
        **{f"t{at}": known.ifelse(top, 0) for at, (top, _b) in enumerate(measures.values())},
        **{f"b{at}": known.ifelse(below, 0) for at, (_t, below) in enumerate(measures.values())},
    )
    if not cluster or set(cluster) == {"customer_id"}:
        # A customer is in one cell of each column, so that the sums of cells add up.
        whole = flat if not cluster else _added_up(flat, names, ["month", *columns, *cluster])
        frame = read(_squares(whole, names, ["month", *columns]))
        sums = [f"{part}_{at}" for at in range(len(names)) for part in _PARTS]
        frames = rolled_up(frame, by, sums)
    else:
        small = _added_up(flat, names, ["month", *columns, *cluster]).cache()
        frames = [
            read(
                _squares(
                    _added_up(cell(small, one), names, ["month", "cell", *cluster]),
                    names,
                    ["month", "cell"],
                )
            ).assign(by=one)
            for one in by
        ]
    pieces = [
        frame[["month", "cell", "by"]].assign(
            indicator=name, **{part: frame[f"{part}_{at}"].astype(float) for part in _PARTS}
        )
        for frame in frames
        for at, name in enumerate(names)
    ]
    found = pd.concat(pieces, ignore_index=True)
    return found[found["bottom"] > 0].reset_index(drop=True)


def _added_up(rows: ir.Table, names: Sequence[str], keys: Sequence[str]) -> ir.Table:
    """The tops and bottoms of all rows that share the keys."""
    sums = [f"{side}{at}" for at in range(len(names)) for side in "tb"]
    grouped = rows.group_by(*dict.fromkeys(keys))
    return grouped.agg(**{name: rows[name].sum().fill_null(0).cast("int64") for name in sums})


def _squares(rows: ir.Table, names: Sequence[str], keys: Sequence[str]) -> ir.Table:
    """What `intervals.ratio` takes, each row a cluster."""
    outer: dict[str, Any] = {}
    for at in range(len(names)):
        top = rows[f"t{at}"].fill_null(0).cast("int64")
        below = rows[f"b{at}"].fill_null(0).cast("int64")
        parts = (top, below, (below > 0).cast("int64"), top * top, top * below, below * below)
        sums = {f"{n}_{at}": one for n, one in zip(_PARTS, parts, strict=True)}
        outer |= {name: one.sum().cast("float64") for name, one in sums.items()}
    return rows.group_by(*keys).agg(**outer)


def rolled_up(frame: pd.DataFrame, by: Sequence[str], sums: Sequence[str]) -> list[pd.DataFrame]:
    """Sums by month and the finest cells, added up to the cells of each column.

    Returns
    -------
    list of DataFrame
        One a column: ``month``, ``cell``, ``by`` and the sums; who has no value of the column
        is in none of its cells.
    """
    found = []
    for one in by:
        rows = frame if one == WHOLE else frame[frame[one].notna()]
        cells = rows.assign(cell=WHOLE if one == WHOLE else rows[one])
        added = cells.groupby(["month", "cell"], sort=True, as_index=False)[list(sums)].sum()
        found.append(added.assign(by=one))
    return found
