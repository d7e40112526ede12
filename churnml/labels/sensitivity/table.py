"""Tabulate the churn rate by definition of churn.

One query counts the customers by what they did, month by month, around each ``as_of``; every
definition is then a sum over those counts. By inactivity leaves who is prepaid and has no
active day in so many whole months in a row, within the label window: where these are all its
whole months, that is the churn label of `churnml.labels.window`. Where the window holds fewer whole
months than the silence is to last, the silence begins with the first whole month after the
window's start and is completed after its end.
"""

from __future__ import annotations

import bisect
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.dates import add_months, months_before, parse_dates, with_days
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.errors import LabelWindowError, UsageError
from churnml.labels import coverage as cover
from churnml.labels import window as labels
from churnml.labels.sensitivity.patterns import BEFORE, FOLLOWED, counted, edges, whole_months
from churnml.tables.checked import Location, as_tables
from churnml.tables.source import HasTables

Bools = NDArray[np.bool_]
_log = logging.getLogger(__name__)


def label_sensitivity(
    source: HasTables | Location,
    as_of: date | str | Iterable[date | str] | None = None,
    *,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    inactive_months: Sequence[int] = (1, 2, 3),
    horizons: Sequence[str] = ("1mo", "2mo", "3mo"),
    gaps: Sequence[str] = ("0d", "30d", "60d"),
) -> pd.DataFrame:
    """Tabulate churn by definition: rates, overlap, and the share that comes back.

    Parameters
    ----------
    source : Source, str or path
        The bad rows of a location are set aside first; a source is taken as it is.
    as_of : date, or several, optional
        By default the last first of a month whose windows the data cover, all of them; the
        first that they cover where they are too short for that.
    mapping : path, optional
        Of a location.
    config : Config, path or mapping, optional
        Its section ``churn`` says which definition is ``configured``.
    inactive_months : sequence of int
        Whole months without an active day after which a prepaid customer has left.
    horizons, gaps : sequence of str
        Spans of time, ``60d`` or ``2mo``.

    Returns
    -------
    DataFrame
        One row for every ``as_of``, ``silent`` (``with``, ``without`` customers who by the same
        inactivity had left before ``as_of``), ``gap``, ``horizon`` and ``inactive_months``
        whose window, and without them whose silence before it, the data cover:

        - ``customers``: eligible, and still there when the window begins
        - ``beyond_months``: by how many months the silence outlasts the window
        - ``rate``, ``terminated``, ``inactive``: the share of them that leaves by either, by
          ending the service, by inactivity; missing where the data end before the silence
        - ``terminated_also_inactive``, ``inactive_also_terminated``: of those who leave by
          the one, the share that also leaves by the other
        - ``come_back``: of those who leave by inactivity, the share with an active day in a
          whole month after their silence, up to ``followed_months`` (at most 3, as far as
          the data go) after the window and the silence; of those of whom such a month is seen
        - ``involuntary``: of those whose service ends, the share with a bill then unpaid for
          60 days or more; missing where the bills do not tell, or begin too late for it
        - ``configured``: whether this is the label that ``config.churn`` asks for

    Raises
    ------
    LabelWindowError
        If the data cover no window of a date, or begin after it.
    UsageError
        If a span is written otherwise.
    """
    config = as_config(config)
    tables = as_tables(source, mapping=mapping, config=config).tables
    _log.info("counting who leaves by which definition")
    if any(not 1 <= months <= BEFORE for months in inactive_months):
        raise UsageError(f"inactive_months: from 1 to {BEFORE} expected.")
    since, until, earliest = cover.covered(tables, "either")
    windows = [labels.Window(gap, horizon) for gap in gaps for horizon in horizons]
    days = [max(_last(windows, until), since)] if as_of is None else parse_dates(as_of)
    for day in days:
        shortest = min(windows, key=lambda window: window.end(day))
        cover.require_coverage([day], shortest, until, since)
    lasting = sorted(set(inactive_months)) if "usage" in tables else []
    counts = counted(tables, days, windows, until)
    # From then on a bill can have been unpaid for long.
    billed = add_months(earliest, 2)
    table = [
        _cell(
            _Patterns(counts=counts, day=day, windows=windows, until=until, billed=billed),
            window,
            months,
            silent,
        )
        | {"configured": _configured(day, window, months, config)}
        for day in days
        for silent in (("with", "without") if lasting else ("with",))
        for window in windows
        if window.of(day)[0] >= since and window.end(day) <= until
        for months in lasting or [0]
        # Nobody was seen to be silent before the data begin.
        if silent == "with" or months_before(day, months) >= since
    ]
    return with_days(pd.DataFrame(table), "as_of")


