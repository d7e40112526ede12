"""What is counted of each part while it is scored, for gates, drift, bands and monitoring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from churnml.base.tasks import TASKS
from churnml.models import histograms
from churnml.models.drift import summed
from churnml.scoring.shards import ScoringRecipe, by_band, drifting, tally

Facts = Mapping[str, Any]


def count_rows(recipe: ScoringRecipe, rows: pd.DataFrame) -> dict[str, Any]:
    """What is counted of a batch's rows: values by column (``tally``, ``drift``)."""
    return {"tally": tally(recipe, rows), "drift": drifting(recipe, rows)}


def count_scores(recipe: ScoringRecipe, table: pa.Table) -> dict[str, Any]:
    """What is counted of a batch's scores: their number, ``bands`` and ``scores`` by bin."""
    return {
        "rows": table.num_rows,
        "bands": by_band(table),
        "scores": scores_by_bin(recipe, table),
    }


def scores_by_bin(recipe: ScoringRecipe, table: pa.Table) -> dict[str, dict[str, list[float]]]:
    """Count and add up a batch's scores by task and bin."""
    return {
        task: histograms.count_scores(one.model, table[TASKS[task].score].to_numpy())
        for task, one in recipe.models.items()
        if TASKS[task].score in table.column_names
    }


def sum_tallies(tallies: Iterable[Facts]) -> dict[str, dict[str, Counter[str]]]:
    """Sum the tallies of several batches."""
    total: dict[str, dict[str, Counter[str]]] = {}
    for one in tallies:
        for task, kinds in one.items():
            for kind, counts in kinds.items():
                total.setdefault(task, {}).setdefault(kind, Counter()).update(counts)
    return total


def sum_bands(bands: Iterable[Facts]) -> dict[str, list[float]]:
    """Sum the customers, and their probabilities of leaving, of each band."""
    sums: dict[str, list[float]] = {}
    for one in bands:
        for name, (rows, chance) in one.items():
            before = sums.get(name, [0, 0.0])
            sums[name] = [before[0] + rows, before[1] + chance]
    return sums


def sum_facts(every: Iterable[Facts]) -> dict[str, Any]:
    """Sum what was counted of several batches, of their rows, scores or both."""
    batches = list(every)
    drift = [batch.get("drift", {}) for batch in batches]
    scores = [batch.get("scores", {}) for batch in batches]
    return {
        "rows": sum(batch.get("rows", 0) for batch in batches),
        "tally": sum_tallies(batch.get("tally", {}) for batch in batches),
        "drift": {task: summed(one.get(task, {}) for one in drift) for task in _tasks(drift)},
        "bands": sum_bands(batch.get("bands", {}) for batch in batches),
        "scores": {
            task: histograms.summed_scores(one.get(task, {}) for one in scores)
            for task in _tasks(scores)
        },
    }


def _tasks(batches: Iterable[Facts]) -> list[str]:
    return list(dict.fromkeys(task for batch in batches for task in batch))
