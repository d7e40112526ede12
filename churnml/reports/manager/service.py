"""The parts of the page about service: what changed, halls, word of mouth, indicators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from churnml.base.page import svg
from churnml.base.page.render import PageFigure, PageSection, PageTable
from churnml.reports.manager.customers import nothing
from churnml.reports.manager.findings import Findings
from churnml.reports.manager.frames import day_of, light_of, number_of, rows_of
from churnml.reports.manager.phrases import Phrases
from churnml.reports.words import all_words

if TYPE_CHECKING:
    import pandas as pd

MOST_HALLS = 25
"""Halls shown of each group, those furthest from the whole first."""

_MOST_CELLS = 8
_STANDINGS = (("below", "below"), ("not told apart", "same"), ("above", "above"))


def changed(found: Findings, p: Phrases) -> PageSection:
    """What is in the change of the index: the mix of customers, or their opinions."""
    if found.index is None or not found.index.changes:
        return nothing(p, "changed")
    whole = found.index.table.iloc[0]
    rows, heading = [], ""
    for span, one in found.index.changes.items():
        before = p.say(f"{span}_before")
        ends = [whole[f"change_{span}{end}"] for end in ("", "_low", "_high")]
        parts = [
            p.interval(part.value, part.low, part.high, signed=True)
            for part in (one.parts.mix, one.parts.true)
        ]
        rows.append(
            (
                before,
                p.interval(*ends, signed=True),
                *parts,
                p.points(one.answered, signed=True),
            )
        )
        way = p.standing(ends[1], ends[2])
        if not heading and way != "unclear":
            heading = p.say(
                "changed_heading",
                way=p.say(f"changed_{way}"),
                before=before,
                mix=p.points(one.parts.mix.value, signed=True),
                true=p.points(one.parts.true.value, signed=True),
            )
    first = p.say(f"{next(iter(found.index.changes))}_before")
    head = ("against", "change", "mix", "true_change", "who_answered")
    return PageSection(
        id="changed",
        topic=p.say("changed_topic"),
        heading=heading or p.say("changed_heading_unclear", before=first),
        lead=[p.say("changed_lead")],
        parts=[
            PageTable(
                caption=p.say("changed_caption"),
                head=[p.say(key) for key in head],
                rows=rows,
                numbers=range(1, 5),
            )
        ],
    )


def halls(found: Findings, p: Phrases) -> PageSection:
    """Halls in three groups: clearly below, not told apart, clearly above."""
    if found.index is None:
        return nothing(p, "halls")
    table = found.index.table
    own = table[table["by"] == "hall_id"]
    if own.empty:
        return nothing(p, "halls")
    told = own[own["index"].notna() & (own["how"] != "prediction")]
    predicted = int((own["how"] == "prediction").sum())
    # A hall known from predictions alone must look like a hidden one: it has no answer.
    kept = len(own) - len(told) - predicted
    notes = [p.say("halls_hidden", count=kept)] if kept else []
    notes += [p.say("halls_predicted", count=predicted)] if predicted else []
    if told.empty:
        return PageSection(
            id="halls",
            topic=p.say("halls_topic"),
            heading=p.say("halls_heading_hidden"),
            notes=notes,
        )
    notes += [p.say("halls_pooled")] if (told["how"] == "pooled").any() else []
    whole = table.iloc[0]
    groups = {
        name: told[told["standing"].fillna("not told apart") == standing]
        for standing, name in _STANDINGS
    }
    scale = svg.scale_of([*told["index_low"], *told["index_high"]])
    parts = []
    for name, rows in groups.items():
        if len(rows):
            parts.append(_hall_table(rows, name, scale, float(whole["index"]), p))
        if len(rows) > MOST_HALLS:
            notes.append(p.say("halls_more", count=len(rows) - MOST_HALLS))
    counts = {name: len(rows) for name, rows in groups.items()}
    return PageSection(
        id="halls",
        topic=p.say("halls_topic"),
        heading=p.say("halls_heading", **counts),
        lead=[p.say("halls_lead", whole=p.points(whole["index"]))],
        parts=parts,
        notes=notes,
    )


def _hall_table(
    rows: pd.DataFrame, standing: Any, scale: svg.Scale, whole: float, p: Phrases
) -> PageTable:
    ordered = rows.sort_values(["index", "cell"], ascending=[standing != "above", True])
    return PageTable(
        caption=p.say(f"halls_{standing}", count=len(rows)),
        head=[p.say("hall"), svg.axis(scale, p.number), p.say("index"), p.say("answers")],
        rows=[
            (
                str(row["cell"]),
                svg.whisker(
                    row["index"],
                    row["index_low"],
                    row["index_high"],
                    scale=scale,
                    standing=standing,
                    against=whole,
                ),
                p.interval(row["index"], row["index_low"], row["index_high"]),
                p.people(number_of(row["answers"])),
            )
            for row in rows_of(ordered.head(MOST_HALLS))
        ],
        numbers=(2, 3),
        wide=(1,),
    )


def word_of_mouth(found: Findings, p: Phrases) -> PageSection:
    """The curve of promoters less detractors, with the months from which its level differs."""
    rows = found.quality.word_of_mouth
    own = rows[rows["segment"] == ""].sort_values("month") if len(rows) else rows
    scores = [number_of(one) for one in own["score"]] if len(own) else []
    known = [at for at, one in enumerate(scores) if one == one]
    if not known:
        return nothing(p, "mouth")
    months = [p.month(one) for one in own["month"]]
    last = known[-1]
    score = p.interval(
        scores[last],
        number_of(own["low"].iloc[last]),
        number_of(own["high"].iloc[last]),
        signed=True,
    )
    points = [one for one in found.quality.facts["change_points"] if one["segment"] == ""]
    heading = p.say("mouth_heading", score=score, month=months[last])
    if points:
        heading = p.say("mouth_heading_change", month=p.month(day_of(points[-1]["month"])))
    said = [
        p.say(
            "mouth_change_said",
            month=p.month(day_of(one["month"])),
            difference=p.interval(one["difference"], one["low"], one["high"], signed=True),
        )
        for one in points
    ]
    return PageSection(
        id="mouth",
        topic=p.say("mouth_topic"),
        heading=heading,
        lead=said or [p.say("mouth_no_change")],
        parts=[
            _mouth_figure(own, scores, months, points, p),
            *_mouth_segments(rows, own["month"].iloc[last], p),
        ],
    )


def _mouth_figure(
    own: pd.DataFrame,
    scores: Sequence[float],
    months: Sequence[str],
    points: Sequence[Any],
    p: Phrases,
) -> PageFigure:
    lows, highs = ([number_of(one) for one in own[name]] for name in ("low", "high"))
    known = [at for at, one in enumerate(scores) if one == one]
    marked = [
        (months.index(p.month(day_of(one["month"]))), _changed_from(one["month"], p))
        for one in points
        if p.month(day_of(one["month"])) in months
    ]
    values = [scores[at] for at in known]
    desc = p.say(
        "mouth_desc",
        months=len(known),
        first=p.points(values[0], signed=True),
        from_month=months[known[0]],
        last=p.points(values[-1], signed=True),
        to_month=months[known[-1]],
        low=p.points(min(values), signed=True),
        high=p.points(max(values), signed=True),
    )
    table = PageTable(
        caption=p.say("mouth_caption"),
        head=[p.say(key) for key in ("month", "score", "promoters", "detractors")],
        rows=[
            (
                months[at],
                p.interval(scores[at], lows[at], highs[at], signed=True),
                *(
                    p.share(number_of(own[name].iloc[at]) / 100, 0)
                    for name in ("promoters", "detractors")
                ),
            )
            for at in known
        ],
        numbers=(1, 2, 3),
    )
    drawn = svg.curve(
        svg.Series(labels=months, values=scores, lows=lows, highs=highs, marked=marked),
        id="mouth-curve",
        title=p.say("mouth_caption"),
        desc=desc,
        number=lambda value: f"{value:+.0f}" if value else "0",
    )
    return PageFigure(drawn=drawn, caption=p.say("mouth_caption"), table=table)


def _changed_from(month: Any, p: Phrases) -> str:
    return p.say("mouth_change", month=p.month(day_of(month)))


def _mouth_segments(rows: pd.DataFrame, month: date, p: Phrases) -> list[PageTable]:
    here = rows[(rows["month"] == month) & (rows["segment"] != "") & rows["score"].notna()]
    named = [(*str(row["segment"]).partition("=")[::2], row) for row in rows_of(here)]
    named = [one for one in named if one[0] in ("brand", "individual_tier")]
    if not named:
        return []
    scale = svg.scale_of([number_of(row[end]) for *_name, row in named for end in ("low", "high")])
    told = []
    for by, cell, row in named:
        section = "tiers" if by == "individual_tier" else "categories"
        value, low, high = (number_of(row[name]) for name in ("score", "low", "high"))
        told.append(
            (
                f"{p.name('segments', by)} {p.name(section, cell)}",
                svg.whisker(value, low, high, scale=scale),
                p.interval(value, low, high, signed=True),
            )
        )
    return [
        PageTable(
            caption=p.say("mouth_segments"),
            head=[p.say("segment"), svg.axis(scale, p.number), p.say("score")],
            rows=told,
            numbers=(2,),
            wide=(1,),
        )
    ]


def indicators(found: Findings, p: Phrases) -> PageSection:
    """Indicators along the customer's way, each with its light."""
    quality = found.quality
    latest = [
        row for row in _last_known(quality.indicators) if row["indicator"] in quality.declared
    ]
    if not latest:
        return nothing(p, "indicators")
    lights = [row["light"] for row in latest if isinstance(row["light"], str)]
    heading = p.say("indicators_heading_plain")
    if lights:
        counts = {name: lights.count(name) for name in ("good", "bad", "unclear")}
        heading = p.say("indicators_heading", all=len(lights), **counts)
    lead = [p.say("indicators_lead")]
    alarmed = [_indicator_name(found, row["indicator"], p) for row in latest if row["alarm"]]
    if alarmed:
        lead.append(p.say("indicators_alarm", names=p.listed(alarmed)))
    head = ("indicator", "light", "measured", "target", "month")
    tables = []
    for stage in dict.fromkeys(row["stage"] for row in latest):
        rows = [_indicator_row(found, row, p) for row in latest if row["stage"] == stage]
        tables.append(
            PageTable(
                caption=p.name("stages", stage),
                head=[p.say(key) for key in head],
                rows=rows,
                numbers=(2, 3, 4),
                even=True,
            )
        )
    return PageSection(
        id="indicators",
        topic=p.say("indicators_topic"),
        heading=heading,
        lead=lead,
        parts=tables,
        notes=_cells_in_alarm(found, p),
    )


