"""Plan a campaign: learn from past offers, choose within a budget, write the list."""

from __future__ import annotations

import logging
import math
from contextlib import ExitStack
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd

from churnml import __version__
from churnml.base.dates import parse_date
from churnml.base.files import output_errors
from churnml.base.placing import input_first, require_apart
from churnml.base.text import counted
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.datasets.offers import read_offers
from churnml.errors import DataError
from churnml.features import write_features
from churnml.features.requirements import require_bills
from churnml.models.model import Model
from churnml.retention.choice import Terms, choose
from churnml.retention.customers import Candidates, value_customers
from churnml.retention.eligibility import REASONS, left_out, read_customers
from churnml.retention.fairness import joined, segment_columns
from churnml.retention.learning import learn
from churnml.retention.listing import find_drivers, list_rows, write_list
from churnml.retention.manifest import plan_facts, plan_notes
from churnml.retention.request import PlanRequest, check_terms, find_models
from churnml.retention.result import RetentionPlan
from churnml.scoring.publish import claimed
from churnml.scoring.staging import Staging
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
    offers_model: Model | Location | None = None,
    any_source: bool = False,
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
    offers_model : Model, str or path, optional
        What offers do to whom; by default ``models:/offers@champion`` where there is one that
        learned from nothing later than ``as_of``. Without it that is learned anew.
    any_source : bool, default False
        Whether a champion taken by default may be one of another operator.
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
        If there is no churn model, a model reads other data, or the model of offers learned
        from later ones.
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
    check_terms(terms, explore=explore)
    source = as_source(data, mapping=mapping, config=settings)
    started = datetime.now(UTC)
    with ExitStack() as stack:
        with input_first(lambda: check(source, settings, until=day).accepted()):
            require_apart(out, source.read)
            output = stack.enter_context(claimed(out, overwrite=overwrite))
        request = PlanRequest(
            source=source,
            day=day,
            terms=terms,
            explore=explore,
            models=find_models(
                source,
                day,
                settings,
                churn=churn_model,
                offers=offers_model,
                any_source=any_source,
            ),
            config=settings,
        )
        require_bills(source, day)
        if output.published(request.key()):
            return RetentionPlan.read(output.place)
        staging = output.stage(request.key())
        facts = _plan(request, staging, started)
        output.commit(staging, RetentionPlan("", facts).to_bytes())
        return RetentionPlan.read(output.place)


def _plan(request: PlanRequest, staging: Staging, started: datetime) -> dict[str, Any]:
    config, day = request.config, request.day
    clean = check(request.source, config, until=day).accepted()
    rows = read_offers(clean, day, config, others=True)
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
    learned = learn(rows, config, champion=request.models.offers, explore=request.explore)
    if _FEATURES not in staging.done:
        _log.info("building features at %s", day)
        path = staging.path(_FEATURES)
        with output_errors(staging.place):
            write_features(clean.tables, day, path, config=config)
            path.chmod(0o600)
        staging.adopt(_FEATURES, {})
    path = staging.path(_FEATURES)
    candidates = value_customers(path, learned, request.models.churn, request.models.hazard, config)
    if candidates.ids.tolist() != customers["customer_id"].tolist():
        customers, reason = _aligned(candidates, customers, reason)
    columns = segment_columns(customers, candidates.told)
    customers = customers.assign(segment=_segment(columns, config, notes))
    choice = choose(candidates, customers, reason, learned, request.terms, config.retention)
    table = list_rows(request, candidates, customers, choice, learned)
    parts = write_list(request, staging, path, table, choice.offer >= 0)
    drivers = find_drivers(path, request, customers["segment"], candidates.chance)
    request.source.ensure_unchanged()
    facts = plan_facts(request, candidates, customers, columns, choice, learned, drivers)
    facts["notes"] = [*learned.rows.notes, *notes, *plan_notes(request, learned, choice)]
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
