"""Indicators with their targets: lights, alarms, trend, and what is hidden.

A light is of the interval, not of the point: good or bad only where the whole interval lies on
one side of the target. An alarm is a light that is bad in two of the last three months and in
the last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from churnml.base.dates import months_before
from churnml.config.quality import Indicator
from churnml.metrics.intervals import LEVEL, normal_quantile
from churnml.service.small_cells import Sum, blank, hidden_related, sums_over

Nested = Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]]

COLUMNS = (
    "stage",
    "indicator",
    "kind",
    "by",
    "cell",
    "month",
    "value",
    "low",
    "high",
    "n",
    "target",
    "light",
    "alarm",
)

GOOD, UNCLEAR, BAD = "good", "unclear", "bad"

_TREND_MONTHS, _FEWEST = 12, 4


def light(low: float, high: float, target: float | None, direction: int) -> str | None:
    """The light of an interval against a target.

    Parameters
    ----------
    low, high : float
        The interval; NaN where there is none.
    target : float or None
    direction : {1, -1}
        1 where more is better.

    Returns
    -------
    {"good", "unclear", "bad"} or None
        None without a target or an interval.

    Examples
    --------
    >>> light(0.04, 0.09, 0.1, -1), light(0.04, 0.12, 0.1, -1), light(0.11, 0.2, 0.1, -1)
    ('good', 'unclear', 'bad')
    >>> light(70, 75, None, 1) is None
    True
    """
    if target is None or np.isnan(low) or np.isnan(high):
        return None
    if direction < 0:
        low, high, target = -high, -low, -target
    if low >= target:
        return GOOD
    return BAD if high < target else UNCLEAR


def alarm(lights: Mapping[date, str | None], month: date) -> bool:
    """Whether a month's light is bad, and that of one of the two months before.

    Parameters
    ----------
    lights : mapping of date to str
        By month, its first day.
    month : date

    Examples
    --------
    >>> lights = {date(2026, 4, 1): "bad", date(2026, 5, 1): "good", date(2026, 6, 1): "bad"}
    >>> alarm(lights, date(2026, 6, 1)), alarm(lights, date(2026, 5, 1))
    (True, False)
    """
    before = [lights.get(months_before(month, ago)) for ago in (1, 2)]
    return lights.get(month) == BAD and BAD in before


def indicators(
    values: pd.DataFrame,
    declared: Mapping[str, Indicator],
    *,
    nested: Nested | None = None,
    fewest: int = 10,
) -> pd.DataFrame:
    """Measured values with their targets, lights and alarms; small cells hidden.

    Parameters
    ----------
    values : DataFrame
        As `measures.measure` gives them.
    declared : mapping of str to Indicator
    nested : mapping, optional
        For pairs of columns, such as hall and region: the values of the first that lie within
        each value of the second.
    fewest : int, default 10
        People below whom a value is hidden.

    Returns
    -------
    DataFrame
        `COLUMNS`, in the order of the customer's way, cells and months. Lights and alarms are
        those of shown values alone.
    """
    if values.empty:
        return pd.DataFrame({name: [] for name in COLUMNS})
    frame = values.reset_index(drop=True).copy()
    frame["n"] = frame["n"].astype("Int64")
    frame["target"] = [declared[name].target for name in frame["indicator"]]
    frame["target"] = frame["target"].astype(float)
    frame = blank(
        frame, _hidden(frame, nested or {}, fewest), columns=["value", "low", "high", "n"]
    )
    frame["stage"] = [declared[name].stage for name in frame["indicator"]]
    frame["kind"] = [declared[name].kind for name in frame["indicator"]]
    frame["light"] = [
        light(low, high, None if np.isnan(target) else target, declared[name].direction)
        for low, high, target, name in zip(
            frame["low"], frame["high"], frame["target"], frame["indicator"], strict=True
        )
    ]
    frame["alarm"] = _alarms(frame)
    place = {name: at for at, name in enumerate(declared)}
    frame["place"] = frame["indicator"].map(place)
    frame = frame.sort_values(["place", "by", "cell", "month"], ignore_index=True)
    return frame[list(COLUMNS)]


def _alarms(frame: pd.DataFrame) -> list[bool]:
    keys = zip(frame["indicator"], frame["by"], frame["cell"], strict=True)
    lights: dict[tuple[str, str, str], dict[date, str | None]] = {}
    rows = list(zip(keys, frame["month"], frame["light"], strict=True))
    for key, month, colour in rows:
        lights.setdefault(key, {})[month] = colour
    return [colour == BAD and alarm(lights[key], month) for key, month, colour in rows]


def _hidden(frame: pd.DataFrame, nested: Nested, fewest: int) -> NDArray[np.bool_]:
    """Rows about few people, and what would tell them.

    The cells of a month add up to the whole; halls may add up to their region.
    """
    mask = np.zeros(len(frame), dtype=bool)
    for _name, rows in frame.groupby("indicator", sort=False):
        cells = pd.DataFrame(
            {
                "month": rows["month"].astype(str),
                **{by: rows["cell"].where(rows["by"] == by, "") for by in _columns(rows)},
            }
        ).reset_index(drop=True)
        counts = rows["n"].to_numpy(float)
        sums = [*sums_over(cells), *_nested_sums(rows, nested)]
        mask[rows.index] = hidden_related(counts, sums, fewest=fewest)
    return mask


def _nested_sums(rows: pd.DataFrame, nested: Nested) -> list[Sum]:
    """Sums of cells within cells of another column, where their counts bear them out."""
    keys = zip(rows["month"], rows["by"], rows["cell"], strict=True)
    place = {key: at for at, key in enumerate(keys)}
    counts = rows["n"].to_numpy(float)
    found: list[Sum] = []
    for (inner, outer), within in nested.items():
        sums = []
        for (month, by, total), at in place.items():
            if by == outer:
                inside = [place.get((month, inner, one)) for one in within.get(total, ())]
                parts = tuple(one for one in inside if one is not None)
                sums.append(Sum(total=at, parts=parts))
        sums = [one for one in sums if one.parts]
        if all(counts[list(one.parts)].sum() == counts[one.total] for one in sums):
            found += sums
    return found


def _columns(rows: pd.DataFrame) -> list[str]:
    return sorted({by for by in rows["by"] if by})


@dataclass(frozen=True, kw_only=True)
class Trend:
    """How an indicator of all customers moves.

    Attributes
    ----------
    indicator : str
    slope, low, high : float
        Change a month, with its interval.
    months : int
        Behind it: the last twelve at most.
    """

    indicator: str
    slope: float
    low: float
    high: float
    months: int

    @property
    def rises(self) -> bool | None:
        """Whether it rises; None where it may do either."""
        return None if self.low <= 0 <= self.high else self.low > 0


def trends(frame: pd.DataFrame) -> list[Trend]:
    """The slope of each indicator of all customers over the last year, weighted by its precision.

    Parameters
    ----------
    frame : DataFrame
        As `indicators` gives it.

    Returns
    -------
    list of Trend
        None of an indicator with fewer than 4 months. The interval takes the months' scatter
        about the line, or their own errors, whichever is more.
    """
    found = []
    whole = frame[(frame["by"] == "") & frame["value"].notna()]
    for name, rows in whole.groupby("indicator", sort=False):
        last = rows.sort_values("month").tail(_TREND_MONTHS)
        last = last[(last["high"] > last["low"]).fillna(False)]
        if len(last) >= _FEWEST:
            found.append(_trend(str(name), last))
    return found


def _trend(name: str, rows: pd.DataFrame) -> Trend:
    months = rows["month"].map(lambda day: day.year * 12 + day.month).to_numpy(float)
    value = rows["value"].to_numpy(float)
    error = (rows["high"] - rows["low"]).to_numpy(float) / 2 / normal_quantile()
    weight = error**-2
    place = months - np.average(months, weights=weight)
    spread = float((weight * place**2).sum())
    slope = float((weight * place * value).sum()) / spread
    rest = value - np.average(value, weights=weight) - slope * place
    scatter = float((weight * rest**2).sum()) / (len(rows) - 2)
    half = float(stdtrit(len(rows) - 2, (1 + LEVEL) / 2)) * np.sqrt(max(scatter, 1.0) / spread)
    return Trend(indicator=name, slope=slope, low=slope - half, high=slope + half, months=len(rows))
