"""What became of the customers of a month: known once the labels are, and not before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis import _
from ibis.expr import types as ir
from numpy.typing import NDArray

from churnml.base.dates import months_before
from churnml.labels import coverage
from churnml.labels import window as labels
from churnml.labels.window import Definition, Window
from churnml.metrics import calibration_line
from churnml.metrics.intervals import normal_quantile
from churnml.metrics.significance import auc_influence
from churnml.models.histograms import FEWEST
from churnml.tables.source import Source

_QUANTILE = 0.99
MONTHS_OF_DELAY = 12
"""Over how many months it is measured how late things are reported."""


@dataclass(frozen=True, kw_only=True)
class Label:
    """What a model predicts, and from when on it is known.

    Attributes
    ----------
    window : Window
    definition : {"termination", "inactivity", "either"} or None
        Of leaving; None for satisfaction.
    delay : int
        Days from the end of the window until 99 % of what tells a label have been reported,
        as measured in the last twelve months.
    covered : date
        The first date that the data does not cover.
    """

    window: Window
    definition: Definition | None
    delay: int
    covered: date

    def known_from(self, day: date) -> date:
        """The first date at which the labels of an ``as_of`` are known."""
        return self.window.end(day) + timedelta(days=self.delay)

    def known(self, day: date, now: date) -> bool:
        """Whether they are known by now."""
        return self.known_from(day) <= now and self.window.end(day) <= self.covered


def label_of(source: Source, window: Window, definition: Definition, now: date) -> Label:
    """The label with the delay that the source shows."""
    return Label(
        window=window,
        definition=definition,
        delay=_delay(source.tables, definition, now),
        covered=coverage.covered(source.tables, definition).until,
    )


def _delay(tables: Mapping[str, ir.Table], definition: Definition, now: date) -> int:
    """Days after which 99 % of the events that labels are made of have been reported."""
    since = months_before(now, MONTHS_OF_DELAY)
    late = [0.0]
    if definition != "inactivity":
        ended = tables["customers"].filter(_.terminated_on >= ibis.literal(since))
        late.append(late_seconds(ended, ended.terminated_on.cast("timestamp")))
    if definition != "termination" and "usage" in tables:
        usage = tables["usage"].filter(_.month >= ibis.literal(since))
        end = usage.month.cast("timestamp") + ibis.interval(months=1)
        late.append(late_seconds(usage, end))
    return math.ceil(max(late) / 86_400)


def late_seconds(rows: ir.Table, event: ir.TimestampValue) -> float:
    """Within how many seconds of the event 99 % of rows were known."""
    seconds = rows.known_at.cast("timestamp").epoch_seconds() - event.epoch_seconds()
    found = rows.mutate(late=seconds).late.quantile(_QUANTILE).to_pyarrow().as_py()
    return 0.0 if found is None else max(float(found), 0.0)


def outcomes(source: Source, label: Label, days: Sequence[date]) -> pd.DataFrame:
    """Who left after each date: ``customer_id``, ``as_of``, ``churned``."""
    if not days:
        return pd.DataFrame({"customer_id": [], "as_of": [], "churned": []})
    assert label.definition is not None
    table = labels.churn(source.tables, list(days), label.window, label.definition)
    return table.to_pyarrow().to_pandas()


def treated(source: Source, label: Label, days: Sequence[date]) -> dict[date, set[str]]:
    """Who was made an offer, of those whom each date's label looks at."""
    if "offers" not in source.tables or not days:
        return {day: set() for day in days}
    offers = source.tables["offers"].filter(_.arm == "treatment")
    first, last = min(days), max(label.window.end(day) for day in days)
    made = offers.filter(
        _.offered_at >= ibis.literal(first).cast("timestamp"),
        _.offered_at < ibis.literal(last).cast("timestamp"),
    )
    rows = made.select("customer_id", "offered_at").to_pyarrow().to_pandas()
    when = rows["offered_at"].dt.date
    return {
        day: set(rows.loc[(when >= day) & (when < label.window.end(day)), "customer_id"])
        for day in days
    }


@dataclass(frozen=True, kw_only=True)
class Realised:
    """How the scores of a month fared.

    Attributes
    ----------
    auc, low, high : float
        With its 95 % interval.
    rate : float
        The share that left.
    predicted : float
        The mean score of the same customers.
    rows, left : int
        Customers whom no offer was made.
    treated : int or None
        Customers left out because an offer was made to them; None where they are fewer
        than ten, and some.
    slope : float
        Of the calibration line; 1 where probabilities are neither too bold nor too shy.
    error : float
        The standard error of the AUC.
    surprise : float
        By how many standard errors the leavers differ from those predicted.
    """

    auc: float
    low: float
    high: float
    rate: float
    predicted: float
    rows: int
    left: int
    treated: int | None
    slope: float
    error: float
    surprise: float

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "auc": round(self.auc, 6),
            "low": round(self.low, 6),
            "high": round(self.high, 6),
            "rate": round(self.rate, 6),
            "predicted": round(self.predicted, 6),
            "rows": self.rows,
            "left": self.left,
            "treated": self.treated,
            "slope": round(self.slope, 4),
        }


def realised(
    ids: pa.Array | Sequence[str],
    scores: NDArray[np.float64],
    left: pd.DataFrame,
    offered: set[str],
) -> Realised | None:
    """Hold the scores of a month against what happened; None where fewer than ten left or stayed.

    Parameters
    ----------
    ids : sequence of str, length n
    scores : array, shape (n,)
    left : DataFrame
        ``customer_id`` and ``churned`` of the month.
    offered : set of str
        Customers who were made an offer: they leave the figures, as a good campaign would look
        like a bad model.
    """
    told = pd.DataFrame({"customer_id": np.asarray(ids, dtype=object), "score": scores})
    both = told.merge(left, on="customer_id")
    kept = both[~both["customer_id"].isin(offered)]
    y, p = kept["churned"].to_numpy(dtype=float), kept["score"].to_numpy(dtype=float)
    leavers = int(y.sum())
    if min(leavers, len(y) - leavers) < FEWEST:
        return None
    area, moved = auc_influence(y, p)
    error = float(np.sqrt((moved**2).sum()))
    reach = normal_quantile() * error
    few = len(both) - len(kept)
    spread = math.sqrt(float((p * (1 - p)).sum())) or 1.0
    return Realised(
        auc=area,
        low=max(area - reach, 0.0),
        high=min(area + reach, 1.0),
        rate=float(y.mean()),
        predicted=float(p.mean()),
        rows=len(y),
        left=leavers,
        treated=None if 0 < few < FEWEST else few,
        slope=_slope(y, p),
        error=error,
        surprise=float((y.sum() - p.sum()) / spread),
    )


def _slope(y: NDArray[np.float64], p: NDArray[np.float64]) -> float:
    slope, _intercept = calibration_line(y, p)
    return float(slope)
