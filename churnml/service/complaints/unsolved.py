"""Complaints that are open: how many, how old, where; and those long unsolved (长期未解决)."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir
from numpy.typing import NDArray

from churnml.service.complaints.cells import UNKNOWN, Frame, cells_of, fetched, hidden_places
from churnml.service.complaints.codes import UNCLASSIFIED
from churnml.service.small_cells import FEWEST, blank

COLUMNS = ("by", "cell", "count", "oldest_days", "median_days")
_AGES = ("long_unsolved", "recent")


def open_complaints(complaints: ir.Table, frame: Frame) -> ir.Table:
    """Those not closed, or reopened since, with their age in days.

    Parameters
    ----------
    complaints : Table
        All of them, seen from ``frame.day``, with the places of ``frame``.
    frame : Frame
    """
    rows = complaints.filter(still_open(complaints))
    age = ibis.literal(frame.day).delta(rows.opened_at.date(), unit="day")
    return rows.mutate(age=age, category=rows.category.fill_null(UNCLASSIFIED))


def still_open(complaints: ir.Table) -> ir.BooleanValue:
    """Whether each complaint is not closed, or was reopened since."""
    again = complaints.reopened_at >= complaints.closed_at
    return (complaints.closed_at.isnull() | again).fill_null(False)


def count_open(rows: ir.Table, frame: Frame, *, long_days: int) -> pd.DataFrame:
    """Open complaints by place, channel, category and age.

    Parameters
    ----------
    rows : Table
        From `open_complaints`.
    frame : Frame
    long_days : int
        Open for so many days is long unsolved.

    Returns
    -------
    DataFrame
        The columns of `COLUMNS`; ``by`` ``age`` has the two cells ``recent`` and
        ``long_unsolved``, ``age+region`` those of every region. Null where hidden.
    """
    aged = rows.mutate(age_group=_age_group(rows, long_days))
    by = {"": "", **{name: name for name in frame.by}, "category": "category", "age": "age_group"}
    whole = fetched(
        ibis.union(*(_counted(cells_of(aged, column), name) for name, column in by.items()))
    )
    mask = _hidden(whole, frame)
    shown = [blank(whole, mask, columns=_TOLD)]
    if "region" in frame.by:
        shown.append(_by_age_and_region(aged))
    found = pd.concat(shown, ignore_index=True)
    return found.sort_values(["by", "cell"], ignore_index=True)[list(COLUMNS)]


_TOLD = ("count", "oldest_days", "median_days")


def _counted(rows: ir.Table, by: str) -> ir.Table:
    """How many are open in each cell, of how many people, and how old they are."""
    return (
        rows.mutate(by=ibis.literal(by))
        .group_by("by", "cell")
        .agg(
            count=_.count(),
            people=_.customer_id.nunique(),
            oldest_days=_.age.max(),
            median_days=_.age.median().cast("float64"),
        )
    )


def _hidden(whole: pd.DataFrame, frame: Frame) -> NDArray[np.bool_]:
    return hidden_places(
        list(zip(whole["by"], whole["cell"], strict=True)),
        whole["count"].to_numpy(float)[:, None],
        (whole["people"] < FEWEST).to_numpy()[:, None],
        parents=frame.parents,
    )[:, 0]


def _by_age_and_region(aged: ir.Table) -> pd.DataFrame:
    """Where the long unsolved ones are: regions by age, whose margins are shown too."""
    region = aged.region.fill_null(UNKNOWN)
    found = fetched(_counted(aged.mutate(cell=aged.age_group + "+" + region), "age+region"))
    if found.empty:
        return found
    places = sorted({cell.partition("+")[2] for cell in found["cell"]})
    grid = pd.DataFrame(
        {"cell": [f"{age}+{place}" for place in places for age in _AGES], "by": "age+region"}
    )
    grid = grid.merge(found, on=["by", "cell"], how="left")
    grid[["count", "people"]] = grid[["count", "people"]].fillna(0).astype("int64")
    counts = grid["count"].to_numpy(float).reshape(len(places), len(_AGES))
    few = (grid["people"] < FEWEST).to_numpy().reshape(len(places), len(_AGES))
    cells = [("", ""), *(("region", place) for place in places)]
    total = counts.sum(axis=0, keepdims=True)
    mask = hidden_places(
        cells, np.vstack([total, counts]), np.vstack([total < FEWEST, few]), parents={}
    )
    return blank(grid, mask[1:].ravel(), columns=_TOLD)


def _age_group(rows: ir.Table, long_days: int) -> ir.StringValue:
    return ibis.ifelse(rows.age >= long_days, *_AGES)


def long_unsolved(table: pd.DataFrame, frame: Frame, *, long_days: int) -> dict[str, Any]:
    """How many complaints are long unsolved, how old, and since when the oldest waits.

    Parameters
    ----------
    table : DataFrame
        From `count_open`.
    frame : Frame
    long_days : int
    """
    row = table[(table["by"] == "age") & (table["cell"] == "long_unsolved")]
    found: dict[str, Any] = {"days": long_days, "count": 0, "oldest_days": None,
                             "median_days": None, "since": None}  # fmt: skip
    if row.empty:
        return found
    one = row.iloc[0]
    if pd.isna(one["count"]):
        return found | {"count": None}
    oldest = int(one["oldest_days"])
    since = frame.day - np.timedelta64(oldest, "D").astype("timedelta64[D]").item()
    return found | {
        "count": int(one["count"]),
        "oldest_days": oldest,
        "median_days": float(one["median_days"]),
        "since": str(since),
    }
