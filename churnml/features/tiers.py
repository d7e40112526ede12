"""Tier features: individual card and corporate group."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import reduce
from operator import add

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import add_months
from churnml.config.settings import Tiers
from churnml.features import monthly
from churnml.features.declaration import Direction, Feature
from churnml.features.monthly import TIER_MONTHS
from churnml.features.view import KEYS, JoinedTable, View
from churnml.tables import asof
from churnml.tables.contract import TABLES

INDIVIDUAL = ("standard", "silver", "gold", "diamond")
"""Individual tiers; their places are the levels 0 to 3."""

GROUP = ("C", "B", "A")
"""Tiers of corporate groups; their places, from 1, are the levels 1 to 3."""

_LEVELS = {0: "tier_group_now_level", 3: "tier_group_3m_level", 6: "tier_group_6m_level"}
_STARTS = ("silver_begins", "gold_begins", "diamond_begins")
_STATE = {"handsets", "sector", "top_taxpayer"}
_AMOUNT = ("bills.amount",)
_MEMBER = (*_AMOUNT, "customers.group_id", "groups.handsets", "groups.sector")
_SIZED = ("customers.group_id", "groups.handsets", "groups.sector")
_PAST = (*_MEMBER, "groups.valid_from")
_NO_GROUP = "not a member of a group"


def _moved(way: str, direction: Direction, en: str, zh: str) -> Feature:
    return Feature(
        name=f"tier_individual_{way}_6m_count",
        unit="moves",
        driver="tier",
        direction=direction,
        en=f"Months of the last 6 in which the individual tier went {en}",
        zh=f"近6个月个人等级{zh}次数",
        needs=_AMOUNT,
        empty=0,
        zero="no such move known",
    )


def _past(kind: str, ago: int) -> Feature:
    individual = kind == "individual"
    return Feature(
        name=f"tier_{kind}_{ago}m_level",
        unit="level",
        driver="tier",
        en=f"{kind.capitalize()} tier {ago} months ago, "
        + ("0 (standard) to 3 (diamond)" if individual else "1 (C) to 3 (A)"),
        zh=f"{ago}个月前{'个人客户' if individual else '集团'}等级",
        needs=_AMOUNT if individual else _PAST,
        relative=not individual,
        zero="standard" if individual else "",
        null="no bill to tell it by" if individual else f"{_NO_GROUP}, or none yet by then",
    )


FEATURES = (
    Feature(
        name="tier_individual_now",
        unit="",
        driver="tier",
        kind="category",
        en="Individual tier by ARPU: diamond, gold, silver, standard",
        zh="个人客户等级（钻石卡、金卡、银卡、普通）",
        needs=_AMOUNT,
        null="no version of the customer was in force",
    ),
    Feature(
        name="tier_individual_now_level",
        unit="level",
        driver="tier",
        en="Individual tier, 0 (standard) to 3 (diamond)",
        zh="个人客户等级（0普通至3钻石卡）",
        needs=_AMOUNT,
        zero="standard, also without a bill",
        null="no version of the customer was in force",
    ),
    _past("individual", 3),
    _past("individual", 6),
    _moved("up", -1, "up", "上升"),
    _moved("down", 1, "down", "下降"),
    Feature(
        name="tier_individual_held_10m_months",
        unit="months",
        driver="tier",
        en="Months in a row in the individual tier of now; 10 if no other is on record since",
        zh="当前个人等级已持续月数（至多10个月）",
        needs=_AMOUNT,
        null="no bill to tell the tier by",
    ),
    Feature(
        name="tier_individual_next_yuan",
        unit="yuan",
        driver="tier",
        en="ARPU missing to the next higher individual tier",
        zh="距上一等级所差ARPU（元）",
        needs=_AMOUNT,
        null="diamond already, or no bill",
    ),
    Feature(
        name="tier_individual_margin_yuan",
        unit="yuan",
        driver="tier",
        en="ARPU above the threshold of the individual tier of now",
        zh="高出当前等级门槛的ARPU（元）",
        needs=_AMOUNT,
        zero="at the threshold",
        null="no bill",
    ),
    Feature(
        name="tier_group_now",
        unit="",
        driver="tier",
        kind="category",
        en="Tier of the corporate group: A, B, C",
        zh="集团客户等级（A、B、C）",
        needs=_MEMBER,
        relative=True,
        null=_NO_GROUP,
    ),
    Feature(
        name="tier_group_now_level",
        unit="level",
        driver="tier",
        en="Tier of the corporate group, 1 (C) to 3 (A)",
        zh="集团客户等级（1为C至3为A）",
        needs=_MEMBER,
        relative=True,
        null=_NO_GROUP,
    ),
    _past("group", 3),
    _past("group", 6),
    Feature(
        name="tier_group_change_6m_levels",
        unit="levels",
        driver="tier",
        en="Levels that the group's tier has moved up in 6 months, negative for down",
        zh="近6个月集团等级变化",
        needs=_PAST,
        relative=True,
        direction=-1,
        zero="unmoved",
        null=f"{_NO_GROUP}, or none yet 6 months ago",
    ),
    Feature(
        name="tier_group_size_handsets",
        unit="handsets",
        driver="tier",
        en="Handsets of the corporate group",
        zh="集团规模（手机数）",
        needs=("customers.group_id", "groups.handsets"),
        zero="a group without handsets",
        null=_NO_GROUP,
    ),
    Feature(
        name="tier_group_sector",
        unit="",
        driver="tier",
        kind="category",
        en="Line of business of the corporate group",
        zh="集团所属行业",
        needs=("customers.group_id", "groups.sector"),
        null=f"{_NO_GROUP}, or of no recorded sector",
    ),
)


def parts(view: View) -> dict[str, JoinedTable]:
    """The tables joined to the customers: the tier of each month, and their group."""
    tiers = view.config.tiers
    by_table = {"bills": JoinedTable(view.bills, _monthly(view.bills, tiers))}
    if tiers.by == "quantile":
        cuts = _cuts(view)
        starts = {name: cuts[name] for name in _STARTS}
        by_table["tier_cuts"] = JoinedTable(cuts, starts, ("as_of",))
    if view.has(*_SIZED):
        groups = _groups(view)
        names = [name for name in groups.columns if name.startswith("tier_")]
        by_table["groups"] = JoinedTable(
            groups, {n: groups[n] for n in names}, ("group_id", "as_of")
        )
    return by_table


def _monthly(bills: ir.Table, tiers: Tiers) -> dict[str, ir.Value]:
    """Current ARPU, and the tier level of each of 10 months by its trailing mean.

    Where ranks decide, that mean itself: the level depends on all customers.
    """
    months = range(TIER_MONTHS - 1 + tiers.arpu_months)
    values = monthly.filled(bills, "amount", months)
    there = monthly.there(bills, "amount", months)
    columns: dict[str, ir.Value] = {}
    starts = [start * monthly.UNIT for start in tiers.thresholds]
    for ago in range(TIER_MONTHS):
        span = slice(ago, ago + tiers.arpu_months)
        # In millionths and by one division only, so that 3000 is not missed by rounding.
        arpu = monthly.ratio(monthly.total(values[span]), monthly.total(there[span]))
        if ago == 0:
            columns["arpu"] = arpu / monthly.UNIT
        if tiers.by == "quantile":
            columns[f"mean_{ago}"] = arpu
        else:
            columns[f"level_{ago}"] = _level(arpu, starts)
    return columns


def _level(arpu: ir.FloatingValue, starts: Iterable[float | ir.Value]) -> ir.IntegerValue:
    """The tier that an ARPU reaches, both counted in millionths; null without one."""
    places = [(0, 0), *((start, level) for level, start in enumerate(starts, 1))]
    return ibis.cases(*((arpu >= start, level) for start, level in reversed(places)), else_=None)


def _cuts(view: View) -> ir.Table:
    """At each ``as_of`` the ARPU from which on the tiers begin, by rank, in millionths."""
    tiers, bills = view.config.tiers, view.bills
    months = range(tiers.arpu_months)
    spent = monthly.total(monthly.filled(bills, "amount", months))
    mean = monthly.ratio(spent, monthly.total(monthly.there(bills, "amount", months)))
    means = bills.select(*KEYS, mean=mean).filter(_.mean.notnull())
    rows = asof.eligible(view.customers).select(*KEYS).join(means, list(KEYS))
    shares = zip(_STARTS, tiers.quantiles, strict=True)
    return rows.group_by("as_of").agg(
        **{name: rows["mean"].quantile(share) for name, share in shares}
    )


def vips(view: View) -> ir.Table:
    """``customer_id``, ``as_of`` of all whose individual tier is gold or diamond by ARPU."""
    config = view.config.tiers
    told = _monthly(view.bills, config)
    gold = INDIVIDUAL.index("gold")
    if config.by == "quantile":
        means = view.bills.select(*KEYS, mean=told["mean_0"]).join(_cuts(view), "as_of")
        levels = means.select(*KEYS, level=_level(means["mean"], [means[name] for name in _STARTS]))
    else:
        levels = view.bills.select(*KEYS, level=told["level_0"])
    return levels.filter(_.level >= gold).select(*KEYS)


def columns(row: ir.Table, view: View) -> dict[str, ir.Value]:
    """Tier features, by the thresholds, sectors and quotas of the configuration."""
    features = _individual(row, view.config.tiers)
    if view.has(*_SIZED):
        features["tier_group_now"] = _named(row.tier_group_now_level, GROUP, 1)
    if view.has(*_SIZED, "groups.valid_from"):
        change = row.tier_group_now_level - row.tier_group_6m_level
        features["tier_group_change_6m_levels"] = change
    return features


def _individual(row: ir.Table, tiers: Tiers) -> dict[str, ir.Value]:
    if tiers.by == "quantile":
        begins = [row[name] for name in _STARTS]
        level = [_level(row[f"mean_{ago}"], begins) for ago in range(TIER_MONTHS)]
        starts = (0, *(one / monthly.UNIT for one in begins))
    else:
        level = [row[f"level_{ago}"] for ago in range(TIER_MONTHS)]
        starts = (0, *tiers.thresholds)
    steps = list(itertools.pairwise(level[:7]))
    recorded = row.bills_ends - row.bills_starts
    # The first month on record, counted back, in which the tier was another or unknown.
    changed = (
        (~level[k].identical_to(level[0]) & (recorded >= k), k) for k in range(1, TIER_MONTHS)
    )
    now = row.activated_on.notnull().ifelse(level[0].fill_null(0), None)
    return {
        "tier_individual_now": _named(now, INDIVIDUAL, 0),
        "tier_individual_now_level": now,
        "tier_individual_3m_level": level[3],
        "tier_individual_6m_level": level[6],
        "tier_individual_up_6m_count": _number(later > earlier for later, earlier in steps),
        "tier_individual_down_6m_count": _number(later < earlier for later, earlier in steps),
        "tier_individual_held_10m_months": ibis.cases(
            (level[0].isnull(), ibis.null("int64")), *changed, else_=TIER_MONTHS
        ),
        "tier_individual_next_yuan": _placed(level[0], (to - row.arpu for to in starts[1:])),
        "tier_individual_margin_yuan": _placed(level[0], (row.arpu - start for start in starts)),
    }


def _number(flags: Iterable[ir.BooleanValue]) -> ir.IntegerValue:
    # Engines add small numbers to different types.
    return reduce(add, (flag.ifelse(1, 0) for flag in flags)).cast("int32")


def _placed(level: ir.IntegerValue, values: Iterable[ir.Value]) -> ir.Value:
    """Look up the value of a level; null without one."""
    return ibis.cases(*((level == place, value) for place, value in enumerate(values)), else_=None)


def _named(level: ir.IntegerValue, names: tuple[str, ...], first: int) -> ir.StringValue:
    return _placed(level - first, map(ibis.literal, names))


def _groups(view: View) -> ir.Table:
    """The groups at each ``as_of``: size, sector, level now and in the past."""
    agos = tuple(_LEVELS) if view.has("groups.valid_from") else (0,)
    states = _states(view, agos)
    spending = _spending(view, agos)
    states = states.left_join(spending, ["group_id", "now"], rname="_{name}")
    spent = ibis.cases(*((states.ago == ago, states[f"spent_{ago}"]) for ago in agos), else_=None)
    states = states.select(
        "group_id", "now", "ago", *sorted(_STATE & set(states.columns)), spent=spent.fill_null(0)
    )
    states = states.mutate(level=_group_level(states, view.config.tiers))
    return states.group_by("group_id", as_of=states.now).agg(
        **{_LEVELS[ago]: states.level.max(where=states.ago == ago) for ago in agos},
        tier_group_size_handsets=states.handsets.max(where=states.ago == 0),
        tier_group_sector=states.sector.max(where=states.ago == 0),
    )


def _states(view: View, agos: tuple[int, ...]) -> ir.Table:
    """Each group's state as known some months before ``now``."""
    rows = [(add_months(day, -ago), day, ago) for day in view.dates for ago in agos]
    then = asof.small_table(rows, as_of=pa.date32(), now=pa.date32(), ago=pa.int64())
    states = asof.in_force(view.tables["groups"], TABLES["groups"], then)
    return states.join(then, "as_of")


