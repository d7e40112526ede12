"""Each task is declared once, and declared whole."""

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

import pytest

import churnml
from churnml.base.tasks import MEASURES, TASKS, TITLES, Task, TaskName, by_name, find_task
from churnml.errors import UsageError
from churnml.evaluation.contest import GATES
from churnml.evaluation.evaluate import EVALUATORS
from churnml.metrics.suites import SUITES
from churnml.models.cards.uses import USES

# Those of one model's task with another's; look-ups in tables of behaviours do not count.
MOST_COMPARISONS = 6
COMPARISON = re.compile(
    r"\btask (==|!=) |\btask (not )?in [(\[{\"]|\.kind (==|!=|in) [(\"]+(binary|score|months)"
)


def test_every_task_is_declared_under_its_name():
    assert tuple(TASKS) == get_args(TaskName)
    assert all(task.name == name for name, task in TASKS.items())


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_a_task_has_everything(task):
    # A backtest, and months of another task's outcome, are what a task may lack.
    may_lack = {"monthly", "measured_within"}
    values = {field.name: getattr(task, field.name) for field in fields(Task)}
    empty = {name for name, value in values.items() if value in ("", (), None)}
    assert empty <= may_lack
    assert task.measured_as in TASKS
    assert {task.sliced_by, task.skill} <= set(TITLES)
    assert set(TITLES) <= set(MEASURES)


def test_names_of_tasks_are_those_that_bundles_and_commands_keep():
    assert set(TASKS) >= {"churn", "satisfaction", "hazard"}
    assert TASKS["churn"].scores == ("churn_probability", "churn_percentile", "risk_band")
    assert TASKS["hazard"].scores[-1] == "churn_probability_6mo"


def test_a_task_declared_twice_is_refused():
    with pytest.raises(ValueError, match="declared twice"):
        by_name(*TASKS.values(), TASKS["churn"])


@pytest.mark.parametrize(
    "change",
    [
        {"headline": ("auc", "aucc")},
        {"monthly": ("uplift",)},
        {"sliced_by": "maee"},
        {"summary": ("auc_2mo", "gini_2mo")},
    ],
)
def test_an_unknown_measure_is_refused(change):
    with pytest.raises(ValueError, match="unknown measures"):
        replace(TASKS["churn"], **change)


def test_a_score_that_no_model_gives_is_refused():
    with pytest.raises(ValueError, match="not among its scores"):
        replace(TASKS["churn"], score="churn_chance")


def test_a_name_that_no_task_has_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="Use churn, satisfaction, hazard or offers"):
        find_task("chrun")


def test_what_differs_by_task_is_asked_of_tables_not_of_names():
    package = Path(churnml.__file__).parent
    lines = [
        f"{path.relative_to(package)}: {line.strip()}"
        for path in sorted(package.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if COMPARISON.search(line) and "for task in" not in line
    ]
    assert len(lines) <= MOST_COMPARISONS, "\n".join(lines)


def test_every_task_is_measured_and_has_its_uses_on_a_card():
    assert set(SUITES) == set(EVALUATORS) == {task.measured_as for task in TASKS.values()}
    assert set(GATES) <= set(SUITES)
    assert set(USES) == set(TASKS)
