"""The rows of the list, and its parts on disk with the reasons of each customer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from churnml.base.tasks import TASKS
from churnml.retention.choice import Choice
from churnml.retention.customers import Candidates, batches
from churnml.retention.learning import Learned
from churnml.retention.request import PlanRequest
from churnml.retention.result import HOLD_OUT, SCHEMA, TREAT
from churnml.scoring.reasons import reasons
from churnml.scoring.shards import part_bytes
from churnml.scoring.staging import Staged, Staging

ASKED = 50
"""Customers of a segment, those most likely to leave, whose first reasons are counted."""
_LOOKED_AT = 5


@dataclass(frozen=True, kw_only=True)
class Drivers:
    """How often each driver is the first reason for the worse, by segment.

    Attributes
    ----------
    leaving, dissatisfaction : dict of str to Counter
        Empty where no model tells them.
    """

    leaving: dict[str, Counter[str]]
    dissatisfaction: dict[str, Counter[str]]


def list_rows(
    request: PlanRequest,
    candidates: Candidates,
    customers: pd.DataFrame,
    choice: Choice,
    learned: Learned,
) -> pd.DataFrame:
    """The rows of the list, without reasons, in the order of the ids."""
    rows = np.flatnonzero(choice.offer >= 0)
    taken = choice.offer[rows]
    effects = candidates.effects
    return pd.DataFrame(
        {
            "customer_id": candidates.ids[rows],
            "household": customers["household"].to_numpy(object)[rows],
            "group": np.where(choice.held[rows], HOLD_OUT, TREAT),
            "offer": np.array(learned.offers, object)[taken],
            "effect": effects.effect[rows, taken],
            "effect_low": effects.low[rows, taken],
            "effect_high": effects.high[rows, taken],
            "churn_probability": candidates.chance[rows],
            "value": candidates.value[rows],
            "gain": candidates.gain[rows, taken],
            "cost": choice.cost[rows, taken],
            "segment": customers["segment"].to_numpy(object)[rows],
            # Whatever is offered may be had by anybody who asks for it.
            "general_offer": True,
            "campaign": request.terms.campaign,
            "model": learned.version,
        }
    )


def find_drivers(
    path: Path, request: PlanRequest, segment: pd.Series, chance: NDArray[np.float64]
) -> Drivers:
    """Why the customers of each segment who are most likely to leave would, and are not content.

    Parameters
    ----------
    path : Path
        Of the features of everybody, in the order of the ids.
    request : PlanRequest
    segment : Series of text, length n
    chance : array, shape (n,)
        Of leaving.
    """
    order = np.argsort(-chance, kind="stable")
    place = segment.iloc[order].groupby(segment.iloc[order]).cumcount().to_numpy()
    asked = np.zeros(len(segment), bool)
    asked[order] = place < ASKED
    names = segment.to_numpy(object)[asked]
    models = request.models
    used = {"leaving": models.churn, "dissatisfaction": models.satisfaction}
    found: dict[str, dict[str, Counter[str]]] = {name: {} for name in used}
    start = 0
    for X in _some(path, request.config.scoring.batch_rows, asked):
        for name, one in used.items():
            told = [] if one is None else reasons(one.model, X, _LOOKED_AT).to_pylist()
            for where, why in zip(names[start : start + len(X)], told, strict=False):
                first = _first(why, worse=TASKS[one.model.task].direction if one else 1)
                if first:
                    found[name].setdefault(where, Counter())[first] += 1
        start += len(X)
    return Drivers(**found)


def _first(why: list[dict[str, Any]], *, worse: int) -> str | None:
    """The driver that makes it most worse, among the largest reasons."""
    for one in why:
        if one["driver"] and one["contribution"] * worse > 0:
            return str(one["driver"])
    return None


def _some(path: Path, size: int, wanted: NDArray[np.bool_]) -> Iterator[pd.DataFrame]:
    start = 0
    for X in batches(path, size):
        yield X[wanted[start : start + len(X)]]
        start += len(X)


def write_list(
    request: PlanRequest,
    staging: Staging,
    path: Path,
    table: pd.DataFrame,
    listed: NDArray[np.bool_],
) -> dict[str, Staged]:
    """Write the parts of the list.

    Parameters
    ----------
    request : PlanRequest
    staging : Staging
    path : Path
        Of the features of everybody, in the order of the ids.
    table : DataFrame
        Of `list_rows`.
    listed : array of bool, shape (n,)
        Who of everybody is on the list.
    """
    size, model = request.config.scoring.batch_rows, request.models.churn.model
    count = max(request.config.scoring.reasons, 1)
    kind = SCHEMA.field("reasons").type
    found = [reasons(model, X, count) for X in _some(path, size, listed)]
    why = pa.chunked_array(found, kind)
    parts: dict[str, Staged] = {}
    for number in range(max(-(-len(table) // size), 1)):
        name = f"part-{number:05d}.parquet"
        rows = table.iloc[number * size : (number + 1) * size]
        columns = {
            one.name: why.slice(number * size, len(rows))
            if one.name == "reasons"
            else pa.array(rows[one.name], one.type, from_pandas=True)
            for one in SCHEMA
        }
        part = pa.table(columns, schema=SCHEMA).combine_chunks()
        parts[name] = staging.done.get(name) or staging.write(
            name, part_bytes(part), {"rows": part.num_rows}
        )
    return parts
