"""Plan a campaign: learn from past offers, choose within a budget, write the list."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from churnml import __version__
from churnml.base.dates import parse_date
from churnml.base.files import output_errors
from churnml.base.placing import input_first, require_apart
from churnml.base.text import counted
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.datasets.offers import read_offers
from churnml.errors import DataError, ModelError, UsageError
from churnml.errors.masking import without_secrets
from churnml.features import write_features
from churnml.features.requirements import require_bills
from churnml.models.model import Model, check_golden
from churnml.registry.resolve import Resolved, as_resolved, require_task, resolve
from churnml.registry.versions import champion_uri
from churnml.retention.choice import Choice, Terms, choose
from churnml.retention.customers import Candidates, batches, value_customers
from churnml.retention.eligibility import REASONS, left_out, read_customers
from churnml.retention.fairness import fairness, joined, segment_columns, segment_plans
from churnml.retention.hold_out import sight
from churnml.retention.learning import Learned, learn, window_months
from churnml.retention.result import HOLD_OUT, KIND, SCHEMA, TREAT, RetentionPlan
from churnml.scoring.publish import claimed
from churnml.scoring.reasons import reasons
from churnml.scoring.requirements import require_features
from churnml.scoring.shards import part_bytes
from churnml.scoring.staging import Staged, Staging
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source

_FEATURES = "features.parquet"
_log = logging.getLogger(__name__)


def plan_retention(
    data: Source | Location,
    *,
    as_of: date | str,
    budget: float,
    out: Location,
    expected: bool = False,
    contacts: int | None = None,
    hold_out: float | None = None,
    campaign: str | None = None,
    seed: int | None = None,
    explore: bool = False,
    churn_model: Model | Location | None = None,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    overwrite: bool = False,
) -> RetentionPlan:
    """Decide who gets which retention offer within a budget, and write the list.

    What offers do is learned from the source's own past offers. Where there is no evidence
    that they do anything, or they drive customers away, nobody is treated.

    Parameters
    ----------
    data : Source, str or path
        Operator tables with ``offers``; bad rows are set aside.
    as_of : date
        Midnight at its start: the day of the plan.
    budget : float
        Yuan, at least 0: what would be spent, contacts included, if every offer were
        accepted.
    out : path
        The folder of the result: parts, and ``_manifest.json`` last. Parts hold names of
        customers and are readable by their owner alone.
    expected : bool, default False
        Whether the budget caps the mean spending instead.
    contacts : int, optional
        Customers treated at most.
    hold_out : float, optional
        Share of the list that gets nothing, so that what the campaign did can be measured;
        by default what the settings say.
    campaign : str, optional
        Its name; by default ``retention-<as_of>``. Campaigns of one name and seed hold out
        the same households.
    seed : int, optional
        Of the hold-out's draw; by default what the settings say.
    explore : bool, default False
        Where there is no evidence, list customers by value at risk nevertheless, with a
        hold-out, so that there will be some.
    churn_model : Model, str or path, optional
        By default ``models:/churn@champion``.
    mapping : path, optional
        The operator's own names, codes and units.
    config : Config, path or mapping, optional
        Its sections ``retention`` and ``costs``.
    overwrite : bool, default False
        Whether a complete result that stands there may be replaced.

    Returns
    -------
    RetentionPlan
        ``to_pandas()`` reads the list.

    Raises
    ------
    UsageError
        Options out of their range.
    DataError
        If the data is refused, has no or too few past offers, ends more than a month before
        ``as_of``, or nobody may be contacted.
    ModelError
        If there is no churn model, or it reads other data.
    OutputError
        If the result cannot be written or something stands there.

    Examples
    --------
    >>> import churnml
    >>> churnml.plan_retention("demo/operator", as_of="2026-06-01", budget=-1, out="plan")
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: --budget -1: 0 yuan or more were expected.
    """
    settings = as_config(config)
    day = parse_date(as_of)
    terms = Terms(
        budget=float(budget),
        expected=expected,
        contacts=math.inf if contacts is None else contacts,
        hold_out=settings.retention.hold_out if hold_out is None else hold_out,
        campaign=campaign or f"retention-{day}",
        seed=settings.retention.seed if seed is None else seed,
    )
    _check_terms(terms, explore=explore)
    source = as_source(data, mapping=mapping, config=settings)
    started = datetime.now(UTC)
    with ExitStack() as stack:
        with input_first(lambda: check(source, settings, until=day).accepted()):
            require_apart(out, source.read)
            output = stack.enter_context(claimed(out, overwrite=overwrite))
        work = _Work(
            source=source,
            day=day,
            terms=terms,
            explore=explore,
            churn=_churn(churn_model, source),
            hazard=_hazard(source),
            config=settings,
        )
        require_bills(source, day)
        if output.published(work.key()):
            return RetentionPlan.read(output.place)
        staging = output.stage(work.key())
        facts = _plan(work, staging, started)
        output.commit(staging, RetentionPlan("", facts).to_bytes())
        return RetentionPlan.read(output.place)


def _check_terms(terms: Terms, *, explore: bool) -> None:
    if not (terms.budget >= 0 and math.isfinite(terms.budget)):
        raise UsageError(f"--budget {terms.budget:g}: 0 yuan or more were expected.")
    if not terms.contacts >= 0:
        raise UsageError(f"--contacts {terms.contacts:g}: 0 or more were expected.")
    if not 0 <= terms.hold_out < 1:
        raise UsageError(
            f"--hold-out {terms.hold_out:g}: a share from 0 to below 1 was expected.",
            hint=f"{terms.hold_out:g} % is {terms.hold_out / 100:g}."
            if 1 <= terms.hold_out < 100
            else None,
        )
    if explore and terms.hold_out == 0:
        raise UsageError("--explore without a hold-out would teach nothing; give --hold-out.")
    if terms.seed < 0:
        raise UsageError(f"--seed {terms.seed}: 0 or more was expected.")


def _churn(asked: Model | Location | None, source: Source) -> Resolved:
    found = resolve(champion_uri("churn")) if asked is None else as_resolved(asked)
    require_task(found, "churn", "churn")
    check_golden(found.model)
    require_features(found, source)
    return found


def _hazard(source: Source) -> Resolved | None:
    """The hazard champion, where there is one that this source can be scored by."""
    try:
        found = resolve(champion_uri("hazard"))
        require_features(found, source)
    except (ModelError, DataError):
        return None
    check_golden(found.model)
    return found


@dataclass(frozen=True, kw_only=True)
class _Work:
    """Everything that can change a plan."""

    source: Source
    day: date
    terms: Terms
    explore: bool
    churn: Resolved
    hazard: Resolved | None
    config: Config

    def models(self) -> dict[str, dict[str, str]]:
        used = {"churn": self.churn, "hazard": self.hazard}
        return {
            task: {"version": one.version, "uri": one.uri, "digest": one.model.digest}
            for task, one in used.items()
            if one is not None
        }

    def key(self) -> dict[str, Any]:
        terms = asdict(self.terms)
        terms["contacts"] = None if math.isinf(self.terms.contacts) else self.terms.contacts
        return {
            "kind": KIND,
            "source": without_secrets(self.source.location),
            "fingerprint": self.source.fingerprint(),
            "as_of": self.day.isoformat(),
            "terms": terms,
            "explore": self.explore,
            "models": self.models(),
            "config": self.config.digest(),
            "churnml": __version__,
        }


def _plan(work: _Work, staging: Staging, started: datetime) -> dict[str, Any]:
    config, day = work.config, work.day
    clean = check(work.source, config, until=day).accepted()
    rows = read_offers(clean, day, config)
    customers = read_customers(clean.tables, day)
    if customers.empty:
        raise DataError(f"customers: nobody is a customer at {day}.", table="customers", count=0)
    reason, notes = left_out(clean.tables, customers, day, config.retention)
    if reason.notna().all():
        told = ", ".join(
            f"{counted(int(count), 'customer')}: {REASONS[str(name)]}"
            for name, count in reason.value_counts().items()
        )
        raise DataError(f"customers: nobody may be contacted ({told}).", count=len(reason))
    _log.info("learning from %s", counted(len(rows), "past offer"))
    learned = learn(rows, config, explore=work.explore)
    if _FEATURES not in staging.done:
        _log.info("building features at %s", day)
        path = staging.path(_FEATURES)
        with output_errors(staging.place):
            write_features(clean.tables, day, path, config=config)
        staging.adopt(_FEATURES, {})
    path = staging.path(_FEATURES)
    candidates = value_customers(path, learned, work.churn, work.hazard, config)
    if candidates.ids.tolist() != customers["customer_id"].tolist():
        customers, reason = _aligned(candidates, customers, reason)
    columns = segment_columns(customers, candidates.told)
    customers = customers.assign(segment=_segment(columns, config, notes))
    choice = choose(candidates, customers, reason, learned, work.terms, config.retention)
    table = _list(work, candidates, customers, choice, learned)
    parts, drivers = _write(work, staging, path, table, candidates, choice)
    work.source.ensure_unchanged()
    facts = _facts(work, candidates, customers, columns, choice, learned, drivers)
    facts["notes"] = [*learned.rows.notes, *notes, *_notes(work, learned, choice)]
    facts |= {
        "parts": [
            {"name": name, "rows": one.facts["rows"], "bytes": one.bytes, "sha256": one.sha256}
            for name, one in parts.items()
        ],
        "churnml": __version__,
        "started_at": started.isoformat(timespec="milliseconds"),
        "ended_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    return facts


def _aligned(
    candidates: Candidates, customers: pd.DataFrame, reason: pd.Series
) -> tuple[pd.DataFrame, pd.Series]:
    """The customers and reasons in the order of the candidates."""
    place = pd.Series(np.arange(len(customers)), index=customers["customer_id"])
    order = place.loc[candidates.ids.tolist()].to_numpy()
    return customers.iloc[order].reset_index(drop=True), reason.iloc[order].reset_index(drop=True)


def _segment(columns: pd.DataFrame, config: Config, notes: list[str]) -> pd.Series:
    there = [name for name in config.retention.segment_by if name in columns]
    lost = [name for name in config.retention.segment_by if name not in columns]
    if lost:
        notes.append(f"Segments without {', '.join(lost)}, which the source does not tell.")
    if not there:
        return pd.Series("", index=columns.index)
    return joined(columns[there])


def _list(
    work: _Work, candidates: Candidates, customers: pd.DataFrame, choice: Choice, learned: Learned
) -> pd.DataFrame:
    """The rows of the list, without reasons, in the order of the ids."""
    rows = np.flatnonzero(choice.offer >= 0)
    taken = choice.offer[rows]
    effects = candidates.effects
    return pd.DataFrame(
        {
            "customer_id": candidates.ids[rows],
            "household": customers["household"].to_numpy(object)[rows],
            "group": np.where(choice.held[rows], HOLD_OUT, TREAT),
            "offer": np.array(learned.offers, object)[taken],
            "effect": effects.effect[rows, taken],
            "effect_low": effects.low[rows, taken],
            "effect_high": effects.high[rows, taken],
            "churn_probability": candidates.chance[rows],
            "value": candidates.value[rows],
            "gain": candidates.gain[rows, taken],
            "cost": choice.cost[taken],
            "segment": customers["segment"].to_numpy(object)[rows],
            # Whatever is offered may be had by anybody who asks for it.
            "general_offer": True,
            "campaign": work.terms.campaign,
            "model": learned.version,
        }
    )


def _write(
    work: _Work,
    staging: Staging,
    path: Path,
    table: pd.DataFrame,
    candidates: Candidates,
    choice: Choice,
) -> tuple[dict[str, Staged], dict[str, Counter[str]]]:
    """The parts of the list, and how often each driver is the first reason, by segment."""
    size, model = work.config.scoring.batch_rows, work.churn.model
    count = max(work.config.scoring.reasons, 1)
    found: list[pa.Array] = []
    start = 0
    on_list = choice.offer >= 0
    for X in batches(path, size):
        here = X[on_list[start : start + len(X)]]
        start += len(X)
        found.append(reasons(model, here, count))
    why = pa.chunked_array(found, SCHEMA.field("reasons").type).combine_chunks()
    drivers: dict[str, Counter[str]] = {}
    for segment, group, each in zip(table["segment"], table["group"], why.to_pylist(), strict=True):
        if group == TREAT and each and each[0]["driver"]:
            drivers.setdefault(segment, Counter())[each[0]["driver"]] += 1
    if isinstance(why, pa.ChunkedArray):
        why = pa.concat_arrays(why.chunks) if why.num_chunks else pa.array([], why.type)
    parts: dict[str, Staged] = {}
    for number in range(max(-(-len(table) // size), 1)):
        name = f"part-{number:05d}.parquet"
        rows = table.iloc[number * size : (number + 1) * size]
        columns = {
            one.name: why.slice(number * size, len(rows))
            if one.name == "reasons"
            else pa.array(rows[one.name], one.type, from_pandas=True)
            for one in SCHEMA
        }
        part = pa.table(columns, schema=SCHEMA)
        parts[name] = staging.done.get(name) or staging.write(
            name, part_bytes(part), {"rows": part.num_rows}
        )
        with output_errors(staging.place):
            staging.path(name).chmod(0o600)
    return parts, drivers


def _facts(
    work: _Work,
    candidates: Candidates,
    customers: pd.DataFrame,
    columns: pd.DataFrame,
    choice: Choice,
    learned: Learned,
    drivers: Mapping[str, Counter[str]],
) -> dict[str, Any]:
    treated, offer = choice.treated, choice.offer
    rows = np.flatnonzero(treated)
    taken = offer[rows]
    listed = np.flatnonzero(offer >= 0)
    allocation = choice.allocation
    gain, cost = np.zeros(len(offer)), np.zeros(len(offer))
    gain[rows], cost[rows] = candidates.gain[rows, taken], choice.cost[taken]
    rule = learned.rule(allocation.price, allocation.contact_price, choice.cost)
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
        "source": without_secrets(work.source.location),
        "as_of": work.day.isoformat(),
        "campaign": work.terms.campaign,
        "seed": work.terms.seed,
        "horizon": work.config.retention.horizon,
        **learned.verdict.to_dict(),
        "questions": [*learned.verdict.questions(), learned.worth_money()],
        "budget": work.terms.budget,
        "counted": "if all accept" if not work.terms.expected else "expected",
        "spent": float(cost.sum()),
        "contacts": len(rows),
        "contact_limit": None if math.isinf(work.terms.contacts) else work.terms.contacts,
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
            "share": work.terms.hold_out,
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
        "fairness": fairness(columns, treated, cost),
        "segments": segment_plans(
            customers["segment"],
            treated,
            offer,
            gain,
            cost,
            dict(drivers),
            learned,
            rule,
        ),
        "costs": {
            "offers": learned.rows.cost,
            "acceptance": learned.rows.acceptance,
            "contact": work.config.costs.contact_cost,
        },
        "learned_from": learned.rows.counts,
        "models": work.models() | {"offers": {"version": learned.version}},
        "config": work.config.digest(),
    }


def _notes(work: _Work, learned: Learned, choice: Choice) -> list[str]:
    told = []
    window = window_months(work.config.retention.horizon)
    by = "the hazard model" if work.hazard else "the churn model, every month alike"
    told.append(f"Values are of {work.config.retention.value_months} months, survival by {by}.")
    if learned.verdict.name == "same":
        told.append(
            "Nothing tells for whom an offer works more: its effect is taken in proportion to the "
            "probability of leaving, which ranks by value at risk."
        )
    if learned.explore and learned.verdict.name == "none" and (choice.offer >= 0).any():
        told.append("Explored: listed by value at risk, offers by lot, to learn what they do.")
    told.append(
        "An effect is the change of the probability that the service ends within "
        f"{counted(window, 'month')} of the offer."
    )
    return told
