"""Score one batch into one part of the result: columns, order and types."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from churnml.base.tasks import TASKS, Task
from churnml.models.drift import counted
from churnml.models.model import predict
from churnml.registry.resolve import Resolved
from churnml.scoring.percentile import BandCuts, BandsBy, percentile
from churnml.scoring.reasons import REASON, reasons

Types = Mapping[str, pa.DataType]

LIGHTGBM = "lightgbm"
"""What scores the boosters unless the settings say otherwise."""

_TYPES: Types = {"risk_band": pa.string()}
"""Of the scores that are not numbers."""
_VALUE: Types = {"individual_tier": pa.string(), "group_tier": pa.string(), "arpu": pa.float64()}


@dataclass(frozen=True, kw_only=True)
class ScoringRecipe:
    """The models and options of a scoring.

    Attributes
    ----------
    models : dict of str to Resolved
        By task, ``churn`` before ``satisfaction``; ``hazard`` is never alone.
    as_of : date or None
        ``None`` for a flat table whose day was not given.
    reasons : int
        How many reasons each row gets; 0 leaves the column out.
    satisfaction_reasons : int, optional
        How many reasons its satisfaction gets where churn is scored too; by default as many.
    bands : tuple of 3 float
        Where medium, high and critical risk begin.
    bands_by : {"percentile", "probability", "money"}
        What these are of; see `BandCuts`.
    months_kept : float
        How long a customer who stays does so, for bands by money.
    trees : str
        What scores the boosters, with its version where it is not LightGBM.
    """

    models: Mapping[str, Resolved]
    as_of: date | None
    reasons: int
    bands: tuple[float, float, float]
    satisfaction_reasons: int | None = None
    bands_by: BandsBy = "percentile"
    months_kept: float = 12.0
    trees: str = LIGHTGBM

    @property
    def cuts(self) -> BandCuts:
        """What cuts the risk bands."""
        return BandCuts(by=self.bands_by, cuts=self.bands, months=self.months_kept)

    @property
    def kind(self) -> Literal["operator", "table"]:
        """What the models read; a flat table has neither tiers nor ARPU."""
        return next(iter(self.models.values())).model.origin.kind

    @property
    def tasks(self) -> list[Task]:
        """The tasks whose scores lead the result; the columns of others come last."""
        return [task for name, task in TASKS.items() if name in self.models and task.reasons]

    @property
    def explained(self) -> dict[str, tuple[Resolved, int]]:
        """By column of reasons: the model that they explain, and how many each row gets."""
        first, *others = (task.name for task in self.tasks)
        more = self.reasons if self.satisfaction_reasons is None else self.satisfaction_reasons
        columns = {"reasons": (self.models[first], self.reasons)}
        columns |= {f"{name}_reasons": (self.models[name], more) for name in others}
        return {name: one for name, one in columns.items() if one[1]}


def schema(recipe: ScoringRecipe) -> pa.Schema:
    """The columns of the result, in the contract's order."""
    columns: dict[str, pa.DataType] = {"customer_id": pa.string(), "as_of": pa.date32()}
    for task in recipe.tasks:
        columns |= _types(task)
    if recipe.kind == "operator":
        columns |= _VALUE
    columns |= dict.fromkeys(recipe.explained, pa.list_(REASON))
    columns |= {f"{task.name}_model": pa.string() for task in recipe.tasks}
    for name in recipe.models:
        if not TASKS[name].reasons:
            columns |= _types(TASKS[name])
    return pa.schema(columns.items())


def _types(task: Task) -> Types:
    return {name: _TYPES.get(name, pa.float64()) for name in task.scores}


def score_rows(
    recipe: ScoringRecipe, ids: pa.Array, rows: pd.DataFrame, value: Mapping[str, Any]
) -> pa.Table:
    """Score one batch.

    Parameters
    ----------
    recipe : ScoringRecipe
    ids : array of text, length n
    rows : DataFrame, shape (n, k)
        Holds the models' columns by name.
    value : mapping of str to array
        ``individual_tier``, ``group_tier`` and ``arpu`` of an operator's customers; ``as_of``
        of a table's rows that tell their own.

    Returns
    -------
    Table
        With the columns of `schema`, in the order of the rows.
    """
    columns: dict[str, Any] = {"customer_id": ids, "as_of": [recipe.as_of] * len(rows)}
    for task, resolved in recipe.models.items():
        columns |= predict(resolved.model, rows)
        columns[f"{task}_model"] = [resolved.version] * len(rows)
    for ranked in (one for one in recipe.tasks if one.bands):
        reference = recipe.models[ranked.name].model.reference
        columns["churn_percentile"] = percentile(columns[ranked.score], reference)
        columns["risk_band"] = recipe.cuts.bands({**columns, **value})
    columns |= value
    for name, (resolved, count) in recipe.explained.items():
        columns[name] = reasons(resolved.model, rows, count)
    fields = schema(recipe)
    arrays = [_typed(columns[field.name], field.type) for field in fields]
    return pa.Table.from_arrays(arrays, schema=fields)


def _typed(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values if values.type == kind else values.cast(kind)
    return pa.array(values, kind, from_pandas=True)


def part_bytes(table: pa.Table) -> bytes:
    """Encode a part as a Parquet file with page checksums."""
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd", write_page_checksum=True)
    return file.getvalue()


def by_band(scores: pa.Table) -> dict[str, list[float]]:
    """The customers of each risk band, and the sum of their probabilities of leaving."""
    if "risk_band" not in scores.column_names:
        return {}
    rows = scores.group_by("risk_band").aggregate([("churn_probability", "sum"), ([], "count_all")])
    named = [one for one in rows.to_pylist() if one["risk_band"] is not None]
    return {
        one["risk_band"]: [one["count_all"], one["churn_probability_sum"]]
        for one in sorted(named, key=lambda one: str(one["risk_band"]))
    }


def drifting(recipe: ScoringRecipe, rows: pd.DataFrame) -> dict[str, dict[str, list[int]]]:
    """Count a batch's rows by task, column and bin, to measure the run's drift."""
    return {task: counted(one.model.inputs, rows) for task, one in recipe.models.items()}


def tally(recipe: ScoringRecipe, rows: pd.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    """Count a batch's present and unseen values, for the run's gates.

    Returns
    -------
    dict
        By task: ``present``, rows with a value by column, and ``unseen``, rows whose
        category the model has not seen, by column.
    """
    counts = {}
    for task, resolved in recipe.models.items():
        present = rows[resolved.model.names].notna().sum()
        unseen = resolved.model.estimator.unseen(rows)
        counts[task] = {
            "present": {str(name): int(number) for name, number in present.items()},
            "unseen": {str(name): int(number) for name, number in unseen.items()},
        }
    return counts
