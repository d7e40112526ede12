"""``churnml backtest``: months of the past, each predicted from what came before it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    task: Annotated[str, typer.Argument(metavar="TASK", help="churn or satisfaction.")],
    data: options.SourceOrTable,
    months: Annotated[
        int | None, typer.Option(min=1, help="Test dates: the last so many; by default up to 6.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Nothing at or after this date is read.")
    ] = None,
    id: options.Id = None,
    target: options.Target = None,
    scale: options.Scale = None,
    positive: options.Positive = None,
    drop: options.Drop = None,
    group: options.Group = None,
    time: options.Time = None,
    sheet: options.Sheet = None,
    encoding: options.Encoding = None,
    delimiter: options.Delimiter = None,
    out: Annotated[Path | None, typer.Option(help="A folder for a report with the figure.")] = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Train on the past of every month, evaluate on it, and show how fast models age.

    For example:

    churnml backtest churn demo/operator --months 4 --out backtest

    churnml backtest churn months.csv --id customerID --target Churn --time month
    """
    import churnml
    from churnml.metrics.bootstrap import INTERVALS
    from churnml.training.backtest_result import OVER_MONTHS, SPREAD_COLUMNS

    output.show_progress()
    settings = options.settings(config)
    backtest = churnml.backtest(
        data,
        task,  # type: ignore[arg-type]
        months=months,
        until=None if until is None else options.day(until),
        id=id,
        target=target,
        scale=scale,
        positive=positive,
        drop=drop or (),
        group=group,
        time=time,
        sheet=sheet,
        encoding=encoding,
        delimiter=delimiter,
        mapping=mapping,
        config=settings,
        out=out,
        overwrite=overwrite,
    )
    if json:
        output.print_json(backtest.to_dict())
        return
    columns = backtest.columns()
    title = f"{backtest.task}, month by month; {INTERVALS}"
    output.print_table(title, columns, backtest.rows(), numbers=len(columns) - 2)
    output.print_table(f"\n{OVER_MONTHS}", SPREAD_COLUMNS, backtest.spread_rows(), numbers=4)
    output.print_table("\nHow models age", backtest.age_columns(), backtest.age_rows(), numbers=5)
    output.print_line(backtest.conclusion)
    if out is not None:
        output.print_line(f"report: {out}")
