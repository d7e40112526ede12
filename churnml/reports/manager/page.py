"""The page put together: a headline, four numbers, and the parts in their order."""

from __future__ import annotations

import math
from typing import Any

from churnml import __version__
from churnml.base.page import svg
from churnml.base.page.render import PageSection, PageTile, render
from churnml.errors.masking import without_secrets
from churnml.reports.manager import customers, method, service
from churnml.reports.manager.findings import Findings
from churnml.reports.manager.frames import light_of, rows_of
from churnml.reports.manager.phrases import Phrases
from churnml.reports.words import Language

_PARTS = (
    customers.risk,
    customers.accounts,
    service.changed,
    service.complaints,
    service.halls,
    service.word_of_mouth,
    service.indicators,
    customers.flows,
    customers.retention,
    method.monitoring,
    method.data_quality,
    method.method,
)


def manager_page(found: Findings, lang: Language) -> tuple[str, str, list[PageSection]]:
    """The page as HTML, its headline, and its parts.

    Parameters
    ----------
    found : Findings
    lang : {"en", "zh"}
    """
    p = Phrases(lang=lang)
    sections = [part(found, p) for part in _PARTS]
    said = headline(found, p)
    source = _named(found.source)
    text = render(
        "page.html",
        lang=lang,
        title=p.say("title"),
        headline=said,
        facts=[p.say("of", source=source), p.say("at", day=p.day(found.day))],
        tiles=tiles(found, p),
        sections=sections,
        foot=[p.say("foot", version=__version__, source=source, day=p.day(found.day))],
    )
    return text, said, sections


def _named(location: str) -> str:
    """A source by its name: neither the way to it nor a password is anything for readers.

    >>> _named("/data/2026/operator"), _named("postgresql://crm:secret@host/db?sslmode=require")
    ('operator', 'db')
    """
    place = without_secrets(location).split("?")[0].rstrip("/\\")
    return place.replace("\\", "/").rpartition("/")[2] or place


def headline(found: Findings, p: Phrases) -> str:
    """What the page says, in a sentence."""
    whole = None if found.index is None else found.index.table.iloc[0]
    if whole is None or whole["how"] == "hidden":
        parts = [p.say("head_no_index")]
    else:
        told = p.interval(whole["index"], whole["index_low"], whole["index_high"])
        parts = [p.say("head_index", index=told, answers=p.number(whole["answers"]))]
    risk = found.risk
    if risk is None or risk.whole.customers is None:
        parts.append(p.say("head_no_risk"))
    else:
        one = risk.whole
        ends = (p.number(round(end, -1 if end >= 100 else 0)) for end in (risk.low, risk.high))
        low, high = ends
        parts.append(
            p.say(
                "head_leave",
                all=p.number(one.customers or 0),
                count=p.number(round(one.leavers, -1 if one.leavers >= 100 else 0)),
                low=low,
                high=high,
                span=customers.span_of(p, risk.months),
                value=p.money(one.value, one.value_low, one.value_high),
            )
        )
    return p.sentence(parts)


def tiles(found: Findings, p: Phrases) -> list[PageTile]:
    """Index, change, complaints, waiting."""
    return [_index(found, p), _change(found, p), _complaints(found, p), _waiting(found, p)]


def _index(found: Findings, p: Phrases) -> PageTile:
    label = p.say("tile_index")
    whole = None if found.index is None else found.index.table.iloc[0]
    if whole is None or whole["how"] == "hidden":
        return PageTile(label=label, value="–", detail=p.say("tile_unknown"))
    span = p.span(p.points(whole["index_low"]), p.points(whole["index_high"]))
    detail = p.say("tile_index_detail", span=span, answers=p.number(whole["answers"]))
    return PageTile(label=label, value=p.points(whole["index"]), detail=detail)


def _change(found: Findings, p: Phrases) -> PageTile:
    label = p.say("tile_change")
    if found.index is None:
        return PageTile(label=label, value="–", detail=p.say("tile_unknown"))
    whole = found.index.table.iloc[0]
    for span in ("month", "year"):
        value, low, high = (float(whole[f"change_{span}{end}"]) for end in ("", "_low", "_high"))
        if math.isfinite(value):
            way = p.standing(low, high)
            ends = p.span(p.points(low, signed=True), p.points(high, signed=True))
            return PageTile(
                label=label,
                value=p.points(value, signed=True),
                detail=p.say("tile_change_detail", before=p.say(f"{span}_before"), span=ends),
                light=svg.light(_WAYS[way], p.name("changes", way)),
            )
    return PageTile(label=label, value="–", detail=p.say("tile_unknown"))


_WAYS: dict[str, svg.State] = {"higher": "good", "lower": "bad", "unclear": "unclear"}


def _complaints(found: Findings, p: Phrases) -> PageTile:
    label = p.say("tile_complaints")
    rate = service.complaint_rate(found)
    if rate is None:
        return PageTile(label=label, value="–", detail=p.say("tile_unknown"))
    span = p.span(p.number(rate["low"], 1), p.number(rate["high"], 1))
    detail = p.say("tile_complaints_detail", span=span, month=p.month(rate["month"]))
    return PageTile(label=label, value=p.number(rate["value"], 1), detail=detail)


def _waiting(found: Findings, p: Phrases) -> PageTile:
    label = p.say("tile_waiting")
    rows = found.quality.indicators
    own: list[dict[str, Any]] = []
    if len(rows):
        named = rows[(rows["indicator"] == "hall_wait_over_10min") & (rows["by"] == "")]
        own = rows_of(named[named["value"].notna()].sort_values("month"))
    if not own:
        return PageTile(label=label, value="–", detail=p.say("tile_unknown"))
    row = own[-1]
    return PageTile(
        label=label,
        value=p.share(row["value"]),
        detail=p.say(
            "tile_waiting_detail",
            span=p.span(p.share(row["low"]), p.share(row["high"])),
            month=p.month(row["month"]),
            target=p.measure(row["target"], "share"),
        ),
        light=light_of(row["light"], p) if row["light"] is not None else "",
    )
