"""What became of a month's predicted satisfaction: the answers to surveys that came after it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis import _
from numpy.typing import NDArray

from churnml.base.dates import months_before
from churnml.labels import coverage
from churnml.labels import window as labels
from churnml.labels.window import Window
from churnml.metrics import spearman
from churnml.metrics.intervals import normal_quantile
from churnml.models.histograms import FEWEST
from churnml.monitoring.outcomes import MONTHS_OF_DELAY, Label, late_seconds
from churnml.tables.source import Source


def answer_label(source: Source, window: Window, now: date) -> Label | None:
    """What a satisfaction model predicts, with the delay of answers; None without surveys."""
    if "surveys" not in source.tables:
        return None
    surveys = source.tables["surveys"]
    since = ibis.literal(months_before(now, MONTHS_OF_DELAY)).cast("timestamp")
    given = surveys.filter(_.answered_at >= since, _.score.notnull())
    return Label(
        window=window,
        definition=None,
        delay=math.ceil(late_seconds(given, given.answered_at) / 86_400),
        covered=coverage.covered(source.tables, None).until,
    )


def answers(source: Source, label: Label, days: Sequence[date]) -> pd.DataFrame:
    """Who answered after each date, and what: ``customer_id``, ``as_of``, ``score``."""
    if not days:
        return pd.DataFrame({"customer_id": [], "as_of": [], "score": []})
    return labels.satisfaction(source.tables, list(days), label.window).to_pyarrow().to_pandas()


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How the predicted satisfaction of a month fared, among those who answered.

    Attributes
    ----------
    answers : int
    mean, predicted : float
        Of the answers and of the scores of the same customers, in points of 100.
    off, low, high : float
        The mean answer less the predicted, with its 95 % interval.
    error, error_low, error_high : float
        The mean absolute error, with its 95 % interval.
    rank : float
        The rank correlation of scores and answers; NaN where either is constant.
    """

    answers: int
    mean: float
    predicted: float
    off: float
    low: float
    high: float
    error: float
    error_low: float
    error_high: float
    rank: float

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        facts = {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }
        return facts | {"rank": None if math.isnan(self.rank) else facts["rank"]}


def answered(
    ids: pa.Array | Sequence[str], scores: NDArray[np.float64], given: pd.DataFrame
) -> Answered | None:
    """Hold a month's scores against the answers; None where fewer than ten answered.

    Parameters
    ----------
    ids : sequence of str, length n
    scores : array, shape (n,)
    given : DataFrame
        ``customer_id`` and ``score`` of the month.
    """
    told = pd.DataFrame({"customer_id": np.asarray(ids, dtype=object), "told": scores})
    both = told.merge(given, on="customer_id").dropna(subset=["told", "score"])
    if len(both) < FEWEST:
        return None
    y, p = both["score"].to_numpy(dtype=float), both["told"].to_numpy(dtype=float)
    off, reach = _mean(y - p)
    error, width = _mean(np.abs(y - p))
    constant = np.ptp(y) == 0 or np.ptp(p) == 0
    return Answered(
        answers=len(both),
        mean=float(y.mean()),
        predicted=float(p.mean()),
        off=off,
        low=off - reach,
        high=off + reach,
        error=error,
        error_low=max(error - width, 0.0),
        error_high=error + width,
        rank=math.nan if constant else spearman(y, p),
    )


def _mean(values: NDArray[np.float64]) -> tuple[float, float]:
    """The mean, and half the width of its 95 % interval."""
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    return float(values.mean()), normal_quantile() * error
