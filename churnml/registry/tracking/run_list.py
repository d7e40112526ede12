"""The saved view of an experiment's run list: columns and charts, in order.

MLflow 3.17 shows no metric in a run list by itself, sorts all names by the alphabet, and
keeps what a user chooses in that user's browser. Only a saved view, which is a tag of the
experiment, has columns and their order for everybody who opens its address.
"""

from __future__ import annotations

import json
from typing import Any

from churnml.base.tasks import TASKS

_BESIDE = (
    "metrics.`rows/all`",
    "tags.`label.definition`",
    "tags.`label.horizon`",
    "attributes.`Models`",
    "attributes.`Version`",
    "attributes.`Dataset`",
)
_PINNED = ("attributes.`Run Name`", "runDateAndNestInfo")
_CHARTED = 4
_WIDTHS = {
    "attributes.`Run Name`": 300,
    "runDateAndNestInfo": 140,
    "attributes.`Models`": 170,
    "attributes.`Dataset`": 230,
}
_NARROWEST, _MARGIN, _LETTER = 75, 30, 7.5
_SECTIONS = {
    "Model metrics": True,
    "boosting": True,
    "by_date": True,
    "regression": False,
    "booster": False,
    "rows": False,
}
_MADE = 1_767_225_600_000
"""A view must bear a moment; a fixed one keeps the tag the same."""


def columns(task: str) -> list[str]:
    """A task's metrics, the most important first.

    >>> columns("churn")[:2]
    ['auc', 'average_precision']
    """
    return list(TASKS[task].headline) if task in TASKS else []


def saved_view(task: str) -> str:
    """A view called churnml, in the form in which MLflow stores one in an experiment's tag."""
    shown = [f"metrics.`{name}`" for name in columns(task)]
    chosen = [*shown, *_BESIDE]
    order = [*_PINNED, *chosen]
    state = {
        "selectedColumns": chosen,
        "columnOrder": order,
        "columnWidths": {name: _width(name) for name in order},
        "compareRunSections": [_section(name, opened) for name, opened in _SECTIONS.items()],
        "compareRunCharts": [
            *(_bars(name) for name in columns(task)),
            *(_by_date(name) for name in columns(task)[:_CHARTED]),
        ],
        "isAccordionReordered": True,
    }
    envelope = {"name": "churnml", "createdAt": _MADE, "updatedAt": _MADE}
    return json.dumps(envelope | {"state": json.dumps(state)})


def _by_date(measure: str) -> dict[str, Any]:
    """A line over the test dates: their moments, not the steps 1, 2, ... that MLflow counts."""
    metric = f"by_date/{measure}"
    return {
        "uuid": f"churnml-{metric}",
        "type": "LINE",
        "metricSectionId": "churnml-by_date",
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "displayName": f"{measure} by date",
        "xAxisKey": "time",
        "selectedXAxisMetricKey": "",
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "lineSmoothness": 0,
        "useGlobalLineSmoothing": False,
        "useGlobalXaxisKey": False,
        "runsCountToCompare": 10,
        "deleted": False,
        "isGenerated": True,
    }


def _width(column: str) -> int:
    """A column width that fits its name."""
    shown = column.partition("`")[2].rstrip("`")
    return _WIDTHS.get(column, max(_NARROWEST, round(_MARGIN + _LETTER * len(shown))))


def _section(name: str, opened: bool) -> dict[str, Any]:
    return {
        "uuid": f"churnml-{name}",
        "name": name,
        "display": opened,
        "isReordered": True,
        "deleted": False,
        "isGenerated": True,
    }


def _bars(metric: str) -> dict[str, Any]:
    return {
        "uuid": f"churnml-{metric}",
        "type": "BAR",
        "metricSectionId": "churnml-Model metrics",
        "metricKey": metric,
        "displayName": metric,
        "runsCountToCompare": 10,
        "deleted": False,
        "isGenerated": True,
    }
