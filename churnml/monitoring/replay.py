"""Score past months again, all in one pass over the tables and without reasons."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from ibis import _
from ibis.expr import types as ir
from numpy.typing import NDArray

from churnml.base.scratch import temporary_folder
from churnml.base.tasks import TASKS, TaskName
from churnml.config.settings import Config
from churnml.features import write_features
from churnml.models import histograms as kept
from churnml.models.drift import counted, summed
from churnml.models.histograms import Histograms
from churnml.models.model import predict
from churnml.registry.resolve import Resolved
from churnml.tables import asof
from churnml.tables.source import Source

Key = tuple[TaskName, date]
"""A task and an ``as_of``."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """A month scored again.

    Attributes
    ----------
    rows : int
        Everyone eligible.
    ids : array of str, length n
        Those who were scored: all, or every k-th above ``monitor.replay_rows``.
    scores : array, shape (n,)
    histograms : Histograms
    """

    rows: int
    ids: NDArray[Any]
    scores: NDArray[np.float64]
    histograms: Histograms


@dataclass
class _Month:
    ids: list[NDArray[Any]] = field(default_factory=list)
    scores: list[NDArray[np.float64]] = field(default_factory=list)
    inputs: list[dict[str, list[int]]] = field(default_factory=list)


def replay(source: Source, models: Mapping[Key, Resolved], config: Config) -> dict[Key, Replayed]:
    """Score months again, each with its own models; features are built once for all tasks.

    Parameters
    ----------
    source : Source
        Checked.
    models : mapping of (str, date) to Resolved
        By task and ``as_of``.
    config : Config

    Returns
    -------
    dict of (str, date) to Replayed
        Without the dates at which nobody is eligible.
    """
    if not models:
        return {}
    days = sorted({day for _task, day in models})
    _log.info("scoring %d months again", len(days))
    eligible = asof.spine(source.tables, days).cache()
    rows = _counts(eligible)
    spine = _sampled(eligible, max(rows.values(), default=0), config.monitor.replay_rows)
    months: dict[Key, _Month] = {key: _Month() for key in models}
    with temporary_folder() as folder:
        path = folder / "features.parquet"
        write_features(source.tables, days, path, config=config, spine=spine)
        with pq.ParquetFile(path) as file:
            names = _columns(models, file.schema_arrow.names)
            for batch in file.iter_batches(config.scoring.batch_rows, columns=names):
                for when, part in batch.to_pandas().groupby("as_of", sort=False):
                    day, own = _as_date(when), part.reset_index(drop=True)
                    for key, one in models.items():
                        if key[1] == day:
                            _score(months[key], one, own)
    return {
        key: _finished(month, models[key], rows[key[1]])
        for key, month in months.items()
        if month.ids and rows.get(key[1])
    }


def _as_date(day: Any) -> date:
    found: date = pd.Timestamp(day).date()
    return found


def _counts(eligible: ir.Table) -> dict[date, int]:
    counts = eligible.group_by("as_of").agg(rows=_.count()).to_pyarrow().to_pylist()
    return {row["as_of"]: int(row["rows"]) for row in counts}


def _sampled(eligible: ir.Table, most: int, limit: int) -> ir.Table:
    """All rows of every k-th customer, at most about ``limit`` a month."""
    every = -(-most // limit)
    if every <= 1:
        return eligible
    number = ibis.dense_rank().over(ibis.window(order_by="customer_id"))
    return eligible.mutate(number=number).filter(_.number % every == 0).drop("number")


def _columns(models: Mapping[Key, Resolved], there: list[str]) -> list[str]:
    wanted = ["customer_id", "as_of"]
    wanted += [name for one in models.values() for name in one.model.names]
    return [name for name in dict.fromkeys(wanted) if name in there]


def _score(month: _Month, one: Resolved, rows: pd.DataFrame) -> None:
    score = TASKS[one.model.task].score
    month.ids.append(rows["customer_id"].to_numpy(dtype=object))
    month.scores.append(np.asarray(predict(one.model, rows)[score], dtype=float))
    month.inputs.append(counted(one.model.inputs, rows))


def _finished(month: _Month, one: Resolved, rows: int) -> Replayed:
    scores = np.concatenate(month.scores)
    return Replayed(
        rows=rows,
        ids=np.concatenate(month.ids),
        scores=scores,
        histograms=kept.histograms(
            one.model,
            one.version,
            summed(month.inputs),
            kept.count_scores(one.model, scores),
        ),
    )
