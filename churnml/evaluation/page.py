"""An evaluation as a folder: a page that stands on its own, figures, numbers."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from churnml.evaluation.evaluate_model import Evaluated

_log = logging.getLogger(__name__)


def write_evaluation(found: Evaluated, folder: Path, *, overwrite: bool = False) -> None:
    """Keep an evaluation as a folder: a page that stands on its own, figures, numbers.

    Raises
    ------
    OutputError
        If something stands there that may not be replaced, or it cannot be written.
    """
    from churnml.evaluation.html import evaluation_html
    from churnml.metrics.displays.page import write_report

    _log.info("drawing the figures into %s", folder)
    one = found.evaluation
    write_report(
        folder,
        f"{one.model}: evaluation",
        evaluation_html(one, every=True),
        found.to_dict(),
        _figures(found),
        overwrite=overwrite,
    )


def _figures(found: Evaluated) -> dict[str, Any]:
    from churnml.metrics.displays import (
        GainsDisplay,
        ProfitDisplay,
        ReasonsDisplay,
        ReliabilityDisplay,
        SatisfactionDisplay,
    )
    from churnml.metrics.displays.slices import slices
    from churnml.metrics.displays.style import page_axes

    one, churn = found.evaluation, found.evaluation.task == "churn"
    seen = ", on what the training has seen" if one.seen else ""
    drawn: dict[str, Any] = {}
    if churn:
        drawn["gains"] = lambda: (
            GainsDisplay.from_predictions(
                found.y, found.scores, ax=page_axes(f"Gains{seen}")
            ).figure_
        )
    elif found.low is not None and found.high is not None:
        interval = found.low, found.high
        drawn["satisfaction"] = lambda: (
            SatisfactionDisplay.from_predictions(
                found.y,
                found.scores,
                groups=found.groups,
                interval=interval,
                ax=page_axes(f"Satisfaction, predicted and answered{seen}"),
            ).figure_
        )
    if one.reliability:
        what = "leaving" if churn else "being dissatisfied"
        labels = f"predicted probability of {what}", "share to whom it happened"
        drawn["reliability"] = lambda: (
            ReliabilityDisplay(bins=one.reliability, labels=labels)
            .plot(page_axes(f"Reliability{seen}"))
            .figure_
        )
    if one.profit is not None:
        profit = ProfitDisplay(curve=one.profit)
        title = f"Profit of a retention campaign{seen}"
        drawn["profit"] = lambda: profit.plot(page_axes(title)).figure_
    measure, label = ("auc", "AUC") if churn else ("mae", "mean error, points of 100")
    if any(measure in part.metrics for part in one.slices):
        drawn["slices"] = lambda: slices(one.slices, measure, label, title=f"Slices{seen}")
    unit = "log-odds" if churn else "points"
    drawn["reasons"] = lambda: (
        ReasonsDisplay.from_predictions(
            found.reasons,
            drivers=found.drivers,
            unit=unit,
            ax=page_axes("What moves the scores", size=(8.4, 5.4)),
        ).figure_
    )
    return drawn
