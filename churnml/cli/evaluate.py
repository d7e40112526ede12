"""``churnml evaluate``: a model on rows whose outcome is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnml.cli import options, output

if TYPE_CHECKING:
    from churnml.evaluation import Evaluation


def command(
    model: Annotated[str, typer.Argument(help="Model URI: models:/churn@champion, a folder …")],
    data: options.SourceOrTable,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="The date to predict from; for a table of your own the day of the table, from "
            "which its dates are counted."
        ),
    ] = None,
    id: options.Id = None,
    target: options.Target = None,
    group: options.Group = None,
    positive: options.Positive = None,
    sheet: options.Sheet = None,
    encoding: options.Encoding = None,
    delimiter: options.Delimiter = None,
    value: Annotated[
        str | None,
        typer.Option(help="The table's column of spending, yuan a month, for the profit."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for a report with figures.")] = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Evaluate a model where the outcome is known, and say what is wrong with it.

    For example:

    churnml evaluate models:/churn@champion demo/operator --as-of 2026-04-01 --out report

    churnml evaluate models:/churn-customers/1 customers.csv --id customerID --target Churn
    """
    import churnml

    output.show_progress()
    evaluated = churnml.evaluate(
        model,
        data,
        as_of=None if as_of is None else options.day(as_of),
        id=id,
        target=target,
        group=group,
        positive=positive,
        sheet=sheet,
        encoding=encoding,
        delimiter=delimiter,
        value=value,
        mapping=mapping,
        config=options.settings(config),
        out=out,
        overwrite=overwrite,
    )
    if json:
        output.print_json(evaluated.to_dict())
    else:
        show(evaluated.evaluation)
        if out is not None:
            output.print_line(f"report: {out}")


def show(evaluation: Evaluation) -> None:
    """Print measures, reliability, slices, profit and what is wrong."""
    from churnml.base.tasks import TASKS
    from churnml.evaluation import html as rows
    from churnml.metrics.bootstrap import INTERVALS, MONTHS_NOTE

    print_table, print_line = output.print_table, output.print_line
    title = f"{evaluation.model} on {evaluation.rows:,} rows; {INTERVALS}"
    columns = ("measure", "model", *evaluation.baselines)
    measured = rows.metric_rows(evaluation, every=True, narrow=True)
    print_table(title, columns, measured, numbers=len(columns) - 1)
    print_line(MONTHS_NOTE)
    if evaluation.possible:
        known = rows.possible_rows(evaluation)
        print_table("\nOf what the truth reaches", ("measure", "value"), known, numbers=1)
    if evaluation.reliability:
        what = TASKS[evaluation.task].event
        columns = ("rows", "predicted", "observed")
        print_table(
            f"\nReliability of the probability of {what}",
            columns,
            rows.reliability_rows(evaluation),
            numbers=3,
        )
    if evaluation.slices:
        columns = tuple(rows.slice_columns(evaluation.task))
        print_table("\nSlices, the worst first", columns, rows.slice_rows(evaluation))
        print_line(rows.SLICES_READ)
    if evaluation.elderly:
        print_line(evaluation.elderly)
    if evaluation.profit is not None:
        profit = rows.profit_rows(evaluation)
        print_table("\nProfit of a retention campaign", ("", ""), profit, numbers=1)
        print_line(rows.profit_assumed(evaluation))
    first, *more = evaluation.verdict
    print_line(f"\n{first}")
    for one in evaluation.diagnosis:
        print_line(f"  {one.code}: {one.message}")
    for sentence in more:
        print_line(sentence)
    for note in evaluation.notes:
        print_line(f"note: {note}")
