"""Figures as SVG: a curve with its band, dots with whiskers, bars, lights.

Widths are shares of the room that there is, heights and texts are in pixels: nothing is scaled,
so that a figure reads alike on a phone and on a wide screen. A mark in a row of a table is
hidden from screen readers, as the numbers stand beside it; a figure has a title and a
description.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from markupsafe import Markup

BLUE, ORANGE, GREEN, GREY, LINE = "#0072b2", "#d55e00", "#009e73", "#666", "#d5d9de"
"""Colours that people who see few colours can tell apart, and that are never alone."""

State = Literal["good", "unclear", "bad"]
Standing = Literal["below", "same", "above"]

_LIGHTS: dict[State, tuple[str, str]] = {
    "good": (GREEN, '<circle cx="8" cy="8" r="6.5"/>'),
    "unclear": ("#8a6100", '<path d="M8 1.5 15 14.5H1z"/>'),
    "bad": (ORANGE, '<path d="M1.5 1.5h13v13h-13z"/>'),
}
_DOTS: dict[Standing, tuple[str, str]] = {
    "below": (ORANGE, "M-6-5H6L0 6z"),
    "same": (GREY, "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0"),
    "above": (BLUE, "M-6 5H6L0-6z"),
}
_ROW = 22
_FEWEST, _MOST = 2.0, 98.0


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A line of numbers across a drawing.

    Attributes
    ----------
    low, high : float
        The numbers at its left and right.

    Examples
    --------
    >>> Scale(low=0, high=50).place(25)
    50.0
    """

    low: float
    high: float

    def place(self, value: float) -> float:
        """Where a number lies, in percent of the width; within the drawing."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(_FEWEST + (_MOST - _FEWEST) * min(max(share, 0.0), 1.0), 2)

    def ticks(self, most: int = 5) -> list[float]:
        """Round numbers along it."""
        return round_ticks(self.low, self.high, most)


def scale_of(values: Sequence[float], *, zero: bool = False) -> Scale:
    """A scale that holds all of some numbers, with round ends.

    Examples
    --------
    >>> scale_of([71.2, 78.9])
    Scale(low=70.0, high=80.0)
    >>> scale_of([3.0, float("nan")], zero=True)
    Scale(low=0.0, high=3.0)
    """
    known = [one for one in values if math.isfinite(one)] + ([0.0] if zero else [])
    if not known:
        return Scale(low=0.0, high=1.0)
    low, high = min(known), max(known)
    if high <= low:
        low, high = (0.0 if zero else low - 1.0), high + 1.0
    step = _step((high - low) / 5)
    return Scale(low=math.floor(low / step) * step, high=math.ceil(high / step) * step)


def round_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from low to high, about as many as asked for.

    Examples
    --------
    >>> round_ticks(70, 80)
    [70.0, 72.0, 74.0, 76.0, 78.0, 80.0]
    >>> round_ticks(-0.02, 0.013)
    [-0.02, -0.01, 0.0, 0.01]
    """
    step = _step((high - low) / most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 10) + 0.0 for number in range(first, last + 1)]


def _step(rough: float) -> float:
    if not rough > 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(rough))
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)


def light(state: State, text: str) -> Markup:
    """A light with its word: a disc, a triangle or a square.

    Examples
    --------
    >>> print(light("good", "on target"))
    <span class="light"><svg width="16" height="16" aria-hidden="true"><g
    fill="#009e73"><circle cx="8" cy="8" r="6.5"/></g></svg>on target</span>
    """
    colour, shape = _LIGHTS[state]
    return Markup(
        '<span class="light"><svg width="16" height="16" aria-hidden="true">'
        '<g fill="{}">{}</g></svg>{}</span>'
    ).format(colour, Markup(shape), text)


def whisker(
    value: float,
    low: float,
    high: float,
    *,
    scale: Scale,
    standing: Standing = "same",
    against: float | None = None,
) -> Markup:
    """A dot with its interval, for the row of a table.

    Parameters
    ----------
    value, low, high : float
        Without an interval these are missing.
    scale : Scale
        The same in every row.
    standing : {"below", "same", "above"}
        Another shape and colour where it is clearly below or above.
    against : float, optional
        What it is compared with: a thin line.
    """
    colour, shape = _DOTS[standing]
    marks = []
    if against is not None and math.isfinite(against):
        marks.append(_line(scale.place(against), 0, scale.place(against), _ROW, GREY, dash="2 2"))
    if math.isfinite(low) and math.isfinite(high):
        marks.append(
            _line(scale.place(low), _ROW / 2, scale.place(high), _ROW / 2, colour, width=3)
        )
    if math.isfinite(value):
        marks.append(
            Markup(
                '<svg x="{:g}%" y="11" width="1" height="1" overflow="visible">'
                '<path d="{}" fill="{}"/></svg>'
            ).format(scale.place(value), shape, colour)
        )
    return _row(marks)


