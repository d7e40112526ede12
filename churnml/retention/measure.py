"""Measure a campaign when its outcomes are known: what it changed, earned, and had promised."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _

from churnml.base.dates import add_span, parse_date
from churnml.base.files import output_errors
from churnml.base.placing import Product, ReadPlaces, require_apart
from churnml.config.settings import ConfigGiven, as_config
from churnml.errors import DataError, LabelWindowError
from churnml.labels.coverage import covered
from churnml.metrics.effects import Effect, effect_of
from churnml.metrics.power import confidence_sequence
from churnml.metrics.significance import holm
from churnml.retention.campaign import (
    Arms,
    adjusted,
    complier_effect,
    intention_to_treat,
    sample_ratio,
)
from churnml.retention.learning import LEAST_ROWS
from churnml.retention.result import HOLD_OUT, TREAT, RetentionPlan
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source

KIND = "campaign measurement"
LEAST_LEFT = 50
"""Who left, on each side, for an effect to be told of a part of the list."""


@dataclass(frozen=True)
class CampaignResult:
    """What a campaign did, as plain data.

    Attributes
    ----------
    facts : mapping
        ``rows`` by arm, ``itt``, ``adjusted``, ``cace`` and ``gain_yuan`` with their ends
        ``_low`` and ``_high``, ``promised``, ``sample_ratio_p``, ``contaminated``,
        ``missing`` by arm, ``matured``, ``by_offer``, ``by_segment``, ``notes``.
    """

    facts: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The facts, for ``--json``."""
        return dict(self.facts)

    def to_pandas(self) -> pd.DataFrame:
        """The effects by offer and by segment."""
        parts = [{"by": by, **row} for by in ("offer", "segment") for row in self.facts[f"by_{by}"]]
        return pd.DataFrame(parts)

    def lines(self) -> list[tuple[str, str]]:
        """What a person should read, each with its name."""
        facts = self.facts
        rows, left = facts["rows"], facts["left"]
        told = [
            ("campaign", f"{facts['campaign']}, {facts['as_of']} to {facts['until']}"),
            (
                "left",
                f"{left[TREAT]} of {rows[TREAT]:,} treated, {left[HOLD_OUT]} of "
                f"{rows[HOLD_OUT]:,} held out"
                if left
                else f"{rows[TREAT]:,} treated, {rows[HOLD_OUT]:,} held out",
            ),
            ("effect", _points(facts, "itt") + ", of being listed"),
            ("adjusted", _points(facts, "adjusted") + ", for the score before the campaign"),
            ("accepters", _points(facts, "cace") + ", of those who accept when offered"),
            (
                "gain",
                f"{facts['gain_yuan']:,.0f} [{facts['gain_low']:,.0f}, {facts['gain_high']:,.0f}] "
                f"yuan, after spending {facts['spent']:,.0f}",
            ),
            ("promised", _promise(facts["promised"])),
            ("arms", f"as planned with p = {facts['sample_ratio_p']:.2f}"),
            ("says", facts["says"]),
        ]
        return told + [("note", note) for note in facts["notes"]]

    def __repr__(self) -> str:
        return "\n".join(f"{name:<12} {value}" for name, value in self.lines())

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in self.lines()
        )
        return f"<table>{cells}</table>"


def _points(facts: Mapping[str, Any], name: str) -> str:
    if facts[name] is None:
        return "not known"
    low, high = 100 * facts[f"{name}_low"], 100 * facts[f"{name}_high"]
    return f"{100 * facts[name]:+.2f} [{low:+.2f}, {high:+.2f}] points"


def _promise(promised: Mapping[str, Any]) -> str:
    honest = promised["gain_honest"]
    told = "" if honest is None else f", {honest:,.0f} honest"
    return (
        f"{100 * promised['effect']:+.2f} points; {promised['gain_optimistic']:,.0f} yuan "
        f"optimistic{told}"
    )


