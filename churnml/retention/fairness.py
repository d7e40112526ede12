"""Who is treated: shares and yuan by brand, age, region and tier, and what each segment gets.

Automated decisions must not treat customers differently without reason (PIPL, article 24).
Offers are benefits on top of the same tariff, and each may also be had on request; these tables
show whom the list favours. Cells of fewer than ten customers are hidden.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.evaluation.segments import ELDERLY, UNKNOWN, age_band
from churnml.retention.learning import LEAST_ROWS, Learned
from churnml.retention.listing import Drivers

Bools = NDArray[np.bool_]


def segment_columns(customers: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """What customers are told apart by: brand, age, region, tier, as far as known."""
    columns = {
        name: customers[name] for name in ("brand", "region", "payment") if name in customers
    }
    columns |= {name: told[name] for name in ("individual_tier", "group_tier") if name in told}
    found = pd.DataFrame(columns).astype(object)
    found = found.where(found.notna(), UNKNOWN).astype(str)
    if "age" in told:
        found["age"] = age_band(told["age"].to_numpy(float)).to_numpy()
    return found


def fairness(
    columns: pd.DataFrame,
    treated: Bools,
    cost: NDArray[np.float64],
    elderly: Collection[str] = (ELDERLY,),
) -> list[dict[str, Any]]:
    """The share treated and the mean yuan in each cell, beside those of all customers.

    Parameters
    ----------
    columns : DataFrame, shape (n, k)
        Of `segment_columns`.
    treated : array of bool, shape (n,)
    cost : array, shape (n,)
        Yuan; 0 for who is not treated.
    elderly : collection of str
        Brands of the elderly, which come first.
    """
    base = float(treated.mean()) if len(treated) else 0.0
    rows = []
    for by in ("brand", "age", "region", "individual_tier", "group_tier"):
        if by not in columns:
            continue
        cells = sorted(set(columns[by]), key=lambda one: (one not in elderly, one))
        sizes = columns[by].value_counts()
        secret = hidden_cells([int(sizes[cell]) for cell in cells])
        for cell, hidden in zip(cells, secret, strict=True):
            here = (columns[by] == cell).to_numpy()
            count, inside = int(here.sum()), int(treated[here].sum())
            share = inside / count
            rows.append(
                {
                    "by": by,
                    "cell": cell,
                    "customers": None if hidden else count,
                    "treated_share": None if hidden else share,
                    "ratio": None if hidden or not base else share / base,
                    "mean_yuan": None if hidden else float(cost[here].mean()),
                }
            )
    return rows


def hidden_cells(sizes: Sequence[int]) -> list[bool]:
    """Which cells of a whole are hidden: the small ones, and never one alone.

    One hidden cell could be told from the others and the whole; then the next larger one is
    hidden with it.

    Examples
    --------
    >>> hidden_cells([4, 30, 12]), hidden_cells([4, 6, 30]), hidden_cells([40, 50])
    ([True, False, True], [True, True, False], [False, False])
    """
    found = [size < LEAST_ROWS for size in sizes]
    if sum(found) == 1 and len(found) > 1:
        shown = [at for at, hidden in enumerate(found) if not hidden]
        found[min(shown, key=lambda at: sizes[at])] = True
    return found


def segment_plans(
    segment: pd.Series,
    treated: Bools,
    offer: NDArray[np.int64],
    gain: NDArray[np.float64],
    cost: NDArray[np.float64],
    drivers: Drivers,
    learned: Learned,
    rule: NDArray[np.int64],
) -> list[dict[str, Any]]:
    """For each segment: why customers leave and are not content, what works, cost and gain.

    Parameters
    ----------
    segment : Series of text, length n
    treated : array of bool, shape (n,)
    offer : array of int, shape (n,)
    gain, cost : array, shape (n,)
        Of the chosen offer; 0 for who is not treated.
    drivers : Drivers
        By segment, how often each driver is the first reason of those most likely to leave.
    learned : Learned
    rule : array of int
        What each row learned from would get, for the honest gain.
    """
    past = past_segments(learned)
    plans = []
    for name in sorted(set(segment)):
        here = (segment == name).to_numpy()
        inside = here & treated
        count = int(inside.sum())
        if here.sum() < LEAST_ROWS:
            continue
        used = Counter(learned.offers[one] for one in offer[inside])
        honest = learned.honest(rule, (past == name).to_numpy()) if past is not None else None
        shown = count >= LEAST_ROWS
        plans.append(
            {
                "segment": name,
                "customers": int(here.sum()),
                "treated": count if shown or not count else None,
                "drivers": _most_often(drivers.leaving, name),
                "drivers_of_dissatisfaction": _most_often(drivers.dissatisfaction, name),
                "offer": used.most_common(1)[0][0] if shown else None,
                "cost": float(cost[inside].sum()) if shown else None,
                "gain_optimistic": float(gain[inside].sum()) if shown else None,
                "gain_honest": honest.value * count if honest and shown else None,
                "gain_honest_low": honest.low * count if honest and shown else None,
                "gain_honest_high": honest.high * count if honest and shown else None,
            }
        )
    return plans


def _most_often(counts: Mapping[str, Counter[str]], segment: str) -> list[str]:
    """Up to three, those equally often by name."""
    found = counts.get(segment, Counter())
    return sorted(found, key=lambda one: (-found[one], one))[:3]


_FEATURES = {
    "brand": "lifecycle_brand",
    "payment": "lifecycle_payment",
    "individual_tier": "tier_individual_now",
    "group_tier": "tier_group_now",
}


def past_segments(learned: Learned) -> pd.Series | None:
    """The segment of each row learned from; None where its columns are no features."""
    wanted = [_FEATURES.get(one, one) for one in learned.config.retention.segment_by]
    if not all(one in learned.rows.X for one in wanted):
        return None
    return joined(learned.rows.X[wanted])


def joined(columns: pd.DataFrame) -> pd.Series:
    """Columns as one, their values joined by ``+``.

    >>> joined(pd.DataFrame({"brand": ["mzone"], "tier": [None]})).tolist()
    ['mzone+not recorded']
    """
    texts = columns.astype(object)
    texts = texts.where(texts.notna(), UNKNOWN).astype(str).astype(object)
    first, *others = (texts[name] for name in texts)
    for one in others:
        first = first + "+" + one
    return first
