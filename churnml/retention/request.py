"""What a plan is asked for: the tables, the day, the terms, and the models that are used."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from churnml import __version__
from churnml.base.dates import parse_date
from churnml.base.tasks import TaskName
from churnml.config.settings import Config
from churnml.errors import DataError, ModelError, UsageError
from churnml.errors.masking import without_secrets
from churnml.models.model import Model, check_golden
from churnml.registry.resolve import Resolved, as_resolved, find_champion, require_task, resolve
from churnml.registry.versions import champion_uri
from churnml.retention.choice import Terms
from churnml.retention.result import KIND
from churnml.scoring.requirements import require_features
from churnml.scoring.same_operator import require_same_operator
from churnml.tables.source import Source


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """Everything that can change a plan.

    Attributes
    ----------
    source : Source
    day : date
    terms : Terms
    explore : bool
    models : PlanModels
    config : Config
    """

    source: Source
    day: date
    terms: Terms
    explore: bool
    models: PlanModels
    config: Config

    def key(self) -> dict[str, Any]:
        """What tells this work from any other."""
        terms = asdict(self.terms)
        terms["contacts"] = None if math.isinf(self.terms.contacts) else self.terms.contacts
        return {
            "kind": KIND,
            "source": without_secrets(self.source.location),
            "fingerprint": self.source.fingerprint(),
            "as_of": self.day.isoformat(),
            "terms": terms,
            "explore": self.explore,
            "models": self.models.to_dict(),
            "config": self.config.digest(),
            "churnml": __version__,
        }


@dataclass(frozen=True, kw_only=True)
class PlanModels:
    """The models that a plan uses; None where there is none.

    Attributes
    ----------
    churn : Resolved
    hazard : Resolved or None
        Tells when customers leave.
    satisfaction : Resolved or None
        Tells why customers are dissatisfied.
    offers : Resolved or None
        Tells what offers do; without it that is learned anew.
    notes : tuple of str
        Why a champion is not used.
    """

    churn: Resolved
    hazard: Resolved | None = None
    satisfaction: Resolved | None = None
    offers: Resolved | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, dict[str, str]]:
        """Version, address and digest of each, by task."""
        names = ("churn", "hazard", "satisfaction", "offers")
        used = {name: getattr(self, name) for name in names}
        return {
            task: {"version": one.version, "uri": one.uri, "digest": one.model.digest}
            for task, one in used.items()
            if one is not None
        }


def check_terms(terms: Terms, *, explore: bool) -> None:
    """Refuse what no campaign can keep.

    Raises
    ------
    UsageError
    """
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


def find_models(
    source: Source,
    day: date,
    config: Config,
    *,
    churn: Model | str | Path | None,
    offers: Model | str | Path | None,
    any_source: bool = False,
) -> PlanModels:
    """The models of a plan: those that are named, else the champions.

    A champion that is not named and cannot be used is passed over, and the notes say why; of
    churn there must be one.

    Raises
    ------
    ModelError
        No model of churn, or a model that is named and cannot be used.
    DataError
        If the source lacks a table that a named model needs.
    """
    found = resolve(champion_uri("churn")) if churn is None else as_resolved(churn)
    require_task(found, "churn", "churn")
    check_golden(found.model)
    if churn is None and not any_source:
        require_same_operator(found, source)
    require_features(found, source)
    others: dict[str, Resolved | None] = {}
    notes: list[str] = []
    for task in ("hazard", "satisfaction"):
        others[task] = _champion(task, source, notes, any_source=any_source)
    if offers is None:
        told = _champion("offers", source, notes, any_source=any_source)
        problem = "" if told is None else _not_of_its_time(told, day, config)
        if problem:
            notes.append(f"{problem} What offers do was learned anew.")
            told = None
        others["offers"] = told
    else:
        others["offers"] = _named_offers(as_resolved(offers), source, day, config)
    return PlanModels(churn=found, notes=tuple(notes), **others)


def _champion(
    task: TaskName, source: Source, notes: list[str], *, any_source: bool
) -> Resolved | None:
    found = find_champion(task)
    if found is None:
        return None
    try:
        require_features(found, source)
        if not any_source:
            require_same_operator(found, source)
    except (ModelError, DataError) as error:
        notes.append(f"{found.version} is not used: {error.message}")
        return None
    check_golden(found.model)
    return found


def _named_offers(found: Resolved, source: Source, day: date, config: Config) -> Resolved:
    require_task(found, "offers", "offers")
    check_golden(found.model)
    require_features(found, source)
    problem = _not_of_its_time(found, day, config)
    if problem:
        raise ModelError(problem, hint="Train one with churnml train offers --until DATE.")
    return found


def _not_of_its_time(found: Resolved, day: date, config: Config) -> str:
    """Why a model of offers tells nothing of this plan; empty where it does."""
    origin = found.model.origin
    horizon, wanted = str(origin.label.get("horizon", "")), config.retention.horizon
    if horizon != wanted:
        return f"{found.version} tells who left within {horizon or 'some time'}, not {wanted}."
    last = origin.window[-1] if origin.window else None
    if last is None or parse_date(last) > day:
        return f"{found.version} learned from what was known at {last}, later than {day}."
    return ""
