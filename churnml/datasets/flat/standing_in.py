"""Values that stand for a missing one: learned in training, missing in scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from churnml.base.text import counted, visible
from churnml.datasets.flat.dates import date_column
from churnml.datasets.flat.signature import Column
from churnml.datasets.flat.table import Table, in_parts
from churnml.datasets.flat.values import day, too_large

_OWN_MARKER = 10
"""A text in so many cells stands for a missing value; in fewer it may be a mistake."""

_MOST = 100
"""With more different ones in a column, what they mean cannot be remembered one by one."""

_APART = timedelta(days=3650)
_SENTINELS = {
    *(date(1901, 1, 1), date(1970, 1, 1), date(1980, 1, 1), date(2037, 12, 31)),
    *(date(2038, 1, 1), date(2038, 1, 19), date(2049, 12, 31), date(2050, 1, 1)),
    *(date(2050, 12, 31), date(2099, 1, 1)),
}
"""Days that mean no day where they lie ten years apart from all others; some may be true."""

_NUMBER, _DAY, _TEXT = "number", "day", "text"


def remember(
    table: Table, columns: dict[str, Column]
) -> tuple[dict[str, Column], dict[str, str], list[str]]:
    """Learn which values stand for a missing one in each column of a training table.

    Parameters
    ----------
    table : Table
    columns : dict of str to Column
        By SQL name.

    Returns
    -------
    columns : dict of str to Column
    dropped : dict of str to str
        Columns in which too many different values cannot be read, by name, and why.
    notes : list of str
    """
    kept, dropped, notes = dict(columns), {}, []
    for x in _odd(table, columns):
        column = columns[x]
        stand_ins = _unreadable(table, x, column)
        apart = _apart(table, x, column)
        if len(stand_ins) > _MOST:
            count = sum(one[2] for one in stand_ins)
            dropped[column.name] = (
                f"{counted(count, 'value is', 'values are')} not {column.expected}, "
                f"{len(stand_ins):,} different ones such as '{visible(stand_ins[0][1])}'"
            )
            del kept[x]
        elif stand_ins or apart:
            kept[x] = _with(table, x, column, [*stand_ins, *apart])
            notes += _describe(column, stand_ins, apart)
    return kept, dropped, notes


def taken_as_missing(table: Table, columns: dict[str, Column]) -> list[str]:
    """Notes on values taken as missing because they were in training."""
    some = {x: one for x, one in columns.items() if one.missing or one.sentinels or one.infinite}
    notes = []
    for part in in_parts(list(some)):
        own = {x: some[x] for x in part}
        plain = {
            x: replace(one, missing=(), sentinels=(), infinite=False) for x, one in own.items()
        }
        selected = ", ".join(f"count(p_{x})" for x in own)
        (before,), (after,) = table.read(plain, selected), table.read(own, selected)
        notes += [
            f"{visible(one.name)}: {counted(most - least, 'value is', 'values are')} taken as "
            "missing, as in training."
            for one, most, least in zip(own.values(), before, after, strict=True)
            if most > least
        ]
    return notes


def _odd(table: Table, columns: dict[str, Column]) -> list[str]:
    """The date columns, and all columns with unreadable values."""
    odd = []
    for some in in_parts(list(columns)):
        own = {x: columns[x] for x in some}
        (counts,) = table.read(own, ", ".join(f"count(p_{x}) - count(t_{x})" for x in own))
        odd += [x for x, wrong in zip(own, counts, strict=True) if wrong or own[x].kind == "date"]
    return odd


def _unreadable(table: Table, x: str, column: Column) -> list[tuple[str, str, int]]:
    """Unreadable values: sort, text and count, the most frequent first."""
    bad = f"p_{x} IS NOT NULL AND t_{x} IS NULL"
    sort, text = f"'{_TEXT}'", f"lower(CAST(f_{x} AS VARCHAR))"
    if column.kind == "number":
        sort = f"CASE WHEN {too_large(f'v_{x}')} THEN '{_NUMBER}' ELSE {sort} END"
        text = f"CASE WHEN {too_large(f'v_{x}')} THEN '' ELSE {text} END"
    elif column.kind == "date":
        sort = f"CASE WHEN v_{x} IS NOT NULL THEN '{_DAY}' ELSE {sort} END"
        text = f"coalesce({day(f'v_{x}')}, {text})"
    # Grouped, not filtered: DuckDB writes a filter's steps out again for every one of them.
    selected = f"CASE WHEN {bad} THEN {sort} END, CASE WHEN {bad} THEN {text} END, count(*)"
    rows = f"{table.prepared({x: column})} GROUP BY 1, 2 ORDER BY 3 DESC, 2"
    return [(sort, text, n) for sort, text, n in table.select(selected, rows) if sort is not None]


def _apart(table: Table, x: str, column: Column) -> list[tuple[str, str, int]]:
    """Sentinel dates at either end of a date column."""
    if column.kind != "date":
        return []
    rows = f"{table.prepared({x: column})} WHERE t_{x} IS NOT NULL"
    days = f"(SELECT CAST(v_{x} AS DATE) AS day, count(*) AS n FROM {rows} GROUP BY 1)"
    one = "{'day': day, 'n': n}"
    ((first, last),) = table.select(f"min({one}, 4), max({one}, 4)", days)
    counts: dict[str, int] = {}
    for ends in (first or [], last or []):
        for at, after in pairwise(ends):
            if at["day"] not in _SENTINELS or abs(after["day"] - at["day"]) < _APART:
                break
            counts[at["day"].isoformat()] = at["n"]
    return [(_DAY, text, n) for text, n in counts.items()]


def _with(
    table: Table, x: str, column: Column, stand_ins: Sequence[tuple[str, str, int]]
) -> Column:
    known = replace(
        column,
        missing=tuple(text for sort, text, _ in stand_ins if sort == _TEXT),
        sentinels=tuple(text for sort, text, _ in stand_ins if sort == _DAY),
        infinite=any(sort == _NUMBER for sort, _, _ in stand_ins),
    )
    if not known.sentinels:
        return known
    # Only real dates count for the latest date.
    return date_column(table, x, column.name, column.format, known)


def _describe(column: Column, stand_ins: Sequence[Any], apart: Sequence[Any]) -> list[str]:
    name = visible(column.name)
    infinite = sum(n for sort, _, n in stand_ins if sort == _NUMBER)
    days = [(text, n) for sort, text, n in [*stand_ins, *apart] if sort == _DAY]
    often = [visible(text) for sort, text, n in stand_ins if sort == _TEXT and n >= _OWN_MARKER]
    rare = [(text, n) for sort, text, n in stand_ins if sort == _TEXT and n < _OWN_MARKER]
    notes = []
    if infinite:
        numbers = counted(infinite, "number is", "numbers are")
        notes.append(f"{name}: {numbers} infinite or too large; taken as missing.")
    if days:
        listed = ", ".join(f"{text} ({counted(n, 'value')})" for text, n in days[:5])
        more = f" and {len(days) - 5} more" if len(days) > 5 else ""
        stands = "stands" if len(days) == 1 else "stand"
        notes.append(f"{name}: {listed}{more} {stands} for a missing date.")
    if often:
        shown = ", ".join(repr(text) for text in often)
        notes.append(f"{name}: {shown} stands for a missing value.")
    if rare:
        values = counted(sum(n for _, n in rare), "value is", "values are")
        notes.append(
            f"{name}: {values} not {column.expected} (such as '{visible(rare[0][0])}'); "
            "taken as missing."
        )
    return notes
