"""The parts of the page about customers: who may leave, accounts, tiers, offers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from churnml.base.page import svg
from churnml.base.page.render import PageSection, PageTable
from churnml.reports.manager.at_risk import AtRisk, CustomersAtRisk
from churnml.reports.manager.findings import Findings
from churnml.reports.manager.frames import number_of, rows_of
from churnml.reports.manager.phrases import Phrases
from churnml.reports.manager.tier_flows import ORDER, OUTSIDE
from churnml.service.small_cells import FEWEST, hidden

_UP = [(past, now) for at, past in enumerate(ORDER[:4]) for now in ORDER[:at]]
_GROUP_TIERS = ("A", "B", "C")


def nothing(p: Phrases, topic: str, why: str = "") -> PageSection:
    """A part of which there is nothing to tell, which says so in a line."""
    lines = [p.say("absent", why=why)] if why else []
    return PageSection(
        id=topic, topic=p.say(f"{topic}_topic"), heading=p.say(f"{topic}_none"), lead=lines
    )


def span_of(p: Phrases, months: float) -> str:
    """The time over which probabilities hold."""
    if months == int(months):
        return p.say("span_months", months=int(months))
    return p.say("span_days", days=round(months * 365.25 / 12))


def risk(found: Findings, p: Phrases) -> PageSection:
    """Who may leave and why, and what is at risk."""
    told = found.risk
    if told is None or told.whole.customers is None:
        return nothing(p, "risk")
    span = span_of(p, told.months)
    whole = told.whole
    drivers = [one for one in told.drivers if one.customers is not None]
    if whole.at_risk is not None and drivers:
        driver = p.name("drivers", drivers[0].name)
        heading = p.say("risk_heading", count=p.people(whole.at_risk), driver=driver)
    else:
        heading = p.say("risk_heading_plain", count=p.number(whole.leavers), span=span)
    value = p.money(whole.value, whole.value_low, whole.value_high)
    return PageSection(
        id="risk",
        topic=p.say("risk_topic"),
        heading=heading,
        lead=[p.say("risk_lead", span=span, value=value)],
        parts=[_bands(told, p), _drivers(told, p), _tiers(told, p)],
        notes=[*_hidden(told, p), p.say("risk_drivers_note"), p.say("risk_names")],
    )


def _hidden(told: AtRisk, p: Phrases) -> list[str]:
    groups = [*told.bands, *told.drivers, *told.tiers]
    few = any(one.customers is None or one.at_risk is None for one in groups)
    return [p.say("hidden_rows")] if few else []


def _bands(told: AtRisk, p: Phrases) -> PageTable:
    scale = svg.scale_of([_chance(one) for one in told.bands], zero=True)
    return PageTable(
        caption=p.say("risk_bands"),
        head=[
            p.say("band"),
            svg.axis(scale, lambda value: p.share(value, 0)),
            p.say("chance"),
            p.say("customers"),
            p.say("satisfied"),
            p.say("usual_driver"),
        ],
        rows=[
            (
                p.name("bands", one.name),
                svg.bar(_chance(one), scale=scale),
                p.share(_chance(one)),
                p.people(one.customers),
                p.points(one.satisfaction),
                p.name("drivers", one.driver) if one.driver else "–",
            )
            for one in told.bands
        ],
        numbers=(2, 3, 4),
        wide=(1,),
    )


def _chance(one: CustomersAtRisk) -> float:
    return one.leavers / one.customers if one.customers else math.nan


def _drivers(told: AtRisk, p: Phrases) -> PageTable:
    scale = svg.scale_of([one.customers or 0.0 for one in told.drivers], zero=True)
    return PageTable(
        caption=p.say("risk_drivers"),
        head=[p.say("driver"), "", p.say("customers")],
        rows=[
            (
                p.name("drivers", one.name),
                svg.bar(math.nan if one.customers is None else one.customers, scale=scale),
                p.people(one.customers),
            )
            for one in told.drivers
        ],
        numbers=(2,),
        wide=(1,),
    )


def _tiers(told: AtRisk, p: Phrases) -> PageTable:
    return _valued(told.tiers, p, caption="risk_tiers", section="tiers", count="customers")


def _valued(
    groups: list[CustomersAtRisk], p: Phrases, *, caption: str, section: str, count: str
) -> PageTable:
    scale = svg.scale_of([one.value_high for one in groups], zero=True)
    return PageTable(
        caption=p.say(caption),
        head=[
            p.say("tier"),
            svg.axis(scale, p.number),
            p.say("value_yuan"),
            p.say(count),
            p.say("at_risk"),
        ],
        rows=[
            (
                p.name(section, one.name),
                svg.bar(one.value, low=one.value_low, high=one.value_high, scale=scale),
                _plain_money(one, p),
                p.people(one.customers),
                p.people(one.at_risk),
            )
            for one in groups
        ],
        numbers=(2, 3, 4),
        wide=(1,),
    )


def _plain_money(one: CustomersAtRisk, p: Phrases) -> str:
    if one.customers is None:
        return f"<{FEWEST}"
    ends = (p.number(round(end, -1)) for end in (one.value, one.value_low, one.value_high))
    return p.around(*ends)


def accounts(found: Findings, p: Phrases) -> PageSection:
    """Corporate accounts by tier, of whom none is named."""
    told = found.risk.accounts if found.risk else []
    rules = found.quality.groups
    if not told and rules.empty:
        return nothing(p, "accounts")
    parts = []
    heading = p.say("accounts_heading_plain")
    if told:
        parts.append(_valued(told, p, caption="accounts_caption", section="tiers", count="members"))
        known = [one for one in told if one.at_risk is not None and one.value == one.value]
        if len(known) == len(told):
            most = max(known, key=lambda one: (one.value, one.name))
            count = p.people(sum(one.at_risk or 0 for one in known))
            heading = p.say("accounts_heading", count=count, tier=p.name("tiers", most.name))
    if not rules.empty:
        parts.append(_quota(rules, p))
    return PageSection(
        id="accounts",
        topic=p.say("accounts_topic"),
        heading=heading,
        parts=parts,
        notes=[p.say("accounts_names")],
    )


def _quota(rules: Any, p: Phrases) -> PageTable:
    every = int(rules["groups"].sum())
    rows = []
    for tier, own in rules.groupby("tier", sort=True):
        count, quota = int(own["groups"].sum()), float(own["quota"].iloc[0])
        share = count / every if own["share"].notna().all() and every else math.nan
        by = own.sort_values(["groups", "rule"], ascending=[False, True])
        rows.append(
            (
                p.name("tiers", tier),
                p.number(count),
                p.share(share, 0),
                p.share(quota, 0),
                f"{count - math.floor(quota * every + 0.5):+d}" if share == share else "–",
                p.listed(
                    [
                        f"{p.name('rules', one['rule'])} {p.number(one['groups'])}"
                        for one in rows_of(by)
                        if one["groups"]
                    ]
                ),
            )
        )
    return PageTable(
        caption=p.say("accounts_quota"),
        head=[p.say(key) for key in ("tier", "accounts", "share", "quota", "surplus", "by_rule")],
        rows=rows,
        numbers=(1, 2, 3, 4),
    )


def flows(found: Findings, p: Phrases) -> PageSection:
    """Moves between tiers since the month before."""
    told, parts, notes = found.flows, [], []
    heading = p.say("flows_heading_hidden")
    if told is not None:
        heading = _moved(found, p)
        parts.append(_matrix(found, p))
        if told.table.isna().any(axis=None):
            notes.append(p.say("hidden_rows"))
        if told.moved is not None:
            moved, stayed = p.people(told.moved), p.people(told.stayed)
            notes.append(p.say("flows_held", moved=moved, stayed=stayed))
    moves = found.quality.moves
    if len(moves):
        parts.append(_group_moves(moves, p))
    if not parts:
        return nothing(p, "flows")
    return PageSection(
        id="flows", topic=p.say("flows_topic"), heading=heading, parts=parts, notes=notes
    )


def _moved(found: Findings, p: Phrases) -> str:
    assert found.flows is not None
    table = found.flows.table
    sides = [
        [number_of(table.at[past, now]) for past, now in pairs]
        for pairs in (_UP, [(now, past) for past, now in _UP])
    ]
    if any(one != one for side in sides for one in side):
        return p.say("flows_heading_hidden")
    up, down = (p.people(sum(side)) for side in sides)
    return p.say("flows_heading", up=up, down=down, day=p.day(found.flows.since))


def _matrix(found: Findings, p: Phrases) -> PageTable:
    assert found.flows is not None
    table = found.flows.table
    row_names = {OUTSIDE: p.say("flows_entered"), "all": p.say("flows_all")}
    column_names = {OUTSIDE: p.say("flows_left"), "all": p.say("flows_all")}

    def cell(past: str, now: str) -> str:
        # Nobody is outside at both dates, and outside has no total of its own.
        blank = (past, now) in ((OUTSIDE, OUTSIDE), ("all", "all"))
        return "" if blank else p.people(number_of(table.at[past, now]))

    return PageTable(
        caption=p.say("flows_caption", before=p.day(found.flows.since), now=p.day(found.day)),
        head=[
            p.say("flows_from"),
            *(column_names.get(name) or p.name("tiers", name) for name in table.columns),
        ],
        rows=[
            (
                row_names.get(past) or p.name("tiers", past),
                *(cell(past, now) for now in table.columns),
            )
            for past in table.index
        ],
        numbers=range(1, len(table.columns) + 1),
    )


def _group_moves(moves: Any, p: Phrases) -> PageTable:
    counts = {(one["from"], one["to"]): one["groups"] for one in rows_of(moves)}
    rows, columns = (
        sorted({key[side] for key in counts}, key=lambda name: (name not in _GROUP_TIERS, name))
        for side in (0, 1)
    )
    named = {"entered": p.say("flows_entered"), "left": p.say("flows_left")}
    return PageTable(
        caption=p.say("flows_groups"),
        head=[p.say("flows_from"), *(named.get(one) or p.name("tiers", one) for one in columns)],
        rows=[
            (
                named.get(past) or p.name("tiers", past),
                *(p.number(counts.get((past, now), 0)) for now in columns),
            )
            for past in rows
        ],
        numbers=range(1, len(columns) + 1),
    )


def retention(found: Findings, p: Phrases) -> PageSection:
    """What is planned to keep customers, and what the last campaign did."""
    parts: list[PageTable] = []
    lead: list[str] = []
    heading = p.say("plan_none")
    if found.plan is None:
        lead.append(p.say("plan_none_line"))
    else:
        heading = _planned(found.plan, p)
        parts += [_plan(found.plan, p), _left_out(found.plan, p)]
    if found.campaign is None:
        lead.append(p.say("campaign_none"))
    else:
        said = p.say(f"campaign_heading_{_worked(found.campaign)}")
        heading = said if found.plan is None else heading
        lead.append(f"{said}{'。' if p.lang == 'zh' else '.'}")
        parts.append(_campaign(found.campaign, p))
    return PageSection(
        id="plan", topic=p.say("plan_topic"), heading=heading, lead=lead, parts=parts
    )


def _planned(plan: Mapping[str, Any], p: Phrases) -> str:
    rows = plan["rows"]
    if not rows["treat"]:
        return p.say("plan_heading_nobody", says=str(plan["says"][p.lang]).rstrip("。."))
    return p.say(
        "plan_heading",
        treat=_few(rows["treat"], p),
        spent=p.yuan(plan["spent"]),
        hold_out=_few(rows["hold_out"], p),
    )


def _few(count: int, p: Phrases) -> str:
    return p.many(None if 0 < count < FEWEST else count)


def _plan(plan: Mapping[str, Any], p: Phrases) -> PageTable:
    gain = plan["expected_gain"]
    honest = gain["honest"]
    told = (
        p.say("plan_unknown")
        if honest is None
        else p.money(honest, gain["honest_low"], gain["honest_high"])
    )
    spent = p.say("of_budget", spent=p.yuan(plan["spent"]), budget=p.yuan(plan["budget"]))
    return PageTable(
        caption=p.say("plan_caption"),
        head=[p.say("measure"), p.say("measured")],
        rows=[
            (p.say("plan_of"), p.day(date.fromisoformat(plan["as_of"]))),
            (p.say("plan_verdict"), str(plan["says"][p.lang])),
            (p.say("plan_budget"), spent),
            (p.say("plan_gain"), told),
            (p.say("plan_price"), p.say("yuan", value=f"{plan['price_of_a_yuan']:.2f}")),
        ],
    )


def _left_out(plan: Mapping[str, Any], p: Phrases) -> PageTable:
    counts = {name: count for name, count in plan["left_out"].items() if count}
    names = list(counts)
    # With those listed they add up to everybody.
    mask = hidden([*counts.values(), plan["rows"]["treat"] + plan["rows"]["hold_out"]])
    return PageTable(
        caption=p.say("plan_left_out"),
        head=[p.say("reason"), p.say("left_out_count")],
        rows=[
            (p.name("left_out", name), p.people(None if mask[at] else counts[name]))
            for at, name in enumerate(names)
        ],
        numbers=(1,),
    )


def _worked(facts: Mapping[str, Any]) -> str:
    low, high = facts["itt_low"], facts["itt_high"]
    if low is None or high is None:
        return "unclear"
    return "works" if high < 0 else "harms" if low > 0 else "unclear"


def _campaign(facts: Mapping[str, Any], p: Phrases) -> PageTable:
    def points(name: str) -> str:
        if facts.get(name) is None:
            return p.say("plan_unknown")
        ends = (100 * facts[f"{name}{end}"] for end in ("", "_low", "_high"))
        return p.around(*(f"{one:+.2f}" for one in ends))

    early = "" if facts.get("matured") else p.say("campaign_early")
    start, end = (p.day(date.fromisoformat(facts[key])) for key in ("as_of", "until"))
    ends = (facts[f"gain_{end}"] for end in ("yuan", "low", "high"))
    promised = facts["promised"].get("gain_honest")
    rows = facts["rows"]
    return PageTable(
        caption=p.say("campaign_caption", name=facts["campaign"]),
        head=[p.say("measure"), p.say("measured")],
        rows=[
            (
                p.say("campaign_span"),
                p.say("campaign_span_value", start=start, end=end, early=early),
            ),
            (
                p.say("campaign_rows"),
                p.listed([_few(rows[one], p) for one in ("treat", "hold_out")]),
            ),
            (p.say("campaign_itt"), points("itt")),
            (p.say("campaign_cace"), points("cace")),
            (p.say("campaign_gain"), p.around(*(p.number(round(one, -1)) for one in ends))),
            (
                p.say("campaign_promised"),
                p.say("plan_unknown") if promised is None else p.number(round(promised, -1)),
            ),
        ],
    )
