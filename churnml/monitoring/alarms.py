"""Alarms: what is off in the last month and in one of the two before, and what to do about it.

A column that has jumped so far that it would be acted on is watched from its first month: a
broken column need not wait for a second one to be told of, only to be acted on. One that has
crept to where it is, as what grows with the length of the record does, is watched and no more.

Which columns are off in a month says `churnml.monitoring.columns`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import numpy as np

from churnml.config.monitoring import MonitorSettings
from churnml.models.histograms import Histograms, InputHistogram, ScoreHistogram
from churnml.monitoring.columns import columns_off, without_season
from churnml.monitoring.outcomes import Realised
from churnml.monitoring.prior import Prior
from churnml.monitoring.words import Tongue, say, say_columns

Level = Literal["watch", "act"]

_NAMED = 4
SURE = 2.58
"""Standard errors: one in a hundred is farther by chance."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Something that is off.

    Attributes
    ----------
    measure : str
        ``inputs.bills`` (columns made from that table), ``scores``, ``auc``, ``rate``,
        ``prior``; of the satisfaction model ``satisfaction_inputs.bills``,
        ``satisfaction_scores``, ``satisfaction_level``, ``satisfaction_error``.
    level : {"watch", "act"}
    kind : str
        Its sentence, as the words name it.
    facts : mapping of str to str
        What the sentence is filled with.
    columns : tuple of (str, str, str, str)
        Of inputs, the worst: ``gone`` or ``moved``, the name, now and before.
    more : int
        How many columns more.
    """

    measure: str
    level: Level
    kind: str
    facts: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[tuple[str, str, str, str], ...] = ()
    more: int = 0

    def what_to_do(self, lang: Tongue = "en") -> str:
        """The sentence that says what to do."""
        more = say("columns", "more", lang, {"count": self.more}) if self.more else ""
        filled = {**self.facts, "columns": say_columns(self.columns, lang), "more": more}
        return say("alarms", f"{self.kind}_{self.level}", lang, filled)

    def name(self, lang: Tongue = "en") -> str:
        """What is off, in a word or two."""
        return say("measures", self.measure.partition(".")[0], lang, self.facts)

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` has it."""
        return {
            "measure": self.measure,
            "level": self.level,
            "what_to_do": self.what_to_do(),
            "columns": [name for _kind, name, _now, _was in self.columns],
        }


@dataclass(frozen=True, kw_only=True)
class MonthSeen:
    """What alarms are raised from.

    Attributes
    ----------
    as_of : date
    known_from : date
        From when on its outcomes are known.
    histograms : Histograms or None
        None where no model may speak of the month.
    realised : Realised or None
    prior : Prior or None
        The share of leavers that its scores foretell, where it may be estimated.
    """

    as_of: date
    known_from: date
    histograms: Histograms | None
    realised: Realised | None
    prior: Prior | None = None


def score_drift(scores: ScoreHistogram, rows: int, reference: int) -> float:
    """The PSI of the scores beyond its 99.9 % quantile by chance."""
    from scipy.stats import chi2

    chance = 1 / max(rows, 1) + 1 / max(reference, 1)
    return max(scores.psi - float(chi2.ppf(0.999, max(len(scores.shares) - 1, 1))) * chance, 0.0)


def raise_alarms(months: Sequence[MonthSeen], settings: MonitorSettings) -> dict[date, list[Alarm]]:
    """The alarms of each month, from what was known by then.

    Parameters
    ----------
    months : sequence of MonthSeen
        The earliest first.
    settings : MonitorSettings

    Returns
    -------
    dict of date to list of Alarm
        Those to act on first.
    """
    off = without_season({one.as_of: columns_off(one.histograms, settings) for one in months})
    found: dict[date, list[Alarm]] = {}
    for place, month in enumerate(months):
        if month.histograms is None:
            found[month.as_of] = []
            continue
        past = [one for one in months[: place + 1] if one.histograms is not None]
        alarms = input_alarms(past, off, settings) + score_alarms(past, settings)
        known = [one for one in months if one.realised and one.known_from <= month.as_of]
        alarms += _auc(known, settings) + _rate(known, settings) + _prior(past, settings)
        found[month.as_of] = sorted(alarms, key=lambda one: (one.level != "act", one.measure))
    return found


