"""The last parts of the page: whether the model holds, the data's quality, how to read it all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from churnml.base.page import svg
from churnml.base.page.render import PageSection, PageTable
from churnml.reports.manager.findings import Findings
from churnml.reports.manager.frames import rows_of
from churnml.reports.manager.phrases import Phrases
from churnml.reports.manager.service import complaint_rate, definitions
from churnml.reports.notes import translated, without_english
from churnml.reports.words import all_words
from churnml.tables.contract import TABLES
from churnml.tables.validation import CODES

_MOST_BREACHES = 12
_LEVELS: Mapping[str, svg.State] = {"act": "bad", "watch": "unclear", "fine": "good"}


def monitoring(found: Findings, p: Phrases) -> PageSection:
    """Whether the model still holds, as monitoring found."""
    if found.monitoring is None:
        lead = [p.say("monitor_none_line")]
        return PageSection(
            id="monitor", topic=p.say("monitor_topic"), heading=p.say("monitor_none"), lead=lead
        )
    months = found.monitoring["months"]
    alarms = months[-1].get("alarms") or [] if months else []
    acts = [one for one in alarms if one["level"] == "act"]
    heading = p.say("monitor_heading_fine")
    if alarms:
        key = "monitor_heading_act" if acts else "monitor_heading_watch"
        heading = p.say(key, count=len(acts or alarms))
    parts = [_months(months, p)]
    if alarms:
        parts.append(_alarms(alarms, p))
    return PageSection(id="monitor", topic=p.say("monitor_topic"), heading=heading, parts=parts)


def _months(months: list[Mapping[str, Any]], p: Phrases) -> PageTable:
    head = ("month", "rows", "predicted", "really", "auc", "alarms")
    rows = []
    for one in months:
        real = one.get("realised")
        known = one.get("known_from")
        later = p.say("monitor_known", day=p.day(date.fromisoformat(known))) if known else "–"
        auc = later
        if real and real.get("auc") is not None:
            ends = (f"{real[name]:.3f}" if real.get(name) is not None else "–" for name in _AUC)
            auc = p.around(*ends)
        levels = [alarm["level"] for alarm in one.get("alarms") or []]
        level = "act" if "act" in levels else "watch" if "watch" in levels else "fine"
        rate = real.get("rate") if real else None
        mean = one.get("scored_mean")
        rows.append(
            (
                p.day(date.fromisoformat(one["as_of"])),
                "–" if one.get("rows") is None else p.people(one["rows"]),
                "–" if mean is None else p.share(mean),
                "–" if rate is None else p.share(rate),
                auc,
                svg.light(_LEVELS[level], p.name("levels", level)),
            )
        )
    return PageTable(
        caption=p.say("monitor_caption"),
        head=[p.say(key) for key in head],
        rows=rows,
        numbers=(1, 2, 3, 4),
    )


_AUC = ("auc", "low", "high")


def _alarms(alarms: list[Mapping[str, Any]], p: Phrases) -> PageTable:
    return PageTable(
        caption=p.say("monitor_alarms"),
        head=[p.say(key) for key in ("measure", "level", "what_to_do")],
        rows=[
            (
                str(one["measure"]),
                svg.light(_LEVELS.get(one["level"], "unclear"), p.name("levels", one["level"])),
                _to_do(one, p),
            )
            for one in alarms
        ],
    )


def _to_do(alarm: Mapping[str, Any], p: Phrases) -> str:
    return str(alarm.get(f"what_to_do_{p.lang}") or alarm["what_to_do"])


def data_quality(found: Findings, p: Phrases) -> PageSection:
    """Rows that were set aside and why, what is absent, how complaints are recorded."""
    report = found.report
    rows, aside = (sum(getattr(one, name) for one in report.counts) for name in ("rows", "aside"))
    absent = [name for name in report.missing if name in TABLES]
    used = p.say("data_rows_fine")
    if aside:
        used = p.say("data_rows", share=p.share(aside / rows, 2 if aside / rows >= 0.0001 else 4))
    there = p.say("data_tables_fine")
    if absent:
        there = p.say("data_tables", absent=len(absent), all=len(TABLES))
    heading = p.say("data_heading", rows=used, tables=there)
    scored = found.manifest.rows
    lead = [
        p.say(
            "data_scored",
            all=p.number(scored.total),
            scored=p.number(scored.scored),
            ineligible=p.number(scored.ineligible),
            aside=p.number(scored.quarantined),
        )
    ]
    if absent:
        names = p.listed([p.name("tables", name) for name in absent])
        lead.append(p.say("data_absent", tables=names))
    gates = [gate.split(":", 1)[0] for gate in found.manifest.gates]
    if gates:
        lead.append(p.say("data_gates", columns=p.listed(gates)))
    parts = [_counts(found, p)]
    if report.breaches:
        parts.append(_breaches(found, p))
    if (rate := complaint_rate(found)) is not None:
        parts.append(_record(found, rate["month"], p))
    notes = [*found.quality.notes, *(found.complaints.notes if found.complaints else ())]
    return PageSection(
        id="data",
        topic=p.say("data_topic"),
        heading=heading,
        lead=lead,
        parts=parts,
        notes=list(dict.fromkeys(translated(note, p.lang) for note in notes)),
    )


def _counts(found: Findings, p: Phrases) -> PageTable:
    return PageTable(
        caption=p.say("data_caption"),
        head=[p.say(key) for key in ("table", "rows_read", "rows_aside", "share")],
        rows=[
            (
                p.name("tables", one.table),
                p.number(one.rows),
                p.number(one.aside),
                p.share(one.share, 2),
            )
            for one in found.report.counts
        ],
        numbers=(1, 2, 3),
    )


def _breaches(found: Findings, p: Phrases) -> PageTable:
    worst = sorted(found.report.breaches, key=lambda one: (-one.count, one.table, one.column))
    return PageTable(
        caption=p.say("data_breaches"),
        head=[p.say(key) for key in ("column", "code", "rows_read", "effect")],
        rows=[
            (
                f"{one.table}.{one.column}" if one.column else one.table,
                _check(one.code, p),
                p.number(one.count),
                p.name("effects_on_rows", one.effect),
            )
            for one in worst[:_MOST_BREACHES]
        ],
        numbers=(2,),
    )


def _check(code: str, p: Phrases) -> str:
    return CODES[code].meaning if p.lang == "en" else str(all_words()["codes"][code])


def _record(found: Findings, month: date, p: Phrases) -> PageTable:
    assert found.complaints is not None
    trend = {row["measure"]: row["verdict"] for row in rows_of(found.complaints.trend)}
    names = all_words()["record_measures"]
    rows = found.complaints.quality
    here = rows[(rows["by"] == "") & (rows["month"].map(str) == month.isoformat())]
    return PageTable(
        caption=p.say("data_record", month=p.month(month)),
        head=[p.say(key) for key in ("measure", "measured", "trend")],
        rows=[
            (
                p.name("record_measures", row["measure"]),
                p.measured(row["value"], row["low"], row["high"], "share")
                if row["value"] == row["value"]
                else p.people(None),
                p.name("verdicts", trend.get(row["measure"], "–")),
            )
            for row in rows_of(here)
            if row["measure"] in names
        ],
        numbers=(1,),
    )


def method(found: Findings, p: Phrases) -> PageSection:
    """How the numbers came about and what they cannot say."""
    months = found.config.costs.months_kept
    models = p.listed([one["version"] for one in found.manifest.models.values()])
    lead = [
        p.say("method_time", day=p.day(found.day)),
        p.say("method_intervals"),
        p.say("method_small"),
        p.say("method_models", models=models),
    ]
    if found.risk is not None:
        lead += [
            p.say("method_leavers"),
            p.say("method_value", months=f"{months:g}"),
            p.say("method_drivers"),
        ]
    told = [] if found.index is None else found.index.notes
    notes = [one.en if p.lang == "en" else without_english(one.zh) for one in told]
    return PageSection(
        id="method",
        topic=p.say("method_topic"),
        heading=p.say("method_heading"),
        lead=lead,
        parts=[definitions(found, p)] if len(found.quality.indicators) else [],
        notes=list(dict.fromkeys(notes)),
    )
