"""How a column's dates are written, in the codes of ``strptime``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from churnml.datasets.flat.table import Table
from churnml.tables.source.engines.duckdb import literal, run

ISO = ""
"""The layout that is read without a word: 2024-03-05, also with a time."""

_NEARLY_ALL = 0.98
_TRIED = 400
_DAYS = {
    r"\d{4}-\d{1,2}-\d{1,2}": ["%Y-%m-%d"],
    r"\d{4}/\d{1,2}/\d{1,2}": ["%Y/%m/%d"],
    r"\d{4}\.\d{1,2}\.\d{1,2}": ["%Y.%m.%d"],
    r"\d{4}年\d{1,2}月\d{1,2}日": ["%Y年%m月%d日"],
    r"(19|20)\d{6}": ["%Y%m%d"],
    r"\d{1,2}/\d{1,2}/\d{4}": ["%d/%m/%Y", "%m/%d/%Y"],
    r"\d{1,2}-\d{1,2}-\d{4}": ["%d-%m-%Y", "%m-%d-%Y"],
    r"\d{1,2}\.\d{1,2}\.\d{4}": ["%d.%m.%Y"],
    r"\d{1,2}-[A-Za-z]{3}-\d{4}": ["%d-%b-%Y"],
    r"\d{1,2} [A-Za-z]{3} \d{4}": ["%d %b %Y"],
    r"\d{2}[A-Za-z]{3}\d{4}": ["%d%b%Y"],
    r"[A-Za-z]{3} \d{1,2}, \d{4}": ["%b %d, %Y"],
    r"\d{1,2}/\d{1,2}/\d{2}": ["%d/%m/%y", "%m/%d/%y"],
    r"\d{1,2}-[A-Za-z]{3}-\d{2}": ["%d-%b-%y"],
}
_TIMES = {
    "": "",
    r" \d{1,2}:\d{2}": " %H:%M",
    r" \d{1,2}:\d{2}:\d{2}": " %H:%M:%S",
    r" \d{1,2}:\d{2}:\d{2}\.\d{1,6}": " %H:%M:%S.%f",
    r"T\d{2}:\d{2}:\d{2}": "T%H:%M:%S",
    r"T\d{2}:\d{2}": "T%H:%M",
    r" \d{1,2}时\d{1,2}分\d{1,2}秒": " %H时%M分%S秒",
    r" \d{1,2}:\d{2}(:\d{2})? [APap][Mm]": " %I:%M:%S %p",
}
_WHOLE = {
    r"(19|20)\d{12}": ["%Y%m%d%H%M%S"],
    r"(19|20)\d{10}": ["%Y%m%d%H%M"],
    r"(19|20)\d{6} \d{6}": ["%Y%m%d %H%M%S"],
    r"\d{4}-\d{1,2}": ["%Y-%m"],
    r"\d{4}/\d{1,2}": ["%Y/%m"],
    r"\d{4}\.\d{1,2}": ["%Y.%m"],
    r"(19|20)\d{2}(0[1-9]|1[0-2])": ["%Y%m"],
    r"\d{4}年\d{1,2}月": ["%Y年%m月"],
    r"\d{4}年\d{1,2}月份": ["%Y年%m月份"],
    r"\d{1,2}/\d{4}": ["%m/%Y"],
    r"[A-Za-z]{3}-\d{4}": ["%b-%Y"],
    r"\d{4}-[A-Za-z]{3}": ["%Y-%b"],
    r"[A-Za-z]{3} \d{4}": ["%b %Y"],
}
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?")
_ZONED = re.compile(r".*\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}(:?\d{2})?)")
_KNOWN = [
    *((re.compile(shape), ways) for shape, ways in _WHOLE.items()),
    *(
        (re.compile(day + time), [way + clock for way in ways])
        for (day, ways), (time, clock) in product(_DAYS.items(), _TIMES.items())
    ),
]


@dataclass(frozen=True, kw_only=True)
class Layouts:
    """How dates are written.

    Attributes
    ----------
    ways : tuple of str
        The layouts that read them all; several where they disagree about day and month.
    zoned : bool
        Whether they carry a time zone.
    first_days : bool
        Whether every one is the first day of a month.
    timed : bool
        Whether any has a time of day.
    """

    ways: tuple[str, ...] = ()
    zoned: bool = False
    first_days: bool = False
    timed: bool = False


def find_layouts(table: Table, values: Sequence[str]) -> Layouts:
    """The layouts in which nearly all values are dates."""
    distinct = list(dict.fromkeys(values))
    first = distinct[:: max(1, len(distinct) // _TRIED)]
    if not first:
        return Layouts()
    if _all_match(_ZONED, first):
        return Layouts(ways=(ISO,), zoned=True, timed=True)
    if _all_match(_ISO, first) and (found := _read(table, distinct, [ISO])).ways:
        return found
    tried = [way for shape, ways in _KNOWN if _all_match(shape, first) for way in ways]
    return _read(table, distinct, tried) if tried else Layouts()


def _all_match(shape: re.Pattern[str], values: Sequence[str]) -> bool:
    return sum(shape.fullmatch(one) is not None for one in values) >= _NEARLY_ALL * len(values)


def _read(table: Table, values: Sequence[str], ways: Sequence[str]) -> Layouts:
    """The ways that read the values, as the source will."""
    rows = ", ".join(f"({literal(one)})" for one in values)
    kept: dict[str, tuple[int, int, int]] = {}
    for way in ways:
        moment = f"try_strptime(v, {literal(way)})" if way else "try_cast(v AS TIMESTAMP)"
        sane = f"year({moment}) BETWEEN 1900 AND 2100"
        ((read, first, timed),) = run(
            table.con,
            f"SELECT count(*) FILTER ({sane}), count(*) FILTER ({sane} AND day({moment}) = 1), "
            f"count(*) FILTER ({sane} AND {moment} <> date_trunc('day', {moment})) "
            f"FROM (VALUES {rows}) t(v)",
        )
        if read >= _NEARLY_ALL * len(values):
            kept[way] = (read, first, timed)
    if not kept:
        return Layouts()
    most = max(kept.values())[0]
    best = {way: counts for way, counts in kept.items() if counts[0] == most}
    read, first, timed = next(iter(best.values()))
    return Layouts(ways=tuple(best), first_days=first == read, timed=timed > 0)