def has_lasted(flags: Sequence[bool], settings: MonitorSettings) -> bool:
    """Whether the last is off, and enough of the last few."""
    recent = list(flags)[-settings.of_months :]
    return bool(recent) and recent[-1] and sum(recent) >= settings.in_months


def input_alarms(
    past: Sequence[MonthSeen], off: Mapping[date, set[str]], settings: MonitorSettings
) -> list[Alarm]:
    """The alarms of the last month's inputs, one a table."""
    recent = past[-settings.of_months :]
    last = recent[-1].histograms
    assert last is not None
    now = sorted(off[recent[-1].as_of])
    lasting = {
        name for name in now if has_lasted([name in off[one.as_of] for one in recent], settings)
    }
    weighty = any(one.importance for one in last.inputs.values())
    sudden = {name for name in now if not _crept(name, past, off, settings)}
    by_table: dict[str, list[str]] = {}
    for name in now:
        by_table.setdefault(next(iter(last.inputs[name].tables), "table"), []).append(name)
    alarms = []
    for table, names in by_table.items():
        stayed = [name for name in names if name in lasting]
        if stayed:
            jumped = [name for name in stayed if name in sudden]
            act = _far(jumped, last, settings, weighty=weighty)
            alarms.append(_input_alarm(table, stayed, last, "act" if act else "watch"))
        elif _far([name for name in names if name in sudden], last, settings, weighty=weighty):
            alarms.append(_input_alarm(table, names, last, "watch"))
    return alarms


def _crept(
    name: str,
    past: Sequence[MonthSeen],
    off: Mapping[date, set[str]],
    settings: MonitorSettings,
) -> bool:
    """Whether a column came little by little to where it is.

    Where it was off from the first month on, nobody can tell; then only what lies very far off
    is taken for a jump.
    """
    first = len(past) - 1
    while first > 0 and name in off[past[first - 1].as_of]:
        first -= 1
    if first == 0:
        return _excess(past[-1], name) <= 2 * settings.act_drift
    # What is a mean of months takes more than one to arrive.
    soon = past[min(first + 1, len(past) - 1)]
    arrived = max(_excess(past[first], name), _excess(soon, name))
    return arrived - _excess(past[first - 1], name) <= settings.drift_limit


def _excess(month: MonthSeen, name: str) -> float:
    """A column's drift beyond the usual."""
    one = month.histograms.inputs.get(name) if month.histograms else None
    return max(one.drift - one.usual, 0.0) if one else 0.0


def _far(
    names: Sequence[str], last: Histograms, settings: MonitorSettings, *, weighty: bool
) -> bool:
    """Whether columns that the model leans on have moved so far that somebody should act."""
    columns = [last.inputs[name] for name in names]
    far = [one for one in columns if one.drift - one.usual > settings.act_drift]
    weight = sum(one.importance for one in far)
    return bool(far) and (not weighty or weight >= settings.act_importance)


def _input_alarm(table: str, names: Sequence[str], last: Histograms, level: Level) -> Alarm:
    columns = {name: last.inputs[name] for name in names}
    worst = sorted(columns, key=lambda name: (-(columns[name].drift - columns[name].usual), name))
    gone = sum(_lost(one) for one in columns.values())
    shown = worst[:_NAMED]
    return Alarm(
        measure=f"inputs.{table}",
        level=level,
        kind="gone" if 2 * gone >= len(columns) else "inputs",
        facts={"table": table},
        columns=tuple(_told(name, columns[name]) for name in shown),
        more=len(names) - len(shown),
    )


def _lost(one: InputHistogram) -> bool:
    return one.lost is not None and one.lost - one.was_lost > 0.2


def _told(name: str, one: InputHistogram) -> tuple[str, str, str, str]:
    if _lost(one):
        return "gone", name, f"{one.lost:.0%}", f"{one.was_lost:.0%}"
    return "moved", name, f"{one.drift:.2f}", f"{one.usual:.2f}"