def _last(windows: Sequence[labels.Window], until: date) -> date:
    day = until.replace(day=1)
    for _month in range(1200):
        silent = [whole_months(day, window).start + BEFORE for window in windows]
        if months_before(day, -max(silent)) <= until >= max(w.end(day) for w in windows):
            return day
        day = months_before(day, 1)
    raise LabelWindowError(f"No date's windows end by {until}.")


def _configured(day: date, window: labels.Window, months: int, config: Config) -> bool:
    own = labels.Window(config.churn.gap, config.churn.horizon)
    whole = len(whole_months(day, window))
    return window.of(day) == own.of(day) and months in (0, whole)


@dataclass(frozen=True, kw_only=True)
class _Patterns:
    """The customer patterns of one date."""

    counts: pd.DataFrame
    day: date
    windows: Sequence[labels.Window]
    until: date
    billed: date

    def rows(self) -> pd.DataFrame:
        days = pd.to_datetime(self.counts["as_of"]).dt.date
        return self.counts[days == self.day]

    def place(self, edge: date) -> int:
        """The index of a date among the edges; customers who left before it have a lower one."""
        return bisect.bisect_right(edges(self.day, self.windows), edge)

    def covered(self, month: int) -> bool:
        """Whether the data cover a month, counted from that of ``as_of``."""
        return months_before(self.day, -(month + 1)) <= self.until


def _cell(
    patterns: _Patterns, window: labels.Window, months: int, silent: str
) -> dict[str, object]:
    """One row of the table."""
    start, end = window.of(patterns.day)
    whole = whole_months(patterns.day, window)
    stop = max(whole.stop, whole.start + months)
    followed = sum(patterns.covered(stop + at) for at in range(FOLLOWED))
    rows = patterns.rows()
    keep = rows["place"].to_numpy() >= patterns.place(start)
    if silent == "without":
        keep &= ~_before(rows, months)
    rows = rows[keep]
    number = rows["customers"].to_numpy(dtype=float)
    ended = rows["place"].to_numpy() < patterns.place(end)
    cell: dict[str, object] = {
        "as_of": patterns.day.isoformat(),
        "silent": silent,
        "gap": window.gap,
        "horizon": window.horizon,
        "inactive_months": months,
        "beyond_months": stop - whole.stop,
        "customers": int(number.sum()),
        "rate": _share(number, ended) if not months else np.nan,
        "terminated": _share(number, ended),
        "inactive": np.nan,
        "terminated_also_inactive": np.nan,
        "inactive_also_terminated": np.nan,
        "come_back": np.nan,
        "followed_months": followed,
        "involuntary": np.nan,
    }
    if months and patterns.covered(stop - 1):
        gone, back, seen = _silence(rows, range(whole.start, stop), months, followed)
        cell["rate"] = _share(number, ended | gone)
        cell["inactive"] = _share(number, gone)
        cell["terminated_also_inactive"] = _share(number, gone, ended)
        cell["inactive_also_terminated"] = _share(number, ended, gone)
        cell["come_back"] = _share(number, back, seen)
    if "unpaid" in rows and start >= patterns.billed:
        cell["involuntary"] = _share(number, rows["unpaid"].to_numpy(dtype=bool), ended)
    return cell


def _used(rows: pd.DataFrame, month: int) -> Bools:
    return np.asarray(rows[f"used_{month + BEFORE}"] > 0)


def _before(rows: pd.DataFrame, months: int) -> Bools:
    """Customers who had left before the date, by the same inactivity rule."""
    eligible = rows["prepaid"].to_numpy(dtype=bool) & (rows["tenure"].to_numpy() >= months)
    for ago in range(1, months + 1):
        eligible &= ~_used(rows, -ago)
    return eligible


def _silence(
    rows: pd.DataFrame, span: range, months: int, followed: int
) -> tuple[Bools, Bools, Bools]:
    """Customers who leave by inactivity, who come back, and whose return could be observed."""
    prepaid = rows["prepaid"].to_numpy(dtype=bool)
    gone = back = seen = np.zeros(len(rows), dtype=bool)
    for first in span[: len(span) - months + 1]:
        here = prepaid & ~gone
        for month in range(first, first + months):
            here = here & ~_used(rows, month)
        later = range(first + months, span.stop + followed)
        used = [_used(rows, month) for month in later]
        gone = gone | here
        if used:
            seen = seen | here
            back = back | (here & np.any(used, axis=0))
    return gone, back, seen


def _share(number: NDArray[np.float64], what: Bools, among: Bools | None = None) -> float:
    """The share of customers; ``NaN`` if there are none."""
    of = np.ones(len(number), dtype=bool) if among is None else among
    total = number[of].sum()
    return float(number[what & of].sum() / total) if total else float("nan")
