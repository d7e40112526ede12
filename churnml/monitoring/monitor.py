"""Monitor a model month by month on an operator's tables."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.dates import add_months, parse_date
from churnml.base.placing import input_first, require_apart
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.errors import ChurnmlError, ModelError
from churnml.features.requirements import require_bills
from churnml.labels.coverage import covered
from churnml.labels.window import Window
from churnml.metrics.check_options import check_whole
from churnml.models.histograms import Histograms, ScoringRecord
from churnml.models.model import Model
from churnml.monitoring.alarms import MonthSeen, columns_off, raise_alarms
from churnml.monitoring.estimate import MOST_OFF, SLOPES, expected_auc
from churnml.monitoring.honest import HonestModels
from churnml.monitoring.outcomes import Label, Realised, label_of, outcomes, realised, treated
from churnml.monitoring.replay import Replayed, replay
from churnml.monitoring.result import MonitoredMonth, Monitoring, Remark, span
from churnml.monitoring.telling import tell
from churnml.monitoring.writing import MONITORING, write_monitoring
from churnml.registry.resolve import Resolved
from churnml.registry.tracking.scorings import record_monitoring, recorded_scorings
from churnml.registry.versions import champion_uri
from churnml.scoring.manifest import Manifest
from churnml.scoring.plan import choose_models
from churnml.scoring.record import place_of, read_record
from churnml.scoring.requirements import require_features
from churnml.scoring.same_operator import require_same_operator
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source

_TASK = "churn"
_log = logging.getLogger(__name__)


def monitor(
    data: Source | Location,
    *,
    as_of: date | str,
    months: int | None = None,
    out: Location | None = None,
    scores: Iterable[Location] = (),
    churn_model: Model | Location | None = None,
    any_source: bool = False,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    overwrite: bool = False,
) -> Monitoring:
    """Say month by month whether the churn model still holds, and what to do where it does not.

    Reads what scorings have kept: beside their manifests in ``scores``, and in the store.
    Months that nobody scored are scored now, by a model that had not learned from them. What
    became of the customers is known only when the label's window is over and reported.

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
            require_apart(out, source.read.with_models([churn_model, *scores]))
            MONITORING.require_free(out, overwrite=overwrite)
    chosen = choose_models({_TASK: churn_model or champion_uri(_TASK)})[_TASK]
    if churn_model is None and not any_source:
        require_same_operator(chosen, source)
    require_features(chosen, source)
    require_bills(source, day)
    clean = check(source, settings, until=day).accepted()
    found = _monitored(clean, chosen, day, asked, list(scores), settings)
    if out is not None:
        write_monitoring(found, Path(out), overwrite=overwrite)
        found = replace(found, folder=str(out))
    _track(found, chosen, settings)
    tell(found, settings.monitor)
    return found


def _monitored(
    source: Source,
    chosen: Resolved,
    now: date,
    months: int,
    folders: Sequence[Location],
    config: Config,
) -> Monitoring:
    label = label_of(source, *_label(chosen.model, config), now)
    earliest = covered(source.tables, label.definition).earliest
    days = [day for day in (add_months(now, -back) for back in range(months)) if day >= earliest]
    place = place_of(source.location)
    records, unread = _records(place, folders)
    honest = HonestModels(chosen)
    plans = [_plan(day, records, honest, label, now) for day in sorted(days)]
    plans = [one for one in plans if one.as_of <= now]
    again = replay(source, {one.as_of: one.again for one in plans if one.again}, config)
    seen = _seen(source, plans, again, label, now)
    alarms = raise_alarms([_month_seen(one) for one in seen], config.monitor)
    seen = [replace(one, alarms=tuple(alarms[one.as_of])) for one in seen]
    seen, allowed = _with_estimates(seen, now, config)
    return Monitoring(
        source=source.location,
        as_of=now,
        model=chosen.version,
        months=tuple(seen),
        notes=(*_notes(seen, again, label, now, allowed), *unread),
        limit=config.monitor.drift_limit,
        in_months=config.monitor.in_months,
        of_months=config.monitor.of_months,
        features={
            one.name: dict(one.feature)
            for one in chosen.model.inputs
            if one.feature and one.feature.get("definition")
        },
    )


