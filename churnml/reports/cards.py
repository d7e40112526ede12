"""What a run, a model and its versions say of themselves, in Markdown."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from churnml.bundle import Model
from churnml.evaluation import HEADLINE, Estimate

_MEANING = {
    "churn": "the calibrated probability that a customer leaves",
    "satisfaction": "the satisfaction, 0 to 100, that a customer would answer",
}


def training_card(
    model: Model,
    metrics: Mapping[str, Estimate],
    baselines: Mapping[str, Mapping[str, Estimate]],
    rows: Mapping[str, int],
    dates: Mapping[str, Sequence[str]],
    notes: Sequence[str],
) -> str:
    """What the model predicts, on which data, how well, against what, and its limits.

    Parameters
    ----------
    model : Model
    metrics : mapping of str to Estimate
        On rows that the tested model had not seen.
    baselines : mapping of str to mapping of str to Estimate
    rows, dates : mapping
        Of ``train``, ``test`` and ``all``.
    notes : sequence of str
        Limits and what was left out.

    Returns
    -------
    str
        Markdown; what comes from data is escaped.
    """
    origin = model.origin
    parts = [
        f"Predicts {_MEANING[model.task]}{_label(model)}.",
        _data(model, rows, dates),
        _table(model.task, metrics, baselines),
        "Intervals are 95 %, from a bootstrap over customers. The registered model was "
        "refitted on all rows after this test.",
    ]
    if notes:
        parts.append("**Limits**\n\n" + "\n".join(f"- {_safe(note)}" for note in notes))
    parts.append(f"Data digest `{origin.digest[:16]}`, settings digest `{origin.config[:16]}`.")
    return "\n\n".join(parts) + "\n"


def _label(model: Model) -> str:
    label = model.origin.label
    if model.origin.kind == "table":
        return f" (column {_safe(label.get('target', ''))})"
    what = f", by {label['definition']}" if "definition" in label else ""
    gap = "" if label["gap"].startswith("0") else f", {label['gap']} ahead"
    return f" within {label['horizon']}{gap} of a date{what}"


def _data(model: Model, rows: Mapping[str, int], dates: Mapping[str, Sequence[str]]) -> str:
    counts = f"{rows['train']:,} rows to train, {rows['test']:,} to test, {rows['all']:,} in all"
    if not dates:
        return f"{counts}; {model.origin.customers:,} customers; {len(model.inputs)} columns."
    train, test = dates["train"], dates["test"]
    return (
        f"{counts}; {model.origin.customers:,} customers; {len(model.inputs)} features. "
        f"Trained on {len(train)} dates from {train[0]} to {train[-1]}, "
        f"tested on {', '.join(test)}, which no training label reaches."
    )


def _table(
    task: str,
    metrics: Mapping[str, Estimate],
    baselines: Mapping[str, Mapping[str, Estimate]],
) -> str:
    names = ["model", *baselines]
    lines = ["| measure | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for measure in HEADLINE[task]:
        if measure not in metrics:
            continue
        cells = [told(metrics[measure])]
        cells += [told(found.get(measure)) for found in baselines.values()]
        lines.append(f"| {measure} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def told(estimate: Estimate | None) -> str:
    """A measure with its interval, as people read it.

    >>> told(Estimate(.8123, .8, .83)), told(None)
    ('0.812 (0.800 to 0.830)', '–')
    """
    if estimate is None or estimate.value != estimate.value:
        return "–"
    digits = 3 if abs(estimate.value) < 10 else 1
    ends = f"{estimate.low:.{digits}f} to {estimate.high:.{digits}f}"
    return f"{estimate.value:.{digits}f} ({ends})"


def _safe(text: object) -> str:
    escaped = html.escape(str(text))
    return "".join("\\" + letter if letter in "\\`*_[]|#" else letter for letter in escaped)