def _spending(view: View, agos: tuple[int, ...]) -> ir.Table:
    """Spending of each group's present members over 12 months, some months ago."""
    members = asof.eligible(view.customers).filter(_.group_id.notnull())
    bills = view.last_months("bills", 12 + max(agos))
    rows = members.select(*KEYS, "group_id").join(bills, list(KEYS))
    amount = monthly.whole(rows.amount)
    return rows.group_by("group_id", now=_.as_of).agg(
        **{f"spent_{ago}": amount.sum(where=rows.ago.between(ago, ago + 11)) for ago in agos}
    )


def _group_level(states: ir.Table, tiers: Tiers) -> ir.IntegerValue:
    peers = ibis.window(group_by=["now", "ago"])
    by_spending = ibis.window(
        group_by=["now", "ago"], order_by=[states.spent.desc(), states.group_id]
    )
    number = states.count().over(peers)
    place = ibis.row_number().over(by_spending) + 1

    def among(share: float) -> ir.BooleanValue:
        # 0.05 + 0.25 of 10 groups are 3 of them, whatever floating point makes of it.
        return (states.spent > 0) & (place <= (number * share + 1e-9).floor())

    a, b = among(tiers.a_share), among(tiers.a_share + tiers.b_share)
    if not tiers.fill_quotas:
        a |= (states.handsets >= tiers.a_handsets) | states.sector.isin(tiers.a_sectors)
        b |= (states.handsets >= tiers.b_handsets) | states.sector.isin(tiers.b_sectors)
        if "top_taxpayer" in states.columns:
            a |= states.top_taxpayer
    return ibis.cases((a, 3), (b, 2), else_=1)
