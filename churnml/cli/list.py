"""``churnml list``: customers for a shop or a call centre, with reasons in sentences."""

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help="A folder of scores.")],
    out: Annotated[
        Path, typer.Option(metavar="F", help="A file ending in .csv, .xlsx or .parquet.")
    ],
    lang: Annotated[str, typer.Option(help="en or zh: of sentences and headings.")] = "en",
    top: Annotated[int | None, typer.Option(help="At most so many rows, riskiest first.")] = None,
    band: Annotated[
        list[str] | None,
        typer.Option(help="Only this risk band: low, medium, high, critical; may be repeated."),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(metavar="EXPR", help="A condition over the list's columns."),
    ] = None,
    accounts: Annotated[
        bool, typer.Option("--accounts", help="One row a corporate account instead.")
    ] = False,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """List the customers of a scoring for those who act, the riskiest first.

    One row a customer, with reasons as sentences and a suggested action; only its owner may
    read the file.

    For example:

    churnml list scores --out list.xlsx --band critical --lang zh

    churnml list scores --out list.csv --where "value_at_risk > 500 and driver = 'network'"
    """
    import churnml

    output.show_progress()
    made = churnml.contact_list(
        scores,
        out=out,
        lang=lang,
        top=top,
        band=band or (),
        where=where,
        accounts=accounts,
        mapping=mapping,
        config=options.settings(config),
        overwrite=overwrite,
    )
    if json:
        output.print_json(made.to_dict())
    else:
        output.print_line(repr(made))
        output.print_bands(made.bands, made.as_of, made.band_meaning)
