"""What the page of an evaluation says: first whether the model is good, then why."""

from __future__ import annotations

from churnml.base.page import svg
from churnml.base.page.render import PageTable, PageTile
from churnml.base.tasks import TASKS, TITLES
from churnml.base.text import counted
from churnml.evaluation.html import (
    SLICES_READ,
    metric_rows,
    possible_rows,
    profit_assumed,
    profit_rows,
    reliability_rows,
    slice_columns,
    slice_rows,
)
from churnml.evaluation.result import Evaluation
from churnml.metrics.bootstrap import INTERVALS, MONTHS_NOTE, format_estimate
from churnml.metrics.displays.page import ReportPart, ReportText

_TILES = 4


def report_text(one: Evaluation) -> ReportText:
    """The page of an evaluation."""
    facts = [f"{name} {value}" for name, value in one.facts.items()]
    rows = f"{counted(one.rows, 'row')} of {counted(one.customers, 'customer')}"
    parts = [
        _verdict(one),
        _measures(one),
        _reliability(one),
        _slices(one),
        _profit(one),
        _reasons(one),
    ]
    return ReportText(
        title=f"{one.model or one.task}: evaluation",
        headline=" ".join([*one.verdict[:1], *_best(one)]),
        facts=[rows, *facts],
        tiles=_tiles(one),
        parts=[part for part in parts if part is not None],
    )


def _best(one: Evaluation) -> list[str]:
    """The first measure of the task, beside the best of the simpler predictions."""
    name = next((name for name in TASKS[one.task].headline if name in one.metrics), None)
    if name is None:
        return []
    said = f"{TITLES.get(name, name)}: {format_estimate(one.metrics[name])}"
    others = {
        title: baseline[name].value for title, baseline in one.baselines.items() if name in baseline
    }
    known = {title: value for title, value in others.items() if value == value}
    if not known:
        return [f"{said}."]
    shown = ", ".join(f"{title} {value:.3f}" for title, value in known.items())
    return [f"{said}; simpler predictions reach: {shown}."]


def _tiles(one: Evaluation) -> list[PageTile]:
    named = [name for name in TASKS[one.task].headline if name in one.metrics][:_TILES]
    tiles = []
    for name in named:
        value, _bracket, rest = format_estimate(one.metrics[name]).partition(" (")
        tiles.append(
            PageTile(label=TITLES.get(name, name), value=value, detail=rest.removesuffix(")"))
        )
    return tiles


def _verdict(one: Evaluation) -> ReportPart:
    wrong = len(one.diagnosis)
    state = svg.light("bad" if wrong else "good", "to be looked at")
    return ReportPart(
        id="verdict",
        topic="Verdict",
        heading=one.verdict[0],
        lead=one.verdict[1:],
        tables=[
            PageTable(
                caption="What is wrong",
                head=["finding", ""],
                rows=[(finding.message, state) for finding in one.diagnosis],
            )
        ],
        notes=one.notes,
    )


def _measures(one: Evaluation) -> ReportPart:
    columns = ["measure", "model", *one.baselines]
    tables = [
        PageTable(
            caption=f"Measures, with {INTERVALS}",
            head=columns,
            rows=[[str(cell) for cell in row] for row in metric_rows(one, every=True)],
            numbers=range(1, len(columns)),
        )
    ]
    if one.possible:
        tables.append(
            PageTable(
                caption="Of what can be known",
                head=["measure", "value"],
                rows=possible_rows(one),
                numbers=(1,),
            )
        )
    return ReportPart(
        id="measures",
        topic="Measures",
        heading="How good the predictions are, beside simpler ones",
        tables=tables,
        figures={"gains": "Gains", "satisfaction": "Predicted and answered"},
        notes=[MONTHS_NOTE],
    )


def _reliability(one: Evaluation) -> ReportPart | None:
    if not one.reliability:
        return None
    return ReportPart(
        id="reliability",
        topic="Reliability",
        heading="Whether as many as predicted did it",
        figures={"reliability": "Reliability"},
        tables=[
            PageTable(
                caption="Rows by predicted probability",
                head=["rows", "predicted", "observed"],
                rows=reliability_rows(one),
                numbers=(1, 2),
            )
        ],
    )


def _slices(one: Evaluation) -> ReportPart | None:
    if not one.slices:
        return None
    judged = [part for part in one.slices if part.metrics]
    worse = sum(part.worse for part in judged)
    rows = [row for row, part in zip(slice_rows(one), one.slices, strict=True) if part.metrics]
    silent = len(one.slices) - len(judged)
    notes = [SLICES_READ]
    if silent:
        kinds = counted(silent, "kind of customers has", "kinds of customers have")
        notes.append(f"{kinds} too few rows to be judged: not shown.")
    if one.elderly:
        notes.append(one.elderly)
    heading = f"Of {counted(len(judged), 'kind')} of customers, {worse} served worse than the rest"
    return ReportPart(
        id="slices",
        topic="Kinds of customers",
        heading=heading,
        figures={"slices": "Kinds of customers"},
        tables=[
            PageTable(
                caption="Kinds of customers, the worst first",
                head=slice_columns(one.task),
                rows=rows,
                numbers=range(1, 7),
            )
        ],
        notes=notes,
    )


def _profit(one: Evaluation) -> ReportPart | None:
    if one.profit is None:
        return None
    return ReportPart(
        id="profit",
        topic="Profit",
        heading="What a campaign by these scores would bring",
        figures={"profit": "Profit of a retention campaign"},
        tables=[
            PageTable(
                caption="Profit of a campaign",
                head=["", "value"],
                rows=profit_rows(one),
                numbers=(1,),
            )
        ],
        notes=[profit_assumed(one)],
    )


def _reasons(one: Evaluation) -> ReportPart:
    return ReportPart(
        id="reasons",
        topic="Reasons",
        heading="What moves the scores: an association, not a cause",
        figures={"reasons": "What moves the scores"},
    )