def bar(
    value: float,
    *,
    scale: Scale,
    low: float = math.nan,
    high: float = math.nan,
    colour: str = BLUE,
    against: float | None = None,
) -> Markup:
    """A bar from zero, with its interval where there is one, for the row of a table."""
    marks = []
    start, end = scale.place(0.0), scale.place(value) if math.isfinite(value) else None
    if end is not None:
        marks.append(
            Markup('<rect x="{:g}%" y="4" width="{:g}%" height="14" fill="{}"/>').format(
                min(start, end), round(abs(end - start), 2), colour
            )
        )
    marks.append(_line(start, 0, start, _ROW, GREY))
    if math.isfinite(low) and math.isfinite(high):
        marks.append(_line(scale.place(low), 11, scale.place(high), 11, "#1b1f24", width=2))
    if against is not None and math.isfinite(against):
        marks.append(_line(scale.place(against), 0, scale.place(against), _ROW, GREY, dash="2 2"))
    return _row(marks)


def axis(scale: Scale, number: Callable[[float], str]) -> Markup:
    """The scale of a column of whiskers or bars, for the head of the table."""
    ticks = scale.ticks()
    # On a phone there is room for the ends alone.
    marks = [
        Markup('<text class="soft{}" x="{:g}%" y="13" text-anchor="{}">{}</text>').format(
            "" if at in (0, len(ticks) - 1) else " mid",
            scale.place(one),
            _anchor(scale.place(one)),
            number(one),
        )
        for at, one in enumerate(ticks)
    ]
    return Markup('<svg width="100%" height="16" aria-hidden="true">{}</svg>').format(
        Markup("").join(marks)
    )


@dataclass(frozen=True, kw_only=True)
class Series:
    """What a curve shows.

    Attributes
    ----------
    labels : sequence of str
        One a point, as months.
    values, lows, highs : sequence of float
        A gap where they are missing.
    marked : mapping of int to str
        Words at some points, as where a level changes.
    target : float or None
        A line across, with its name.
    target_name : str
    """

    labels: Sequence[str]
    values: Sequence[float]
    lows: Sequence[float] = ()
    highs: Sequence[float] = ()
    marked: Sequence[tuple[int, str]] = ()
    target: float | None = None
    target_name: str = ""


def curve(
    series: Series,
    *,
    id: str,
    title: str,
    desc: str,
    number: Callable[[float], str],
    height: int = 220,
) -> Markup:
    """A line with its band, points on it, the last one named.

    Parameters
    ----------
    series : Series
    id : str
        Of the figure, unlike any other in the page.
    title, desc : str
        The message, and what the curve looks like with its main numbers.
    number : callable
        Writes a number of the scale.
    height : int
        In pixels; it is as wide as there is room.
    """
    top, bottom = 24.0, height - 26.0
    ends = [*series.values, *series.lows, *series.highs]
    scale = scale_of([*ends, series.target] if series.target is not None else ends)

    def y(value: float) -> float:
        share = (value - scale.low) / (scale.high - scale.low)
        return round(bottom - share * (bottom - top), 1)

    count = len(series.values)

    def x(place: int) -> float:
        return round(_FEWEST + (_MOST - _FEWEST) * (place + 0.5) / max(count, 1), 2)

    marks = [*_grid(scale, y, number), *_months(series.labels, x, height)]
    if series.target is not None:
        level = y(series.target)
        marks.append(_line(0, level, 100, level, GREY, dash="6 4"))
        marks.append(_text(100, level - 5, series.target_name, anchor="end", soft=True))
    marks.append(_stretched(series, x, y, height))
    marks += [_dot(x(place), y(one)) for place, one in enumerate(series.values) if one == one]
    for place, words in series.marked:
        marks.append(_line(x(place), top - 8, x(place), bottom, ORANGE, width=2, dash="5 4"))
        marks.append(_text(x(place), 13, words, anchor=_anchor(x(place))))
    last = max((at for at, one in enumerate(series.values) if one == one), default=None)
    if last is not None:
        end = series.values[last]
        # Away from the target's line and its name.
        below = series.target is not None and end < series.target
        at = y(end) + (20 if below else -10)
        marks.append(_text(x(last), at, number(end), anchor="end", bold=True))
    return figure(marks, id=id, title=title, desc=desc, height=height)


def figure(marks: Sequence[Markup], *, id: str, title: str, desc: str, height: int) -> Markup:
    """Marks as one figure that a screen reader can tell of."""
    return Markup(
        '<svg role="img" id="{id}" aria-labelledby="{id}-t {id}-d" width="100%" height="{height}">'
        '<title id="{id}-t">{title}</title><desc id="{id}-d">{desc}</desc>{marks}</svg>'
    ).format(id=id, title=title, desc=desc, height=height, marks=Markup("").join(marks))


