"""What the page tells, found out once by the verbs that find it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from churnml.base.scratch import temporary_folder
from churnml.config.settings import Config
from churnml.errors import DataError, UsageError
from churnml.models.model import Model
from churnml.reports.manager.at_risk import AtRisk, at_risk
from churnml.reports.manager.tier_flows import TierFlows, tier_flows
from churnml.retention.result import RetentionPlan
from churnml.scoring.manifest import Manifest
from churnml.scoring.score import score
from churnml.service.complaints.record import complaint_record
from churnml.service.complaints.result import ComplaintRecord
from churnml.service.index.index import SatisfactionIndex, satisfaction_index
from churnml.service.quality.quality import service_quality
from churnml.service.quality.result import ServiceQuality
from churnml.tables.checked import Location, check
from churnml.tables.source import Source
from churnml.tables.validation import Report

INDEX_BY = ("brand", "hall_id")
"""What the page tells the index of."""

MONITORING = "monitor.json"
T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Given:
    """What was asked for beside the source.

    Attributes
    ----------
    scores, plan, campaign, monitor : path, optional
    churn_model, satisfaction_model : Model, str or path, optional
    any_source : bool
        Whether champions may be those of another operator.
    """

    scores: Location | Manifest | None = None
    plan: Location | None = None
    campaign: Location | None = None
    monitor: Location | None = None
    churn_model: Model | Location | None = None
    satisfaction_model: Model | Location | None = None
    any_source: bool = False


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What is told on the page; what there is nothing of is None.

    Attributes
    ----------
    source : str
    day : date
    manifest : Manifest
        Of the scores.
    risk : AtRisk or None
    index : SatisfactionIndex or None
    quality : ServiceQuality
    complaints : ComplaintRecord or None
    flows : TierFlows or None
    plan : mapping or None
        The facts of a retention plan.
    campaign, monitoring : mapping or None
    report : Report
        Of the source's validation.
    why : dict of str to str
        Why something is None, where that is not that it was not given.
    """

    source: str
    day: date
    manifest: Manifest
    risk: AtRisk | None
    index: SatisfactionIndex | None
    quality: ServiceQuality
    complaints: ComplaintRecord | None
    flows: TierFlows | None
    plan: Mapping[str, Any] | None
    campaign: Mapping[str, Any] | None
    monitoring: Mapping[str, Any] | None
    report: Report
    config: Config
    why: Mapping[str, str] = field(default_factory=dict)


def find_out(source: Source, day: date, given: Given, config: Config) -> Findings:
    """Let each verb find out its part, over one check of the source and one scoring.

    Raises
    ------
    UsageError
        If what is given is of another date or kind.
    DataError
        If the source is refused, or a file given is none of ours.
    ModelError
        If no scores are given and there is no model.
    """
    checked = check(source, config, until=day)
    clean = checked.accepted()
    plan = None if given.plan is None else RetentionPlan.read(given.plan).facts
    campaign = None if given.campaign is None else _read_campaign(given.campaign)
    monitoring = None if given.monitor is None else _read_monitoring(given.monitor)
    with temporary_folder() as scratch:
        manifest = _scores(source, day, given, config, Path(scratch) / "scores")
        risk = at_risk(manifest, config)
        _log.info("service quality")
        quality = service_quality(
            source,
            day,
            churn_model=given.churn_model,
            satisfaction_model=given.satisfaction_model,
            scores=manifest,
            any_source=given.any_source,
            config=config,
        )
    why: dict[str, str] = {}
    return Findings(
        source=source.location,
        day=day,
        manifest=manifest,
        risk=risk,
        index=_if_there("index", lambda: _index(source, day, given, config), why),
        quality=quality,
        complaints=_if_there(
            "complaints", lambda: complaint_record(source, as_of=day, config=config), why
        ),
        flows=tier_flows(clean.tables, day, config),
        plan=plan,
        campaign=campaign,
        monitoring=monitoring,
        report=checked.report,
        config=config,
        why=why,
    )


def _scores(source: Source, day: date, given: Given, config: Config, folder: Path) -> Manifest:
    if given.scores is None:
        return score(
            source,
            day,
            out=folder,
            churn_model=given.churn_model,
            satisfaction_model=given.satisfaction_model,
            any_source=given.any_source,
            config=config,
        )
    there = given.scores
    manifest = there if isinstance(there, Manifest) else Manifest.read(there)
    if manifest.kind == "table" or manifest.as_of != day.isoformat():
        of = "a table" if manifest.kind == "table" else manifest.as_of
        raise UsageError(
            f"--scores {manifest.folder}: these are scores of {of}, not of {day}.",
            hint="Give the scores of the report's date, or leave them out.",
            value=str(of),
            expected=day.isoformat(),
        )
    manifest.verify()
    return manifest


def _index(source: Source, day: date, given: Given, config: Config) -> SatisfactionIndex:
    columns = source.tables["customers"].columns
    _log.info("satisfaction index")
    return satisfaction_index(
        source,
        as_of=day,
        by=[name for name in INDEX_BY if name in columns],
        satisfaction_model=given.satisfaction_model,
        any_source=given.any_source,
        config=config,
    )


def _if_there(name: str, find: Callable[[], T], why: dict[str, str]) -> T | None:
    """What a verb finds; None, and why, where the source has not what it needs."""
    try:
        return find()
    except DataError as error:
        _log.info("%s: %s", name, error.message)
        why[name] = error.message
        return None


def _read_campaign(file: Location) -> Mapping[str, Any]:
    facts = _json(Path(file))
    if not {"itt", "gain_yuan", "promised"} <= facts.keys():
        raise DataError(
            f"{file}: holds no measurement of a campaign.",
            hint="Give the file that churnml measure wrote with --out.",
            file=str(file),
        )
    return facts


def _read_monitoring(folder: Location) -> Mapping[str, Any]:
    facts = _json(Path(folder) / MONITORING)
    if not isinstance(facts.get("months"), list):
        raise DataError(
            f"{folder}: holds no result of churnml monitor.",
            hint="Give the folder that churnml monitor wrote with --out.",
            file=str(folder),
        )
    return _with_chinese(facts, Path(folder) / "alarms.parquet")


def _with_chinese(facts: dict[str, Any], file: Path) -> dict[str, Any]:
    """The alarms of the last month with what to do in Chinese too, which stands in their table."""
    if not file.is_file() or not facts["months"]:
        return facts
    import pandas as pd

    told = {
        (row["as_of"], row["measure"], row["level"]): row.get("处理建议")
        for row in pd.read_parquet(file).to_dict("records")
    }
    *before, last = facts["months"]
    alarms = [
        one | {"what_to_do_zh": told.get((last["as_of"], one["measure"], one["level"]))}
        for one in last.get("alarms") or []
    ]
    return facts | {"months": [*before, last | {"alarms": alarms}]}


def _json(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
