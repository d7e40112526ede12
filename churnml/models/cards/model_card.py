"""The model card of an exported model, to be read before the model is used.

It is written from the model alone: what its training measured travels in the bundle
(`churnml.evaluation.summary`).

References
----------
Mitchell et al. (2019), "Model cards for model reporting", FAT*.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from churnml.base.tasks import TASKS
from churnml.metrics.bootstrap import INTERVALS, MONTHS_NOTE
from churnml.models.cards import ethics
from churnml.models.cards.markdown import bullets, code, safe, table
from churnml.models.cards.uses import USES
from churnml.models.model import InputColumn, Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = "calibration.png"
"""The figure that the card shows, beside it in the folder."""

_FEATURES = 3


def model_card(model: Model, notes: Sequence[str] = ()) -> str:
    """Write the card as Markdown.

    Parameters
    ----------
    model : Model
    notes : sequence of str
        Limits that the model itself does not know of; they come first.

    Returns
    -------
    str
        The same model always has the same card. What comes from data is escaped.
    """
    parts = [
        f"# {safe(model.origin.name or model.task)}",
        f"Predicts {TASKS[model.task].predicts}{_label(model)}.",
        _section("Purpose", USES[model.task].purpose),
        _section("Data", _data(model)),
        _section("How good it is", _results(model)),
        _section("By kind of customer", _slices(model)),
        _section("Calibration", _calibration(model)),
        _section("What moves the scores", _features(model)),
        _section("Limits", bullets(_limits(model, notes))),
        _section("What the scores may and may not be used for", ethics.text(model.task)),
        _section("Use", _use(model)),
        _section("Provenance", _provenance(model)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def calibration_figure(model: Model) -> Figure | None:
    """Draw the calibration figure in ten groups; ``None`` where it is unknown."""
    from churnml.metrics.displays import ReliabilityDisplay
    from churnml.metrics.displays.style import page_axes
    from churnml.metrics.reliability import Bin

    groups = model.tested.get("reliability")
    if not groups:
        return None
    uses = USES[model.task]
    display = ReliabilityDisplay(bins=[Bin(**group) for group in groups], labels=uses.axes)
    return display.plot(page_axes(f"{uses.chart}, on customers not seen")).figure_


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text else ""


def _label(model: Model) -> str:
    label = model.origin.label
    if model.origin.kind == "table":
        return f" (column {safe(label.get('target', ''))} of the training table)"
    if not label:
        return ""
    what = {
        "termination": ", by ending the service",
        "inactivity": ", by falling silent (prepaid)",
        "either": ", by ending the service or, prepaid, by falling silent",
    }.get(str(label.get("definition", "")), "")
    gap = str(label["gap"])
    ahead = "" if gap.startswith("0") else f", counted from {_span(gap)} after it"
    return f" within {_span(str(label['horizon']))} of a date{ahead}{what}"


def _span(text: str) -> str:
    """Format a time span in words.

    >>> _span("2mo"), _span("60d"), _span("1mo")
    ('2 months', '60 days', '1 month')
    """
    count = text.rstrip("dmo")
    unit = "month" if text.endswith("mo") else "day"
    return f"{count} {unit}" if count == "1" else f"{count} {unit}s"


def _data(model: Model) -> str:
    origin, rows, dates = model.origin, model.tested.get("rows", {}), model.tested.get("dates", {})
    lines = [
        f"{origin.rows:,} rows of {origin.customers:,} customers, {len(model.inputs)} columns."
    ]
    if origin.window:
        lines.append(f"Features and labels from {origin.window[0]} to {origin.window[-1]}.")
    if dates:
        lines.append(
            f"Tested on {rows['test']:,} rows at {', '.join(dates['test'])}, after training on "
            f"{rows['train']:,} rows from {dates['train'][0]} to {dates['train'][-1]}: no training "
            "label reaches a test date. Then refitted on all rows; that is the model here."
        )
    elif rows:
        lines.append(
            f"Tested on {rows['test']:,} rows of customers held out, after training on "
            f"{rows['train']:,}; then refitted on all rows; that is the model here."
        )
    if origin.tables:
        needs = "; ".join(
            f"{code(name)}: {', '.join(map(code, columns))}"
            for name, columns in sorted(origin.tables.items())
        )
        lines.append(f"It reads {needs}.")
    return "\n\n".join(lines)


def _results(model: Model) -> str:
    metrics, baselines = model.tested.get("metrics", {}), model.tested.get("baselines", {})
    if not metrics:
        return "It was not tested when it was trained."
    names = [name for name in TASKS[model.task].headline if name in metrics]
    rows = [
        [
            code(name),
            _format_ends(metrics[name]),
            *(_format_ends(baseline.get(name)) for baseline in baselines.values()),
        ]
        for name in names
    ]
    head = ["measure", "model", *(safe(name) for name in baselines)]
    return f"{table(head, rows)}\n\nIn brackets: {INTERVALS} (bootstrap). {MONTHS_NOTE}"


def _slices(model: Model) -> str:
    slices = model.tested.get("slices", [])
    if not slices:
        return ""
    task = TASKS[model.task]
    rows = [
        [
            safe(one["by"]),
            safe(one["is"]),
            f"{one['rows']:,}",
            _mean(model, one["observed"]),
            _mean(model, one["predicted"]) + (" †" if one["off"] else ""),
            _format_ends(one["metrics"].get(task.sliced_by)) + (" *" if one["worse"] else ""),
        ]
        for one in slices
    ]
    text = table(["", "", "rows", task.outcome, "predicted", task.slice_title], rows)
    return (
        f"{text}\n\n\\* significantly worse than for all others, † mean prediction off: both at "
        f"5 % over all rows of the table (Holm). –: fewer than 50 {task.few}. Kinds with "
        "fewer than 50 rows are left out."
    )


def _calibration(model: Model) -> str:
    groups = model.tested.get("reliability")
    if not groups:
        return ""
    rows = [
        [
            f"{one['rows']:,}",
            _mean(model, one["predicted"]),
            f"{_mean(model, one['observed'])} ({_mean(model, one['low'])} to "
            f"{_mean(model, one['high'])})",
        ]
        for one in groups
    ]
    return (
        f"![Predicted against what happened]({FIGURE})\n\n"
        + table(["rows", "predicted", TASKS[model.task].outcome], rows)
        + "\n\nTen groups of equal size by the score; in brackets 95 % intervals."
    )


def _features(model: Model) -> str:
    weights = model.tested.get("importance", {})
    total = sum(weights.values())
    if not total:
        return ""
    by_driver: dict[str, list[InputColumn]] = defaultdict(list)
    for column in model.inputs:
        by_driver[column.driver or "columns"].append(column)
    shares = {
        driver: sum(weights.get(column.name, 0.0) for column in columns) / total
        for driver, columns in by_driver.items()
    }
    rows = []
    for driver in sorted(shares, key=lambda name: (-shares[name], name)):
        ranked = sorted(by_driver[driver], key=lambda one: (-weights.get(one.name, 0.0), one.name))
        first = "; ".join(_described(column) for column in ranked[:_FEATURES])
        rows.append([safe(driver), str(len(ranked)), f"{shares[driver]:.0%}", first])
    return (
        table(["driver", "columns", "share", "first among them"], rows)
        + "\n\nShares of the mean absolute contribution (TreeSHAP). They tell what moved the "
        "scores, not what would change the outcome."
    )


def _described(column: InputColumn) -> str:
    words = column.feature or {}
    if not words:
        return code(column.name)
    return f"{safe(words.get('en', ''))} {safe(words.get('zh', ''))} {code(column.name)}"


def _limits(model: Model, notes: Sequence[str]) -> list[str]:
    today = [
        one.name for one in model.inputs if (one.feature or {}).get("availability") == "snapshot"
    ]
    limits = [safe(note) for note in [*notes, *model.tested.get("notes", [])]]
    if today:
        shown = ", ".join(map(code, today[:5])) + (", …" if len(today) > 5 else "")
        limits.append(
            f"{len(today)} columns show only today's state, not that of the past dates trained "
            f"on: {shown}."
        )
    limits.append(
        "What the past does not show, such as a new competitor or tariff, it does not see."
    )
    limits += USES[model.task].limits
    limits.append(
        "Where values are missing it answers nevertheless, and less well; watch the gates of "
        "`churnml score`."
    )
    return limits


def _use(model: Model) -> str:
    return (
        "```sh\n"
        f"churnml score SOURCE --as-of DATE --out scores --{model.task}-model DIR\n"
        "mlflow models serve -m DIR --env-manager local\n"
        "```\n\n"
        "DIR is this folder. `mlflow.pyfunc.load_model(DIR).predict(frame, "
        'params={"reasons": 3})` answers with the same columns and the same scores. Every byte '
        "of `data/` is held against its checksum before it is used."
    )


def _provenance(model: Model) -> str:
    origin = model.origin
    versions = ", ".join(f"{name} {version}" for name, version in sorted(model.versions.items()))
    lines = [f"Made with {safe(versions)}."]
    if origin.digest:
        lines.append(f"Training data {code(origin.digest[:16])} (SHA-256).")
    if origin.config:
        lines.append(f"Settings {code(origin.config[:16])} (SHA-256).")
    if model.digest:
        lines.append(f"Bundle {code(model.digest[:16])} (SHA-256 of `data/bundle/SHA256SUMS`).")
    return bullets(lines)


def _format_ends(ends: Sequence[Any] | None) -> str:
    """Format a measure with its interval.

    >>> _format_ends([0.8123, 0.8, 0.83]), _format_ends([0.5, None, None]), _format_ends(None)
    ('0.812 (0.800 to 0.830)', '0.500', '–')
    """
    if not ends or ends[0] is None:
        return "–"
    value, low, high = ends
    digits = 3 if abs(value) < 10 else 1
    if low is None or high is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _mean(model: Model, value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    return format(value, TASKS[model.task].outcome_format)
