"""``churnml measure``: whether a campaign worked, and what it earned."""

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    plan: Annotated[
        str, typer.Argument(metavar="DIR", help="The folder that churnml retain wrote.")
    ],
    source: options.Source,
    until: Annotated[str | None, typer.Option(help="Read nothing at or after this date.")] = None,
    interim: Annotated[
        bool,
        typer.Option("--interim", help="Look before all outcomes are known, with wider intervals."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="F.json", help="A file for the result.")
    ] = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Measure a campaign by those it treated and those it held out.

    Example: churnml measure plan demo/operator
    """
    import churnml

    output.show_progress()
    result = churnml.measure_campaign(
        plan,
        source,
        until=options.day(until) if until else None,
        interim=interim,
        out=out,
        mapping=mapping,
        config=options.settings(config),
        overwrite=overwrite,
    )
    if json:
        output.print_json(result.to_dict())
        return
    for name, value in result.lines():
        output.print_line(f"{name}: {value}")
