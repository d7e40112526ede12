"""Monitor a model month by month on an operator's tables."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from churnml.base.dates import add_months, parse_date
from churnml.base.placing import input_first, require_apart
from churnml.base.tasks import TaskName
from churnml.config.monitoring import MonitorSettings
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.errors import ChurnmlError, ModelError
from churnml.features.requirements import require_bills
from churnml.labels.coverage import covered
from churnml.labels.window import Window
from churnml.metrics.check_options import check_whole
from churnml.models.model import Model
from churnml.monitoring.alarms import MonthSeen, raise_alarms
from churnml.monitoring.answers import answer_label, answered, answers
from churnml.monitoring.foretold import with_estimates, with_priors
from churnml.monitoring.honest import HonestModels
from churnml.monitoring.outcomes import Label, label_of, outcomes, realised, treated
from churnml.monitoring.plans import (
    MonthPlan,
    Records,
    Scored,
    of_task,
    plan_month,
    read_records,
)
from churnml.monitoring.remarks import of_satisfaction, remarks
from churnml.monitoring.replay import Key, Replayed, replay
from churnml.monitoring.result import MonitoredMonth, Monitoring, Remark
from churnml.monitoring.satisfaction import (
    SatisfactionMonth,
    satisfaction_alarms,
    without_told,
)
from churnml.monitoring.telling import tell
from churnml.monitoring.writing import MONITORING, write_monitoring
from churnml.registry.resolve import Resolved
from churnml.registry.tracking.scorings import record_monitoring
from churnml.registry.versions import champion_uri
from churnml.scoring.plan import choose_models
from churnml.scoring.record import place_of
from churnml.scoring.requirements import require_features
from churnml.scoring.same_operator import require_same_operator
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source

_CHURN: TaskName = "churn"
_SATISFACTION: TaskName = "satisfaction"
_log = logging.getLogger(__name__)


def monitor(
    data: Source | Location,
    *,
    as_of: date | str,
    months: int | None = None,
    out: Location | None = None,
    scores: Iterable[Location] = (),
    churn_model: Model | Location | None = None,
    satisfaction_model: Model | Location | None = None,
    any_source: bool = False,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    overwrite: bool = False,
) -> Monitoring:
    """Say month by month whether the models still hold, and what to do where they do not.

    Reads what scorings have kept: beside their manifests in ``scores``, and in the store.
    Months that nobody scored are scored now, by a model that had not learned from them. What
    became of the customers, and what they answered, is known only when the label's window is
    over and reported.

    Parameters
    ----------
    data : Source, str or path
        Operator tables; nothing at or after ``as_of`` is read.
    as_of : date
        The last month, and today.
    months : int, optional
        How many, by default ``monitor.months``; fewer where the data begin later.
    out : path, optional
        A folder for two pages (English and Chinese), ``monitor.json``, ``months.parquet``,
        ``inputs.parquet`` and ``alarms.parquet``.
    scores : paths, optional
        Folders of scorings, or folders that hold some.
    churn_model : Model, str or path, optional
        The model in use; by default the champion.
    satisfaction_model : Model, str or path, optional
        The one that predicts satisfaction; by default the champion, where there is one and no
        churn model is named, as in `churnml.score`.
    any_source : bool, default False
        Whether a champion taken by default may be one of another operator.
    mapping : path, optional
    config : Config, path or mapping, optional
        Its section ``monitor``.
    overwrite : bool, default False

    Returns
    -------
    Monitoring
        ``act`` has the alarms that end the command with status 6.

    Raises
    ------
    ModelError
        If there is no model, or the champion is another operator's.
    DataError
        If the source is refused, or its bills end more than a month before ``as_of``.
    OutputError
        If the folder cannot be written.

    Examples
    --------
    >>> import churnml
    >>> churnml.monitor("demo/operator", as_of="2026-06-01", months=0)
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: months is 0; a whole number of 1 or more was expected.
    """
    settings, day = as_config(config), parse_date(as_of)
    asked = settings.monitor.months if months is None else check_whole("months", months, least=1)
    source = as_source(data, mapping=mapping, config=settings)
    if out is not None:
        with input_first(lambda: check(source, settings, until=day).accepted()):
            require_apart(out, source.read.with_models([churn_model, satisfaction_model, *scores]))
            MONITORING.require_free(out, overwrite=overwrite)
    chosen, unfit = _models(source, churn_model, satisfaction_model, any_source=any_source)
    require_bills(source, day)
    clean = check(source, settings, until=day).accepted()
    found = _monitored(clean, chosen, day, asked, list(scores), settings)
    found = replace(found, notes=(*found.notes, *unfit))
    if out is not None:
        write_monitoring(found, Path(out), overwrite=overwrite)
        found = replace(found, folder=str(out))
    _track(found, chosen[_CHURN], settings)
    tell(found, settings.monitor)
    return found


def _models(
    source: Source,
    churn: Model | Location | None,
    satisfaction: Model | Location | None,
    *,
    any_source: bool,
) -> tuple[dict[str, Resolved], list[Remark]]:
    """The models by task; a champion of satisfaction that does not fit is a remark."""
    asked: dict[str, Model | Location | None] = {
        _CHURN: churn or champion_uri(_CHURN),
        _SATISFACTION: satisfaction,
    }
    chosen = choose_models(asked)
    if churn is None and not any_source:
        require_same_operator(chosen[_CHURN], source)
    require_features(chosen[_CHURN], source)
    if satisfaction is not None:
        require_features(chosen[_SATISFACTION], source)
    if churn is not None or satisfaction is not None:
        return chosen, []
    try:
        other = choose_models({_SATISFACTION: champion_uri(_SATISFACTION)})[_SATISFACTION]
        if not any_source:
            require_same_operator(other, source)
        require_features(other, source)
    except ChurnmlError as error:
        return chosen, [Remark(name="no_satisfaction", facts={"reason": error.message})]
    return chosen | {_SATISFACTION: other}, []


def _monitored(
    source: Source,
    chosen: Mapping[str, Resolved],
    now: date,
    months: int,
    folders: Sequence[Location],
    config: Config,
) -> Monitoring:
    model = chosen[_CHURN]
    label = label_of(source, *_label(model.model, config), now)
    earliest = covered(source.tables, label.definition).earliest
    days = [day for day in (add_months(now, -back) for back in range(months)) if day >= earliest]
    records, unread = read_records(place_of(source.location), folders)
    labels: dict[str, Label | None] = {_CHURN: label}
    if _SATISFACTION in chosen:
        window = _label(chosen[_SATISFACTION].model, config)[0]
        labels[_SATISFACTION] = answer_label(source, window, now)
    plans = {
        task: _plans(days, of_task(records, one.model.task), one, labels[task], now)
        for task, one in chosen.items()
    }
    wanted = {
        (one.task, one.as_of): one.again
        for planned in plans.values()
        for one in planned
        if one.again
    }
    again = replay(source, wanted, config)
    seen = _churn(source, plans[_CHURN], again, label, now)
    asked = _satisfaction(
        source, plans.get(_SATISFACTION, []), again, labels.get(_SATISFACTION), now
    )
    seen, priors = with_priors(seen, config.monitor)
    seen = _with_alarms(seen, asked, config.monitor)
    seen, estimates = with_estimates(seen, now, config.monitor)
    notes = remarks(seen, again.values(), label, now, estimates=estimates, priors=priors)
    return Monitoring(
        source=source.location,
        as_of=now,
        model=model.version,
        months=tuple(seen),
        notes=(*notes, *of_satisfaction(asked, labels.get(_SATISFACTION)), *unread),
        limit=config.monitor.drift_limit,
        in_months=config.monitor.in_months,
        of_months=config.monitor.of_months,
        features={
            column.name: dict(column.feature)
            for one in chosen.values()
            for column in one.model.inputs
            if column.feature and column.feature.get("definition")
        },
    )


def _plans(
    days: Sequence[date], records: Records, chosen: Resolved, label: Label | None, now: date
) -> list[MonthPlan]:
    models = HonestModels(chosen)
    plans = [plan_month(day, records, models, label, now) for day in sorted(days)]
    return [one for one in plans if one.as_of <= now]


def _with_alarms(
    months: Sequence[MonitoredMonth],
    asked: Sequence[SatisfactionMonth],
    settings: MonitorSettings,
) -> list[MonitoredMonth]:
    """Each month with its alarms, and with what the satisfaction model says of it."""
    alarms = raise_alarms([_month_seen(one) for one in months], settings)
    more = satisfaction_alarms(asked, settings)
    by_month = {(one.as_of.year, one.as_of.month): one for one in asked}
    found = []
    for month in months:
        told = alarms[month.as_of]
        beside = by_month.get((month.as_of.year, month.as_of.month))
        if beside:
            told = told + without_told(more.get(beside.as_of, []), told)
        told = sorted(told, key=lambda one: (one.level != "act", one.measure))
        found.append(replace(month, alarms=tuple(told), satisfaction=beside))
    return found


def _label(model: Model, config: Config) -> tuple[Window, Any]:
    """What the model predicts; of one that does not say, what the settings say."""
    said, default = model.origin.label, config.churn
    window = Window(str(said.get("gap", default.gap)), str(said.get("horizon", default.horizon)))
    return window, said.get("definition", default.definition)


def _churn(
    source: Source,
    plans: Sequence[MonthPlan],
    again: Mapping[Key, Replayed],
    label: Label,
    now: date,
) -> list[MonitoredMonth]:
    scored = _scored(plans, again)
    known = sorted(day for day in scored if label.known(day, now))
    left = dict(_by_day(outcomes(source, label, known)))
    offered = treated(source, label, known)
    fared = {day: realised(*scored[day], left[day], offered[day]) for day in known if day in left}
    return [
        MonitoredMonth(
            **_kept(one, again),
            realised=fared.get(one.as_of),
            estimated=None,
            known_from=label.known_from(one.as_of),
        )
        for one in plans
    ]


def _satisfaction(
    source: Source,
    plans: Sequence[MonthPlan],
    again: Mapping[Key, Replayed],
    label: Label | None,
    now: date,
) -> list[SatisfactionMonth]:
    scored = _scored(plans, again)
    known = sorted(day for day in scored if label and label.known(day, now))
    given = dict(_by_day(answers(source, label, known))) if label else {}
    fared = {day: answered(*scored[day], given[day]) for day in known if day in given}
    return [
        SatisfactionMonth(
            **_kept(one, again),
            answered=fared.get(one.as_of),
            known_from=label.known_from(one.as_of) if label else None,
        )
        for one in plans
    ]


def _scored(plans: Sequence[MonthPlan], again: Mapping[Key, Replayed]) -> dict[date, Scored]:
    """The scores themselves, where they are at hand."""
    scored = {one.as_of: one.scores for one in plans if one.scores}
    for one in plans:
        if found := again.get((one.task, one.as_of)):
            scored[one.as_of] = (found.ids, found.scores)
    return scored


def _by_day(rows: pd.DataFrame) -> Iterable[tuple[date, pd.DataFrame]]:
    for day, part in rows.groupby("as_of"):
        yield pd.Timestamp(str(day)).date(), part


def _kept(plan: MonthPlan, again: Mapping[Key, Replayed]) -> dict[str, Any]:
    rows, origin, kept = plan.kept(again.get((plan.task, plan.as_of)))
    return {
        "as_of": plan.as_of,
        "rows": rows,
        "origin": origin,
        "model": kept.version if kept else None,
        "histograms": kept,
    }


def _month_seen(month: MonitoredMonth) -> MonthSeen:
    return MonthSeen(
        as_of=month.as_of,
        known_from=month.known_from,
        histograms=month.histograms,
        realised=month.realised,
        prior=month.prior,
    )


def _track(found: Monitoring, chosen: Resolved, config: Config) -> None:
    """Draw the months in the store that the model came from; a store that fails is a warning."""
    if not config.scoring.track or not chosen.uri.startswith(("models:", "runs:")):
        return
    months = found.months
    fared = [month.realised for month in months]
    asked = [month.satisfaction for month in months]
    answers_given = [one.answered if one else None for one in asked]
    curves: dict[str, list[float | None]] = {
        "scored_mean": [month.scored_mean for month in months],
        "realised_auc": [one.auc if one else None for one in fared],
        "realised_rate": [one.rate if one else None for one in fared],
        "predicted_rate": [one.predicted if one else None for one in fared],
        "estimated_auc": [month.estimated for month in months],
        "estimated_rate": [month.prior.rate if month.prior else None for month in months],
        "satisfaction_mean": [one.mean if one else None for one in asked],
        "satisfaction_answers": [one.mean if one else None for one in answers_given],
        "satisfaction_predicted": [one.predicted if one else None for one in answers_given],
        "satisfaction_error": [one.error if one else None for one in answers_given],
        "alarms": [float(len(month.alarms)) for month in months],
    }
    text = json.dumps(found.to_dict(), ensure_ascii=False, indent=1)
    try:
        record_monitoring(
            source=place_of(found.source),
            as_of=found.as_of,
            months=[month.as_of for month in months],
            curves=curves,
            files={"monitor.json": text},
        )
    except ModelError as error:
        _log.warning("the monitoring was not recorded in the store: %s", error)
