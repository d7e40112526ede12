"""Evaluate challenger and champion on months that neither was trained on."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from churnml.base.tasks import TaskName
from churnml.config.settings import Config
from churnml.datasets import dataset
from churnml.datasets.dataset import Dataset
from churnml.datasets.flat.frame import Frame, is_frame, name_of
from churnml.datasets.offers import outcomes_until, read_offers
from churnml.errors import LabelWindowError, ModelError
from churnml.errors.masking import MASK, without_secrets
from churnml.evaluation.contest import GATES, Verdict, contest
from churnml.evaluation.offers_contest import contest_offers
from churnml.evaluation.unseen_months import learned_until, unseen_months
from churnml.labels import coverage as cover
from churnml.models.model import Model
from churnml.registry import resolve as resolving
from churnml.registry import versions as registry
from churnml.registry.promotion.unseen_rows import unseen_rows
from churnml.registry.resolve import Resolved, require_task
from churnml.registry.store import Store
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Contenders:
    """Two versions of a registered model, as the registry said at the beginning.

    Attributes
    ----------
    store : Store
    name : str
    challenger, champion : str
        Version numbers.
    """

    store: Store
    name: str
    challenger: str
    champion: str


def measured(
    both: Contenders,
    task: TaskName,
    data: Source | Location | Frame | None,
    mapping: Location | None,
    config: Config,
) -> Verdict:
    """Evaluate both models as before their refit, on months that neither has seen.

    Parameters
    ----------
    both : Contenders
    task : {"churn", "satisfaction"}
    data : Source, path or data frame, optional
        Operator tables, or a table of one's own; by default what the challenger's run recorded.
    mapping : path, optional
    config : Config

    Raises
    ------
    ModelError
        If one of them cannot be had, or they cannot be measured by one outcome.
    DataError
        If the source is refused, or has no such month.
    """
    if task not in {*GATES, *_CONTESTS}:
        raise ModelError(
            f"{both.name}: there is no gate for {task} models.",
            hint='Compare their figures in churnml ui; --force "REASON" promotes one.',
        )
    own = _measurable(both, both.challenger, task)
    other = _measurable(both, both.champion, task)
    _require_comparable(both, own.model, other.model)
    if own.model.origin.kind == "table" and task in GATES:
        place = _table(both, data)
        location = without_secrets(name_of(place))
        _log.info("measuring %s and %s on %s", own.version, other.version, location)
        verdict = _by_table(place, own.model, other.model, config)
    else:
        source = _source(both, data, mapping, config)
        location = source.location
        _log.info("measuring %s and %s on %s", own.version, other.version, location)
        decide = _CONTESTS.get(task, _by_outcomes)
        verdict = decide(source, own.model, other.model, config)
    notes = [
        f"{one.version} was not kept as it was before its refit: it was measured as registered, "
        "on later months."
        for one in (own, other)
        if one.uri.startswith("models:/")
    ]
    return replace(verdict, source=location, notes=(*verdict.notes, *notes))


def _by_table(table: Location | Frame, own: Model, other: Model, config: Config) -> Verdict:
    settings = _with_label(config, own)
    rows = unseen_rows(table, (own, other), settings)
    _log.info("comparing on %s rows", f"{len(rows):,}")
    return contest(own, other, rows, settings)


def _by_outcomes(source: Source, own: Model, other: Model, config: Config) -> Verdict:
    settings = _with_label(config, own)
    rows = _rows(source, (own, other), settings)
    _log.info("comparing on %s rows", f"{len(rows):,}")
    return contest(own, other, rows, settings)


def _by_offers(source: Source, own: Model, other: Model, config: Config) -> Verdict:
    """By what decisions would have earned, on later offers than either has learned from."""
    horizon = str(own.origin.label["horizon"])
    retention = config.retention.model_copy(update={"horizon": horizon})
    settings = config.model_copy(update={"retention": retention})
    clean = check(source, settings).accepted()
    covered = cover.covered(clean.tables, "termination").until
    day = covered if clean.day is None else min(covered, clean.day)
    rows = read_offers(clean, day, settings)
    learned = outcomes_until([*own.origin.as_of, *other.origin.as_of], horizon)
    months = sorted({month for month in rows.month if month >= learned})
    if not months:
        raise LabelWindowError(
            f"{source.location}: no past offers with known outcomes that neither model has "
            f"learned from: they learned until {learned}, and offers until {max(rows.month)} "
            "have outcomes.",
            hint="Name a source with later months, or promote with --force REASON.",
            expected=f"offers of {learned} or later, with outcomes",
        )
    later = rows.rows(np.isin(rows.month, months[-config.promotion.months :]))
    _log.info("comparing on %s past offers", f"{len(later):,}")
    return contest_offers(own, other, later, settings)


_CONTESTS = {"offers": _by_offers}
"""How tasks are decided that no gate of outcomes decides."""


def _measurable(both: Contenders, version: str, task: TaskName) -> Resolved:
    """A version as it was before it learned from its test rows too; else as it is."""
    resolved = resolving.before_refit(both.store, both.name, version)
    if resolved is None:
        resolved = resolving.resolve(f"models:/{both.name}/{version}")
    require_task(resolved, task, both.name)
    return resolved


def _require_comparable(both: Contenders, challenger: Model, champion: Model) -> None:
    if any(one.origin.kind == "table" and not one.origin.as_of for one in (challenger, champion)):
        raise ModelError(
            f"{both.name}: learned from a table of one's own, which has no months that neither "
            "version has seen.",
            hint="Train both with --time, the date that each row stands for; or measure both with "
            "churnml evaluate on rows that neither has learned from, then promote with --force "
            "REASON.",
        )
    own, other = (_label_in_words(model.origin.label) for model in (challenger, champion))
    if own != other:
        raise ModelError(
            f"{both.name}/{both.challenger} predicts {own}, the champion {other}: no outcome "
            "measures both.",
            hint="Train a challenger with the champion's label, or promote with --force REASON.",
        )


def _label_in_words(label: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(label.items()))


def _table(both: Contenders, data: Source | Location | Frame | None) -> Location | Frame:
    """The table to evaluate on: as given, else that of the challenger's training."""
    if isinstance(data, Source):
        raise ModelError(
            f"{both.name} reads a table of one's own, not operator tables.",
            hint="Name a table with later months.",
        )
    if data is not None:
        return data
    recorded, _ = registry.source_of(both.store, both.name, both.challenger)
    if recorded is None or MASK in recorded:
        raise ModelError(
            f"{both.name}/{both.challenger}: its run does not say where its table lies.",
            hint="Name a table with later months: churnml promote TASK TABLE --name NAME.",
        )
    return recorded


