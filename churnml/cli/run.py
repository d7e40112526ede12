"""``churnml run``: a month's work in one command."""

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    source: options.Source,
    as_of: Annotated[
        str | None, typer.Option(help="The date; by default the latest that the bills allow.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="The folder of the results; by default runs/ and the date."
        ),
    ] = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
    any_source: options.AnySource = False,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Validate, score, list, monitor and report, each as its own command would.

    What was done before from the same is kept. The status is that of the first step that
    failed, else 6 where a gate tripped.

    Example: churnml run demo/operator --out june
    """
    import churnml

    output.show_progress()
    made = churnml.run(
        source,
        None if as_of is None else options.day(as_of),
        out=out,
        lang=lang,
        any_source=any_source,
        mapping=mapping,
        config=options.settings(config),
        overwrite=overwrite,
    )
    if json:
        output.print_json(made.to_dict())
    else:
        title = f"Run at {made.as_of} in {made.out}"
        output.print_table(title, ("step", "status", "result"), made.rows())
        for gate in made.gates:
            output.print_line(f"gate: {gate}")
    if made.status:
        if made.error:
            output.report_error(made.error, as_json=False)
        raise typer.Exit(made.status)
