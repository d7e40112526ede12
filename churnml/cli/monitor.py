"""``churnml monitor``: whether the model still holds, month by month."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnml.cli import options, output
from churnml.errors import GateError

if TYPE_CHECKING:
    from churnml.monitoring.result import Monitoring


def command(
    source: options.Source,
    as_of: options.AsOf,
    months: Annotated[
        int | None, typer.Option(min=1, help="Months up to as-of; by default 12.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A folder for a page and the numbers."),
    ] = None,
    scores: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="A folder of scorings, beside those in the store; may be given several times.",
        ),
    ] = None,
    churn_model: Annotated[
        str | None, typer.Option(help="Model URI; by default models:/churn@champion.")
    ] = None,
    satisfaction_model: Annotated[
        str | None,
        typer.Option(help="Model URI; by default models:/satisfaction@champion."),
    ] = None,
    any_source: options.AnySource = False,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Say month by month whether the models still hold.

    From inputs, scores and, once they are known, what became of the customers and what they
    answered. Status 6 where the last month has an alarm to act on.

    For example:

    churnml monitor demo/operator --as-of 2026-06-01 --out monitor
    """
    import churnml

    output.show_progress()
    found = churnml.monitor(
        source,
        as_of=options.day(as_of),
        months=months,
        out=out,
        scores=scores or (),
        churn_model=churn_model,
        satisfaction_model=satisfaction_model,
        any_source=any_source,
        mapping=mapping,
        config=options.settings(config),
        overwrite=overwrite,
    )
    stop = _gate(source, found) if found.act else None
    if json:
        # One object, whether or not there is something to act on.
        output.print_json(found.to_dict() | ({"error": stop.to_dict()} if stop else {}))
    else:
        _print(found)
    if stop is not None and json:
        output.report_error(stop.to_dict(), as_json=False)
        raise typer.Exit(stop.status)
    if stop is not None:
        raise stop


def _gate(source: str, found: "Monitoring") -> GateError:
    first, more = found.act[0], len(found.act) - 1
    rest = f" ({more} more)" if more else ""
    return GateError(
        f"{source}: to act on at {found.as_of}: {first.name()}{rest}.",
        hint=first.what_to_do(),
        count=len(found.act),
    )


def _print(found: "Monitoring") -> None:
    head = ("month", "customers", "origin", "scored", "left", "AUC", "alarm")
    output.print_table(f"{found.model}, month by month", head, found.lines())
    output.print_line(found.verdict())
    if answers := found.last_answers():
        output.print_line(answers)
    for alarm in found.last.alarms if found.last else ():
        output.print_line(f"{alarm.level}: {alarm.what_to_do()}")
    for note in found.notes:
        output.print_line(f"note: {note.text()}")
    if found.folder:
        output.print_line(f"written: {found.folder}")
