"""What moves satisfaction, told in two kinds that are never mixed.

*association*: what the models' scores are made of; customers differ in more than the driver.
*within_hall*: whether halls do better in the months in which they let fewer customers wait.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from ibis import _

from churnml.service.quality.champions import Champions, contributions
from churnml.service.quality.perception import answers
from churnml.service.quality.records import UNIT, Records, cell, read
from churnml.service.quality.within_halls import Slope, within_halls

COLUMNS = ("outcome", "driver", "kind", "value", "low", "high", "n")

WAITING = "hall_wait_over_10min"


def drivers(
    records: Records, values: pd.DataFrame, models: Champions
) -> tuple[pd.DataFrame, Slope | None]:
    """Both kinds of drivers, one after the other.

    Parameters
    ----------
    records : Records
    values : DataFrame
        As `measures.measure` gives them, nothing hidden.
    models : Champions

    Returns
    -------
    (DataFrame, Slope or None)
        `COLUMNS`: of an association ``n`` customers, of a regression ``n`` halls, and the
        value is the change in points where all wait over 10 minutes against where nobody does.
    """
    frame = contributions(records, models)
    slope = _waiting(records, values)
    if slope is not None and np.isfinite(slope.value):
        row: dict[str, Any] = {
            "outcome": "satisfaction",
            "driver": WAITING,
            "kind": "within_hall",
            "value": slope.value,
            "low": slope.low,
            "high": slope.high,
            "n": slope.halls,
        }
        within = pd.DataFrame([row], columns=list(COLUMNS))
        frame = within if frame.empty else pd.concat([frame, within], ignore_index=True)
    frame["n"] = frame["n"].astype("Int64")
    return frame[list(COLUMNS)], slope


def _waiting(records: Records, values: pd.DataFrame) -> Slope | None:
    """Satisfaction of a hall's customers on the share that waits long there, by month."""
    fewest = records.config.quality.fewest_halls
    waits = values[(values["indicator"] == WAITING) & (values["by"] == "hall_id")]
    if waits.empty or not records.has("surveys.score") or "hall_id" not in records.by:
        records.notes.append("Within halls: waits or answers by hall are absent: no regression.")
        return None
    rows = cell(answers(records), "hall_id")
    whole = (rows.points * UNIT).round().cast("int64")
    means = read(rows.group_by("month", "cell").agg(points=whole.sum(), answers=_.count()))
    means["outcome"] = means["points"].astype(float) / UNIT / means["answers"]
    both = waits.merge(means, on=["month", "cell"])
    if both["cell"].nunique() < 3:
        records.notes.append("Within halls: fewer than 3 halls with waits and answers.")
        return None
    both = both.sort_values(["cell", "month"], ignore_index=True)
    slope = within_halls(
        both["cell"], both["month"], both["outcome"], both["value"], both["answers"], fewest=fewest
    )
    if slope.halls < fewest:
        records.notes.append(
            f"Within halls: {slope.halls} halls are too few for an interval or a p-value; look at "
            "the months."
        )
    return slope
