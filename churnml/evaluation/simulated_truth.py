"""Read the true probabilities of a simulated operator, for evaluation only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.tasks import TASKS, TITLES, TaskName
from churnml.config.settings import TrainingSettings
from churnml.datasets.dataset import Dataset
from churnml.evaluation.held_out import Tested
from churnml.metrics import share_of_possible

_FILE = Path("truth") / "hazard.parquet"


def truth_of(
    location: str, task: TaskName, settings: TrainingSettings, data: Dataset
) -> NDArray[np.float64] | None:
    """The true probability of leaving, or the true satisfaction, of each row.

    Parameters
    ----------
    location : str
        Of the operator tables.
    task : {"churn", "satisfaction", "hazard"}
    settings : TrainingSettings
        Where the label looks: the truth is that of the default label alone.
    data : Dataset

    Returns
    -------
    array, shape (n,), or None
        None where there is no truth, it is of another label, or it misses a row; of a
        hazard there is none.
    """
    path = Path(location) / _FILE
    default = type(settings)()
    same = ("gap", "horizon", "definition")
    if "://" in location or not path.is_file() or TASKS[task].measured_as != task:
        return None
    if any(getattr(settings, name, None) != getattr(default, name, None) for name in same):
        return None
    name = TASKS[task].score
    known = pd.read_parquet(path.absolute(), columns=["customer_id", "month", name])
    known["month"] = pd.to_datetime(known["month"]).dt.date
    rows = pd.DataFrame({"customer_id": data.groups.astype(str), "month": data.times})
    truth = rows.merge(known, "left", ["customer_id", "month"])[name].to_numpy(np.float64)
    return None if np.isnan(truth).any() else truth


def with_possible(
    tested: Tested, location: str, task: TaskName, settings: TrainingSettings
) -> tuple[Tested, list[str]]:
    """Add the share of what the truth reaches to a test's metrics and notes.

    Unchanged, and without words, where nobody knows the truth.
    """
    truth = truth_of(location, task, settings, tested.rows)
    if truth is None:
        return tested, []
    groups = tested.rows.groups.to_numpy()
    shares = share_of_possible(task, tested.y, tested.scores, truth, groups)
    key, chance = TASKS[task].skill, TASKS[task].chance
    share, best = shares[f"{key}_share"], shares[f"{key}_of_truth"]
    of = "of the way from chance to" if chance else "of"
    notes = (
        f"{TITLES[key]} reaches {share.value:.1%} ({share.low:.1%} to {share.high:.1%}) {of} what "
        f"the true values of the simulation reach, {best.value:.3f}."
    )
    return replace(tested, metrics=tested.metrics | shares), [notes]
