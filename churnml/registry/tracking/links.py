"""Links within the MLflow UI, for Markdown notes.

They are relative, so that they work at whatever address the UI is served.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from churnml.registry.tracking.run import TrainingRecord, all_tables

VIEW = "churnml"
"""The saved view of an experiment that shows the columns that matter."""

_AS_MACHINE_LEARNING = "workflowType=machine_learning"


def runs_address(experiment: str) -> str:
    """The address of an experiment's run list, with its columns.

    >>> runs_address("1")
    '#/experiments/1/runs?viewStateShareKey=churnml&workflowType=machine_learning'
    """
    return f"#/experiments/{experiment}/runs?viewStateShareKey={VIEW}&{_AS_MACHINE_LEARNING}"


def run_address(experiment: str, run_id: str) -> str:
    """The address of a run's page."""
    return f"#/experiments/{experiment}/runs/{run_id}?{_AS_MACHINE_LEARNING}"


def model_address(name: str) -> str:
    """The address of a registered model's page.

    >>> model_address("churn-客户")
    '#/models/churn-%E5%AE%A2%E6%88%B7'
    """
    return f"#/models/{quote(name)}"


def run_links(experiment: str, run_id: str, training: TrainingRecord) -> str:
    """Links to a run's figures, tables and model."""
    base = f"#/experiments/{experiment}/runs/{run_id}/artifacts"
    figures = _listed((name, f"{base}/figures/{name}.png") for name in training.figures)
    tables = _listed((name, f"{base}/tables/{name}.json") for name in all_tables(training))
    name = training.model.origin.name
    lines = [
        f"**Figures** {figures}" if figures else "",
        f"**Tables** {tables}" if tables else "",
        f"**Model** [{name}]({model_address(name)})",
        f"**Other runs** [compare]({runs_address(experiment)})",
    ]
    return " · ".join(line for line in lines if line) + "\n"


def run_pictures(experiment: str, run_id: str, training: TrainingRecord) -> str:
    """The figures themselves, and a link to the run."""
    shown = [
        f"![{name}](get-artifact?run_uuid={run_id}&path=figures/{quote(name)}.png)"
        for name in training.figures
    ]
    run = f"[Run {training.title}]({run_address(experiment, run_id)})"
    return "\n\n".join([run, *shown]) + "\n"


def _listed(entries: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"[{name.replace('_', ' ')}]({place})" for name, place in entries)
