"""The page of a monitoring, in English or Chinese."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from churnml.base.page.render import PageFigure, PageSection, PageTable, PageTile, render
from churnml.base.page.svg import Series, State, curve, light
from churnml.errors.masking import without_secrets
from churnml.features import declared
from churnml.monitoring.page_satisfaction import satisfaction_sections
from churnml.monitoring.result import MonitoredMonth, Monitoring
from churnml.monitoring.words import Tongue, say

_STATES: dict[str, tuple[State, str]] = {
    "": ("good", "state_good"),
    "watch": ("unclear", "state_watch"),
    "act": ("bad", "state_act"),
}
_NOTHING = "–"
_NARROW = 0.005


def page(found: Monitoring, lang: Tongue) -> str:
    """The page as HTML; the same monitoring gives the same bytes."""

    def own(name: str, **facts: object) -> str:
        return say("page", name, lang, facts)

    return render(
        "page.html",
        lang=lang,
        title=own("title"),
        headline=found.verdict(lang),
        facts=[
            own("source", source=without_secrets(found.source)),
            own("as_of", as_of=found.as_of),
            own("model", model=found.model),
        ],
        tiles=_tiles(found, lang),
        sections=[
            _alarms(found, lang),
            _ranking(found, lang),
            _leavers(found, lang),
            *satisfaction_sections(found, lang),
            _inputs(found, lang),
            _months(found, lang),
        ],
        foot=[note.text(lang) for note in found.notes],
    )


def _word(name: str, lang: Tongue, **facts: object) -> str:
    return say("page", name, lang, facts)


def _tiles(found: Monitoring, lang: Tongue) -> list[PageTile]:
    known = [month for month in found.months if month.realised]
    last = found.last
    tiles = []
    if last is not None and last.histograms is not None:
        # Before its outcomes are known a month is never called good.
        state, name = _STATES[last.level]
        shown = light("unclear" if state == "good" else state, _word(name, lang))
        cannot = _word("cannot_tile", lang, date=last.known_from)
        tiles.append(
            PageTile(
                label=_word("tile_state", lang),
                value=f"{last.as_of:%Y-%m}",
                detail=cannot,
                light=shown,
            )
        )
    if known:
        fared = known[-1].realised
        assert fared is not None
        at = _word("at", lang, as_of=known[-1].as_of)
        tiles.append(
            PageTile(
                label=_word("tile_auc", lang),
                value=f"{fared.auc:.3f}",
                detail=f"{fared.low:.3f} – {fared.high:.3f}, {at}",
            )
        )
        tiles.append(
            PageTile(
                label=_word("tile_left", lang),
                value=f"{fared.rate:.1%} / {fared.predicted:.1%}",
                detail=at,
            )
        )
    return tiles


def _alarms(found: Monitoring, lang: Tongue) -> PageSection:
    raised = [(month, alarm) for month in reversed(found.months) for alarm in month.alarms]
    months = len({month.as_of for month, _alarm in raised})
    # Those of the last month as sentences, which a narrow screen does not cut off.
    last, colon = found.last, "：" if lang == "zh" else ": "
    now = [
        f"{say('levels', alarm.level, lang)}{colon}{alarm.what_to_do(lang)}"
        for alarm in (last.alarms if last else ())
    ]
    rows = [
        [
            f"{month.as_of:%Y-%m}",
            light("bad" if alarm.level == "act" else "unclear", say("levels", alarm.level, lang)),
            alarm.name(lang),
            alarm.what_to_do(lang),
        ]
        for month, alarm in raised
        if month is not last
    ]
    names = ("month", "level", "what", "todo")
    table = PageTable(
        caption=_word("alarms_topic", lang), head=[_word(name, lang) for name in names], rows=rows
    )
    heading = "alarms_head" if raised else "alarms_none"
    lead = _word("alarms_lead", lang, some=found.in_months, all=found.of_months)
    return PageSection(
        id="alarms",
        topic=_word("alarms_topic", lang),
        heading=_word(heading, lang, count=months),
        lead=[*now, lead],
        parts=[table] if rows else [],
    )


def _ranking(found: Monitoring, lang: Tongue) -> PageSection:
    known = [month for month in found.months if month.realised]
    topic, heading = _word("auc_topic", lang), _word("auc_head", lang)
    if not known:
        lead = [_word("auc_lead_none", lang)]
        return PageSection(id="auc", topic=topic, heading=heading, lead=lead)
    # Months not known yet stay in the figure as a gap: nothing is drawn where nothing is known.
    fared = [month.realised for month in found.months]
    ahead = [at for at, month in enumerate(found.months) if month.known_from > found.as_of]
    marked = [(ahead[0], _word("cannot", lang, date=found.months[ahead[0]].known_from))]
    tested = next((h.tested_auc for m in found.months if (h := m.histograms)), None)
    series = Series(
        labels=_labels(found.months),
        values=[one.auc if one else math.nan for one in fared],
        lows=[one.low if one else math.nan for one in fared],
        highs=[one.high if one else math.nan for one in fared],
        marked=marked if ahead else (),
        target=tested[0] if tested else None,
        target_name=_word("test", lang),
    )
    told = _word("auc_lead", lang, last=known[-1].as_of)
    title = _word("curve_auc", lang)
    drawn = curve(series, id="auc-figure", title=title, desc=told, number=lambda one: f"{one:.3f}")
    return PageSection(
        id="auc",
        topic=topic,
        heading=heading,
        lead=[told],
        parts=[PageFigure(drawn=drawn, caption=title)],
    )


def _leavers(found: Monitoring, lang: Tongue) -> PageSection:
    means = [month.scored_mean for month in found.months]
    rates = [month.realised.rate if month.realised else None for month in found.months]
    priors = [month.prior.rate if month.prior else None for month in found.months]
    parts = [
        _curve(found.months, values, id=f"{name}-figure", title=_word(f"curve_{name}", lang))
        for name, values in (("mean", means), ("prior", priors), ("rate", rates))
        # One point is no course of time; the table below has it.
        if sum(value is not None for value in values) > 1
    ]
    lead = [] if parts else [_word("nothing", lang)]
    return PageSection(
        id="leavers",
        topic=_word("rate_topic", lang),
        heading=_word("rate_head", lang),
        lead=lead,
        parts=parts,
    )


def _curve(
    months: Sequence[MonitoredMonth], values: Sequence[float | None], *, id: str, title: str
) -> PageFigure:
    known = [math.nan if value is None else value for value in values]
    told = [
        f"{label}: {value:.1%}"
        for label, value in zip(_labels(months), known, strict=True)
        if not math.isnan(value)
    ]
    # On a narrow scale marks of one place would read alike.
    places = 2 if np.nanmax(known) - np.nanmin(known) < _NARROW else 1
    drawn = curve(
        Series(labels=_labels(months), values=known),
        id=id,
        title=title,
        desc="; ".join(told),
        number=lambda one: f"{one:.{places}%}",
        height=180,
    )
    return PageFigure(drawn=drawn, caption=title)


def _inputs(found: Monitoring, lang: Tongue) -> PageSection:
    worst = found.worst_inputs()
    meanings = {one.name: getattr(one, lang) for one in declared()}
    meanings |= {name: str(one[lang]) for name, one in found.features.items()}
    days = [month.as_of for month in found.months if month.histograms]
    head = [_word("column", lang), _word("weight", lang), *(f"{day:%Y-%m}" for day in days)]
    rows = [
        [
            meanings.get(one["column"], one["column"]),
            f"{one['importance']:.1%}",
            *(_heat(one["excess"].get(day.isoformat()), found.limit) for day in days),
        ]
        for one in worst
    ]
    heading = _word("inputs_head", lang)
    table = PageTable(caption=heading, head=head, rows=rows, numbers=range(1, len(head)))
    lead = _word("inputs_lead", lang, limit=f"{found.limit:g}")
    return PageSection(
        id="inputs",
        topic=_word("inputs_topic", lang),
        heading=heading,
        lead=[lead],
        parts=[table] if rows else [],
    )


def _heat(excess: float | None, limit: float) -> str:
    if excess is None:
        return _NOTHING
    if not excess:
        return "·"
    return f"{'● ' if excess > limit else ''}{excess:.2f}"


def _months(found: Monitoring, lang: Tongue) -> PageSection:
    names = ("month", "customers", "origin", "mean", "left", "auc", "estimated", "known_from")
    rows = [_row(month, lang) for month in found.months]
    heading = _word("months_head", lang)
    table = PageTable(
        caption=heading,
        head=[_word(name, lang) for name in names],
        rows=rows,
        numbers=(1, 3, 4, 5, 6),
    )
    return PageSection(
        id="months", topic=_word("months_topic", lang), heading=heading, parts=[table]
    )


def _row(month: MonitoredMonth, lang: Tongue) -> list[str | Markup]:
    facts, fared = month.to_dict(), month.realised
    return [
        facts["as_of"],
        _NOTHING if facts["rows"] is None else f"{facts['rows']:,}",
        _NOTHING if month.origin is None else say("origins", month.origin, lang),
        _NOTHING if facts["scored_mean"] is None else f"{facts['scored_mean']:.1%}",
        f"{fared.rate:.1%}" if fared else _NOTHING,
        f"{fared.auc:.3f} ({fared.low:.3f} – {fared.high:.3f})" if fared else _NOTHING,
        _NOTHING if month.estimated is None else f"{month.estimated:.3f}",
        month.known_from.isoformat(),
    ]


def _labels(months: Sequence[MonitoredMonth]) -> list[str]:
    return [f"{month.as_of:%Y-%m}" for month in months]