def stack(parts: Sequence[tuple[str, float, str]], *, id: str, title: str, desc: str) -> Markup:
    """One bar in parts that make up a whole, each with its name below where it has room.

    Parameters
    ----------
    parts : sequence of (str, float, str)
        Name, size of 0 and more, colour.
    """
    whole = sum(size for _name, size, _colour in parts)
    marks, start = [], 0.0
    for name, size, colour in parts:
        wide = 100 * size / whole if whole else 0.0
        marks.append(
            Markup(
                '<rect x="{:.2f}%" y="0" width="{:.2f}%" height="26" fill="{}" stroke="#fff" '
                'stroke-width="2"/>'
            ).format(start, wide, colour)
        )
        if wide >= _ROOM:
            marks.append(_text(round(start + 0.6, 2), 44, name))
        start += wide
    return figure(marks, id=id, title=title, desc=desc, height=52)


_ROOM = 14.0
"""Percent of the width from which on a part of a stack has room for its name on a phone."""


def _grid(
    scale: Scale, y: Callable[[float], float], number: Callable[[float], str]
) -> list[Markup]:
    marks = []
    for one in scale.ticks():
        marks.append(_line(0, y(one), 100, y(one), LINE))
        marks.append(_text(0, y(one) - 4, number(one), soft=True))
    return marks


def _months(labels: Sequence[str], x: Callable[[int], float], height: int) -> list[Markup]:
    """The first, the last and a few labels between."""
    if not labels:
        return []
    shown = min(len(labels), 4)
    places = {round(part * (len(labels) - 1) / max(shown - 1, 1)) for part in range(shown)}
    return [
        _text(x(place), height - 6, labels[place], anchor=_anchor(x(place)), soft=True)
        for place in sorted(places)
    ]


def _stretched(
    series: Series, x: Callable[[int], float], y: Callable[[float], float], height: int
) -> Markup:
    """The band and the line, in a drawing of their own that is stretched to the width."""
    known = [place for place, one in enumerate(series.values) if one == one]
    runs = [
        [place for _gap, place in run]
        for _key, run in groupby(enumerate(known), lambda one: one[1] - one[0])
    ]
    drawn = []
    for run in runs:
        banded = [
            place
            for place in run
            if series.lows
            and series.lows[place] == series.lows[place]
            and series.highs[place] == series.highs[place]
        ]
        if banded:
            upper = [f"{x(place):g} {y(series.highs[place]):g}" for place in banded]
            lower = [f"{x(place):g} {y(series.lows[place]):g}" for place in reversed(banded)]
            drawn.append(
                Markup('<path d="M{}Z" fill="{}" fill-opacity=".18"/>').format(
                    "L".join([*upper, *lower]), BLUE
                )
            )
        line = "L".join(f"{x(place):g} {y(series.values[place]):g}" for place in run)
        drawn.append(
            Markup(
                '<path d="M{}" fill="none" stroke="{}" stroke-width="2" '
                'vector-effect="non-scaling-stroke"/>'
            ).format(line, BLUE)
        )
    return Markup(
        '<svg width="100%" height="{0}" viewBox="0 0 100 {0}" preserveAspectRatio="none">{1}</svg>'
    ).format(height, Markup("").join(drawn))


def _row(marks: Sequence[Markup]) -> Markup:
    return Markup('<svg width="100%" height="{}" aria-hidden="true">{}</svg>').format(
        _ROW, Markup("").join(marks)
    )


def _dot(x: float, y: float) -> Markup:
    return Markup('<circle cx="{:g}%" cy="{:g}" r="3" fill="{}"/>').format(x, y, BLUE)


def _line(
    x1: float, y1: float, x2: float, y2: float, colour: str, *, width: float = 1, dash: str = ""
) -> Markup:
    dashed = Markup(' stroke-dasharray="{}"').format(dash) if dash else ""
    return Markup(
        '<line x1="{:g}%" y1="{:g}" x2="{:g}%" y2="{:g}" stroke="{}" stroke-width="{:g}"{}/>'
    ).format(x1, y1, x2, y2, colour, width, dashed)


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", soft: bool = False, bold: bool = False
) -> Markup:
    more = Markup("")
    if anchor != "start":
        more += Markup(' text-anchor="{}"').format(anchor)
    if soft:
        more += Markup(' class="soft"')
    if bold:
        more += Markup(' font-weight="700"')
    return Markup('<text x="{:g}%" y="{:g}"{}>{}</text>').format(x, y, more, words)


def _anchor(place: float) -> str:
    """Where a text at a place hangs, so that it does not run over the edges."""
    return "start" if place < 15 else "end" if place > 85 else "middle"
