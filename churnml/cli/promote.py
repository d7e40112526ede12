"""``churnml promote``: the challenger against the champion."""

from typing import TYPE_CHECKING, Annotated

import typer

from churnml.cli import options, output

if TYPE_CHECKING:
    from churnml.registry.promotion.outcome import Outcome

Name = Annotated[
    str | None,
    typer.Option(help="A registered model of another name; by default that of the task."),
]


def command(
    task_name: options.Task,
    source: Annotated[
        str | None,
        typer.Argument(
            help="Operator tables, or a table of your own, to measure on; by default what it "
            "learned from."
        ),
    ] = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="The challenger; by default the alias challenger.")
    ] = None,
    force: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="Promote whatever the gate says; the reason is kept in the history.",
        ),
    ] = None,
    name: Name = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Compare the challenger with the champion, and promote it if it passes.

    Both are measured as they were before they learned from their last months, on months
    that neither has seen. A challenger that fails, or is byte for byte the champion, is
    refused with status 6.

    For example:

    churnml promote churn

    churnml promote churn demo/operator --version 3 --force "new tariff since May"
    """
    import churnml
    from churnml.registry.promotion.promote import require_promoted

    task = options.task(task_name, registered=True)
    output.show_progress()
    promoted = churnml.promote(
        task,
        source,
        version=version,
        force=force,
        name=name,
        mapping=mapping,
        config=options.settings(config),
    )
    if json and promoted.moved:
        output.print_json(promoted.to_dict())
    elif not json:
        show(promoted)
    require_promoted(promoted)


def show(promoted: "Outcome") -> None:
    """Print the table of reasons, and where the aliases are now."""
    event, verdict = promoted.event, promoted.verdict
    if verdict is not None:
        title = (
            f"{promoted.name}: version {event.version} against version {event.over} on "
            f"{verdict.rows:,} rows ({', '.join(verdict.months)}); gain with its 95 % interval"
        )
        rows = [
            (
                check.where,
                check.measure,
                f"{check.challenger:.4f}",
                f"{check.champion:.4f}",
                f"{check.gain.value:+.4f} ({check.gain.low:+.4f} to {check.gain.high:+.4f})",
                "pass" if check.passed else "FAIL",
                check.reason,
            )
            for check in verdict.checks
        ]
        columns = ("where", "measure", "challenger", "champion", "gain", "", "why")
        output.print_table(title, columns, rows)
    for note in (*promoted.notes, *(verdict.notes if verdict else ())):
        output.print_line(f"note: {note}")
    if promoted.moved:
        output.print_line(f"{promoted.name}/{event.version} {event.what}.")
    aliases = ", ".join(f"{alias} {version}" for alias, version in sorted(promoted.aliases.items()))
    output.print_line(f"aliases: {aliases}")
