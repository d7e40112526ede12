"""Complaints that are open: how many, how old, where; and those long unsolved (长期未解决)."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir

from churnml.service.complaints.cells import Frame, cells_of, fetched, hidden_places
from churnml.service.complaints.codes import UNCLASSIFIED
from churnml.service.small_cells import FEWEST, blank

COLUMNS = ("by", "cell", "count", "oldest_days", "median_days")


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
        ``long_unsolved``. Null where hidden.
    """
    aged = rows.mutate(age_group=_age_group(rows, long_days))
    by = {"": "", **{name: name for name in frame.by}, "category": "category", "age": "age_group"}
    parts = [
        cells_of(aged, column)
        .mutate(by=ibis.literal(name))
        .group_by("by", "cell")
        .agg(
            count=_.count(),
            people=_.customer_id.nunique(),
            oldest_days=_.age.max(),
            median_days=_.age.median().cast("float64"),
        )
        for name, column in by.items()
    ]
    whole = fetched(ibis.union(*parts)).sort_values(["by", "cell"], ignore_index=True)
    mask = hidden_places(
        list(zip(whole["by"], whole["cell"], strict=True)),
        whole["count"].to_numpy(float)[:, None],
        (whole["people"] < FEWEST).to_numpy()[:, None],
        parents=frame.parents,
    )[:, 0]
    return blank(whole, mask, columns=("count", "oldest_days", "median_days"))[list(COLUMNS)]


def _age_group(rows: ir.Table, long_days: int) -> ir.StringValue:
    return ibis.ifelse(rows.age >= long_days, "long_unsolved", "recent")


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
