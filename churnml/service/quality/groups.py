"""Corporate groups (集团客户): how many are A, B and C and why, who moved, what is at risk.

A group's tier is the first rule that fits (section ``tiers`` of the settings), and each row tells
one tier by one rule, so that rows add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import add_months
from churnml.config.settings import Tiers
from churnml.features import monthly
from churnml.features.view import KEYS, View, look
from churnml.metrics.intervals import LEVEL, normal_quantile
from churnml.service.quality.measures import answers
from churnml.service.quality.records import UNIT, Records, read
from churnml.service.small_cells import blank, hidden
from churnml.tables import asof
from churnml.tables.contract import TABLES

COLUMNS = (
    "tier",
    "groups",
    "share",
    "quota",
    "rule",
    "moved_up",
    "moved_down",
    "entered",
    "left",
    "value_at_risk",
    "low",
    "high",
)
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

_LEVEL = {"A": 3, "B": 2, "C": 1}
_FEWEST_GROUPS = 20
_STAYED_MONTHS = 3
_AT_RISK = ("high", "critical")
_DRAWS = 500


def tier_rules(groups: pd.DataFrame, tiers: Tiers) -> pd.DataFrame:
    """The tier of every group, and the rule that gave it.

    Parameters
    ----------
    groups : DataFrame
        ``group_id``, ``handsets``, ``sector``, ``spent`` (yuan in 12 months), and
        ``top_taxpayer`` where it is known.
    tiers : Tiers

    Returns
    -------
    DataFrame
        The same with ``tier`` (A, B, C) and ``rule``: ``handsets``, ``top_taxpayer``,
        ``sector``, ``spending``, or ``rest``.

    Examples
    --------
    >>> groups = pd.DataFrame({"group_id": ["G1", "G2", "G3"], "handsets": [600, 120, 20],
    ...                        "sector": ["retail", "retail", "bank"], "spent": [0.0, 0.0, 0.0]})
    >>> tier_rules(groups, Tiers())[["tier", "rule"]].values.tolist()
    [['A', 'handsets'], ['B', 'handsets'], ['A', 'sector']]
    """
    found = groups.sort_values(["spent", "group_id"], ascending=[False, True], ignore_index=True)
    place = np.arange(1, len(found) + 1)
    spends = found["spent"].to_numpy(float) > 0

    def among(share: float) -> Any:
        return spends & (place <= np.floor(len(found) * share + 1e-9))

    size, sector = found["handsets"].to_numpy(float), found["sector"]
    taxed = (
        found["top_taxpayer"].fillna(False).to_numpy(bool)
        if "top_taxpayer" in found
        else np.zeros(len(found), bool)
    )
    rules = [
        ("A", "spending", among(tiers.a_share)),
        ("B", "spending", among(tiers.a_share + tiers.b_share)),
    ]
    if not tiers.fill_quotas:
        rules = [
            ("A", "handsets", size >= tiers.a_handsets),
            ("A", "top_taxpayer", taxed),
            ("A", "sector", sector.isin(tiers.a_sectors).to_numpy()),
            rules[0],
            ("B", "handsets", size >= tiers.b_handsets),
            ("B", "sector", sector.isin(tiers.b_sectors).to_numpy()),
            rules[1],
        ]
    conditions = [condition for _tier, _rule, condition in rules]
    found["tier"] = np.select(conditions, [tier for tier, _rule, _c in rules], "C")
    found["rule"] = np.select(conditions, [rule for _tier, rule, _c in rules], "rest")
    return found.sort_values("group_id", ignore_index=True)


@dataclass(frozen=True, kw_only=True)
class GroupReport:
    """Groups by tier and rule, their moves, and the accounts.

    Attributes
    ----------
    groups : DataFrame
        `COLUMNS`.
    accounts : DataFrame
        `ACCOUNTS`, one row a corporate account.
    moves : DataFrame
        From tier to tier since the month before, ``entered`` and ``left`` beside them: ``from``,
        ``to``, ``groups``, ``stayed`` (of those of 3 months ago, still there now); empty without
        ``groups.valid_from``.
    value_at_risk : DataFrame
        By individual tier and brand: ``individual_tier``, ``brand``, ``customers``,
        ``value_at_risk``, ``low``, ``high``.
    """

    groups: pd.DataFrame
    accounts: pd.DataFrame
    moves: pd.DataFrame
    value_at_risk: pd.DataFrame


def group_report(records: Records, scores: ir.Table | None, *, fewest: int = 10) -> GroupReport:
    """Report the corporate groups as they stand at ``as_of``.

    Parameters
    ----------
    records : Records
    scores : Table or None
        ``customer_id``, ``churn_probability``, ``risk_band``.
    """
    at_risk = _value_at_risk(records, scores, fewest)
    if not records.has("groups.handsets", "customers.group_id"):
        missing = "customers.group_id" if "groups" in records.tables else "groups"
        records.notes.append(f"{missing} is absent, and so are the corporate accounts.")
        nothing = [pd.DataFrame({n: [] for n in names}) for names in (COLUMNS, ACCOUNTS)]
        return GroupReport(
            groups=nothing[0], accounts=nothing[1], moves=_no_moves(), value_at_risk=at_risk
        )
    now = _states(records, records.day)
    versions = records.has("groups.valid_from")
    before = {
        ago: _states(records, add_months(records.day, -ago)) if versions else None
        for ago in (1, _STAYED_MONTHS)
    }
    if not versions:
        records.notes.append("groups.valid_from is absent, and so is who moved between tiers.")
    tables = _Tables(now=now, before=before[1], long_before=before[_STAYED_MONTHS])
    accounts, values = _accounts(records, now, scores, fewest)
    return GroupReport(
        groups=_by_rule(records, tables, values, fewest),
        accounts=accounts,
        moves=_moves(tables) if versions else _no_moves(),
        value_at_risk=at_risk,
    )


@dataclass(frozen=True, kw_only=True)
class _Tables:
    now: pd.DataFrame
    before: pd.DataFrame | None
    long_before: pd.DataFrame | None


def _no_moves() -> pd.DataFrame:
    return pd.DataFrame({"from": [], "to": [], "groups": [], "stayed": []})


def _states(records: Records, day: date) -> pd.DataFrame:
    """The groups in force at a date with their spending of 12 months, tiers and rules."""
    view = records.view if day == records.day else look(records.tables, day, records.config)
    states = asof.in_force(records.tables["groups"], TABLES["groups"], asof.moments(day))
    there = [name for name in ("handsets", "sector", "top_taxpayer") if name in states.columns]
    members = asof.eligible(view.customers).filter(_.group_id.notnull())
    bills = view.last_months("bills", 12)
    rows = members.select(*KEYS, "group_id").join(bills, list(KEYS))
    spent = rows.group_by("group_id").agg(spent=monthly.whole(rows.amount).sum())
    joined = states.select("group_id", *there).left_join(spent, "group_id", rname="_{name}")
    frame = read(joined.select("group_id", *there, spent=joined.spent.fill_null(0)))
    frame["spent"] = frame["spent"].astype(float) / monthly.UNIT
    return tier_rules(frame, records.config.tiers)


def _by_rule(records: Records, tables: _Tables, values: pd.DataFrame, fewest: int) -> pd.DataFrame:
    tiers = records.config.tiers
    quota = {"A": tiers.a_share, "B": tiers.b_share, "C": 1 - tiers.a_share - tiers.b_share}
    now = tables.now
    enough = len(now) >= _FEWEST_GROUPS
    if not enough:
        records.notes.append(f"groups: {len(now)} groups are too few for shares.")
    moved = _movement(tables)
    rows = []
    kinds = pd.concat([now, moved["gone"]])[["tier", "rule"]].drop_duplicates()
    for tier, rule in sorted(kinds.itertuples(index=False, name=None)):
        own = now[(now["tier"] == tier) & (now["rule"] == rule)]["group_id"]
        gone = moved["gone"]
        left = gone[(gone["tier"] == tier) & (gone["rule"] == rule)]
        members = values[values["group_id"].isin(own)]
        risk, low, high = _sum_with_interval(members["risk"].to_numpy(float))
        known = tables.before is not None
        rows.append(
            {
                "tier": tier,
                "groups": len(own),
                "share": len(own) / len(now) if enough else np.nan,
                "quota": quota[tier],
                "rule": rule,
                "moved_up": int(own.isin(moved["up"]).sum()) if known else pd.NA,
                "moved_down": int(own.isin(moved["down"]).sum()) if known else pd.NA,
                "entered": int(own.isin(moved["entered"]).sum()) if known else pd.NA,
                "left": len(left) if known else pd.NA,
                "value_at_risk": risk,
                "low": low,
                "high": high,
                "members": len(members),
            }
        )
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "members"])
    counts = ["moved_up", "moved_down", "entered", "left"]
    frame[counts] = frame[counts].astype("Int64")
    mask = hidden(frame["members"].to_numpy(float), fewest=fewest)
    return blank(frame, mask, columns=["value_at_risk", "low", "high"])[list(COLUMNS)]


def _movement(tables: _Tables) -> dict[str, Any]:
    """Ids that moved up, moved down or entered since the month before, and rows that left."""
    if tables.before is None:
        nobody = tables.now.iloc[:0]
        return {"up": [], "down": [], "entered": [], "gone": nobody}
    both = tables.now.merge(tables.before, on="group_id", suffixes=("", "_before"))
    step = both["tier"].map(_LEVEL) - both["tier_before"].map(_LEVEL)
    old, new = set(tables.before["group_id"]), set(tables.now["group_id"])
    return {
        "up": both.loc[step > 0, "group_id"],
        "down": both.loc[step < 0, "group_id"],
        "entered": sorted(new - old),
        "gone": tables.before[tables.before["group_id"].isin(old - new)],
    }


def _moves(tables: _Tables) -> pd.DataFrame:
    """The migration matrix since the month before, and how many of 3 months ago stayed."""

    def pairs(then: pd.DataFrame) -> pd.Series:
        both = then[["group_id", "tier"]].merge(
            tables.now[["group_id", "tier"]], on="group_id", how="outer", suffixes=("_from", "_to")
        )
        both = both.fillna({"tier_from": "entered", "tier_to": "left"})
        return both.groupby(["tier_from", "tier_to"]).size()

    assert tables.before is not None
    assert tables.long_before is not None
    both = pd.DataFrame({"groups": pairs(tables.before), "stayed": pairs(tables.long_before)})
    frame = both.fillna(0).astype("int64").reset_index()
    return frame.rename(columns={"tier_from": "from", "tier_to": "to"})


def _accounts(
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


def _sum_with_interval(
    values: np.ndarray[Any, Any], *, seed: int = 0
) -> tuple[float, float, float]:
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
        from scipy.stats import t

        half = np.where(
            n > 1, t.ppf((1 + LEVEL) / 2, np.maximum(n - 1, 1)) * np.sqrt(variance), np.nan
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


def _value_at_risk(records: Records, scores: ir.Table | None, fewest: int) -> pd.DataFrame:
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
