"""Markdown notes of MLflow runs, models and versions."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping, Sequence

from churnml.base.tasks import MEASURES, TASKS, without_months
from churnml.base.text import counted
from churnml.metrics import Estimate, format_estimate
from churnml.metrics.bootstrap import INTERVALS
from churnml.models.bundle import Model

_EVALUATIONS = "**Evaluations**"


def training_card(
    model: Model,
    metrics: Mapping[str, Estimate],
    baselines: Mapping[str, Mapping[str, Estimate]],
    rows: Mapping[str, int],
    dates: Mapping[str, Sequence[str]],
    notes: Sequence[str],
) -> str:
    """Write a training's note: what the model predicts, on which data, how well, its limits.

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
        headline(model.task, metrics),
        f"Predicts {TASKS[model.task].short}{_label(model)}.",
        _data(model, rows, dates),
        _table(model.task, metrics, baselines),
        "Intervals are 95 %, from a bootstrap over customers. The registered model was "
        "refitted on all rows after this test.",
    ]
    if notes:
        parts.append("**Limits**\n\n" + "\n".join(f"- {_safe(note)}" for note in notes))
    if origin.window:
        parts.append(f"Data window: {origin.window[0]} to {origin.window[1]}, labels included.")
    parts.append(f"Data digest `{origin.digest[:16]}`, settings digest `{origin.config[:16]}`.")
    return "\n\n".join(parts) + "\n"


def headline(task: str, metrics: Mapping[str, Estimate]) -> str:
    """The measures of a task that come first, with their intervals, in a line."""
    names = [name for name in TASKS[task].summary if name in metrics]
    return " · ".join(f"{name} {format_estimate(metrics[name])}" for name in names)


def experiment_card(task: str, address: str) -> str:
    """Write an experiment's note: its runs and what its columns mean.

    Parameters
    ----------
    task : str
    address : str
        Of its run list with the columns that matter, as a link in the UI.

    Returns
    -------
    str
        Markdown.
    """
    declared = TASKS.get(task)
    meaning = declared.short if declared else task
    parts = [
        # Lists show the beginning as it is written.
        f"Trainings of models that predict {meaning}.",
        f"[**Runs with the columns that matter**]({address})",
        "Every run is a training; its children are the folds of its boosters, or the trials of a "
        "search. Every figure is from rows that the measured model had not seen; what is "
        "registered was then refitted on all of them.",
    ]
    if declared:
        rows = "\n".join(f"| {name} | {_explained(name)} |" for name in declared.headline)
        parts.append(f"| measure | meaning |\n|---|---|\n{rows}")
    parts.append(
        f"The ends of {INTERVALS} (bootstrap) stand in each run's note and in its "
        "`tables/metrics.json`. `regression/` holds a regression on the same rows, `booster/` one "
        "shy booster, `boosting/` the loss on rows left out after each round, `by_date/` the "
        "measures at each test date, `rows/` the numbers of rows."
    )
    return padded("\n\n".join(parts) + "\n")


def _explained(measure: str) -> str:
    """Explain a measure, with its months if it has some.

    >>> _explained("brier_2mo")
    'mean squared error of the probability; lower is better; within 2 mo'
    """
    name = without_months(measure)
    meaning = MEASURES[name]
    return meaning if name == measure else f"{meaning}; within {spaced(measure[len(name) + 1 :])}"


def registered_card(
    name: str,
    task: str,
    aliases: Mapping[str, str],
    champion: str,
    history: Sequence[Sequence[str]] = (),
) -> str:
    """Write a registered model's note: its purpose, and its champion's card.

    Parameters
    ----------
    name, task : str
    aliases : mapping of str to str
        Version by alias.
    champion : str
        The description of the champion's version; empty where there is none.
    history : sequence of (when, what, version, who, why)
        What happened to its versions, the latest first.

    Returns
    -------
    str
        Markdown.
    """
    declared = TASKS.get(task)
    meaning = declared.short if declared else task or "what its versions say"
    held = ", ".join(f"{alias} is version {aliases[alias]}" for alias in sorted(aliases))
    parts = [
        f"Predicts {meaning}." + (f" {held[0].upper()}{held[1:]}." if held else ""),
        f"`churnml score … --{task or 'churn'}-model models:/{name}@champion` scores with the "
        "champion. Figures are not to decide about a person alone (PIPL art. 24, GDPR art. 22).",
    ]
    if champion:
        parts.append(f"## Champion: version {aliases.get('champion', '')}\n\n{champion.strip()}")
    if history:
        rows = "\n".join("| " + " | ".join(_safe(one) for one in row) + " |" for row in history)
        head = "| when (UTC) | what | version | who | why |\n|---|---|---|---|---|"
        parts.append("## History\n\n" + padded(f"{head}\n{rows}"))
    return "\n\n".join(parts) + "\n"


