"""Pages: what comes from data is escaped, figures tell what they show, nothing is outside."""

import math
import re

import pytest

from churnml.base.page import svg
from churnml.base.page.render import PageFigure, PageSection, PageTable, PageTile, render

HOSTILE = "<script>alert(1)</script> & \"'"


def page(lang="en"):
    scale = svg.scale_of([60, 85])
    table = PageTable(
        caption=HOSTILE,
        head=[HOSTILE, svg.axis(scale, str), "index"],
        rows=[(HOSTILE, svg.whisker(75, 71, 79, scale=scale), "75.0 (71.0 to 79.0)")],
        numbers=(2,),
        wide=(1,),
    )
    series = svg.Series(
        labels=[HOSTILE, "2026-05"],
        values=[70, 75.0],
        lows=[66, 71.0],
        highs=[74, 79.0],
        marked=[(1, HOSTILE)],
        target=80,
        target_name=HOSTILE,
    )
    drawn = svg.curve(series, id="curve", title=HOSTILE, desc=HOSTILE, number=str)
    part = PageSection(
        id="halls",
        topic=HOSTILE,
        heading=HOSTILE,
        lead=[HOSTILE],
        parts=[table, PageFigure(drawn=drawn, caption=HOSTILE, table=table)],
        notes=[HOSTILE],
    )
    tile = PageTile(label=HOSTILE, value=HOSTILE, detail=HOSTILE, light=svg.light("bad", HOSTILE))
    return render(
        "page.html", lang=lang, title=HOSTILE, headline=HOSTILE, facts=[HOSTILE],
        tiles=[tile], sections=[part] * 3, foot=[HOSTILE],
    )  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_filled_in_is_escaped(lang):
    text = page(lang)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 30
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in text


def test_nothing_of_a_page_lies_outside_it():
    text = page()
    assert "http" not in text
    assert not re.search(r"url\(|@import|@font-face|<link|<img|src=", text)


def test_the_same_values_give_the_same_bytes():
    assert page() == page()


def test_every_figure_has_a_title_and_a_description():
    drawn = re.findall(r'<svg role="img" id="([^"]+)" aria-labelledby="([^"]+)"', page())
    assert drawn
    for name, labels in drawn:
        assert labels == f"{name}-t {name}-d"
    assert page().count("<desc") == page().count('role="img"')


def test_a_gap_breaks_the_line_and_its_band():
    values = [1.0, 2.0, math.nan, 3.0, 4.0]
    series = svg.Series(labels=list("abcde"), values=values, lows=values, highs=values)
    drawn = svg.curve(series, id="c", title="t", desc="d", number=str)
    assert drawn.count("non-scaling-stroke") == 2
    assert drawn.count("<circle") == 4


def test_marks_stay_within_the_drawing():
    scale = svg.Scale(low=0, high=10)
    assert scale.place(-5) == scale.place(0)
    assert scale.place(15) == scale.place(10) <= 100


def test_rows_that_tell_nothing_are_left_out():
    rows = [("a", "1", ""), ("b", "", "–")]
    assert PageTable(caption="", head=[], rows=rows).without_blank().rows == [rows[0]]
