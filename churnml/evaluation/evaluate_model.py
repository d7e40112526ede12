"""Evaluate a model where the outcome is known."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.tasks import TASKS
from churnml.base.text import counted
from churnml.config.settings import Config
from churnml.datasets import dataset
from churnml.datasets.dataset import Dataset, left_within
from churnml.datasets.flat import Signature, read_evaluation
from churnml.datasets.flat.dataset import flat_dataset
from churnml.datasets.leakage import Suspect, describe_suspects, find_suspects
from churnml.errors import LabelWindowError, UsageError
from churnml.evaluation import Evaluation, Finding
from churnml.evaluation.drift import drift_notes
from churnml.evaluation.evaluate import EVALUATORS
from churnml.evaluation.held_out import evaluate
from churnml.evaluation.past_baselines import crossed_baselines, earlier_baselines
from churnml.evaluation.segments import segments, table_segments
from churnml.evaluation.simulated_truth import truth_of
from churnml.evaluation.value import operator_value
from churnml.metrics import (
    Estimate,
    customer_value,
    metrics_frame,
)
from churnml.models.bundle import Model
from churnml.models.drift import drift_by_month
from churnml.models.model import predict_scores
from churnml.tables.source import Source

Floats = NDArray[np.float64]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, repr=False)
class Evaluated:
    """An evaluation, and the rows that its figures are drawn from.

    Attributes
    ----------
    evaluation : Evaluation
    X : DataFrame, shape (n, k)
    y, scores : array, shape (n,)
    low, high : array, shape (n,), or None
        The ends of satisfaction's intervals.
    reasons : DataFrame, shape (m, k)
        Contributions of the columns to the scores of some of the rows.
    drivers : dict of str to str
        The driver group of each column; empty for a table of one's own.
    groups : array, shape (n,), or None
        The customer of each row.
    """

    evaluation: Evaluation
    X: pd.DataFrame
    y: Floats
    scores: Floats
    reasons: pd.DataFrame
    drivers: dict[str, str]
    low: Floats | None = None
    high: Floats | None = None
    groups: NDArray[Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain data, for ``--json``."""
        return self.evaluation.to_dict()

    def to_pandas(self) -> pd.DataFrame:
        """A row for each measure of the model, then of its baselines, with its interval."""
        found = self.evaluation
        return metrics_frame({found.model or "model": found.metrics, **found.baselines})

    def __repr__(self) -> str:
        return repr(self.evaluation)

    def _repr_html_(self) -> str:
        return self.evaluation._repr_html_()


@dataclass(frozen=True, kw_only=True)
class _Known:
    """Further facts on the rows, besides features and labels."""

    cuts: pd.DataFrame | None
    value: Floats | None
    baselines: dict[str, Floats]
    truth: Floats | None
    facts: dict[str, str]
    notes: list[str]
    seen: str = ""
    suspects: list[Suspect] = field(default_factory=list)
    horizons: dict[str, Estimate] = field(default_factory=dict)


def evaluate_operator(
    model: Model, version: str, source: Source, as_of: date, *, config: Config
) -> Evaluated:
    """Evaluate an operator model at a date with known outcomes.

    Parameters
    ----------
    model : Model
    version : str
        What it is called.
    source : Source
        Its good rows.
    as_of : date
    config : Config

    Raises
    ------
    UsageError
        If the model reads a table of one's own.
    LabelWindowError
        If the data does not cover what happened after the date.
    """
    _require_kind(model, version, "operator")
    task = model.task
    section = dataset.settings(task, config).model_copy(update=model_label(model))
    settings = config.model_copy(update={task: section})
    _log.info("building features at %s", as_of)
    data = dataset.build_dataset(source, task, as_of, config=settings)
    horizons: dict[str, Estimate] = {}
    notes: list[str] = []
    months = TASKS[task].measured_within
    if months is not None:
        horizons, data = _at_months(model, data, months)
        span = counted(months, "month")
        notes = [f"A {task}: slices, baselines and probabilities are those of {span}."]
    baselines, note = earlier_baselines(source, task, as_of, data, settings)
    notes.append(note)
    known = _Known(
        cuts=segments(data.X, data.regions),
        value=operator_value(data.X, config.costs),
        baselines=baselines,
        truth=truth_of(source.location, task, section, data),
        facts={"source": source.location, "as_of": str(as_of)},
        notes=[*notes, *_drifted(model, data)],
        seen=_seen(model, as_of),
        horizons=horizons,
    )
    return _evaluated(model, version, data, known, config)


def evaluate_table(
    model: Model,
    version: str,
    path: Path,
    *,
    source: str,
    value: str | None,
    config: Config,
    **options: Any,
) -> Evaluated:
    """Evaluate a flat-table model on rows with known outcomes.

    Parameters
    ----------
    model : Model
    version : str
        What it is called.
    path : path
    source : str
        What the table is called.
    value : str, optional
        The column of spending, yuan a month.
    config : Config
    **options
        ``id``, ``target``, ``group``, ``positive``, ``as_of``, ``reading`` of
        `churnml.datasets.flat.read_evaluation`.

    Raises
    ------
    UsageError
        If the model reads operator tables, or there is no such column.
    """
    _require_kind(model, version, "table")
    _log.info("reading %s", source)
    read = read_evaluation(
        path,
        Signature.from_dict(model.origin.table),
        set_aside_limit=config.validation.set_aside_limit,
        **options,
    )
    data = flat_dataset(read)
    task = model.task
    baselines, note = crossed_baselines(task, data)
    notes = [*read.notes, note, *_drifted(model, data)]
    if TASKS[task].profit and value is None:
        notes.append(
            f"Every customer counts as worth {config.costs.default_value:,g} yuan: --value names "
            "the column of spending."
        )
    day = options.get("as_of")
    known = _Known(
        cuts=table_segments(data.X),
        value=_table_value(data.X, value, config),
        baselines=baselines,
        truth=None,
        facts={"source": source} | ({"as_of": str(day)} if day else {}),
        notes=notes,
        seen=_same_rows(model, data),
        suspects=find_suspects(data.X, data.y, task=task, groups=data.groups),
    )
    return _evaluated(model, version, data, known, config)


