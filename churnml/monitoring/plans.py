"""Where each month's figures come from: a kept scoring, a scoring done again, both, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.tasks import TASKS, TaskName
from churnml.errors import ChurnmlError
from churnml.models.histograms import Histograms, ScoringRecord
from churnml.monitoring.honest import HonestModels
from churnml.monitoring.outcomes import Label
from churnml.monitoring.replay import Replayed
from churnml.monitoring.result import Remark
from churnml.registry.resolve import Resolved
from churnml.registry.tracking.scorings import recorded_scorings
from churnml.scoring.manifest import Manifest
from churnml.scoring.record import read_record
from churnml.tables.checked import Location

Scored = tuple[NDArray[Any], NDArray[np.float64]]
"""Customers and their scores."""


@dataclass(frozen=True, kw_only=True)
class MonthPlan:
    """Where a month's figures of one task come from.

    Attributes
    ----------
    as_of : date
    task : {"churn", "satisfaction"}
    record : ScoringRecord or None
        What a scoring has kept.
    again : Resolved or None
        The model that scores the month again.
    scores : (array, array) or None
        The kept scores, where outcomes are known and they are still there.
    """

    as_of: date
    task: TaskName
    record: ScoringRecord | None = None
    again: Resolved | None = None
    scores: Scored | None = None

    def kept(self, again: Replayed | None) -> tuple[int | None, str | None, Histograms | None]:
        """Rows, origin and histograms of the month."""
        if self.record is not None:
            return self.record.rows, "scored", self.record.models[self.task]
        if again is not None:
            return again.rows, "replayed", again.histograms
        return None, None, None


Records = Mapping[tuple[int, int], ScoringRecord]
"""By year and month."""


def read_records(
    place: str, folders: Sequence[Location]
) -> tuple[list[ScoringRecord], list[Remark]]:
    """The scorings of a source that are recorded in the store, and those in folders."""
    found: list[ScoringRecord] = []
    unread: list[Remark] = []
    try:
        found += recorded_scorings(place)
    except ChurnmlError as error:
        unread.append(Remark(name="unread", facts={"reason": str(error)}))
    for folder in folders:
        own = [Path(folder), *sorted(path for path in Path(folder).glob("*") if path.is_dir())]
        found += [record for path in own if (record := read_record(path))]
    return found, unread


def of_task(records: Sequence[ScoringRecord], task: TaskName) -> Records:
    """The last scoring of each month by a model of a task."""
    last: dict[tuple[int, int], ScoringRecord] = {}
    for one in sorted(records, key=lambda one: (one.ended_at, one.as_of or "")):
        if one.as_of and task in one.models:
            day = date.fromisoformat(one.as_of)
            last[day.year, day.month] = one
    return last


def plan_month(
    day: date, records: Records, models: HonestModels, label: Label | None, now: date
) -> MonthPlan:
    """Plan a month: what was kept where its model had not learned from it, else a replay."""
    task = models.task
    record = records.get((day.year, day.month))
    if record is None or record.as_of is None:
        return MonthPlan(as_of=day, task=task, again=models.at(day))
    own, kept = date.fromisoformat(record.as_of), record.models[task]
    learned = kept.learned_until
    fair = learned is not None and date.fromisoformat(learned) <= own
    if not fair and (other := models.at(day)):
        return MonthPlan(as_of=day, task=task, again=other)
    if not fair or label is None or not label.known(own, now):
        return MonthPlan(as_of=own, task=task, record=record)
    if scores := _kept_scores(record, kept):
        return MonthPlan(as_of=own, task=task, record=record, scores=scores)
    again = models.version(kept.version, kept.digest)
    return MonthPlan(as_of=own, task=task, record=record, again=again)


def _kept_scores(record: ScoringRecord, kept: Histograms) -> Scored | None:
    """The scores themselves, where their folder still holds them."""
    import pyarrow.parquet as pq

    if not record.folder:
        return None
    score = TASKS[kept.task].score
    try:
        manifest = Manifest.read(record.folder)
        same = manifest.models[kept.task]["digest"] == kept.digest
        if not same or manifest.as_of != record.as_of:
            return None
        names = ["customer_id", score]
        files = [Path(record.folder) / part.name for part in manifest.parts]
        tables = [pq.read_table(file, columns=names).to_pandas() for file in files]
    except (ChurnmlError, OSError, KeyError, ValueError):
        return None
    whole = pd.concat(tables, ignore_index=True)
    return whole["customer_id"].to_numpy(dtype=object), whole[score].to_numpy()
