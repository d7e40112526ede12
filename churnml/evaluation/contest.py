"""Compare challenger and champion on the same rows, overall and by slice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.tasks import TASKS, TaskName
from churnml.config.settings import Config, Costs, Promotion
from churnml.datasets.dataset import Dataset
from churnml.errors import ModelError
from churnml.evaluation.contest_checks import (
    Check,
    Measures,
    Rule,
    SliceGain,
    churn_rules,
    judge,
    judge_slices,
    log_loss_tolerance,
    require_enough,
    satisfaction_rules,
)
from churnml.evaluation.segments import segments
from churnml.evaluation.slices import LEAST_CUSTOMERS, rows_by_value
from churnml.evaluation.value import SPENDING, operator_value
from churnml.metrics import profit_measures
from churnml.metrics.significance import auc_influence, mean_influence, standard_error
from churnml.metrics.suites import suite
from churnml.models.model import Model, Scores, predict

_TINY = 1e-15
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of comparing a challenger with the champion.

    Attributes
    ----------
    months : tuple of str
        The ``as_of`` dates, which neither has trained on.
    rows, positives : int
        ``positives``: who left; of satisfaction, who was dissatisfied.
    checks : tuple of Check
        Over all customers, then of the slices, the elderly brand first.
    notes : tuple of str
        What could not be judged.
    source : str
        Where the rows came from.
    """

    months: tuple[str, ...]
    rows: int
    positives: int
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    source: str = ""

    @property
    def passed(self) -> bool:
        """Whether every check was passed."""
        return all(check.passed for check in self.checks)

    @property
    def reasons(self) -> list[str]:
        """The reasons against the challenger, one line per failed check."""
        return [
            f"{check.measure} of {check.where}: {check.reason}"
            for check in self.checks
            if not check.passed
        ]

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain data."""
        return {
            "passed": self.passed,
            "source": self.source,
            "months": list(self.months),
            "rows": self.rows,
            "positives": self.positives,
            "checks": [check.to_dict() for check in self.checks],
            "notes": list(self.notes),
        }


def contest(
    challenger: Model,
    champion: Model,
    data: Dataset,
    config: Config,
) -> Verdict:
    """Compare two models of one task on rows that neither was trained on.

    Parameters
    ----------
    challenger, champion : Model
    data : Dataset
        Columns that either reads; with the features of `segments`, for the slices.
    config : Config
        Its sections ``promotion`` and ``costs``.

    Returns
    -------
    Verdict

    Raises
    ------
    DataError
        If too few left, or answered, to tell.
    SchemaError
        If the data lack a column that a model reads.
    ModelError
        If they predict something that the gate does not know.
    """
    settings, task = config.promotion, challenger.task
    if task not in GATES:
        raise ModelError(
            f"There is no gate for {task} models.",
            hint="Measure both with churnml evaluate, then promote with --force REASON.",
        )
    gate, measured = GATES[task], suite(task)
    y, groups = data.y.to_numpy(np.float64), data.groups.to_numpy()
    scored = predict(challenger, data.X), predict(champion, data.X)
    require_enough(measured.rarer(y), settings, TASKS[task].who)
    own, other = (gate.measures(y, one, data.X, config.costs) for one in scored)
    checks = judge(gate.rules(settings, y), own, other, groups, settings)
    gains, notes = _slice_gains(task, data, scored, config, segments(data.X, data.regions))
    notes += gate.notes(data.X)
    months = tuple(str(day) for day in sorted(set(data.times)))
    checks += judge_slices(gains, settings)
    return Verdict(
        months=months,
        rows=len(y),
        positives=int(measured.positives(y).sum()),
        checks=tuple(checks),
        notes=tuple(notes),
    )


def _churn_measures(y: Floats, scores: Scores, X: pd.DataFrame, costs: Costs) -> Measures:
    profit = profit_measures(y, scores["churn_probability"], operator_value(X, costs), costs)
    return suite("churn").measures(y, scores) | profit


def _satisfaction_measures(y: Floats, scores: Scores, X: pd.DataFrame, costs: Costs) -> Measures:
    return suite("satisfaction").measures(y, scores)


def _spending_note(X: pd.DataFrame) -> list[str]:
    if SPENDING in X:
        return []
    return ["No spending is known: every customer's value counts the same."]


def _slice_gains(
    task: TaskName,
    data: Dataset,
    scored: tuple[Scores, Scores],
    config: Config,
    cuts: pd.DataFrame,
) -> tuple[list[SliceGain], list[str]]:
    settings = config.promotion
    elderly = {("brand", name) for name in config.brands.elderly}
    y = data.y.to_numpy(np.float64)
    customers = pd.factorize(data.groups)[0].astype(np.int64)
    name, who = TASKS[task].score, TASKS[task].who
    slice_gains: list[SliceGain] = []
    small: list[str] = []
    parts = rows_by_value(cuts, customers)
    for column, value in sorted(parts, key=lambda name: name not in elderly):
        where, rows = f"{column} {value}", parts[column, value]
        rarer = suite(task).rarer(y[rows])
        if rarer < settings.min_positives:
            if np.unique(customers[rows]).size >= LEAST_CUSTOMERS:
                small.append(f"{where} ({rarer})")
            continue
        own, other = (one[name][rows] for one in scored)
        slice_gains += GATES[task].gains(where, y[rows], (own, other), customers[rows], settings)
    notes = []
    if small:
        notes.append(f"Fewer than {settings.min_positives} {who}, not judged: {', '.join(small)}.")
    if elderly.isdisjoint(parts):
        notes.append("No customer of the elderly brand is known among these.")
    return slice_gains, notes


def _churn_gains(
    where: str,
    y: Floats,
    scores: tuple[Floats, Floats],
    customers: NDArray[np.int64],
    settings: Promotion,
) -> Iterator[SliceGain]:
    (own, moved), (other, back) = (auc_influence(y, one) for one in scores)
    yield SliceGain(
        where=where,
        measure="auc",
        challenger=own,
        champion=other,
        error=standard_error(moved - back, customers),
    )
    loss = _mean_gain(where, "log_loss", [_loss(y, one) for one in scores], customers)
    yield replace(loss, tolerance=log_loss_tolerance(settings, float(y.mean())))


def _satisfaction_gains(
    where: str,
    y: Floats,
    scores: tuple[Floats, Floats],
    customers: NDArray[np.int64],
    settings: Promotion,
) -> Iterator[SliceGain]:
    yield _mean_gain(where, "mae", [np.abs(y - one) for one in scores], customers)


def _loss(y: Floats, p: Floats) -> Floats:
    clipped = np.clip(p, _TINY, 1 - _TINY)
    return np.asarray(-np.where(y == 1, np.log(clipped), np.log1p(-clipped)))


def _mean_gain(
    where: str, measure: str, losses: list[Floats], customers: NDArray[np.int64]
) -> SliceGain:
    (own, moved), (other, back) = (mean_influence(loss) for loss in losses)
    error = standard_error(moved - back, customers)
    return SliceGain(
        where=where, measure=measure, challenger=own, champion=other, error=error, better="less"
    )


@dataclass(frozen=True, kw_only=True)
class _Gate:
    """The criteria for models of a task.

    ``measures`` and ``rules`` over all customers, ``gains`` of a slice; ``notes`` on what the
    data lack.
    """

    measures: Callable[[Floats, Scores, pd.DataFrame, Costs], Measures]
    rules: Callable[[Promotion, Floats], tuple[Rule, ...]]
    gains: Callable[..., Iterator[SliceGain]]
    notes: Callable[[pd.DataFrame], list[str]]


GATES: Mapping[str, _Gate] = {
    "churn": _Gate(
        measures=_churn_measures,
        rules=lambda settings, y: churn_rules(settings, float(y.mean())),
        gains=_churn_gains,
        notes=_spending_note,
    ),
    "satisfaction": _Gate(
        measures=_satisfaction_measures,
        rules=lambda settings, y: satisfaction_rules(settings),
        gains=_satisfaction_gains,
        notes=lambda X: [],
    ),
}
"""By task; one that is not here has no gate."""