def with_evaluation(card: str, title: str, figures: str, address: str) -> str:
    r"""A version's note that also tells of an evaluation, in the place of an earlier one's line.

    Parameters
    ----------
    card : str
    title : str
        What was evaluated.
    figures : str
        The headline measures.
    address : str
        Of the report, as a link in the UI.

    Examples
    --------
    >>> with_evaluation("auc 0.7\n\nPredicts.\n\nRows.", "2026-04-01", "auc 0.8", "#a")
    'auc 0.7\n\nPredicts.\n\n**Evaluations**\n\n- [2026-04-01](#a): auc 0.8\n\nRows.'
    """
    line = f"- [{_safe(title)}]({address}): {figures}"
    parts = card.strip().split("\n\n")
    if _EVALUATIONS not in parts:
        at = min(2, len(parts))
        return "\n\n".join([*parts[:at], _EVALUATIONS, line, *parts[at:]])
    at = parts.index(_EVALUATIONS) + 1
    others = parts[at].split("\n") if at < len(parts) else []
    kept = [one for one in others if f"]({address})" not in one]
    return "\n\n".join([*parts[:at], "\n".join([*kept, line]), *parts[at + 1 :]])


def padded(card: str) -> str:
    r"""Add space between table columns, which the MLflow UI leaves out.

    >>> padded("| a | b |\n|---|---|\n| 1 | 2 |").splitlines()[2]
    '| 1&emsp; | 2&emsp; |'
    """
    lines = [
        line.replace(" |", "&emsp; |") if line.startswith("| ") else line
        for line in card.split("\n")
    ]
    return "\n".join(lines)


def mark(card: str) -> str:
    r"""A short digest that marks a card as written by churnml.

    >>> mark("a card") == mark("a card\n")
    True
    """
    return hashlib.sha256(card.strip().encode()).hexdigest()[:16]


def is_own(card: str | None, written: str | None) -> bool:
    """Whether a card is absent or unchanged since churnml wrote it.

    >>> is_own(None, None), is_own("mine", None), is_own("mine", mark("mine"))
    (True, False, True)
    """
    return not card or mark(card) == written


def _label(model: Model) -> str:
    label = model.origin.label
    if model.origin.kind == "table":
        return f" (column {_safe(label.get('target', ''))})"
    what = f" (definition: {label['definition']})" if "definition" in label else ""
    gap = "" if label["gap"].startswith("0") else f", from {spaced(label['gap'])} after it on"
    return f" within {spaced(label['horizon'])} of a date{gap}{what}"


def spaced(span: str) -> str:
    """Format a span for people.

    >>> spaced("60d"), spaced("2mo")
    ('60 d', '2 mo')
    """
    digits = span.rstrip("abcdefghijklmnopqrstuvwxyz")
    return f"{digits} {span[len(digits) :]}"


def in_words(span: str) -> str:
    """Write a span out.

    >>> in_words("60d"), in_words("1mo")
    ('60 days', '1 month')
    """
    number, unit = spaced(span).split(" ")
    return counted(int(number), {"d": "day", "mo": "month"}.get(unit, unit))


def _data(model: Model, rows: Mapping[str, int], dates: Mapping[str, Sequence[str]]) -> str:
    counts = f"{rows['train']:,} rows to train, {rows['test']:,} to test, {rows['all']:,} in all"
    if not dates:
        return f"{counts}; {model.origin.customers:,} customers; {len(model.inputs)} columns."
    train, test = dates["train"], dates["test"]
    return (
        f"{counts}; {model.origin.customers:,} customers; {len(model.inputs)} features. "
        f"Trained on {len(train)} dates from {train[0]} to {train[-1]}, "
        f"tested on {', '.join(test)}, which no training label reaches.{_own(model)}"
    )


def _own(model: Model) -> str:
    """The tables of the operator's own that the model reads, with their features."""
    features: dict[str, list[str]] = {}
    for column in model.inputs:
        definition = json.loads((column.feature or {}).get("definition") or "{}")
        if "table" in definition:
            features.setdefault(definition["table"], []).append(column.name)
    if not features:
        return ""
    told = "; ".join(
        f"{_safe(table)} ({', '.join(map(_safe, names))})" for table, names in features.items()
    )
    return f"\n\nReads tables of the operator's own, and scores nobody without them: {told}."


def _table(
    task: str,
    metrics: Mapping[str, Estimate],
    baselines: Mapping[str, Mapping[str, Estimate]],
) -> str:
    names = ["model", *baselines]
    lines = ["| measure | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for measure in TASKS[task].headline:
        if measure not in metrics:
            continue
        cells = [format_estimate(metrics[measure])]
        cells += [format_estimate(baseline.get(measure)) for baseline in baselines.values()]
        lines.append(f"| {measure} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _safe(text: object) -> str:
    escaped = html.escape(str(text))
    return "".join("\\" + letter if letter in "\\`*_[]|#" else letter for letter in escaped)