def _ours(place: Path) -> bool:
    try:
        content = json.loads(place.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("kind") == KIND


MEASUREMENT = Product(what="a measurement of a campaign", ours=_ours)


def measure_campaign(
    plan: RetentionPlan | Location,
    data: Source | Location,
    *,
    until: date | str | None = None,
    interim: bool = False,
    out: Location | None = None,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    overwrite: bool = False,
) -> CampaignResult:
    """Measure what a campaign did, from those it treated and those it held out.

    One look, when the outcomes of all listed customers are known.

    Parameters
    ----------
    plan : RetentionPlan or path
        The folder that `churnml.plan_retention` wrote.
    data : Source, str or path
        Operator tables of afterwards.
    until : date, optional
        Read nothing at or after it.
    interim : bool, default False
        Look before that. The intervals then hold at all looks together, and are wider.
    out : path, optional
        A JSON file for the result.
    mapping : path, optional
        The operator's own names, codes and units.
    config : Config, path or mapping, optional
    overwrite : bool, default False
        Whether an earlier measurement there may be replaced.

    Returns
    -------
    CampaignResult

    Raises
    ------
    DataError
        No plan in the folder, a list that was changed, nobody treated or nobody held out,
        outcomes that are not known yet.
    OutputError
        If the result cannot be written, or something stands there.

    Examples
    --------
    >>> import churnml
    >>> churnml.measure_campaign("no/plan", "demo/operator")
    Traceback (most recent call last):
    ...
    churnml.errors.DataError: no/plan: holds no plan of `churnml retain`. Give the folder ...
    """
    settings = as_config(config)
    made = plan if isinstance(plan, RetentionPlan) else RetentionPlan.read(plan)
    made.verify()
    source = as_source(data, mapping=mapping, config=settings)
    source = source.until(until) if until else source
    if out is not None:
        folder = Path(made.folder)
        require_apart(out, ReadPlaces(places=(folder,), tables=(folder,)))
        require_apart(out, source.read)
        MEASUREMENT.require_free(out, overwrite=overwrite)
    clean = check(source, settings).accepted()
    result = CampaignResult(_measure(made, clean, interim=interim))
    if out is not None:
        text = json.dumps({"kind": KIND, **result.to_dict()}, ensure_ascii=False, indent=1)
        with MEASUREMENT.replaced(out, overwrite=overwrite) as fresh, output_errors(fresh):
            fresh.write_text(text + "\n", encoding="utf-8")
    return result


def _measure(plan: RetentionPlan, source: Source, *, interim: bool) -> dict[str, Any]:
    facts = plan.facts
    listed = plan.to_pandas()
    _require_arms(plan, listed)
    day = parse_date(facts["as_of"])
    end = add_span(day, facts["horizon"])
    limit = covered(source.tables, "termination").until
    limit = limit if source.day is None else min(limit, source.day)
    matured = end <= limit
    if limit <= day or not (matured or interim):
        raise LabelWindowError(
            f"{plan.folder}: the outcomes of the campaign of {day} are known from {end} on; the "
            f"data end at {limit}.",
            hint="Give later tables, or --interim for a first look."
            if limit > day
            else "Give tables of after the campaign.",
            value=str(limit),
            expected=f">= {end}",
        )
    upto = min(end, limit)
    rows = _outcomes(source, listed, upto)
    known = rows[rows["there"]].reset_index(drop=True)
    arms = Arms.of(known["group"] == TREAT, known["household"])
    left = known["left"].to_numpy(np.float64)
    itt = intention_to_treat(left, arms.treated, known["household"])
    better = adjusted(left, arms.treated, known["churn_probability"], known["household"])
    offers = _offers(source, day, upto)
    accepted = _accepted(offers, known[arms.treated])
    share = None if accepted is None else float(accepted["accepted"].mean())
    count = int(arms.treated.sum())
    cace = None if share is None else complier_effect(itt, share, count)
    gain, spent, notes = _gain(facts, known, arms, accepted)
    if interim and not matured:
        planned = len(known)
        seen = planned * (upto - day).days / (end - day).days
        itt, better, gain = (_always(one, seen, planned) for one in (itt, better, gain))
        cace = None if cace is None else _always(cace, seen, planned)
        notes.append("A first look: intervals hold at all looks together, of what came so far.")
    contaminated = _contaminated(offers, listed)
    result: dict[str, Any] = {
        "campaign": facts["campaign"],
        "as_of": facts["as_of"],
        "until": upto.isoformat(),
        "rows": {name: int((known["group"] == name).sum()) for name in (TREAT, HOLD_OUT)},
        "left": _left(known),
        **_told("itt", itt),
        **_told("adjusted", better),
        **_told("cace", cace),
        "gain_yuan": gain.value,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "accepted": share,
        "spent": spent,
        "promised": _promised(facts, listed),
        "sample_ratio_p": sample_ratio(
            count, len(known) - count, float(facts["hold_out"]["share"])
        ),
        "contaminated": contaminated,
        "missing": {
            name: int((~rows["there"] & (rows["group"] == name)).sum())
            for name in (TREAT, HOLD_OUT)
        },
        "matured": bool(matured),
        "by_offer": _parts(known, "offer"),
        "by_segment": _parts(known, "segment"),
        "notes": notes,
    }
    result["says"] = _sentence(itt, gain, matured=matured)
    if result["sample_ratio_p"] < 0.001:
        notes.append("The arms are not as large as drawn: find out why before believing this.")
    if contaminated:
        notes.append(
            f"{contaminated:,} of the held out had an offer all the same; they stay in their arm, "
            "and the effect is told too small."
        )
    return result


def _require_arms(plan: RetentionPlan, listed: pd.DataFrame) -> None:
    counts = listed["group"].value_counts()
    for group, what in ((TREAT, "nobody was treated"), (HOLD_OUT, "nobody was held out")):
        if counts.get(group, 0) < 2:
            raise DataError(
                f"{plan.folder}: {what}, or one customer alone, so nothing can be measured.",
                file=plan.folder,
                count=int(counts.get(group, 0)),
            )


def _outcomes(source: Source, listed: pd.DataFrame, upto: date) -> pd.DataFrame:
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


def _offers(source: Source, day: date, upto: date) -> pd.DataFrame | None:
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


def _accepted(offers: pd.DataFrame | None, treated: pd.DataFrame) -> pd.DataFrame | None:
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


def _gain(
    facts: Mapping[str, Any], known: pd.DataFrame, arms: Arms, accepted: pd.DataFrame | None
) -> tuple[Effect, float, list[str]]:
    """Yuan kept by the treated beyond the held out, less what was spent."""
    count, notes = int(arms.treated.sum()), []
    kept = arms.effect(known["value"].to_numpy(float) * (1 - known["left"].to_numpy(float)))
    costs = facts["costs"]
    contact = float(costs["contact"])
    treated = known[arms.treated]
    usual = treated["offer"].map(costs["offers"]).to_numpy(float)
    if accepted is None:
        share = treated["offer"].map(costs["acceptance"]).to_numpy(float)
        spent = float((usual * share).sum()) + contact * count
        notes.append("Offers and who accepted are not recorded: spending is what was planned.")
    else:
        each = np.where(np.isnan(accepted["cost"]), usual, accepted["cost"])
        spent = float(each[accepted["accepted"]].sum()) + contact * count
        unreached = count - int(accepted["reached"].sum())
        if unreached:
            notes.append(
                f"{unreached:,} of {count:,} treated customers have no offer on record; they count "
                "as treated, as everybody listed does."
            )
    return effect_of(count * kept.value - spent, count * kept.error), spent, notes


def _contaminated(offers: pd.DataFrame | None, listed: pd.DataFrame) -> int:
    if offers is None:
        return 0
    held = listed.loc[listed["group"] == HOLD_OUT, "customer_id"]
    return int(held.isin(offers["customer_id"]).sum())


def _always(effect: Effect, seen: float, planned: int) -> Effect:
    """The same estimate with ends that hold at every look."""
    spread = effect.error * math.sqrt(seen)
    half = float(confidence_sequence([seen], spread, planned=planned)[0])
    return Effect(
        value=effect.value, error=effect.error, low=effect.value - half, high=effect.value + half
    )


def _told(name: str, effect: Effect | None) -> dict[str, float | None]:
    ends = (None, None, None) if effect is None else (effect.value, effect.low, effect.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))


