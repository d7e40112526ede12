"""How many complaints there were about what, by month, place and channel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir
from scipy.special import gammaincinv

from churnml.metrics.intervals import LEVEL
from churnml.service.complaints.cells import PLACES, Frame, counted_by, hidden_places
from churnml.service.complaints.codes import UNCLASSIFIED
from churnml.service.small_cells import FEWEST, blank

COLUMNS = ("by", "cell", "month", "category", "count", "per_1000", "low", "high", "coder")
REGULATOR_CLASS = "regulator_class"
"""``by`` of the rows whose cells are the regulator's classes."""


def count_categories(
    complaints: ir.Table, frame: Frame, classes: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Complaints by cell, month, category and coder, hidden where they are about few people.

    Parameters
    ----------
    complaints : Table
        Coded, with ``month`` and the places of ``frame``.
    frame : Frame
    classes : mapping of str to str
        The regulator's classes, as ``complaints.regulator`` of the settings.

    Returns
    -------
    (DataFrame, DataFrame)
        The columns of `COLUMNS`, null where hidden; and the same not hidden.
    """
    rows = complaints.mutate(
        category=complaints.category.fill_null(UNCLASSIFIED),
        **{REGULATOR_CLASS: _class_of(complaints, classes)},
    )
    found = counted_by(
        rows,
        frame,
        ("month", "category", "coder"),
        extra=(REGULATOR_CLASS,),
        count=_.count(),
        people=_.customer_id.nunique(),
    )
    whole = _with_zeros(found).merge(_customers(frame), on=["by", "cell", "month"], how="left")
    everyone = frame.customers.query("by == ''").set_index("month")["customers"]
    whole["customers"] = whole["customers"].fillna(whole["month"].map(everyone)).fillna(0)
    low, high = rate_interval(whole["count"].to_numpy(float), whole["customers"].to_numpy(float))
    with np.errstate(divide="ignore", invalid="ignore"):
        per_1000 = 1000 * whole["count"] / whole["customers"].where(whole["customers"] > 0)
    whole = whole.assign(per_1000=per_1000, low=1000 * low, high=1000 * high)
    mask = _hidden(whole, frame)
    shown = blank(whole, mask, columns=("count", "per_1000", "low", "high"))
    return shown[list(COLUMNS)], whole


def _class_of(complaints: ir.Table, classes: Mapping[str, str]) -> ir.StringValue:
    """The regulator's class of each complaint, that of its subcategory first."""
    both = complaints.category + "/" + complaints.subcategory.fill_null("")
    fine = {key: value for key, value in classes.items() if "/" in key}
    coarse = {key: value for key, value in classes.items() if "/" not in key}
    found = complaints.category.cases(*coarse.items(), else_=UNCLASSIFIED)
    found = both.cases(*fine.items(), else_=found) if fine else found
    return found.fill_null(UNCLASSIFIED)


def rate_interval(
    count: np.ndarray, exposed: np.ndarray, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """Exact interval of a Poisson rate.

    Parameters
    ----------
    count : array
        Events.
    exposed : array
        Whom they could happen to; NaN comes of 0.
    level : float, default 0.95

    References
    ----------
    Garwood (1936), "Fiducial limits for the Poisson distribution", Biometrika 28.

    Examples
    --------
    >>> low, high = rate_interval(np.array([0.0, 10.0]), np.array([1.0, 1.0]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 4.795], [3.689, 18.39])
    """
    tail = (1 - level) / 2
    low = np.where(count > 0, gammaincinv(np.maximum(count, 1), tail), 0.0)
    high = gammaincinv(count + 1, 1 - tail)
    exposed = np.where(exposed > 0, exposed, np.nan)
    return low / exposed, high / exposed


def _with_zeros(found: pd.DataFrame) -> pd.DataFrame:
    """Every cell with every category and coder of its month: a hidden 0 must look like a 3."""
    if found.empty:
        return found
    cells = found[["by", "cell"]].drop_duplicates()
    kinds = found[["month", "category", "coder"]].drop_duplicates()
    keys = ["by", "cell", "month", "category", "coder"]
    grid = cells.merge(kinds, how="cross")
    grid = grid.merge(found, on=keys, how="left")
    counts = grid[["count", "people"]].fillna(0).astype("int64")
    return grid.assign(**counts).sort_values(keys, ignore_index=True)


def _customers(frame: Frame) -> pd.DataFrame:
    customers = frame.customers
    return customers[customers["by"].isin(("", *PLACES))]


def _hidden(whole: pd.DataFrame, frame: Frame) -> np.ndarray:
    """Which rows to hide; every month has all its categories and coders in every cell."""
    mask = np.zeros(len(whole), dtype=bool)
    for _month, places in whole.groupby("month").indices.items():
        part = whole.iloc[places]
        cells = list(dict.fromkeys(zip(part["by"], part["cell"], strict=True)))
        counts = part["count"].to_numpy(float).reshape(len(cells), -1)
        few = (part["people"] < FEWEST).to_numpy().reshape(len(cells), -1)
        mask[places] = hidden_places(cells, counts, few, parents=frame.parents).ravel()
    return mask
