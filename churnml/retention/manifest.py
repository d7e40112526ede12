"""The manifest of a plan: what was decided, within which limits, and what may be expected."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from churnml.base.text import counted
from churnml.errors.masking import without_secrets
from churnml.retention.choice import Choice
from churnml.retention.customers import Candidates
from churnml.retention.eligibility import REASONS
from churnml.retention.fairness import fairness, segment_plans
from churnml.retention.hold_out import sight
from churnml.retention.learning import Learned, window_months
from churnml.retention.listing import Drivers
from churnml.retention.request import PlanRequest
from churnml.retention.result import KIND


def plan_facts(
    request: PlanRequest,
    candidates: Candidates,
    customers: pd.DataFrame,
    columns: pd.DataFrame,
    choice: Choice,
    learned: Learned,
    drivers: Drivers,
) -> dict[str, Any]:
    """What was decided, as plain data.

    Parameters
    ----------
    request : PlanRequest
    candidates : Candidates
    customers : DataFrame
        Of the same rows: ``segment``.
    columns : DataFrame
        Of the same rows: what fairness is told by.
    choice : Choice
    learned : Learned
    drivers : Drivers
    """
    treated, offer = choice.treated, choice.offer
    rows = np.flatnonzero(treated)
    taken = offer[rows]
    listed = np.flatnonzero(offer >= 0)
    allocation = choice.allocation
    gain, cost = np.zeros(len(offer)), np.zeros(len(offer))
    gain[rows], cost[rows] = candidates.gain[rows, taken], choice.cost[rows, taken]
    past = learned.past_cost(expected=request.terms.expected)
    rule = learned.rule(allocation.price, allocation.contact_price, past)
    honest = learned.honest(rule) if learned.treats else None
    effect = candidates.effects.effect[listed, offer[listed]]
    seen = sight(
        treated=len(rows),
        held_out=int(choice.held_out.sum()),
        rate=float(candidates.chance[listed].mean()) if len(listed) else 0.0,
        expected=float(-effect.mean()) if len(listed) else 0.0,
    )
    harmed = candidates.effects.harmed[rows, taken]
    left = choice.reason.value_counts()
    return {
        "kind": KIND,
        "source": without_secrets(request.source.location),
        "as_of": request.day.isoformat(),
        "campaign": request.terms.campaign,
        "seed": request.terms.seed,
        "horizon": request.config.retention.horizon,
        **learned.verdict.to_dict(),
        "offers": _offers(learned),
        "questions": [*learned.verdict.questions(), learned.worth_money()],
        "budget": request.terms.budget,
        "counted": "if all accept" if not request.terms.expected else "expected",
        "spent": float(cost.sum()),
        "contacts": len(rows),
        "contact_limit": None if math.isinf(request.terms.contacts) else request.terms.contacts,
        "price_of_a_yuan": allocation.price,
        "binding": allocation.binding,
        "bound": allocation.bound,
        "method": allocation.method,
        "expected_gain": {
            "optimistic": float(gain.sum()),
            "honest": honest.value * len(rows) if honest else None,
            "honest_low": honest.low * len(rows) if honest else None,
            "honest_high": honest.high * len(rows) if honest else None,
        },
        "kept": float(-candidates.effects.effect[rows, taken].sum()),
        "harmed_share": float(harmed.mean()) if len(rows) else None,
        "hold_out": {
            "share": request.terms.hold_out,
            "customers": seen.held_out,
            "detectable": seen.detectable if math.isfinite(seen.detectable) else None,
            "expected": seen.expected,
            "proposed": seen.proposed,
            "says": seen.say() if len(listed) else "Nobody is treated, so nobody is held out.",
        },
        "rows": {
            "in": len(offer),
            "treat": len(rows),
            "hold_out": seen.held_out,
            "left_out": int((offer < 0).sum()),
        },
        "left_out": {name: int(left.get(name, 0)) for name in REASONS},
        "fairness": fairness(columns, treated, cost, request.config.brands.elderly),
        "segments": segment_plans(
            customers["segment"],
            treated,
            offer,
            gain,
            cost,
            drivers,
            learned,
            rule,
        ),
        "costs": {
            "offers": learned.rows.cost,
            "acceptance": learned.rows.acceptance,
            "contact": request.config.costs.contact_cost,
        },
        "learned_from": learned.rows.counts,
        "models": {"offers": {"version": learned.version}} | request.models.to_dict(),
        "config": request.config.digest(),
    }


def _offers(learned: Learned) -> list[dict[str, Any]]:
    """What past offers did, what they cost, and what a customer kept by them costs."""
    rows, contact = learned.rows, learned.config.costs.contact_cost
    told = []
    for one in learned.verdict.offers:
        mean = rows.cost[one.offer] * rows.acceptance[one.offer] + contact
        kept = -one.effect.value
        more = {
            "accepted": rows.acceptance[one.offer],
            "cost": rows.cost[one.offer],
            "cost_per_kept": mean / kept if kept > 0 else None,
        }
        told.append(one.to_dict() | more)
    return told


def plan_notes(request: PlanRequest, learned: Learned, choice: Choice) -> list[str]:
    """What should be known beside: of values, of effects, of models."""
    told = list(request.models.notes)
    if request.models.offers is not None:
        told.append(
            f"Effects by {learned.version}; the verdict and the honest gain by what past offers "
            "show now."
        )
    unknown = sorted(set(learned.estimator.offers_) - set(learned.offers))
    if unknown:
        told.append(f"{learned.version} does not know {', '.join(unknown)}: not offered.")
    window = window_months(request.config.retention.horizon)
    by = "the hazard model" if request.models.hazard else "the churn model, every month alike"
    told.append(f"Values are of {request.config.retention.value_months} months, survival by {by}.")
    if learned.verdict.name == "same":
        told.append(
            "Nothing tells for whom an offer works more: its effect is taken in proportion to the "
            "probabilities of leaving and of accepting it."
        )
    if learned.explore and learned.verdict.name == "none" and (choice.offer >= 0).any():
        told.append("Explored: listed by value at risk, offers by lot, to learn what they do.")
    told.append(
        "An effect is the change of the probability that the service ends within "
        f"{counted(window, 'month')} of the offer."
    )
    return told
