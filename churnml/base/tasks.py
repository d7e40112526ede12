"""What can be predicted: each task declared once, with every fact that others ask of it.

How a task is labelled, fitted or measured stands in a table in the room that does it; here is
what can be said without doing anything. A new task is declared here, has a section of its name
in `churnml.config.settings`, a class in `churnml.estimators`, and an entry in the tables that
its rows go through:

- labels and targets: `churnml.datasets.dataset`, and for tables of one's own
  `churnml.datasets.flat.read_training` and `churnml.datasets.leakage`;
- scores: `churnml.models.model`; what they are for: `churnml.models.cards.uses`;
- estimators and figures: `churnml.training.fit` and `churnml.training.record`;
- unless it is measured as another task, or learned from an experiment
  (`churnml.training.offers`): `churnml.metrics` (``suites``, ``oracle``) and `churnml.evaluation`
  (``evaluate``, ``baselines``, ``diagnosis``, ``page``, ``contest``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeVar

from churnml.errors import UsageError

TaskName = Literal["churn", "satisfaction", "hazard", "offers"]
"""As commands, bundles, MLflow and JSON write it."""

Kind = Literal["binary", "score", "months"]
Entry = TypeVar("Entry")

WITHIN = (1, 2, 3, 6)
"""Months within which a hazard model gives the chance of leaving."""

MEASURES: Mapping[str, str] = {
    "auc": "how often who left was ranked above who stayed; 0.5 is chance",
    "average_precision": "mean precision over the ranking; the base rate is chance",
    "lift_top_10pct": "leavers among the riskiest tenth, against an average tenth",
    "capture_top_10pct": "share of all leavers in the riskiest tenth",
    "log_loss": "mean negative log-likelihood; lower is better",
    "brier": "mean squared error of the probability; lower is better",
    "calibration_slope": "1 is right; below 1 the probabilities are too extreme",
    "calibration_error": "mean gap between predicted and observed shares; 0 is right",
    "calibration_in_the_large": "observed rate less mean probability; 0 is right",
    "predicted_to_observed": "mean predicted probability over the observed rate; 1 is right",
    "r2": "share of the variance explained; 0 is the mean answer",
    "spearman": "rank correlation with the answers",
    "mae": "mean absolute error in points of 100",
    "quadratic_kappa": "agreement with the answers beyond chance, near misses counting less",
    "auc_dissatisfied": "how often a dissatisfied customer was ranked below another",
    "interval_coverage": "share of answers within the 90 % interval; 0.9 is right",
    "interval_width": "mean width of that interval in points of 100",
    "qini": "customers kept beyond a draw by lot, per customer; 0 is chance",
    "cross_fitted_qini": "the same on the rows learned from, by models that had not seen them",
    "mean_effect": "mean change of the probability of leaving by an offer; below 0 keeps",
    "best_fifth_effect": "the same of the fifth that offers are said to keep most",
    "rule_effect": "mean change, per customer, by offers to those they are said to keep",
    "rule_effect_against_all": "that change less the one by the best offer to everybody",
    "rule_effect_against_random": "that change less the one by as many offers by lot",
}
"""What each measure says."""

TITLES: Mapping[str, str] = {
    "auc": "AUC",
    "mae": "mean error",
    "r2": "R²",
    "spearman": "rank correlation",
    "qini": "QINI",
}
"""The printed name of a measure that stands in a sentence or a heading."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One thing that can be predicted.

    Attributes
    ----------
    name : str
    kind : {"binary", "score", "months"}
        What the target is: 0 or 1; 0 to 100; or the month of leaving from 1 on, less than 0
        for those who stayed.
    estimator : str
        The class in `churnml.estimators` that learns it.
    scores : tuple of str
        The columns that a model gives, as the contract names them.
    score : str
        The one among them by which customers are ranked, drawn and sliced.
    headline : tuple of str
        The measures shown first, in this order.
    summary : tuple of str
        The few that a list of models shows.
    monthly : tuple of str
        Those that a backtest shows month by month; the first tells how models age. Empty
        where there is no backtest.
    sliced_by : str
        The measure of a slice of the customers.
    skill : str
        The measure that starts at `chance` for whoever knows nothing: of a column alone, and
        of how much of what can be known is known.
    chance : float
    loss : str
        What the boosters minimise.
    direction : {1, -1}
        Whether the score rises or falls with what makes customers leave.
    predicts, short : str
        What the model predicts, for its card and for a list.
    event : str
        What a probability is about: "probability of leaving".
    positives : str
        Of the rows to which the event happened: "left".
    who : str
        Of the rows that teach, in a count: "who left".
    few : str
        Of the same in a table's footnote: "leavers".
    outcome : str
        The heading of mean outcomes.
    outcome_format : str
        How a mean outcome is written.
    digits : int
        Decimals of mean outcomes in narrow tables.
    slice_title : str
        The heading of ``sliced_by``, with its unit.
    unit : str
        Of the contributions to a score.
    measured_as : str
        The task as which it is sliced, drawn and compared with baselines.
    measured_within : int or None
        Months after which that task's outcome is taken; None where it is the task's own.
    tables : bool
        Whether a table of one's own can train it.
    by_default : bool
        Whether a scoring that names no model takes this task's champion.
    reasons : bool
        Whether a scoring gives the reasons of this task's scores.
    bands : bool
        Whether scores are given a percentile and a risk band.
    profit : bool
        Whether a campaign's profit is worked out from the scores.
    surveyed : bool
        Whether only those who answer a survey have an outcome.

    Raises
    ------
    ValueError
        If a measure is unknown, or ``score`` is not among ``scores``.

    Examples
    --------
    >>> TASKS["churn"].headline[:2]
    ('auc', 'average_precision')
    >>> TITLES[TASKS["satisfaction"].sliced_by]
    'mean error'
    >>> TASKS["hazard"].scores[0]
    'churn_probability_1mo'
    """

    name: TaskName
    kind: Kind
    estimator: str
    scores: tuple[str, ...]
    score: str
    headline: tuple[str, ...]
    summary: tuple[str, ...]
    monthly: tuple[str, ...]
    sliced_by: str
    skill: str
    chance: float
    loss: str
    direction: Literal[1, -1]
    predicts: str
    short: str
    event: str
    positives: str
    who: str
    few: str
    outcome: str
    outcome_format: str
    digits: int
    slice_title: str
    unit: str
    measured_as: TaskName
    measured_within: int | None = None
    tables: bool
    by_default: bool
    reasons: bool
    bands: bool
    profit: bool
    surveyed: bool

    def __post_init__(self) -> None:
        measures = (*self.headline, *self.summary, *self.monthly, self.sliced_by, self.skill)
        unknown = sorted({name for name in measures if without_months(name) not in MEASURES})
        if unknown:
            raise ValueError(f"task {self.name}: unknown measures {', '.join(unknown)}.")
        if self.score not in self.scores:
            raise ValueError(f"task {self.name}: {self.score} is not among its scores.")


def without_months(measure: str) -> str:
    """A measure's name without the months within which it is meant.

    >>> without_months("auc_2mo"), without_months("lift_top_10pct")
    ('auc', 'lift_top_10pct')
    """
    return re.sub(r"_\d+mo$", "", measure)


def by_name(*tasks: Task) -> Mapping[str, Task]:
    """Tasks by their names, in this order.

    Raises
    ------
    ValueError
        If one is declared twice.
    """
    found: dict[str, Task] = {task.name: task for task in tasks}
    if len(found) < len(tasks):
        raise ValueError(f"a task is declared twice: {', '.join(task.name for task in tasks)}.")
    return MappingProxyType(found)


_CHURN = Task(
    name="churn",
    kind="binary",
    estimator="ChurnClassifier",
    scores=("churn_probability", "churn_percentile", "risk_band"),
    score="churn_probability",
    headline=(
        "auc",
        "average_precision",
        "lift_top_10pct",
        "capture_top_10pct",
        "log_loss",
        "brier",
        "calibration_slope",
        "calibration_error",
        "predicted_to_observed",
    ),
    summary=("auc", "lift_top_10pct", "calibration_slope"),
    monthly=("auc", "calibration_slope", "log_loss", "calibration_in_the_large"),
    sliced_by="auc",
    skill="auc",
    chance=0.5,
    loss="log_loss",
    direction=1,
    predicts="the calibrated probability that a customer leaves",
    short="the calibrated probability that a customer leaves",
    event="leaving",
    positives="left",
    who="who left",
    few="leavers",
    outcome="left",
    outcome_format=".1%",
    digits=3,
    slice_title="AUC",
    unit="log-odds",
    measured_as="churn",
    tables=True,
    by_default=True,
    reasons=True,
    bands=True,
    profit=True,
    surveyed=False,
)

_SATISFACTION = Task(
    name="satisfaction",
    kind="score",
    estimator="SatisfactionRegressor",
    scores=(
        "satisfaction",
        "satisfaction_low",
        "satisfaction_high",
        "dissatisfied_probability",
    ),
    score="satisfaction",
    headline=(
        "r2",
        "spearman",
        "mae",
        "quadratic_kappa",
        "auc_dissatisfied",
        "interval_coverage",
        "interval_width",
    ),
    summary=("r2", "mae"),
    monthly=("spearman", "r2", "mae"),
    sliced_by="mae",
    skill="r2",
    chance=0.0,
    loss="squared_error",
    direction=-1,
    predicts="the satisfaction, from 0 to 100, that a customer would answer in a survey, "
    "with a 90 % interval and the probability of being dissatisfied (at most 60)",
    short="the satisfaction, 0 to 100, that a customer would answer",
    event="being dissatisfied",
    positives="dissatisfied",
    who="answered surveys",
    few="answers",
    outcome="mean answer",
    outcome_format=".1f",
    digits=1,
    slice_title="mean error, points",
    unit="points",
    measured_as="satisfaction",
    tables=True,
    by_default=True,
    reasons=True,
    bands=False,
    profit=False,
    surveyed=True,
)

_HAZARD = replace(
    _CHURN,
    name="hazard",
    kind="months",
    estimator="ChurnHazard",
    scores=tuple(f"churn_probability_{months}mo" for months in WITHIN),
    score="churn_probability_2mo",
    headline=tuple(
        f"{name}_{months}mo"
        for name in ("auc", "log_loss", "calibration_slope", "calibration_error")
        for months in WITHIN
    ),
    summary=("auc_1mo", "auc_2mo"),
    monthly=(),
    predicts="the calibrated probability that a customer leaves, month by month (slices and "
    "calibration below: two months)",
    short="the probability, month by month, that a customer leaves",
    slice_title="AUC, 2 months",
    measured_within=2,
    tables=False,
    by_default=False,
    reasons=False,
    bands=False,
    profit=False,
)

_OFFERS = replace(
    _CHURN,
    name="offers",
    estimator="OfferEffect",
    scores=("offer_effect",),
    score="offer_effect",
    headline=(
        "qini",
        "best_fifth_effect",
        "rule_effect",
        "rule_effect_against_all",
        "rule_effect_against_random",
        "mean_effect",
        "cross_fitted_qini",
    ),
    summary=("qini", "mean_effect"),
    monthly=(),
    sliced_by="qini",
    skill="qini",
    chance=0.0,
    loss="squared_error",
    predicts="the change of the probability that a customer leaves, by the retention offer that "
    "suits her best",
    short="the change of the probability that a customer leaves, by an offer",
    slice_title="QINI",
    unit="probability",
    by_default=False,
    reasons=False,
    bands=False,
    profit=False,
)

TASKS = by_name(_CHURN, _SATISFACTION, _HAZARD, _OFFERS)
"""Every task by its name."""


def find_task(name: str, *, registered: bool = False) -> Task:
    """The task of a name; ``registered`` where models of other names are asked for too.

    Raises
    ------
    UsageError
        If there is none; says which there are.

    Examples
    --------
    >>> find_task("churn").positives
    'left'
    """
    if name not in TASKS:
        other = f" A registered model of another name: name={name!r} (--name {name})."
        hint = f"Use {listed(TASKS)}.{other if registered else ''}"
        raise UsageError(f"Unknown task {name!r}.", hint=hint)
    return TASKS[name]


def listed(names: Iterable[str]) -> str:
    """Names as a sentence lists them.

    >>> listed(TASKS)
    'churn, satisfaction, hazard or offers'
    """
    *some, last = names
    return f"{', '.join(some)} or {last}" if some else last


def of_task(task: str, table: Mapping[str, Entry]) -> Entry:
    """A task's entry in a table of those that can do something.

    Where it has none of its own, that of the task as which it is measured, if their outcomes
    are the same.

    Raises
    ------
    UsageError
        If it has none; says which tasks have one.

    Examples
    --------
    >>> of_task("churn", {"churn": 1, "satisfaction": 2})
    1
    """
    declared = TASKS.get(task)
    if task not in table and declared is not None and declared.measured_within is None:
        task = declared.measured_as
    if task not in table:
        known = " or ".join(map(repr, table))
        raise UsageError(f"task is {task!r}; {known} was expected.", value=repr(task))
    return table[task]
