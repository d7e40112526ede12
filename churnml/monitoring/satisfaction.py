"""Whether the satisfaction model still holds: its inputs, its scores, and what people answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from churnml.config.monitoring import MonitorSettings
from churnml.models.histograms import FEWEST, Histograms
from churnml.monitoring.alarms import (
    SURE,
    Alarm,
    Level,
    MonthSeen,
    has_lasted,
    input_alarms,
    score_alarms,
)
from churnml.monitoring.answers import Answered
from churnml.monitoring.columns import columns_off, without_season


@dataclass(frozen=True, kw_only=True)
class SatisfactionMonth:
    """A month of the satisfaction model.

    Attributes
    ----------
    as_of : date
    rows : int or None
        Scored customers; None where no model may speak of the month.
    origin : {"scored", "replayed"} or None
    model : str or None
    histograms : Histograms or None
    answered : Answered or None
        None before the answers are known, and where fewer than ten answered.
    known_from : date or None
        From when on the answers are known; None where nobody is asked.
    """

    as_of: date
    rows: int | None
    origin: str | None
    model: str | None
    histograms: Histograms | None
    answered: Answered | None
    known_from: date | None

    @property
    def mean(self) -> float | None:
        """The mean predicted satisfaction, of 100."""
        scores = self.histograms.scores if self.histograms else None
        return None if scores is None else scores.mean

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` has it."""
        shown = self.rows is not None and self.rows >= FEWEST
        return {
            "rows": self.rows if shown else None,
            "origin": self.origin,
            "model": self.model,
            "scored_mean": round(self.mean, 4) if shown and self.mean is not None else None,
            "realised": self.answered.to_dict() if self.answered else None,
            "known_from": self.known_from.isoformat() if self.known_from else None,
        }


def satisfaction_alarms(
    months: Sequence[SatisfactionMonth], settings: MonitorSettings
) -> dict[date, list[Alarm]]:
    """The alarms of each month, from what was known by then; the earliest month first."""
    seen = [
        MonthSeen(
            as_of=one.as_of,
            known_from=one.known_from or date.max,
            histograms=one.histograms,
            realised=None,
        )
        for one in months
        if one.histograms is not None
    ]
    off = without_season({one.as_of: columns_off(one.histograms, settings) for one in seen})
    found: dict[date, list[Alarm]] = {}
    for place, month in enumerate(seen):
        past = seen[: place + 1]
        alarms = [
            replace(one, measure=f"satisfaction_{one.measure}")
            for one in input_alarms(past, off, settings)
            if _far(one, month.histograms, settings)
        ]
        alarms += [
            replace(one, measure="satisfaction_scores", kind="satisfaction_scores")
            for one in score_alarms(past, settings)
        ]
        known = [
            one
            for one in months
            if one.answered and one.known_from and one.known_from <= month.as_of
        ]
        found[month.as_of] = alarms + _level(known, settings) + _error(known, settings)
    return found


def _far(alarm: Alarm, found: Histograms | None, settings: MonitorSettings) -> bool:
    """Whether a column has moved far: those who answer, from whom it learned, differ anyway."""
    assert found is not None
    columns = [found.inputs[name] for _kind, name, _now, _was in alarm.columns]
    return any(one.drift - one.usual > settings.act_drift for one in columns)


def without_told(alarms: Sequence[Alarm], told: Sequence[Alarm]) -> list[Alarm]:
    """Leave out inputs of a table that the churn model's alarms tell of as urgently."""
    levels = {one.measure: one.level for one in told}
    return [
        one
        for one in alarms
        if levels.get(one.measure.removeprefix("satisfaction_")) not in ("act", one.level)
        or not one.measure.startswith("satisfaction_inputs")
    ]


def _level(known: Sequence[SatisfactionMonth], settings: MonitorSettings) -> list[Alarm]:
    limit = settings.points_limit
    if not has_lasted([_off(one, limit) for one in known], settings):
        return []
    found = known[-1].answered
    assert found is not None
    facts = {
        "as_of": known[-1].as_of.isoformat(),
        "mean": f"{found.mean:.1f}",
        "predicted": f"{found.predicted:.1f}",
        "count": f"{found.answers:,}",
    }
    act = has_lasted([_off(one, 2 * limit) for one in known], settings)
    level: Level = "act" if act else "watch"
    return [
        Alarm(measure="satisfaction_level", level=level, kind="satisfaction_level", facts=facts)
    ]


def _off(month: SatisfactionMonth, limit: float) -> bool:
    found = month.answered
    assert found is not None
    error = (found.high - found.low) / 3.92
    return abs(found.off) > limit and abs(found.off) > SURE * error


def _error(known: Sequence[SatisfactionMonth], settings: MonitorSettings) -> list[Alarm]:
    if not has_lasted([_worse(one, settings) for one in known], settings):
        return []
    last = known[-1]
    assert last.answered is not None
    facts: Mapping[str, str] = {
        "as_of": last.as_of.isoformat(),
        "error": f"{last.answered.error:.1f}",
        "tested": f"{_tested(last)[0]:.1f}",
    }
    return [
        Alarm(measure="satisfaction_error", level="act", kind="satisfaction_error", facts=facts)
    ]


def _worse(month: SatisfactionMonth, settings: MonitorSettings) -> bool:
    found = month.answered
    assert found is not None
    tested, doubt = _tested(month)
    lost = found.error - tested
    own = (found.error_high - found.error_low) / 3.92
    return lost > settings.error_limit * tested and lost > SURE * float(np.hypot(own, doubt))


def _tested(month: SatisfactionMonth) -> tuple[float, float]:
    """The mean absolute error of the model's test with its standard error; infinite without."""
    tested = month.histograms.tested_mae if month.histograms else None
    if not tested or tested[0] is None:
        return np.inf, 0.0
    value, low, high = tested[0], tested[1], tested[2]
    return value, (high - low) / 3.92 if low is not None and high is not None else 0.0
