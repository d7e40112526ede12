"""What pre-service (业务预处理) and self-service take away from the windows of the halls.

Pre-service deals with part of a visit while the customer waits, so that the window takes less
time; a terminal deals with it without a window. Visits are compared with others of the same
item, not with the same visits served otherwise: who is served how was not drawn by lot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _

from churnml.metrics.intervals import normal_quantile, wilson
from churnml.service.quality.records import Records, read
from churnml.service.small_cells import FEWEST

RELIEF = (
    "relief",
    "visits",
    "share",
    "low",
    "high",
    "window_seconds",
    "window_low",
    "window_high",
    "wait_seconds",
    "wait_low",
    "wait_high",
)
"""``relief`` (pre_service, self_service), its ``visits`` and their share of all in the halls;
seconds at a window and of waiting that one such visit saves."""

_PRE, _SELF = "pre_service", "self_service"


def hall_relief(records: Records) -> pd.DataFrame:
    """What pre-service and terminals save in the last months, with 95 % intervals.

    Returns
    -------
    DataFrame
        `RELIEF`; no row of what the source does not tell or fewer than 10 visits had, no
        seconds where no time is recorded.
    """
    nothing = pd.DataFrame({name: [] for name in RELIEF})
    if not records.has("contacts.channel"):
        return nothing
    counts = _sums(records)
    found = []
    for relief in (_PRE, _SELF):
        if relief == _PRE and not records.has("contacts.pre_served"):
            records.notes.append(
                "contacts.pre_served is absent, and so is what pre-service takes away."
            )
            continue
        own = counts[counts["kind"] == relief]
        base = counts if relief == _SELF else counts[counts["kind"] != _SELF]
        visits, total = float(own["n"].sum()), float(base["n"].sum())
        if visits < FEWEST or total - visits < FEWEST:
            continue
        low, high = wilson(visits / total, total)
        windows = counts[counts["kind"] == "window"]
        # At a terminal no window is needed at all, and waiting is not compared.
        spared = _saved(own, windows, "service", without=relief == _SELF)
        waited = _saved(own, windows, "wait") if relief == _PRE else (np.nan,) * 3
        row = (relief, int(visits), visits / total, float(low), float(high), *spared, *waited)
        found.append(row)
    return pd.DataFrame(found, columns=list(RELIEF)) if found else nothing


def _sums(records: Records) -> pd.DataFrame:
    """Visits by item and kind (window, pre_service, self_service), with the sums of their times."""
    rows = records.recent(records.events("contacts", "started_at"))
    rows = rows.filter(_.channel.isin(["hall", "terminal"]))
    told = "pre_served" in rows.columns
    pre = rows.pre_served.fill_null(False) if told else ibis.literal(False)
    kind = (rows.channel == "terminal").ifelse(_SELF, pre.ifelse(_PRE, "window"))
    item = rows.service_item.fill_null("") if "service_item" in rows.columns else ""
    sums: dict[str, Any] = {"n": _.count()}
    for name in ("service", "wait"):
        column = f"{name}_seconds"
        if column in rows.columns:
            seconds = rows[column].round().cast("int64")
            sums[f"n_{name}"] = seconds.count()
            sums[f"s_{name}"] = seconds.sum()
            sums[f"q_{name}"] = (seconds * seconds).sum()
    frame = read(rows.group_by(kind=kind, item=item).agg(**sums))
    for name in ("service", "wait"):
        for part in "nsq":
            if f"{part}_{name}" not in frame:
                frame[f"{part}_{name}"] = 0
    numbers = [name for name in frame.columns if name not in ("kind", "item")]
    return frame.astype(dict.fromkeys(numbers, float)).sort_values(["kind", "item"])


def _saved(
    own: pd.DataFrame, windows: pd.DataFrame, time: str, *, without: bool = False
) -> tuple[float, float, float]:
    """Seconds that a visit saves against one at a window, items weighing as in the visits.

    Parameters
    ----------
    own, windows : DataFrame
        One row an item.
    time : {"service", "wait"}
    without : bool
        Whether the visits take nothing of the time at all.
    """
    columns = ["n", *(f"{part}_{time}" for part in "nsq")]
    both = own[["item", *columns]].merge(windows[["item", *columns]], on="item", suffixes=("", "0"))
    both = both[both[f"n_{time}0"] > 1]
    if not without:
        both = both[both[f"n_{time}"] > 1]
    if both.empty or both["n"].sum() < FEWEST:
        return np.nan, np.nan, np.nan
    weight = (both["n"] / both["n"].sum()).to_numpy()
    mean, variance = _mean(both, [f"{part}_{time}0" for part in "nsq"])
    if not without:
        less, more = _mean(both, [f"{part}_{time}" for part in "nsq"])
        mean, variance = mean - less, variance + more
    saved = float(weight @ mean)
    half = normal_quantile() * float(np.sqrt(weight**2 @ variance))
    return saved, saved - half, saved + half


def _mean(rows: pd.DataFrame, names: Sequence[str]) -> tuple[Any, Any]:
    """Each row's mean and the variance of it."""
    n, total, square = (rows[name].to_numpy(float) for name in names)
    mean = total / n
    return mean, np.maximum(square / n - mean**2, 0) / (n - 1)
