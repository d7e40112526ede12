"""Corporate accounts as lines for their managers, and the value that is at risk of leaving."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir
from scipy.special import stdtrit

from churnml.features import monthly
from churnml.features.view import KEYS, View
from churnml.metrics.intervals import LEVEL, normal_quantile
from churnml.service.quality.perception import answers
from churnml.service.quality.records import UNIT, Records, read
from churnml.service.small_cells import blank, hidden
from churnml.tables import asof

ACCOUNTS = (
    "group_id",
    "tier",
    "rule",
    "sector",
    "handsets",
    "members",
    "spending",
    "spending_trend",
    "members_at_risk",
    "satisfaction",
    "satisfaction_low",
    "satisfaction_high",
    "answers",
    "open_complaints",
)

_AT_RISK = ("high", "critical")
_DRAWS = 500


def account_lines(
    records: Records, now: pd.DataFrame, scores: ir.Table | None, fewest: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One line an account, and each member's value at risk."""
    members = records.customers.filter(
        _.group_id.notnull(), _.terminated_on.isnull() | (_.terminated_on >= records.day)
    )
    values = _values(records, members, scores)
    lines = now.copy()
    by_group = values.groupby("group_id")
    lines["members"] = lines["group_id"].map(by_group.size()).fillna(0).astype("int64")
    lines["spending"] = lines["spent"]
    lines["spending_trend"] = lines["group_id"].map(_spending_trend(records))
    risky = values[values["band"].isin(_AT_RISK)].groupby("group_id").size()
    at_risk = lines["group_id"].map(risky).fillna(0) if scores is not None else np.nan
    lines["members_at_risk"] = pd.Series(at_risk, index=lines.index).astype("Int64")
    lines = lines.merge(_satisfaction(records), on="group_id", how="left")
    lines["answers"] = lines["answers"].fillna(0).astype("int64")
    waiting = _open_complaints(records)
    counted = lines["group_id"].map(waiting).fillna(0) if waiting is not None else np.nan
    lines["open_complaints"] = pd.Series(counted, index=lines.index).astype("Int64")
    asked = ["satisfaction", "satisfaction_low", "satisfaction_high", "answers"]
    lines = blank(lines, lines["answers"] < fewest, columns=asked)
    small = lines["members"] < fewest
    lines = blank(lines, small, columns=["members", "members_at_risk", "open_complaints"])
    for name in ACCOUNTS:
        if name not in lines:
            lines[name] = None
    return lines.sort_values("group_id", ignore_index=True)[list(ACCOUNTS)], values


def _values(records: Records, members: ir.Table, scores: ir.Table | None) -> pd.DataFrame:
    """Each member's value at risk, yuan, and risk band."""
    if scores is None:
        frame = read(members.select("customer_id", "group_id"))
        return frame.assign(risk=np.nan, band=None)
    joined = members.inner_join(scores, "customer_id", rname="_{name}")
    frame = read(
        joined.select(
            "customer_id", "group_id", "arpu", p=joined.churn_probability, band=joined.risk_band
        )
    )
    # In one order, as the bootstrap draws by place.
    frame = frame.sort_values("customer_id", ignore_index=True)
    frame["risk"] = frame["p"].astype(float) * frame["arpu"].astype(float) * _horizon(records)
    return frame


def _horizon(records: Records) -> float:
    """Months over which a probability of leaving holds."""
    span = records.config.churn.horizon
    number = float(span.rstrip("dmo"))
    return number if span.endswith("mo") else number * 12 / 365.25


def sum_with_interval(values: np.ndarray[Any, Any], *, seed: int = 0) -> tuple[float, float, float]:
    """A sum over customers with its 95 % interval, by the bootstrap over customers."""
    values = values[np.isfinite(values)]
    if not len(values):
        return np.nan, np.nan, np.nan
    total = float(values.sum())
    if len(values) > 20_000:
        half = normal_quantile() * float(np.sqrt(len(values)) * values.std(ddof=1))
        return total, max(total - half, 0.0), total + half
    rng = np.random.default_rng(seed)
    draws = np.array(
        [values[rng.integers(0, len(values), len(values))].sum() for _draw in range(_DRAWS)]
    )
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return total, float(low), float(high)


