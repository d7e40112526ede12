"""Months, places and channels by which complaints are counted, and which cells are hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis import _
from ibis.expr import types as ir
from numpy.typing import NDArray

from churnml.base.dates import add_months, months_before
from churnml.service.small_cells import FEWEST, WITHIN
from churnml.tables import asof
from churnml.tables.contract import TABLES

PLACES = ("region", "hall_id")
BY = (*PLACES, "channel")
"""Columns by which complaints are counted, beside the whole."""

UNKNOWN = "unknown"
"""The cell of those whose place or channel is not on record."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame:
    """The customers, months and places of a record.

    Attributes
    ----------
    day : date
    months : tuple of date
        First days of the whole months before ``day``, the oldest first.
    homes : Table
        Every customer known at ``day``: ``customer_id``, ``activated_on``, ``terminated_on``,
        and the places that the source has.
    by : tuple of str
        Those of `BY` that can be told.
    """

    day: date
    months: tuple[date, ...]
    homes: ir.Table
    by: tuple[str, ...]

    @property
    def since(self) -> date:
        """The first day of the first month."""
        return self.months[0]

    @cached_property
    def customers(self) -> pd.DataFrame:
        """Who was a customer for some of a month: ``by``, ``cell``, ``month``, ``customers``."""
        months = asof.small_table(
            [(month, add_months(month, 1)) for month in self.months],
            month=pa.date32(),
            stop=pa.date32(),
        )
        rows = self.homes.cross_join(months)
        there = (rows.activated_on < rows.stop) & (
            rows.terminated_on.isnull() | (rows.terminated_on >= rows.month)
        )
        rows = rows.filter(there)
        places = [name for name in self.by if name in PLACES]
        parts = [
            cells_of(rows, by).group_by("by", "cell", "month").agg(customers=_.count())
            for by in ("", *places)
        ]
        return fetched(ibis.union(*parts) if len(parts) > 1 else parts[0])

    @cached_property
    def parents(self) -> dict[str, str]:
        """The region of each hall, where every hall lies in one; else empty."""
        if not {"region", "hall_id"} <= set(self.by):
            return {}
        rows = self.homes.mutate(
            region=self.homes.region.fill_null(UNKNOWN),
            hall_id=self.homes.hall_id.fill_null(UNKNOWN),
        )
        found = fetched(
            rows.group_by("hall_id").agg(region=_.region.min(), regions=_.region.nunique())
        )
        if (found["regions"] > 1).any():
            return {}
        return dict(zip(found["hall_id"], found["region"], strict=True))


def frame_of(tables: Mapping[str, ir.Table], day: date, months: int) -> Frame:
    """The whole months before a day, and where the customers live then.

    Parameters
    ----------
    tables : mapping of str to Table
        Needs ``customers``.
    day : date
    months : int
    """
    customers = asof.in_force(tables["customers"], TABLES["customers"], asof.moments(day))
    places = [name for name in PLACES if name in customers.columns]
    homes = customers.select("customer_id", "activated_on", "terminated_on", *places)
    channel = "complaints" in tables and "channel" in tables["complaints"].columns
    return Frame(
        day=day,
        months=tuple(months_before(day, ago) for ago in range(months, 0, -1)),
        homes=homes,
        by=(*places, *(["channel"] if channel else [])),
    )


def at_home(rows: ir.Table, frame: Frame, event: str = "opened_at") -> ir.Table:
    """The rows with their customer's places, and the month in which they happened."""
    places = [name for name in PLACES if name in frame.by]
    homes = frame.homes.select("customer_id", **{f"home_{n}": frame.homes[n] for n in places})
    rows = rows.left_join(homes, "customer_id", rname="of_{name}")
    added = {name: rows[f"home_{name}"] for name in places}
    rows = rows.mutate(**added, month=rows[event].truncate("M").date())
    return rows.drop("of_customer_id", *(f"home_{name}" for name in places))


def cells_of(rows: ir.Table, by: str) -> ir.Table:
    """The rows with the columns ``by`` and ``cell``: the empty text for the whole."""
    cell = rows[by].cast("string").fill_null(UNKNOWN) if by else ibis.literal("")
    return rows.mutate(by=ibis.literal(by), cell=cell)


