"""Which customers moved between individual tiers since the month before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import add_months
from churnml.config.settings import Config
from churnml.features import tiers
from churnml.features.view import look
from churnml.service.small_cells import hidden_two_way
from churnml.tables import asof

OUTSIDE = "outside"
"""The row of those who entered, and the column of those who left."""

ORDER = ("diamond", "gold", "silver", "standard", OUTSIDE)


@dataclass(frozen=True, kw_only=True)
class TierFlows:
    """Moves between tiers from one month to the next.

    Attributes
    ----------
    since : date
    table : DataFrame
        One row a tier then, one column a tier now, the totals last; null where hidden.
    moved, stayed : int or None
        Customers who moved between tiers 3 months ago, and those of them who still are in the
        tier that they moved to.
    """

    since: date
    table: pd.DataFrame
    moved: int | None
    stayed: int | None


def tier_flows(tables: Mapping[str, ir.Table], day: date, config: Config) -> TierFlows | None:
    """Count the moves; None where there is nobody at one of the two dates.

    Parameters
    ----------
    tables : mapping of str to Table
        Of the source, cleaned.
    day : date
    config : Config
    """
    before = add_months(day, -1)
    then, now = (_levels(tables, one, config) for one in (before, day))
    both = then.outer_join(now, "customer_id", rname="{name}_now")
    both = both.select(past=both.level_0.fill_null(-1), now=both.level_0_now.fill_null(-1))
    counts = both.group_by("past", "now").agg(customers=_.count()).to_pyarrow().to_pandas()
    matrix = np.zeros((len(ORDER), len(ORDER)), dtype=np.int64)
    for past, place, customers in counts[["past", "now", "customers"]].itertuples(index=False):
        matrix[_place(past), _place(place)] += int(customers)
    matrix[-1, -1] = 0
    if not matrix[:-1].any() or not matrix[:, :-1].any():
        return None
    mask = hidden_two_way(matrix)
    whole = np.zeros_like(mask, dtype=float)
    whole[:-1, :-1] = matrix
    whole[-1], whole[:, -1] = whole[:-1].sum(axis=0), whole[:, :-1].sum(axis=1)
    names = [*ORDER, "all"]
    table = pd.DataFrame(np.where(mask, np.nan, whole), index=names, columns=names)
    moved, stayed = _held(now)
    return TierFlows(since=before, table=table, moved=moved, stayed=stayed)


def _levels(tables: Mapping[str, ir.Table], day: date, config: Config) -> ir.Table:
    """The tier of every eligible customer at a date, and of the months before."""
    view = look(tables, [day], config)
    bills = tiers.parts(view)["bills"]
    levels = bills.table.select(
        "customer_id", **{f"level_{ago}": bills.columns[f"level_{ago}"] for ago in (0, 3, 4)}
    )
    customers = asof.eligible(view.customers).select("customer_id")
    joined = customers.left_join(levels, "customer_id", rname="{name}_of_bills")
    return joined.select(
        "customer_id",
        level_0=joined.level_0.fill_null(0).cast("int64"),
        level_3=joined.level_3,
        level_4=joined.level_4,
    )


def _place(level: float) -> int:
    return len(ORDER) - 1 if level < 0 else len(ORDER) - 2 - int(level)


def _held(now: ir.Table) -> tuple[int | None, int | None]:
    """Who moved 3 months ago, and who is there still; None about few."""
    moved = now.filter(now.level_3 != now.level_4)
    (row,) = (
        moved.agg(moved=moved.count(), stayed=moved.count(where=moved.level_3 == moved.level_0))
        .to_pyarrow()
        .to_pylist()
    )
    few = min(row["stayed"], row["moved"] - row["stayed"]) < 10
    return (None, None) if few else (int(row["moved"]), int(row["stayed"]))