def _spending_trend(records: Records) -> pd.Series:
    """Yuan a month by which each group's bills rise, least squares over 6 months."""
    view: View = records.view
    members = asof.eligible(view.customers).filter(_.group_id.notnull())
    bills = view.last_months("bills", 6)
    rows = members.select(*KEYS, "group_id").join(bills, list(KEYS))
    sums = read(rows.group_by("group_id", "ago").agg(spent=monthly.whole(rows.amount).sum()))
    if sums.empty:
        return pd.Series(dtype=float)
    wide = sums.pivot(index="group_id", columns="ago", values="spent").astype(float) / monthly.UNIT
    place = -wide.columns.to_numpy(float)
    found = {}
    for group, row in wide.iterrows():
        there = row.notna().to_numpy()
        if there.sum() >= 2:
            found[group] = float(np.polyfit(place[there], row.to_numpy(float)[there], 1)[0])
    return pd.Series(found, dtype=float)


def _satisfaction(records: Records) -> pd.DataFrame:
    """Mean score of each group's answers of the months that make profiles."""
    columns = ["group_id", "satisfaction", "satisfaction_low", "satisfaction_high", "answers"]
    if not records.has("surveys.score"):
        return pd.DataFrame({name: [] for name in columns}).astype({"group_id": "object"})
    rows = answers(records).filter(_.group_id.notnull())
    points = (rows.points * UNIT).round().cast("int64")
    sums = read(
        rows.group_by("group_id").agg(
            answers=_.count(),
            sum=points.sum().cast("float64"),
            square=(points * points).sum().cast("float64"),
        )
    )
    n = sums["answers"].to_numpy(float)
    mean = sums["sum"].to_numpy(float) / n / UNIT
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(sums["square"].to_numpy(float) / n / UNIT**2 - mean**2, 0) / (n - 1)
        half = np.where(
            n > 1, stdtrit(np.maximum(n - 1, 1), (1 + LEVEL) / 2) * np.sqrt(variance), np.nan
        )
    sums["satisfaction"] = mean
    sums["satisfaction_low"], sums["satisfaction_high"] = (
        np.clip(mean - half, 0, 100),
        np.clip(mean + half, 0, 100),
    )
    return sums[columns]


def _open_complaints(records: Records) -> pd.Series | None:
    """Complaints still open, by group."""
    if "complaints" not in records.tables:
        return None
    rows = records.tables["complaints"].filter(_.closed_at.isnull())
    rows = rows.select("customer_id").join(
        records.customers.select("customer_id", "group_id"), "customer_id"
    )
    counts = read(rows.filter(_.group_id.notnull()).group_by("group_id").agg(n=_.count()))
    return pd.Series(counts["n"].to_numpy(), index=counts["group_id"], dtype="int64")


def value_at_risk(records: Records, scores: ir.Table | None, fewest: int) -> pd.DataFrame:
    """Value at risk by individual tier and brand."""
    names = ["individual_tier", "brand", "customers", "value_at_risk", "low", "high"]
    if scores is None:
        return pd.DataFrame({name: [] for name in names})
    joined = records.customers.inner_join(scores, "customer_id", rname="_{name}")
    brand = joined.brand if "brand" in joined.columns else ibis.literal("")
    risk = joined.churn_probability * joined.arpu.fill_null(0.0) * _horizon(records)
    whole = (risk * 100).round().cast("int64")
    joined = joined.mutate(tier=joined.individual_tier.fill_null(""), kind=brand.fill_null(""))
    sums = read(
        joined.group_by("tier", "kind").agg(
            customers=_.count(),
            sum=whole.sum().cast("float64"),
            square=(whole * whole).sum().cast("float64"),
        )
    )
    n = sums["customers"].to_numpy(float)
    total = sums["sum"].to_numpy(float) / 100
    # What the bootstrap over so many customers comes to.
    spread = np.sqrt(np.maximum(sums["square"].to_numpy(float) / 1e4 - total**2 / n, 0))
    frame = pd.DataFrame(
        {
            "individual_tier": sums["tier"],
            "brand": sums["kind"],
            "customers": sums["customers"],
            "value_at_risk": total,
            "low": np.maximum(total - normal_quantile() * spread, 0),
            "high": total + normal_quantile() * spread,
        }
    ).sort_values(["individual_tier", "brand"], ignore_index=True)
    few = hidden(frame["customers"], fewest=fewest)
    return blank(frame, few, columns=names[2:])
