"""What became of the customers of a list: who left, what they were offered and billed."""

from __future__ import annotations

from datetime import date

import ibis
import numpy as np
import pandas as pd
from ibis import _

from churnml.base.dates import add_months, ceil_month, months_between
from churnml.retention.result import HOLD_OUT
from churnml.tables.source import Source


def read_outcomes(source: Source, listed: pd.DataFrame, upto: date) -> pd.DataFrame:
    """The list with who is known still, and who left before a date."""
    customers = source.tables["customers"]
    ended = customers.group_by("customer_id").agg(ended=_.terminated_on.max())
    ids = {"customer_id": listed["customer_id"].tolist()}
    wanted = ibis.memtable(ids, schema={"customer_id": "string"})
    found = ended.semi_join(wanted, "customer_id").to_pandas()
    rows = listed.merge(found, on="customer_id", how="left", indicator="_found")
    ended_on = pd.to_datetime(rows["ended"])
    return rows.assign(
        there=(rows["_found"] == "both").to_numpy(),
        left=(ended_on < pd.Timestamp(upto)).astype(float),
    ).drop(columns=["_found", "ended"])


def offers_made(source: Source, day: date, upto: date) -> pd.DataFrame | None:
    """Offers that were really made since the campaign began; None where there is no such table."""
    if "offers" not in source.tables:
        return None
    rows = source.tables["offers"]
    columns = ["customer_id", "offer"]
    columns += [name for name in ("cost", "accepted_at") if name in rows.columns]
    rows = rows.filter(
        _.arm == "treatment",
        _.offered_at >= ibis.literal(day).cast("timestamp"),
        _.offered_at < ibis.literal(upto).cast("timestamp"),
    )
    return rows.select(*columns).to_pandas()


def acceptances(offers: pd.DataFrame | None, treated: pd.DataFrame) -> pd.DataFrame | None:
    """Whether each treated customer accepted, and what it cost; None where that is not told."""
    if offers is None or "accepted_at" not in offers:
        return None
    took = offers[offers["accepted_at"].notna()]
    cost = took["cost"] if "cost" in took else pd.Series(np.nan, index=took.index)
    spent = cost.groupby(took["customer_id"]).sum(min_count=1)
    ids = treated["customer_id"]
    return pd.DataFrame(
        {
            "accepted": ids.isin(took["customer_id"]).to_numpy(),
            "reached": ids.isin(offers["customer_id"]).to_numpy(),
            "cost": ids.map(spent).to_numpy(float),
        }
    )


def bills_before_and_after(
    source: Source, ids: pd.Series, day: date, upto: date
) -> pd.DataFrame | None:
    """What each customer was billed in the months of the campaign, and in as many before it.

    Parameters
    ----------
    source : Source
    ids : Series of text, length n
    day, upto : date
        Whole months between them count.

    Returns
    -------
    DataFrame, shape (n, 2), or None
        ``before`` and ``after``, yuan, 0 where there is no bill; None without a whole month.
    """
    first, last = ceil_month(day), upto.replace(day=1)
    count = months_between(first, last)
    if count < 1:
        return None
    bills = source.tables["bills"]
    listed = ibis.memtable({"customer_id": ids.tolist()}, schema={"customer_id": "string"})
    rows = bills.semi_join(listed, "customer_id")
    start, end = add_months(first, -count), last
    here = (rows.month >= ibis.literal(start)) & (rows.month < ibis.literal(end))
    later = rows.month >= ibis.literal(first)
    sums = rows.filter(here).group_by("customer_id")
    found = sums.agg(before=rows.amount.sum(where=~later), after=rows.amount.sum(where=later))
    told = found.to_pandas().set_index("customer_id").astype(float)
    if not told["after"].notna().any():
        return None
    return told.reindex(ids).fillna(0.0).reset_index(drop=True)


def contaminated(offers: pd.DataFrame | None, listed: pd.DataFrame) -> int:
    """How many of the held out had an offer all the same."""
    if offers is None:
        return 0
    held = listed.loc[listed["group"] == HOLD_OUT, "customer_id"]
    return int(held.isin(offers["customer_id"]).sum())
