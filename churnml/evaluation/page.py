"""Write an evaluation to a folder: a page, figures, numbers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from churnml.base.tasks import TASKS
from churnml.evaluation.evaluate_model import Evaluated

_log = logging.getLogger(__name__)


def write_evaluation(evaluated: Evaluated, folder: Path, *, overwrite: bool = False) -> None:
    """Write an evaluation to a folder: a page, figures, numbers.

    Raises
    ------
    OutputError
        If something stands there that may not be replaced, or it cannot be written.
    """
    from churnml.evaluation.report_text import report_text
    from churnml.metrics.displays.page import write_report

    _log.info("drawing the figures into %s", folder)
    write_report(
        folder,
        report_text(evaluated.evaluation),
        evaluated.to_dict(),
        _figures(evaluated),
        overwrite=overwrite,
    )


def _figures(evaluated: Evaluated) -> dict[str, Any]:
    from churnml.metrics.displays import (
        ProfitDisplay,
        ReasonsDisplay,
        ReliabilityDisplay,
    )
    from churnml.metrics.displays.slices import slices
    from churnml.metrics.displays.style import page_axes

    one, task = evaluated.evaluation, TASKS[evaluated.evaluation.task]
    seen = ", on what the training has seen" if one.seen else ""
    drawn: dict[str, Any] = _FIGURES[one.task](evaluated, seen)
    if one.reliability:
        labels = f"predicted probability of {task.event}", "share to whom it happened"
        drawn["reliability"] = lambda: (
            ReliabilityDisplay(bins=one.reliability, labels=labels)
            .plot(page_axes(f"Reliability{seen}"))
            .figure_
        )
    if one.profit is not None:
        profit = ProfitDisplay(curve=one.profit)
        title = f"Profit of a retention campaign{seen}"
        drawn["profit"] = lambda: profit.plot(page_axes(title)).figure_
    measure = task.sliced_by
    if any(measure in part.metrics for part in one.slices):
        drawn["slices"] = lambda: slices(
            one.slices, measure, task.slice_title, title=f"Slices{seen}"
        )
    drawn["reasons"] = lambda: (
        ReasonsDisplay.from_predictions(
            evaluated.reasons,
            drivers=evaluated.drivers,
            unit=task.unit,
            ax=page_axes("What moves the scores", size=(8.4, 5.4)),
        ).figure_
    )
    return drawn


def _gains(found: Evaluated, seen: str) -> dict[str, Any]:
    from churnml.metrics.displays import GainsDisplay
    from churnml.metrics.displays.style import page_axes

    return {
        "gains": lambda: (
            GainsDisplay.from_predictions(
                found.y, found.scores, ax=page_axes(f"Gains{seen}")
            ).figure_
        )
    }


def _predicted_and_answered(found: Evaluated, seen: str) -> dict[str, Any]:
    from churnml.metrics.displays import SatisfactionDisplay
    from churnml.metrics.displays.style import page_axes

    if found.low is None or found.high is None:
        return {}
    interval = found.low, found.high
    return {
        "satisfaction": lambda: (
            SatisfactionDisplay.from_predictions(
                found.y,
                found.scores,
                groups=found.groups,
                interval=interval,
                ax=page_axes(f"Satisfaction, predicted and answered{seen}"),
            ).figure_
        )
    }


_FIGURES: Mapping[str, Callable[[Evaluated, str], dict[str, Any]]] = {
    "churn": _gains,
    "satisfaction": _predicted_and_answered,
}
