"""Measure a campaign when its outcomes are known: what it changed, earned, and had promised."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

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
from churnml.retention.campaign_result import CampaignResult, verdict_of
from churnml.retention.fairness import hidden_cells
from churnml.retention.learning import LEAST_ROWS
from churnml.retention.outcomes import (
    acceptances,
    bills_before_and_after,
    contaminated,
    offers_made,
    read_outcomes,
)
from churnml.retention.result import HOLD_OUT, TREAT, RetentionPlan
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source

KIND = "campaign measurement"
_STRANGE = 0.001
LEAST_LEFT = 50
"""Who left, on each side, for an effect to be told of a part of the list."""


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
        Look before that, or after such looks. The intervals then hold at all looks together,
        and are wider.
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
    day, end = parse_date(facts["as_of"]), add_span(parse_date(facts["as_of"]), facts["horizon"])
    limit = covered(source.tables, "termination").until
    limit = limit if source.day is None else min(limit, source.day)
    matured = end <= limit
    if limit <= day or not (matured or interim):
        raise _too_early(plan, day, end, limit)
    upto = min(end, limit)
    rows = read_outcomes(source, listed, upto)
    known = rows[rows["there"]].reset_index(drop=True)
    offers = offers_made(source, day, upto)
    bills = bills_before_and_after(source, known["customer_id"], day, upto)
    found, spent, notes = _effects(facts, known, offers, bills)
    if interim:
        planned = len(known)
        seen = planned * (upto - day).days / (end - day).days
        found = {
            name: None if one is None else _always(one, seen, planned)
            for name, one in found.items()
        }
        notes.append(
            "The last look: intervals hold at all looks together."
            if matured
            else "A first look: intervals hold at all looks together, of what came so far."
        )
    slipped = contaminated(offers, listed)
    counts = {name: int((known["group"] == name).sum()) for name in (TREAT, HOLD_OUT)}
    missing = {
        name: int((~rows["there"] & (rows["group"] == name)).sum()) for name in (TREAT, HOLD_OUT)
    }
    ratio = sample_ratio(counts[TREAT], counts[HOLD_OUT], float(facts["hold_out"]["share"]))
    itt, gain = (cast("Effect", found[name]) for name in ("itt", "gain"))
    left = _left(known)
    return {
        "campaign": facts["campaign"],
        "as_of": facts["as_of"],
        "until": upto.isoformat(),
        "rows": counts,
        "left": left,
        "gain_yuan": gain.value,
        **{name: one for each in found for name, one in _told(each, found[each]).items()},
        "accepted": _accepted_share(offers, known),
        "spent": spent,
        "promised": _promised(facts, listed),
        "sample_ratio_p": ratio if math.isfinite(ratio) else None,
        "contaminated": slipped,
        "missing": missing,
        "matured": bool(matured),
        "by_offer": _parts(known, "offer"),
        "by_segment": _parts(known, "segment"),
        "says": verdict_of(itt, gain, matured=matured, fewest=min(left.values()) if left else 0),
        "notes": [*notes, *_warnings(ratio, slipped, missing, counts)],
    }


def _too_early(plan: RetentionPlan, day: date, end: date, limit: date) -> LabelWindowError:
    return LabelWindowError(
        f"{plan.folder}: the outcomes of the campaign of {day} are known from {end} on; the "
        f"data end at {limit}.",
        hint="Give later tables, or --interim for a first look."
        if limit > day
        else "Give tables of after the campaign.",
        value=str(limit),
        expected=f">= {end}",
    )


def _effects(
    facts: Mapping[str, Any],
    known: pd.DataFrame,
    offers: pd.DataFrame | None,
    bills: pd.DataFrame | None,
) -> tuple[dict[str, Effect | None], float, list[str]]:
    """What being listed changed: who left, yuan, bills; and what was spent."""
    arms = Arms.of(known["group"] == TREAT, known["household"])
    house, left = known["household"], known["left"].to_numpy(np.float64)
    chance, value = (known[name].to_numpy(np.float64) for name in ("churn_probability", "value"))
    itt = intention_to_treat(left, arms.treated, house)
    accepted = acceptances(offers, known[arms.treated])
    share = _accepted_share(offers, known)
    count = int(arms.treated.sum())
    spent, notes = _spending(facts, known[arms.treated], accepted)
    # What she was worth, as far as she was expected to stay, tells most of what is kept of it.
    kept, expected = value * (1 - left), value * (1 - chance)
    plain = arms.effect(kept)
    better = adjusted(kept, arms.treated, expected, house)
    billed = None
    if bills is not None:
        billed = adjusted(bills["after"], arms.treated, bills["before"], house)
    return (
        {
            "itt": itt,
            "adjusted": adjusted(left, arms.treated, chance, house),
            "cace": None if share is None else complier_effect(itt, share, count),
            "gain": effect_of(count * better.value - spent, count * better.error),
            "gain_unadjusted": effect_of(count * plain.value - spent, count * plain.error),
            "billed": billed,
        },
        spent,
        notes,
    )


def _accepted_share(offers: pd.DataFrame | None, known: pd.DataFrame) -> float | None:
    accepted = acceptances(offers, known[known["group"] == TREAT])
    return None if accepted is None else float(accepted["accepted"].mean())


def _warnings(
    ratio: float, slipped: int, missing: Mapping[str, int], counts: Mapping[str, int]
) -> list[str]:
    told = []
    if ratio < _STRANGE:
        told.append("The arms are not as large as drawn: find out why before believing this.")
    table = [[missing[one], counts[one]] for one in (TREAT, HOLD_OUT)]
    if sum(missing.values()) and fisher_exact(table).pvalue < _STRANGE:
        told.append("Outcomes are missing more often in one arm: the arms are no longer alike.")
    if slipped:
        told.append(
            f"{slipped:,} of the held out had an offer all the same; they stay in their arm, "
            "and the effect is told too small."
        )
    return told


def _require_arms(plan: RetentionPlan, listed: pd.DataFrame) -> None:
    counts = listed["group"].value_counts()
    for group, what in ((TREAT, "nobody was treated"), (HOLD_OUT, "nobody was held out")):
        if counts.get(group, 0) < 2:
            raise DataError(
                f"{plan.folder}: {what}, or one customer alone, so nothing can be measured.",
                file=plan.folder,
                count=int(counts.get(group, 0)),
            )


def _spending(
    facts: Mapping[str, Any], treated: pd.DataFrame, accepted: pd.DataFrame | None
) -> tuple[float, list[str]]:
    """Yuan spent on the treated, contacts included, and what was not on record."""
    costs, count = facts["costs"], len(treated)
    contacts = float(costs["contact"]) * count
    usual = treated["offer"].map(costs["offers"]).to_numpy(float)
    if accepted is None:
        share = treated["offer"].map(costs["acceptance"]).to_numpy(float)
        spent = float((usual * share).sum()) + contacts
        return spent, ["Offers and who accepted are not recorded: spending is what was planned."]
    each = np.where(np.isnan(accepted["cost"]), usual, accepted["cost"])
    spent = float(each[accepted["accepted"]].sum()) + contacts
    unreached = count - int(accepted["reached"].sum())
    if not unreached:
        return spent, []
    return spent, [
        f"{unreached:,} of {count:,} treated customers have no offer on record; they count as "
        "treated, as everybody listed does."
    ]


def _always(effect: Effect, seen: float, planned: int) -> Effect:
    """The same estimate with ends that hold at every look."""
    spread = effect.error * math.sqrt(seen)
    half = float(confidence_sequence([seen], spread, planned=planned)[0])
    return Effect(
        value=effect.value, error=effect.error, low=effect.value - half, high=effect.value + half
    )


def _told(name: str, effect: Effect | None) -> dict[str, float | None]:
    ends = (None, None, None) if effect is None else (effect.value, effect.low, effect.high)
    names = (name, f"{name}_low", f"{name}_high")
    return {one: end for one, end in zip(names, ends, strict=True) if one != "gain"}


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
    parts = list(known.groupby(by, sort=True))
    arms = [(part["group"] == TREAT).to_numpy() for _, part in parts]
    secret = hidden_cells([int(min(arm.sum(), (~arm).sum())) for arm in arms])
    for (value, part), arm, hidden in zip(parts, arms, secret, strict=True):
        counts = (int(arm.sum()), int((~arm).sum()))
        row: dict[str, Any] = {by: value}
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
