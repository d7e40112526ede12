"""Predict the same rows with simpler models: base rate, regression, one booster."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.dates import month_starts
from churnml.base.tasks import TASKS, TaskName
from churnml.config.settings import Config
from churnml.datasets import dataset
from churnml.datasets.dataset import Dataset, left_within
from churnml.errors import DataError
from churnml.evaluation import base_rate, booster, regression
from churnml.tables.source import Source

Floats = NDArray[np.float64]

_DATES = 2
_FOLDS = 5
_log = logging.getLogger(__name__)


def earlier_baselines(
    source: Source, task: TaskName, day: date, data: Dataset, config: Config
) -> tuple[dict[str, Floats], str]:
    """Fit baselines at the last dates whose labels ended by ``day``.

    Parameters
    ----------
    source : Source
    task : {"churn", "satisfaction", "hazard"}
        Of a hazard: of leaving within two months.
    day : date
        At which ``data`` stands.
    data : Dataset
        The rows that are predicted.
    config : Config

    Returns
    -------
    (dict of str to array of float, shape (n,); str)
        By name, none where no label had ended; and a sentence on where they were learned.
    """
    window = dataset.label_window(task, config)
    declared = TASKS[task]
    if declared.measured_within is not None:
        window = replace(window, horizon=f"{declared.measured_within}mo")
    bills = pd.Timestamp(source.tables["bills"].month.min().execute()).date()
    ended = [one for one in month_starts(bills, day) if window.end(one) <= day and one > bills]
    days = ended[-_DATES:]
    if not days:
        return {}, "No baselines: no date's label had ended by this date."
    _log.info("baselines: building features at %s", ", ".join(map(str, days)))
    try:
        past = dataset.build_dataset(source, task, sorted(days), config=config)
        if declared.measured_within is not None:
            past = left_within(past, declared.measured_within)
        return _learned(declared.measured_as, past, data), (
            f"Baselines learned at {', '.join(map(str, sorted(days)))}, whose labels had ended."
        )
    except DataError as error:
        return {}, f"No baselines: {error.message}"


def _learned(task: TaskName, past: Dataset, data: Dataset) -> dict[str, Floats]:
    baselines = {"base rate": base_rate(past.y, len(data))}
    if past.y.nunique() > 1:
        known = (past.X, past.y)
        baselines["regression"] = regression(task, known, data.X, past.groups)
        baselines["one booster"] = booster(task, known, data.X)
    return baselines


def crossed_baselines(task: TaskName, data: Dataset) -> tuple[dict[str, Floats], str]:
    """Cross-fitted baselines: base rate, regression, one booster.

    Returns
    -------
    (dict of str to array of float, shape (n,); str)
        By name, none where there are too few rows; and a sentence on it.
    """
    codes = pd.factorize(data.groups)[0]
    order = np.random.default_rng(0).permutation(codes.max() + 1)
    folds = order[codes] % _FOLDS
    baselines: dict[str, Floats] = {}
    if codes.max() + 1 < 2 * _FOLDS or data.y.nunique() < 2:
        return baselines, "No baselines: too few rows to learn them from."
    for fold in range(_FOLDS):
        here, rest = np.flatnonzero(folds == fold), data.rows(np.flatnonzero(folds != fold))
        for name, scores in _learned(task, rest, data.rows(here)).items():
            baselines.setdefault(name, np.full(len(data), np.nan))[here] = scores
    # Of each part the other parts' rate would rank the parts against each other.
    baselines["base rate"] = base_rate(data.y, len(data))
    complete = {name: scores for name, scores in baselines.items() if not np.isnan(scores).any()}
    return complete, f"Baselines learned on these rows themselves, crosswise in {_FOLDS} parts."
