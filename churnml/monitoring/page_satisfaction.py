"""The part of a monitoring's page that tells of the satisfaction model."""

from __future__ import annotations

import math

from churnml.base.page.render import PageFigure, PageSection, PageTable
from churnml.base.page.svg import Series, curve
from churnml.monitoring.result import Monitoring
from churnml.monitoring.words import Tongue, say

_NOTHING = "–"


def satisfaction_sections(found: Monitoring, lang: Tongue) -> list[PageSection]:
    """One section, or none where no satisfaction model is monitored."""
    if not any(month.satisfaction for month in found.months):
        return []

    def own(name: str) -> str:
        return say("page", name, lang)

    return [
        PageSection(
            id="satisfaction",
            topic=own("satisfaction_topic"),
            heading=own("satisfaction_head"),
            lead=[found.last_answers(lang)],
            parts=[*_means(found, lang), *_differences(found, lang), _table(found, lang)],
        )
    ]


def _labels(found: Monitoring) -> list[str]:
    return [f"{month.as_of:%Y-%m}" for month in found.months]


def _means(found: Monitoring, lang: Tongue) -> list[PageFigure]:
    asked = [month.satisfaction for month in found.months]
    values = [math.nan if one is None or one.mean is None else one.mean for one in asked]
    return _figure(Series(labels=_labels(found), values=values), "satisfaction", lang)


def _differences(found: Monitoring, lang: Tongue) -> list[PageFigure]:
    asked = [month.satisfaction for month in found.months]
    fared = [one.answered if one else None for one in asked]
    series = Series(
        labels=_labels(found),
        values=[one.off if one else math.nan for one in fared],
        lows=[one.low if one else math.nan for one in fared],
        highs=[one.high if one else math.nan for one in fared],
        target=0.0,
        target_name=say("page", "as_predicted", lang),
    )
    return _figure(series, "answers", lang)


def _figure(series: Series, name: str, lang: Tongue) -> list[PageFigure]:
    told = [
        f"{label}: {value:.1f}"
        for label, value in zip(series.labels, series.values, strict=True)
        if not math.isnan(value)
    ]
    if len(told) < 2:
        return []
    title = say("page", f"curve_{name}", lang)
    drawn = curve(
        series,
        id=f"{name}-figure",
        title=title,
        desc="; ".join(told),
        number=lambda one: f"{one:.1f}",
        height=180,
    )
    return [PageFigure(drawn=drawn, caption=title)]


def _table(found: Monitoring, lang: Tongue) -> PageTable:
    names = ("month", "origin", "answers", "answered", "foretold", "off", "error", "known_from")
    rows = []
    for month in found.months:
        one = month.satisfaction
        if one is None or one.histograms is None:
            continue
        fared = one.answered
        figures = (
            [
                f"{fared.answers:,}",
                f"{fared.mean:.1f}",
                f"{fared.predicted:.1f}",
                f"{fared.off:+.1f} ({fared.low:+.1f} – {fared.high:+.1f})",
                f"{fared.error:.1f}",
            ]
            if fared
            else [_NOTHING] * 5
        )
        rows.append(
            [
                f"{one.as_of:%Y-%m}",
                _NOTHING if one.origin is None else say("origins", one.origin, lang),
                *figures,
                one.known_from.isoformat() if one.known_from else _NOTHING,
            ]
        )
    return PageTable(
        caption=say("page", "satisfaction_head", lang),
        head=[say("page", name, lang) for name in names],
        rows=rows,
        numbers=range(2, 7),
    )