def model_label(model: Model) -> dict[str, Any]:
    """The model's label definition, so that it is evaluated as it was trained."""
    return {name: model.origin.label[name] for name in dataset.LABEL if name in model.origin.label}


def _require_kind(model: Model, version: str, kind: str) -> None:
    found = model.origin.kind
    if found != kind:
        raise UsageError(
            f"{version} reads "
            + ("operator tables." if found == "operator" else "a table of one's own."),
            hint="Give --as-of." if found == "operator" else "Give --target, and --id.",
        )


def _seen(model: Model, day: date) -> str:
    """Note that training has seen outcomes after the date."""
    if str(day) in model.origin.as_of:
        return (
            "The model was trained on this date: of customers that it learned from, the figures "
            "flatter it."
        )
    window = model.origin.window
    if window and date.fromisoformat(window[0]) <= day < date.fromisoformat(window[1]):
        return (
            f"The model's training labels reach to {window[1]}, past this date: "
            "the figures may flatter it."
        )
    return ""


def _same_rows(model: Model, data: Dataset) -> str:
    """Note that these rows are the training rows."""
    if dataset.digest(data) != model.origin.digest:
        return ""
    return (
        "The model was trained on these very rows: the figures flatter it, the baselines' do not. "
        "Those of its test stand in its run."
    )


def _drifted(model: Model, data: Dataset) -> list[str]:
    """Note the columns that have drifted since training."""
    when = pd.Series("now", index=range(len(data)))
    table = drift_by_month(model.inputs, data.X, when, model.origin.customers)
    return drift_notes(table.assign(part="test"), "training and these rows")


def _at_months(model: Model, data: Dataset, months: int) -> tuple[dict[str, Estimate], Dataset]:
    """A hazard's measures at each horizon, and its rows as those of churn within some months."""
    metrics, _scores = evaluate(model.task, model.estimator, data)
    rows = left_within(data, months)
    if not len(rows):
        raise LabelWindowError(
            f"The data does not cover {counted(months, 'month')} after this date.",
            hint="Use an earlier --as-of.",
        )
    return metrics, rows


def _table_value(X: pd.DataFrame, column: str | None, config: Config) -> Floats:
    if column is None:
        return customer_value(np.full(len(X), np.nan), config.costs)
    if column not in X or not pd.api.types.is_numeric_dtype(X[column]):
        raise UsageError(
            f"--value {column!r} is not a column of numbers that the model reads.",
            hint="Name a column with each customer's spending in yuan a month.",
            column=column,
        )
    return customer_value(X[column].to_numpy(np.float64, na_value=np.nan), config.costs)


def _evaluated(
    model: Model, version: str, data: Dataset, known: _Known, config: Config
) -> Evaluated:
    y = data.y.to_numpy(np.float64)
    estimator: Any = model.estimator
    _log.info("measuring %s on %s rows", version, f"{len(data):,}")
    shared: dict[str, Any] = {
        "model": version,
        "slices": known.cuts,
        "baselines": known.baselines,
        "truth": known.truth,
        "X": data.X[[name for name in model.names if name in data.X]],
    }
    groups = data.groups.to_numpy()
    columns = predict_scores(model.task, model.estimator, data.X)
    scores = columns[TASKS[model.task].score]
    low, high = columns.get("satisfaction_low"), columns.get("satisfaction_high")
    evaluator = EVALUATORS[TASKS[model.task].measured_as]
    options = evaluator.options(columns, known.value, config.costs)
    evaluation = evaluator.evaluate(y, scores, groups, **options, **shared)
    metrics = evaluation.metrics | known.horizons
    evaluation = replace(
        evaluation,
        metrics=metrics,
        notes=known.notes,
        elderly_brands=config.brands.elderly,
        facts=known.facts,
        seen=known.seen,
        diagnosis=_with_suspects(evaluation.diagnosis, known.suspects),
    )
    step = max(1, len(data) // 2_000)
    reasons = estimator.explain(data.X.iloc[::step])
    drivers = {column.name: column.driver for column in model.inputs}
    return Evaluated(
        evaluation=evaluation,
        X=data.X,
        y=y,
        scores=scores,
        reasons=reasons,
        drivers=drivers,
        low=low,
        high=high,
        groups=groups,
    )


def _with_suspects(diagnosis: list[Finding], suspects: list[Suspect]) -> list[Finding]:
    named = {one.column for one in diagnosis}
    return diagnosis + [
        Finding("leak", describe_suspects([one], advise=False)[0], one.column)
        for one in suspects
        if one.column not in named
    ]