def _label(model: Model, config: Config) -> tuple[Window, Any]:
    """What the model predicts; of one that does not say, what the settings say."""
    said, default = model.origin.label, config.churn
    window = Window(str(said.get("gap", default.gap)), str(said.get("horizon", default.horizon)))
    return window, said.get("definition", default.definition)


def _records(
    place: str, folders: Sequence[Location]
) -> tuple[dict[tuple[int, int], ScoringRecord], list[Remark]]:
    """The last scoring of each month, by year and month."""
    found: list[ScoringRecord] = []
    unread: list[Remark] = []
    try:
        found += recorded_scorings(place)
    except ChurnmlError as error:
        unread.append(Remark(name="unread", facts={"reason": str(error)}))
    for folder in folders:
        own = [Path(folder), *sorted(path for path in Path(folder).glob("*") if path.is_dir())]
        found += [record for path in own if (record := read_record(path))]
    records: dict[tuple[int, int], ScoringRecord] = {}
    for one in sorted(found, key=lambda one: (one.ended_at, one.as_of or "")):
        if one.as_of and _TASK in one.models:
            day = date.fromisoformat(one.as_of)
            records[day.year, day.month] = one
    return records, unread


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """Where a month's figures come from: a record, a replay, both, or nothing."""

    as_of: date
    record: ScoringRecord | None = None
    again: Resolved | None = None
    scores: tuple[NDArray[Any], NDArray[np.float64]] | None = None


def _plan(
    day: date,
    records: Mapping[tuple[int, int], ScoringRecord],
    models: HonestModels,
    label: Label,
    now: date,
) -> _Plan:
    record = records.get((day.year, day.month))
    if record is None or record.as_of is None:
        return _Plan(as_of=day, again=models.at(day))
    own, kept = date.fromisoformat(record.as_of), record.models[_TASK]
    learned = kept.learned_until
    fair = learned is not None and date.fromisoformat(learned) <= own
    if not fair and (other := models.at(day)):
        return _Plan(as_of=day, again=other)
    if not fair or not label.known(own, now):
        return _Plan(as_of=own, record=record)
    if scores := _kept_scores(record, kept):
        return _Plan(as_of=own, record=record, scores=scores)
    return _Plan(as_of=own, record=record, again=models.version(kept.version, kept.digest))


def _kept_scores(
    record: ScoringRecord, kept: Histograms
) -> tuple[NDArray[Any], NDArray[np.float64]] | None:
    """The scores themselves, where their folder still holds them."""
    import pyarrow.parquet as pq

    if not record.folder:
        return None
    try:
        manifest = Manifest.read(record.folder)
        same = manifest.models[_TASK]["digest"] == kept.digest and manifest.as_of == record.as_of
        if not same:
            return None
        names = ["customer_id", "churn_probability"]
        files = [Path(record.folder) / part.name for part in manifest.parts]
        tables = [pq.read_table(file, columns=names).to_pandas() for file in files]
    except (ChurnmlError, OSError, KeyError, ValueError):
        return None
    whole = pd.concat(tables, ignore_index=True)
    return whole["customer_id"].to_numpy(dtype=object), whole["churn_probability"].to_numpy()


def _seen(
    source: Source,
    plans: Sequence[_Plan],
    again: Mapping[date, Replayed],
    label: Label,
    now: date,
) -> list[MonitoredMonth]:
    scored = {one.as_of: one.scores for one in plans if one.scores}
    scored |= {day: (one.ids, one.scores) for day, one in again.items()}
    known = sorted(day for day in scored if label.known(day, now))
    left = dict(_by_day(outcomes(source, label, known)))
    offered = treated(source, label, known)
    fared = {day: realised(*scored[day], left[day], offered[day]) for day in known if day in left}
    return [_month(one, again.get(one.as_of), fared.get(one.as_of), label) for one in plans]


def _by_day(rows: pd.DataFrame) -> Iterable[tuple[date, pd.DataFrame]]:
    for day, part in rows.groupby("as_of"):
        yield pd.Timestamp(str(day)).date(), part


