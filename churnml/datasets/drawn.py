"""A sample of customers, drawn where the rows lie: for sources too large for one machine."""

from __future__ import annotations

from datetime import date
from itertools import accumulate

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir

WEIGHT = "drawn_weight"
"""For how many rows of the source each drawn row stands."""

BUCKETS = 4096
"""Into which the hashes of customers fall."""

_DIGITS = 3


def draw(y: ir.Table, max_rows: int, *, keep_before: date | None = None) -> ir.Table:
    """Draw customers by a hash of their ids, at most ``max_rows`` rows, the same every time.

    Of the dates before ``keep_before`` all rows of those customers are kept who left after one
    of them; where these alone are more than half of ``max_rows``, they are drawn like others.

    Parameters
    ----------
    y : Table
        ``customer_id``, ``as_of`` and the outcome, more than 0 for who left.
    max_rows : int
    keep_before : date, optional

    Returns
    -------
    Table
        The rows drawn, with `WEIGHT`: 1 where the row was sure to be kept, else the inverse of
        the share of buckets that were drawn. All rows without it, where they are few enough.
    """
    outcome = y.columns[-1]
    bucket = y.customer_id.hexdigest("md5").substr(0, _DIGITS)
    rows = y.mutate(bucket=bucket, kept=ibis.literal(False))
    if keep_before is not None:
        before = rows.as_of < ibis.literal(keep_before)
        left = rows.filter(before & (rows[outcome] > 0)).select("customer_id").distinct()
        left = left.mutate(leaver=True)
        rows = rows.left_join(left, "customer_id", rname="{name}_left")
        kept = rows.leaver.fill_null(False) & (rows.as_of < ibis.literal(keep_before))
        rows = rows.select(*y.columns, "bucket", kept=kept)
    counts = rows.group_by("bucket", "kept").agg(rows=_.count()).to_pyarrow().to_pandas()
    if counts["rows"].sum() <= max_rows:
        return y
    sure = int(counts.loc[counts["kept"], "rows"].sum())
    if 2 * sure > max_rows:
        rows, counts, sure = rows.mutate(kept=ibis.literal(False)), counts.assign(kept=False), 0
    others = counts[~counts["kept"]].groupby("bucket")["rows"].sum()
    sizes = [int(others.get(f"{number:03x}", 0)) for number in range(BUCKETS)]
    within = [total for total in accumulate(sizes) if total <= max_rows - sure]
    drawn = min(max(len(within), 1), BUCKETS - 1)
    weight = rows.kept.ifelse(1.0, BUCKETS / drawn)
    wanted = rows.kept | (rows.bucket < f"{drawn:03x}")
    return rows.mutate(**{WEIGHT: weight}).filter(wanted).select(*y.columns, WEIGHT)


def representative(weights: pd.Series) -> np.ndarray:
    """The places of rows that look like the source: those of less weight are thinned out.

    >>> representative(pd.Series([4.0, 1, 1, 4, 1, 1])).tolist()
    [0, 3, 5]
    """
    steps = np.floor(np.cumsum(weights.to_numpy(dtype=float)) / weights.max() + 1e-9)
    return np.flatnonzero(np.diff(steps, prepend=0.0) > 0)


def sampling_note(weights: pd.Series) -> str:
    """What a model's card says of a sample that was drawn."""
    least, most = float(weights.min()), float(weights.max())
    total = round(float(weights.sum()))
    if least == most:
        return (
            f"Learned from {len(weights):,} of about {total:,} rows: customers drawn by a hash of "
            f"their ids, each row standing for {most:.4g}."
        )
    kept = int((weights == least).sum())
    return (
        f"Learned from {len(weights):,} of about {total:,} rows: all {kept:,} training rows of "
        "customers who left (weight 1), and of the others, and of the test's months, customers "
        f"drawn by a hash of their ids (weight {most:.4g})."
    )