def score_alarms(past: Sequence[MonthSeen], settings: MonitorSettings) -> list[Alarm]:
    """The alarm of the last month's scores, where they lie elsewhere than in the test."""
    drifts = [_score_drift(one) for one in past]
    limit = settings.score_limit
    if not has_lasted([drift > limit for drift in drifts], settings):
        return []
    level: Level = (
        "act" if has_lasted([drift > 3 * limit for drift in drifts], settings) else "watch"
    )
    facts = {"drift": f"{drifts[-1]:.2f}", "limit": f"{limit:g}"}
    return [Alarm(measure="scores", level=level, kind="scores", facts=facts)]


def _score_drift(month: MonthSeen) -> float:
    found = month.histograms
    if found is None or found.scores is None:
        return 0.0
    rows = sum(count for _places, count in found.scores.bins)
    return score_drift(found.scores, rows, found.customers)


def _auc(known: Sequence[MonthSeen], settings: MonitorSettings) -> list[Alarm]:
    if not has_lasted([_auc_lost(one, known, settings) for one in known], settings):
        return []
    last = known[-1]
    assert last.realised is not None
    tested = _expected_auc(last, known)[0]
    facts = {
        "as_of": last.as_of.isoformat(),
        "auc": f"{last.realised.auc:.3f}",
        "tested": f"{tested:.3f}",
    }
    return [Alarm(measure="auc", level="act", kind="auc", facts=facts)]


def _auc_lost(month: MonthSeen, known: Sequence[MonthSeen], settings: MonitorSettings) -> bool:
    assert month.realised is not None
    tested, error = _expected_auc(month, known)
    lost = tested - month.realised.auc
    return lost > settings.auc_limit and lost > SURE * float(np.hypot(error, month.realised.error))


def _expected_auc(month: MonthSeen, known: Sequence[MonthSeen]) -> tuple[float, float]:
    """The AUC of the model's test with its standard error; else that of the first month known."""
    tested = month.histograms.tested_auc if month.histograms else None
    if tested and tested[0] is not None:
        value, low, high = tested[0], tested[1], tested[2]
        return value, (high - low) / 3.92 if low is not None and high is not None else 0.0
    first = known[0].realised
    assert first is not None
    return first.auc, first.error


def _rate(known: Sequence[MonthSeen], settings: MonitorSettings) -> list[Alarm]:
    limit = settings.rate_limit
    if not has_lasted([_rate_off(one, limit) for one in known], settings):
        return []
    last = known[-1]
    assert last.realised is not None
    level: Level = (
        "act" if has_lasted([_rate_off(one, 2 * limit) for one in known], settings) else ("watch")
    )
    facts = {
        "as_of": last.as_of.isoformat(),
        "rate": f"{last.realised.rate:.1%}",
        "predicted": f"{last.realised.predicted:.1%}",
    }
    return [Alarm(measure="rate", level=level, kind="rate", facts=facts)]


def _rate_off(month: MonthSeen, limit: float) -> bool:
    found = month.realised
    assert found is not None
    ratio = found.rate / found.predicted if found.predicted else np.inf
    return abs(ratio - 1) > limit and abs(found.surprise) > SURE


def _prior(past: Sequence[MonthSeen], settings: MonitorSettings) -> list[Alarm]:
    """Watched and no more: an estimate is a hint until outcomes are known."""
    found = past[-1].prior
    if not has_lasted([_share_moved(one.prior, settings.rate_limit) for one in past], settings):
        return []
    assert found is not None
    facts = {
        "rate": f"{found.rate:.1%}",
        "low": f"{found.low:.1%}",
        "high": f"{found.high:.1%}",
        "before": f"{found.before:.1%}",
        "since": found.since.isoformat(),
        "known_from": past[-1].known_from.isoformat(),
    }
    return [Alarm(measure="prior", level="watch", kind="prior", facts=facts)]


def _share_moved(told: Prior | None, limit: float) -> bool:
    """Whether the whole interval lies farther off than the limit."""
    if told is None:
        return False
    return told.low > told.before * (1 + limit) or told.high < told.before * (1 - limit)