def counted_by(
    rows: ir.Table, frame: Frame, keys: Sequence[str], *, extra: Sequence[str] = (), **sums: Any
) -> pd.DataFrame:
    """Sums over the whole and over each place and channel, side by side.

    Parameters
    ----------
    rows : Table
        With the columns of ``frame.by``.
    frame : Frame
    keys : sequence of str
        Columns told apart beside the cell, such as the month.
    extra : sequence of str
        Further columns by which cells are counted.
    **sums : ibis deferred
    """
    parts = [
        cells_of(rows, by).group_by("by", "cell", *keys).agg(**sums)
        for by in ("", *frame.by, *extra)
    ]
    table = fetched(ibis.union(*parts))
    return table.sort_values(["by", "cell", *keys], ignore_index=True)


def fetched(table: ir.Table) -> pd.DataFrame:
    """A small table as pandas, with dates and texts as Python's own."""
    rows = table.to_pyarrow()
    frame = pd.DataFrame(rows.to_pydict(), columns=rows.column_names)
    plain = [field.name for field in rows.schema if not pa.types.is_primitive(field.type)]
    dated = [field.name for field in rows.schema if pa.types.is_date(field.type)]
    # An empty column would be a column of numbers.
    return frame.astype(dict.fromkeys([*plain, *dated], object))


def hidden_places(
    cells: Sequence[tuple[str, str]],
    counts: NDArray[np.float64],
    few: NDArray[np.bool_],
    *,
    parents: Mapping[str, str],
) -> NDArray[np.bool_]:
    """What to hide in a table of cells by columns whose margins are shown.

    A count about few people is hidden, and as many others of its row and of its column as it
    takes that neither tells it. Where the halls of a region add up to it, they are looked at
    region by region.

    Parameters
    ----------
    cells : sequence of (by, cell)
        The rows, the whole among them as ``("", "")``.
    counts : array, shape (cells, columns)
        Things counted, which add up.
    few : array of bool, shape (cells, columns)
        Whether they are about too few people.
    parents : mapping of str to str
        The region of each hall.

    Returns
    -------
    array of bool, shape (cells, columns)
    """
    mask = few | (counts < FEWEST)
    groups = _groups(cells, parents)
    before = -1
    while before != mask.sum():
        before = int(mask.sum())
        if mask.shape[1] > 1:
            for row in np.flatnonzero(mask.any(axis=1)):
                mask[row] = with_company(counts[row], mask[row])
        for whole, places in groups:
            for column in range(mask.shape[1]):
                if whole is None:
                    continue
                if mask[whole, column]:
                    # A hidden total must not be had by adding its parts up.
                    mask[places, column] = True
                else:
                    own = mask[places, column]
                    mask[places, column] = with_company(counts[places, column], own)
    return mask


def with_company(counts: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Hide the smallest shown counts of a sum until the hidden ones cover each other.

    What `small_cells.hidden` does, without optimising: of one sum, a hidden count may be
    anything from 0 to the sum of the hidden ones.

    Parameters
    ----------
    counts : array, shape (parts,)
        They add up to a total that is shown.
    mask : array of bool, shape (parts,)

    Examples
    --------
    >>> with_company(np.array([3.0, 40, 12]), np.array([True, False, False]))
    array([ True, False,  True])
    """
    found = mask.copy()
    while (
        found.any() and not found.all() and (found.sum() < 2 or counts[found].sum() <= 2 * WITHIN)
    ):
        shown = np.flatnonzero(~found)
        found[shown[np.argmin(counts[shown])]] = True
    return found


def _groups(
    cells: Sequence[tuple[str, str]], parents: Mapping[str, str]
) -> list[tuple[int | None, NDArray[np.int64]]]:
    """What adds up to what: the row of a total, and the rows of its parts."""
    place = {cell: at for at, cell in enumerate(cells)}
    groups: dict[tuple[str, str, str], list[int]] = {}
    for at, (by, cell) in enumerate(cells):
        if not by:
            continue
        nested = by == "hall_id" and ("region", parents.get(cell, "")) in place
        total = ("region", parents[cell]) if nested else ("", "")
        groups.setdefault((by, *total), []).append(at)
    return [(place.get(total[1:]), np.array(rows)) for total, rows in groups.items()]