def _last_known(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Each indicator of all customers in its last month that can be told."""
    if rows.empty:
        return []
    whole = rows[(rows["by"] == "") & rows["value"].notna()]
    last = whole.sort_values("month", kind="stable").groupby("indicator").tail(1)
    order = {name: at for at, name in enumerate(dict.fromkeys(rows["indicator"]))}
    return sorted(rows_of(last), key=lambda row: order[row["indicator"]])


def _indicator_name(found: Findings, name: str, p: Phrases) -> str:
    one = found.quality.declared[name]
    return one.zh if p.lang == "zh" else one.en


def _indicator_row(found: Findings, row: Any, p: Phrases) -> tuple[Any, ...]:
    one = found.quality.declared[row["indicator"]]
    unit = p.name("indicator_units", one.unit)
    name = _indicator_name(found, row["indicator"], p)
    if unit:
        name = f"{name}（{unit}）" if p.lang == "zh" else f"{name} ({unit})"
    return (
        name,
        light_of(row["light"], p),
        p.measured(row["value"], row["low"], row["high"], one.unit),
        p.measure(row["target"], one.unit),
        p.month(row["month"]),
    )


def _cells_in_alarm(found: Findings, p: Phrases) -> list[str]:
    alarms = found.quality.alarms
    if alarms.empty:
        return []
    said = []
    for name, own in alarms[alarms["by"] != ""].groupby("indicator", sort=False):
        cells = [
            f"{p.name('segments', row['by'])} {p.name('categories', row['cell'])}"
            for row in rows_of(own)
        ]
        more = "" if len(cells) <= _MOST_CELLS else " …"
        told = p.listed(cells[:_MOST_CELLS]) + more
        said.append(
            p.say("indicators_cells", name=_indicator_name(found, str(name), p), cells=told)
        )
    return said


def definitions(found: Findings, p: Phrases) -> PageTable:
    """What each indicator counts."""
    known = dict.fromkeys(row["indicator"] for row in _last_known(found.quality.indicators))
    return PageTable(
        caption=p.say("indicators_definitions"),
        head=[p.say("indicator"), p.say("definition")],
        rows=[(_indicator_name(found, name, p), _definition(found, name, p)) for name in known],
    )


def _definition(found: Findings, name: str, p: Phrases) -> str:
    from churnml.config.quality import INDICATORS

    own = found.quality.declared[name].definition
    if p.lang == "zh" and own == INDICATORS[name].definition:
        return str(all_words()["definitions"][name])
    return own


def complaints(found: Findings, p: Phrases) -> PageSection:
    """Complaints by category, what has waited long, what surges."""
    record = found.complaints
    if record is None:
        return nothing(p, "complaints")
    rate = complaint_rate(found)
    waiting = record.long_unsolved
    month = rate["month"] if rate else date.fromisoformat(record.months[-1])
    heading = p.say(
        "complaints_heading",
        rate=p.number(rate["value"], 1) if rate else "–",
        month=p.month(month),
        open=p.many(waiting["count"]),
        days=waiting["days"],
    )
    lead = []
    surges = record.surges[record.surges["surge"].fillna(False).astype(bool)]
    for row in rows_of(surges):
        lead.append(
            p.say(
                "complaints_surge",
                category=p.name("complaint_categories", row["category"]),
                region=row["region"] or p.say("every_region"),
                ratio=p.around(*(p.number(row[end], 1) for end in ("ratio", "low", "high"))),
            )
        )
    appeals = record.regulator
    if appeals["complaints"] is not None:
        told = p.around(*(p.number(appeals[end]) for end in ("per_million", "low", "high")))
        lead.append(p.say("complaints_regulator", months=len(record.months), rate=told))
    return PageSection(
        id="complaints",
        topic=p.say("complaints_topic"),
        heading=heading,
        lead=lead,
        parts=[_categories(record.categories, month, p), _wide(record.quality, month, p)],
    )


def complaint_rate(found: Findings) -> dict[str, Any] | None:
    """Formal complaints of all customers per 1,000 of them, in the last month that tells."""
    if found.complaints is None:
        return None
    rows = found.complaints.quality
    own = rows[(rows["by"] == "") & (rows["measure"] == "formal_per_1000") & rows["value"].notna()]
    if own.empty:
        return None
    last = max(rows_of(own), key=lambda row: str(row["month"]))
    return last | {"month": day_of(last["month"])}


def _categories(rows: pd.DataFrame, month: date, p: Phrases) -> PageTable:
    here = rows[(rows["by"] == "") & (rows["month"].map(str) == month.isoformat())]
    scale = svg.scale_of([number_of(one) for one in here["high"]], zero=True)
    told = []
    by_category = sorted(
        here.groupby("category"),
        key=lambda one: (-number_of(one[1]["per_1000"].sum()), str(one[0])),
    )
    for category, own in by_category:
        value, count = (number_of(own[name].sum(skipna=False)) for name in ("per_1000", "count"))
        # Of several coders together there is no interval.
        low, high = (
            number_of(own[name].iloc[0]) if len(own) == 1 else math.nan for name in ("low", "high")
        )
        rate = p.around(*(p.number(one, 1) for one in (value, low, high)))
        told.append(
            (
                p.name("complaint_categories", category),
                svg.bar(value, low=low, high=high, scale=scale),
                rate if value == value else p.people(None),
                p.people(count),
            )
        )
    return PageTable(
        caption=p.say("complaints_caption", month=p.month(month)),
        head=[
            p.say("category"),
            svg.axis(scale, p.number) if here["high"].notna().any() else "",
            p.say("per_1000"),
            p.say("number_of"),
        ],
        rows=told,
        numbers=(2, 3),
        wide=(1,),
    )


def _wide(rows: pd.DataFrame, month: date, p: Phrases) -> PageTable:
    names = all_words()["wide_complaints"]
    here = rows[(rows["by"] == "") & (rows["month"].map(str) == month.isoformat())]
    return PageTable(
        caption=p.say("complaints_wide", month=p.month(month)),
        head=[p.say("measure"), p.say("measured")],
        rows=[
            (
                p.name("wide_complaints", row["measure"]),
                p.around(*(p.number(row[end], 1) for end in ("value", "low", "high")))
                if row["value"] == row["value"]
                else p.people(None),
            )
            for row in rows_of(here)
            if row["measure"] in names
        ],
        numbers=(1,),
    )