def _month(
    plan: _Plan, again: Replayed | None, fared: Realised | None, label: Label
) -> MonitoredMonth:
    if plan.record is not None:
        rows, origin, kept = plan.record.rows, "scored", plan.record.models[_TASK]
    elif again is not None:
        rows, origin, kept = again.rows, "replayed", again.histograms
    else:
        rows, origin, kept = None, None, None
    return MonitoredMonth(
        as_of=plan.as_of,
        rows=rows,
        origin=origin,
        model=kept.version if kept else None,
        histograms=kept,
        realised=fared,
        estimated=None,
        known_from=label.known_from(plan.as_of),
    )


def _month_seen(month: MonitoredMonth) -> MonthSeen:
    return MonthSeen(
        as_of=month.as_of,
        known_from=month.known_from,
        histograms=month.histograms,
        realised=month.realised,
    )


def _with_estimates(
    months: Sequence[MonitoredMonth], now: date, config: Config
) -> tuple[list[MonitoredMonth], bool]:
    """Estimate the AUC of months not known yet, where the last known month allows it."""
    known = [month for month in months if month.realised]
    allowed = bool(known) and _trusted(known[-1])
    if not allowed:
        return list(months), False
    return [
        replace(month, estimated=_foretold(month))
        if month.known_from > now and not columns_off(month.histograms, config.monitor)
        else month
        for month in months
    ], True


def _trusted(month: MonitoredMonth) -> bool:
    guess, fared = _foretold(month), month.realised
    if guess is None or fared is None:
        return False
    low, high = SLOPES
    return low <= fared.slope <= high and abs(guess - fared.auc) <= MOST_OFF


def _foretold(month: MonitoredMonth) -> float | None:
    scores = month.histograms.scores if month.histograms else None
    if scores is None or not scores.bins:
        return None
    return expected_auc(scores.means, [rows for _places, rows in scores.bins])


def _notes(
    months: Sequence[MonitoredMonth],
    again: Mapping[date, Replayed],
    label: Label,
    now: date,
    allowed: bool,
) -> list[Remark]:
    notes = [Remark(name="delay", facts={"days": str(label.delay)})]
    silent = [month.as_of for month in months if month.histograms is None]
    if silent:
        these = "it" if len(silent) == 1 else "them"
        notes.append(Remark(name="no_model", facts={"months": span(silent), "these": these}))
    few = [
        month.as_of
        for month in months
        if month.histograms
        and not month.realised
        and label.known(month.as_of, now)
        and _was_fair(month)
    ]
    if few:
        notes.append(Remark(name="few", facts={"months": span(few)}))
    sampled = [one for one in again.values() if len(one.ids) < one.rows]
    if sampled:
        rows = max(len(one.ids) for one in sampled)
        notes.append(Remark(name="sampled", facts={"rows": f"{rows:,}"}))
    offered = [month.realised.treated for month in months if month.realised]
    if many := sum(one or 0 for one in offered):
        notes.append(Remark(name="treated", facts={"count": f"{many:,}"}))
    if any(month.estimated is not None for month in months):
        notes.append(Remark(name="estimate"))
    elif not allowed and any(month.known_from > now for month in months):
        notes.append(Remark(name="no_estimate"))
    return notes


def _was_fair(month: MonitoredMonth) -> bool:
    learned = month.histograms.learned_until if month.histograms else None
    return learned is not None and date.fromisoformat(learned) <= month.as_of


def _track(found: Monitoring, chosen: Resolved, config: Config) -> None:
    """Draw the months in the store that the model came from; a store that fails is a warning."""
    if not config.scoring.track or not chosen.uri.startswith(("models:", "runs:")):
        return
    months = found.months
    fared = [month.realised for month in months]
    curves: dict[str, list[float | None]] = {
        "scored_mean": [month.scored_mean for month in months],
        "realised_auc": [one.auc if one else None for one in fared],
        "realised_rate": [one.rate if one else None for one in fared],
        "predicted_rate": [one.predicted if one else None for one in fared],
        "estimated_auc": [month.estimated for month in months],
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
