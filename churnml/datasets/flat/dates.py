"""Detect a date column's format: one for the whole column, never guessed cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, product

from churnml.datasets.flat.signature import Column
from churnml.datasets.flat.table import Table
from churnml.datasets.flat.values import EPOCHS, UNMARKED, moment

_DAYS = (
    "%Y.%m.%d",
    "%Y年%m月%d日",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%y",
    "%m-%d-%y",
    "%d.%m.%y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_MONTHS = ("%Y-%m", "%Y/%m", "%Y.%m", "%Y年%m月", "%m/%Y")
LAYOUTS = ("", *(day + time for day, time in product(_DAYS, _TIMES)), *_MONTHS)
"""The codes of ``strptime``; the empty one stands for ISO 8601."""

_SAMPLE = 200
_EPOCH = "1970-01-01"
_FEW_STRAYS, _STRAYING = 0.005, 366
_EARLY, _LATE, _MONTH, _SOON = 631_152_000, 1_325_376_000, 30 * 86_400, 730
_CLEAR, _AHEAD, _AGO = 5, 10, 60


def date_column(
    table: Table, x: str, name: str, layout: str = "", known: Column | None = None
) -> Column:
    """Describe a date column, whose latest date has age 0; ``known`` has its missing values."""
    column = replace(known or Column(name=name, kind="date", format=layout), reference=_EPOCH)
    latest = latest_date(table, {x: column}) or date.fromisoformat(_EPOCH)
    return replace(column, reference=latest.isoformat())


def latest_date(table: Table, columns: Mapping[str, Column]) -> date | None:
    """The latest date of a column, ignoring a few more than a year after the others.

    Parameters
    ----------
    table : Table
    columns : mapping of str to Column
        The one column, by its SQL name.

    Returns
    -------
    date or None
        ``None`` without any date.
    """
    ((x, column),) = columns.items()
    age = {x: replace(column, reference=_EPOCH)}
    ((edge,),) = table.read(age, f"quantile_disc(t_{x}, {_FEW_STRAYS})")
    if edge is None:
        return None
    ((youngest,),) = table.read(age, f"min(t_{x}) FILTER (t_{x} >= {edge - _STRAYING})")
    return date.fromisoformat(_EPOCH) - timedelta(days=youngest)


def years(table: Table, x: str, layout: str) -> list[int]:
    """The years of a column's dates."""
    column = Column(name="", kind="date", format=layout, reference=_EPOCH)
    rows = table.read({x: column}, f"DISTINCT year(v_{x})")
    return [year for (year,) in rows if year is not None]


def layouts(table: Table, x: str, share: float) -> list[str]:
    """The formats in which nearly all values of a text column are dates, the best ones.

    Parameters
    ----------
    table : Table
    x : str
        The column's SQL name.
    share : float
        How many of the values that are there must be dates.

    Returns
    -------
    list of str
        Empty where they are none; more than one where they can be read in several ways
        that disagree, such as day first and month first.
    """
    counts: dict[str, int] = {}
    days: dict[str, tuple[float, ...]] = {}
    for one in _likely(table, x):
        # The sums tell readings that disagree apart from such as %b and %B, which agree.
        ((there, parsed, *sums),) = table.read(
            {x: Column(name="", kind="date", format=one, reference=_EPOCH)},
            f"count(p_{x}), count(v_{x}), sum(t_{x}), sum(t_{x} * t_{x})",
        )
        if parsed >= share * there and sums[0] is not None:
            counts[one], days[one] = parsed, tuple(sums)
    best = [one for one, count in counts.items() if count == max(counts.values())]
    return list({days[one]: one for one in reversed(best)}.values())[::-1]


def _likely(table: Table, x: str) -> list[str]:
    """The formats that read at least half of the first values."""
    rows = table.prepared({x: Column(name="", kind="date")})
    head = f"(SELECT p_{x} AS v FROM {rows} WHERE p_{x} IS NOT NULL LIMIT {_SAMPLE})"
    tried = ", ".join(f"count({moment('v', one)})" for one in LAYOUTS)
    ((there, *counts),) = table.select(f"count(v), {tried}", head)
    return [one for one, count in zip(LAYOUTS, counts, strict=True) if 2 * count >= there]


def digits_layout(table: Table, x: str) -> str | None:
    """The format of dates written as digits alone, if all values are that.

    ``20260601`` is a number too: only where every value is a date, and some of these
    centuries, the column is one of dates.
    """
    for layout in UNMARKED:
        ((there, parsed, known),) = table.read(
            {x: Column(name="", kind="date", format=layout, reference=_EPOCH)},
            f"count(p_{x}), count(v_{x}), count(t_{x})",
        )
        if known and parsed == there:
            return layout
    return None


def epoch_layout(least: float, most: float) -> str | None:
    """The format of Unix times, if numbers of this range certainly are that.

    They lie between 1990 and the near future, spread over a month at least, and go on into
    the years since 2012: telephone and account numbers of as many digits do not.
    """
    soon = datetime.combine(date.today(), time.min, UTC) + timedelta(days=_SOON)
    for layout, unit in EPOCHS.items():
        first, last = least / unit, most / unit
        recent = _LATE <= last <= soon.timestamp()
        if first >= _EARLY and recent and last - first >= _MONTH:
            return layout
    return None


def century(years: Iterable[int]) -> int | None:
    """The first of the hundred years to which two-digit years belong.

    The years that no date has part the latest of them from the earliest. None may lie far
    in the future.

    Parameters
    ----------
    years : iterable of int
        Of the dates, in any century.

    Returns
    -------
    int or None
        ``None`` where they might lie in either of two centuries.

    Examples
    --------
    >>> century(range(1938, 2009))
    1924
    """
    short = sorted({year % 100 for year in years})
    today = date.today().year
    gap, start = max((b - a, b) for a, b in pairwise([*short, short[0] + 100]))
    if gap < _CLEAR:
        return today - 99
    earliest = today - (today - start) % 100
    latest = earliest + 100 - gap
    if latest > today + _AHEAD:
        latest -= 100
    # Nothing that ended so long ago is sure not to be what comes next.
    if latest < today - _AGO and earliest + 100 <= today + _AHEAD:
        return None
    return min(latest + gap // 2, max(latest, today) + _AHEAD) - 99
