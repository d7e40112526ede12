"""What the models say of all customers: who may leave, and what their scores are made of."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ibis import _
from ibis.expr import types as ir

from churnml.errors import DataError, ModelError
from churnml.features import build_features
from churnml.metrics.intervals import normal_quantile
from churnml.models.model import Model
from churnml.registry.resolve import Resolved, as_resolved, require_task, resolve_champions
from churnml.scoring.manifest import Manifest
from churnml.scoring.requirements import require_features
from churnml.scoring.same_operator import require_same_operator
from churnml.service.quality.records import Records
from churnml.tables.source import Source

Asked = Model | str | Path | None

_SAMPLE = 5_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Champions:
    """The models at hand, as far as the source has what they need.

    Attributes
    ----------
    churn, satisfaction : Resolved or None
    """

    churn: Resolved | None = None
    satisfaction: Resolved | None = None


def find_champions(
    source: Source,
    notes: list[str],
    *,
    churn: Asked = None,
    satisfaction: Asked = None,
    any_source: bool = False,
) -> Champions:
    """The models named, else the champions there are.

    A champion that is not there, or needs what the source does not have, is absent, and
    ``notes`` say so.

    Raises
    ------
    ModelError, DataError
        If a model that was named is not there, is of the other task or needs what is absent;
        or a champion learned from another operator, unless ``any_source``.
    """
    found: dict[str, Resolved] = {}
    if churn is None or satisfaction is None:
        try:
            found = {**resolve_champions()}
        except ModelError:
            found = {}
    asked = {"churn": churn, "satisfaction": satisfaction}
    for task, one in asked.items():
        if one is not None:
            found[task] = as_resolved(one)
            require_task(found[task], task, str(one))  # type: ignore[arg-type]
            require_features(found[task], source)
        elif task not in found:
            notes.append(f"There is no champion of {task}; what needs one is absent.")
        else:
            try:
                require_features(found[task], source)
            except (ModelError, DataError) as error:
                notes.append(f"{error} What needs the {task} model is absent.")
                del found[task]
                continue
            if not any_source:
                require_same_operator(found[task], source)
    return Champions(churn=found.get("churn"), satisfaction=found.get("satisfaction"))


def churn_scores(
    source: Source, records: Records, model: Resolved, folder: Path
) -> ir.Table | None:
    """Every eligible customer's probability of leaving: one feature run.

    Parameters
    ----------
    folder : Path
        Where the scores may stand until the end.

    Returns
    -------
    Table
        ``customer_id``, ``churn_probability``, ``risk_band``.
    """
    # Boosters are not loaded where nothing is scored.
    from churnml.scoring.score import score

    _log.info("scoring customers with %s", model.version)
    loaded = model.model
    manifest = score(
        source,
        records.day,
        out=folder / "scores",
        churn_model=loaded,
        reasons=0,
        config=records.config,
    )
    return read_risks(manifest)


def read_risks(manifest: Manifest) -> ir.Table | None:
    """What `churn_scores` gives, of scores that stand in a folder; none without a churn model."""
    if "churn" not in manifest.models:
        return None
    wanted = ["customer_id", "churn_probability", "risk_band"]
    files = [Path(manifest.folder).absolute() / part.name for part in manifest.parts]
    # By name each: a folder that is called "as_of=…" would else be read as a column.
    tables = [pq.ParquetFile(file).read(columns=wanted) for file in files]
    return ibis.memtable(pa.concat_tables(tables).to_pandas())


def contributions(records: Records, models: Champions) -> pd.DataFrame:
    """How much each driver moves the models' scores: association, not cause.

    Mean over a sample of customers of the absolute sum of the driver's contributions, in
    points of satisfaction or log-odds of leaving.

    Returns
    -------
    DataFrame
        ``outcome``, ``driver``, ``kind``, ``value``, ``low``, ``high``, ``n``.
    """
    given = {"satisfaction": models.satisfaction, "churn": models.churn}
    there = {task: one for task, one in given.items() if one is not None}
    found: list[dict[str, Any]] = []
    if there:
        X = _sample(records)
        for outcome, one in there.items():
            found += _by_driver(outcome, one.model, X)
    columns = ["outcome", "driver", "kind", "value", "low", "high", "n"]
    return pd.DataFrame(found, columns=columns)


def _sample(records: Records) -> pd.DataFrame:
    """The features of some customers, evenly spread over their ids."""
    spine = records.view.rows.select("customer_id", "as_of")
    number = int(spine.count().to_pyarrow().as_py())
    if number > _SAMPLE:
        every = -(-number // _SAMPLE)
        place = ibis.row_number().over(ibis.window(order_by="customer_id"))
        spine = spine.mutate(place=place).filter(_.place % every == 0).drop("place")
    rows = build_features(
        records.tables, records.day, records.config, spine if number > _SAMPLE else None
    )
    return rows.to_pandas()


def _by_driver(outcome: str, model: Model, X: pd.DataFrame) -> list[dict[str, Any]]:
    explained = model.estimator.explain(X[model.names])
    drivers = {column.name: column.driver or "other" for column in model.inputs}
    found = []
    for driver in sorted(set(drivers.values())):
        names = [name for name, one in drivers.items() if one == driver]
        size = explained[names].sum(axis=1).abs().to_numpy(float)
        value = float(size.mean())
        half = normal_quantile() * float(size.std(ddof=1) / np.sqrt(len(size)))
        found.append(
            {
                "outcome": outcome,
                "driver": driver,
                "kind": "association",
                "value": value,
                "low": max(value - half, 0.0),
                "high": value + half,
                "n": len(size),
            }
        )
    return sorted(found, key=lambda row: -row["value"])