def _source(
    both: Contenders,
    data: Source | Location | Frame | None,
    mapping: Location | None,
    config: Config,
) -> Source:
    """The tables to evaluate on: as given, else those of the challenger's training."""
    recorded, mapped = registry.source_of(both.store, both.name, both.challenger)
    if isinstance(data, Source):
        return as_source(data, mapping=mapping, config=config)
    if is_frame(data):
        raise ModelError(
            f"{both.name} reads operator tables, not a table of one's own.",
            hint="Name the source: churnml promote TASK SOURCE.",
        )
    if data is not None:
        same = recorded is not None and str(Path(data).absolute()) == recorded
        return as_source(data, mapping=mapping or (mapped if same else None), config=config)
    if recorded is None or MASK in recorded:
        raise ModelError(
            f"{both.name}/{both.challenger}: its run does not say how to reach its tables"
            + (f" ({recorded})." if recorded else "."),
            hint="Name the source: churnml promote TASK SOURCE.",
        )
    return as_source(recorded, mapping=mapping or mapped or None, config=config)


def _with_label(config: Config, model: Model) -> Config:
    """The settings with the label that the models were trained on."""
    task = model.task
    label = {name: model.origin.label[name] for name in dataset.LABEL if name in model.origin.label}
    section = dataset.settings(task, config).model_copy(update=label)
    return config.model_copy(update={task: section})


def _rows(source: Source, models: tuple[Model, Model], config: Config) -> Dataset:
    """The most recent matured months that neither model has learned from."""
    task = models[0].task
    clean = check(source, config).accepted()
    window = dataset.label_window(task, config)
    covered = dataset.covered(clean, task, config)
    earliest = max(covered.earliest, cover.first_usable(window, covered.since))
    learned = max(learned_until(model, window) for model in models)
    months = config.promotion.months
    days = unseen_months(
        covered.until, learned, window, months=months, source=source.location, earliest=earliest
    )
    _log.info("building features at %s", ", ".join(map(str, days)))
    rows = dataset.settings(task, config).max_rows
    return dataset.build_dataset(clean, task, days, config=config, max_rows=rows)
