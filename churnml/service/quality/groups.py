"""Corporate groups (集团客户): how many are A, B and C and why, who moved, what is at risk.

A group's tier is the first rule that fits (section ``tiers`` of the settings), and each row tells
one tier by one rule, so that rows add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import add_months
from churnml.config.settings import Tiers
from churnml.features import monthly
from churnml.features.view import KEYS, look
from churnml.service.quality.accounts import (
    ACCOUNTS,
    account_lines,
    sum_with_interval,
    value_at_risk,
)
from churnml.service.quality.records import Records, read
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
_LEVEL = {"A": 3, "B": 2, "C": 1}
_FEWEST_GROUPS = 20
_STAYED_MONTHS = 3


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
    at_risk = value_at_risk(records, scores, fewest)
    if not records.has("groups.handsets", "customers.group_id"):
        missing = "customers.group_id" if "groups" in records.tables else "groups"
        records.notes.append(f"{missing} is absent, and so are the corporate accounts.")
        nothing = [pd.DataFrame({n: [] for n in names}) for names in (COLUMNS, ACCOUNTS)]
        return GroupReport(
            groups=nothing[0], accounts=nothing[1], moves=_no_moves(), value_at_risk=at_risk
        )
    versions = records.has("groups.valid_from")
    past = [add_months(records.day, -ago) for ago in (1, _STAYED_MONTHS) if versions]
    states = _states(records, [records.day, *past])
    now = states[records.day]
    if not versions:
        records.notes.append("groups.valid_from is absent, and so is who moved between tiers.")
    before, long_before = (states[day] for day in past) if past else (None, None)
    tables = _Tables(now=now, before=before, long_before=long_before)
    accounts, values = account_lines(records, now, scores, fewest)
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


def _states(records: Records, days: list[date]) -> dict[date, pd.DataFrame]:
    """The groups in force at each date with their spending of 12 months, tiers and rules."""
    view = records.view if days == [records.day] else look(records.tables, days, records.config)
    keys = ["group_id", "as_of"]
    states = asof.in_force(records.tables["groups"], TABLES["groups"], asof.moments(days))
    there = [name for name in ("handsets", "sector", "top_taxpayer") if name in states.columns]
    members = asof.eligible(view.customers).filter(_.group_id.notnull())
    bills = view.last_months("bills", 12)
    rows = members.select(*KEYS, "group_id").join(bills, list(KEYS))
    spent = rows.group_by(*keys).agg(spent=monthly.whole(rows.amount).sum())
    joined = states.select(*keys, *there).left_join(spent, keys, rname="_{name}")
    frame = read(joined.select(*keys, *there, spent=joined.spent.fill_null(0)))
    frame["spent"] = frame["spent"].astype(float) / monthly.UNIT
    tiers = records.config.tiers
    return {
        day: tier_rules(frame[frame["as_of"] == day].drop(columns="as_of"), tiers) for day in days
    }


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
        risk, low, high = sum_with_interval(members["risk"].to_numpy(float))
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
