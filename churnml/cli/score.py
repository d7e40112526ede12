"""``churnml score``: every customer's scores, with reasons."""

from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    data: options.SourceOrTable,
    out: Annotated[
        str,
        typer.Option(
            metavar="DIR|ADDRESS",
            help="The folder of the result, or a table: postgresql://user@host/database/"
            "schema.table.",
        ),
    ],
    as_of: Annotated[
        str | None,
        typer.Option(
            help="The date to score at; for a table of your own the day of the table, from "
            "which its dates are counted."
        ),
    ] = None,
    id: options.Id = None,
    sheet: options.Sheet = None,
    encoding: options.Encoding = None,
    delimiter: options.Delimiter = None,
    churn_model: Annotated[
        str | None, typer.Option(help="Model URI; by default models:/churn@champion.")
    ] = None,
    satisfaction_model: Annotated[
        str | None, typer.Option(help="Model URI; by default models:/satisfaction@champion.")
    ] = None,
    hazard_model: Annotated[
        str | None,
        typer.Option(
            help="Model URI: adds the chances of leaving within 1, 2, 3 and 6 months, such as "
            "models:/hazard@champion."
        ),
    ] = None,
    reasons: Annotated[
        int | None, typer.Option(help="Reasons for each customer; 0 leaves them out.")
    ] = None,
    any_source: options.AnySource = False,
    engine: options.Engine = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Score every customer, with reasons.

    Writes a folder of Parquet files with a manifest.

    For example:

    churnml score demo/operator --as-of 2026-06-01 --out scores

    churnml score demo/operator --as-of 2026-06-01 --out scores --hazard-model
    models:/hazard@champion

    churnml score customers.csv --id customerID --out scores --churn-model models:/churn-customers/1
    --as-of 2026-06-01
    """
    import churnml
    from churnml.scoring import check_gates
    from churnml.scoring.bands import risk_bands

    output.show_progress()
    manifest = churnml.score(
        data,
        None if as_of is None else options.day(as_of),
        out=out,
        id=id,
        sheet=sheet,
        encoding=encoding,
        delimiter=delimiter,
        churn_model=churn_model,
        satisfaction_model=satisfaction_model,
        hazard_model=hazard_model,
        reasons=reasons,
        any_source=any_source,
        engine=engine,
        mapping=mapping,
        config=options.settings(config),
        overwrite=overwrite,
    )
    if json and not manifest.gates:
        output.print_json(manifest.to_dict())
    elif not json:
        output.print_line(repr(manifest))
        output.print_bands(risk_bands(manifest), manifest.as_of, manifest.bands.get("meaning", ""))
    check_gates(manifest)