def _left(known: pd.DataFrame) -> dict[str, int] | None:
    counts = {
        name: int(known.loc[known["group"] == name, "left"].sum()) for name in (TREAT, HOLD_OUT)
    }
    small = any((known["group"] == name).sum() < LEAST_ROWS for name in counts)
    return None if small else counts


def _promised(facts: Mapping[str, Any], listed: pd.DataFrame) -> dict[str, Any]:
    gain = facts["expected_gain"]
    treated = listed[listed["group"] == TREAT]
    return {
        "effect": float(treated["effect"].mean()),
        "gain_optimistic": gain["optimistic"],
        "gain_honest": gain["honest"],
        "gain_honest_low": gain["honest_low"],
        "gain_honest_high": gain["honest_high"],
        "spent": facts["spent"],
    }


def _parts(known: pd.DataFrame, by: str) -> list[dict[str, Any]]:
    """Effects by a column where enough left on both sides, their chances after Holm."""
    rows, found = [], []
    for value, part in known.groupby(by, sort=True):
        arm = (part["group"] == TREAT).to_numpy()
        counts = (int(arm.sum()), int((~arm).sum()))
        row: dict[str, Any] = {by: value}
        hidden = min(counts) < LEAST_ROWS
        shown = (None, None) if hidden else counts
        row |= dict(zip((TREAT, HOLD_OUT), shown, strict=True))
        left = part["left"].to_numpy(float)
        enough = min(left[arm].sum(), left[~arm].sum()) >= LEAST_LEFT
        effect = intention_to_treat(left, arm, part["household"]) if enough else None
        rows.append(row | _told("itt", effect) | {"p": None})
        if effect is not None:
            found.append((len(rows) - 1, effect.p))
    chances = holm([p for _at, p in found])
    for (at, _raw), p in zip(found, chances, strict=True):
        rows[at]["p"] = float(p)
    return rows


def _sentence(itt: Effect, gain: Effect, *, matured: bool) -> str:
    soon = "" if matured else "So far: "
    if itt.high < 0:
        worked = "the campaign kept customers"
    elif itt.low > 0:
        worked = "the campaign drove customers away"
    else:
        worked = "no evidence that the campaign changed anything"
    if gain.low > 0:
        paid = "it earned more than it cost"
    elif gain.high < 0:
        paid = "it cost more than it earned"
    else:
        paid = "whether it earned more than it cost cannot be told"
    text = f"{soon}{worked}; {paid}."
    return text[:1].upper() + text[1:]
