"""Render an evaluation as compact HTML, with text from data escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from churnml.base.tasks import TASKS, TITLES
from churnml.base.text import counted
from churnml.metrics.bootstrap import INTERVALS, MONTHS_NOTE, Estimate, format_estimate
from churnml.metrics.oracle import OLDER_NAME

if TYPE_CHECKING:
    from churnml.evaluation.result import Evaluation

SHOWN_SLICES = 12


def number(value: float, digits: int = 3) -> str:
    """Format a number; a dash if missing.

    >>> number(0.12345), number(float("nan")), number(1234.5, 1)
    ('0.123', '–', '1,234.5')
    """
    return "–" if value != value else f"{value:,.{digits}f}"


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table under a title; every cell is escaped."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f"<p><b>{escape(title)}</b></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def possible_rows(evaluation: Evaluation) -> list[list[str]]:
    """Rows of what the truth reaches, and the share of it that the model reaches."""
    return [
        [name, format_estimate(one)]
        for name, one in evaluation.possible.items()
        if name != OLDER_NAME
    ]


def metric_rows(
    evaluation: Evaluation, *, every: bool = False, narrow: bool = False
) -> list[list[str]]:
    """Measure by measure: the model, then its baselines; narrow: these without intervals."""
    names = (
        list(evaluation.metrics)
        if every
        else [name for name in TASKS[evaluation.task].headline if name in evaluation.metrics]
    )
    sides = evaluation.baselines.values()
    return [
        [
            name,
            format_estimate(evaluation.metrics[name]),
            *(format_estimate(one.get(name), alone=narrow) for one in sides),
        ]
        for name in names
    ]


def slice_columns(task: str) -> list[str]:
    """The headings of `slice_rows`."""
    measure = TITLES[TASKS[task].sliced_by]
    return ["slice", "rows", "observed", "predicted", measure, "against others", "p (Holm)", ""]


def slice_rows(evaluation: Evaluation, *, most: int | None = None) -> list[list[str]]:
    """Slice by slice, the worst first; those too small say so."""
    name, digits = TASKS[evaluation.task].sliced_by, TASKS[evaluation.task].digits
    rows = []
    for one in evaluation.slices[:most]:
        verdict = "; ".join(
            word for word, true in (("worse", one.worse), ("level missed", one.off)) if true
        )
        rows.append(
            [
                f"{one.column} = {one.value}",
                f"{one.rows:,}",
                # With the rows beside it, a mean would give a small count away.
                "hidden" if one.hidden else number(one.happened, digits),
                number(one.told, digits),
                format_estimate(one.metrics.get(name)),
                number(one.difference),
                number(one.p_worse),
                one.note or verdict,
            ]
        )
    return rows


def reliability_rows(evaluation: Evaluation) -> list[list[str]]:
    """Bin by bin: predicted, observed with its interval."""
    return [
        [
            f"{one.rows:,}",
            number(one.predicted),
            format_estimate(Estimate(one.observed, one.low, one.high)),
        ]
        for one in evaluation.reliability
    ]


def profit_rows(evaluation: Evaluation) -> list[list[str]]:
    """Rows of a campaign's profit, with the share to contact."""
    if evaluation.profit is None:
        return []
    return [
        [
            "most that contacts could have brought, yuan per customer",
            format_estimate(evaluation.profit.maximum),
        ],
        [
            "contacting whom the model expects to pay, yuan per customer",
            format_estimate(evaluation.profit.decided),
        ],
        ["best share to contact", format_estimate(evaluation.profit.best_share)],
        ["contacting everybody, yuan per customer", number(evaluation.profit.everybody)],
    ]


SLICES_READ = (
    "Against others: below 0 the model does worse than for the column's other values, on average."
)
"""How the column of differences is read."""


def profit_assumed(evaluation: Evaluation) -> str:
    """The assumptions behind the profit, in a sentence; empty without a profit."""
    if evaluation.profit is None:
        return ""
    costs = evaluation.profit.costs
    return (
        f"Assumed: {costs.contact_cost:g} yuan a contact, {costs.offer_cost:g} yuan an offer "
        f"taken; {costs.success_rate:.0%} of the leavers contacted stay, "
        f"{costs.stayers_accept:.0%} of the others take the offer too; a customer kept is worth "
        f"{costs.margin:.0%} of {costs.months_kept:g} months' spending, {costs.default_value:,g} "
        "yuan where it is not known (costs in the settings)."
    )


def evaluation_html(evaluation: Evaluation, *, every: bool = False) -> str:
    """The whole evaluation; compact unless ``every``: all measures and all slices."""
    wrong = "".join(f"<li>{escape(one.message)}</li>" for one in evaluation.diagnosis)
    first, *more = evaluation.verdict
    said = f"<p><b>{escape(first)}</b> {escape(' '.join(more))}</p>"
    notes = "".join(f"<li>{escape(note)}</li>" for note in evaluation.notes)
    facts = ", ".join(f"{name} {value}" for name, value in evaluation.facts.items())
    parts = [
        f"<p><b>{escape(evaluation.model or evaluation.task)}</b> on "
        f"{counted(evaluation.rows, 'row')} of {counted(evaluation.customers, 'customer')}"
        f"{escape(f'; {facts}' if facts else '')}</p>",
        said + (f"<ul>{wrong}</ul>" if wrong else ""),
        table(
            f"Measures, with {INTERVALS}",
            ["measure", "model", *evaluation.baselines],
            metric_rows(evaluation, every=every),
        ),
        f"<p>{escape(MONTHS_NOTE)}</p>",
    ]
    if evaluation.possible:
        known = possible_rows(evaluation)
        parts.append(table("Of what can be known", ["measure", "value"], known))
    if evaluation.reliability:
        columns = ["rows", "predicted", "observed"]
        parts.append(table("Reliability", columns, reliability_rows(evaluation)))
    if evaluation.slices:
        most = None if every else SHOWN_SLICES
        rows = slice_rows(evaluation, most=most)
        parts.append(table("Slices, the worst first", slice_columns(evaluation.task), rows))
        parts.append(f"<p>{escape(SLICES_READ)}</p>")
        hidden = len(evaluation.slices) - len(rows)
        parts.append(f"<p>… and {hidden} more</p>" if hidden else "")
    parts.append(f"<p>{escape(evaluation.elderly)}</p>" if evaluation.elderly else "")
    if evaluation.profit is not None:
        parts.append(table("Profit of a campaign", ["", ""], profit_rows(evaluation)))
        parts.append(f"<p>{escape(profit_assumed(evaluation))}</p>")
    parts.append(f"<ul>{notes}</ul>" if notes else "")
    return f"<div>{''.join(parts)}</div>"
