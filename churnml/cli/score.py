"""``churnml score``: every customer's scores, with reasons."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output
from churnml.errors import UsageError


def command(
    data: options.SourceOrTable,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder of the result.")],
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
    engine: Annotated[str, typer.Option(help="duckdb; spark is not built yet.")] = "duckdb",
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
    from churnml import pipeline
    from churnml.scoring import check_gates

    if engine != "duckdb":
        raise UsageError(f"--engine {engine}: not available.", hint="Use duckdb.")
    if id is None and as_of is None:
        raise UsageError("Operator tables need --as-of, a table of your own needs --id.")
    if id is not None and hazard_model is not None:
        raise UsageError("--hazard-model is for operator tables, not with --id.")
    if reasons is not None and reasons < 0:
        raise UsageError(f"--reasons {reasons}: 0 or more expected.")
    reading = {"sheet": sheet, "encoding": encoding, "delimiter": delimiter}
    if id is None and any(one is not None for one in reading.values()):
        raise UsageError("--sheet, --encoding and --delimiter are for a table, with --id.")
    output.show_progress()
    settings = options.settings(config)
    score = partial(
        pipeline.score_source if id is None else pipeline.score_table,
        churn_model=churn_model,
        satisfaction_model=satisfaction_model,
        reasons=reasons,
        config=settings,
        overwrite=overwrite,
    )
    day = None if as_of is None else options.day(as_of)
    manifest = (
        score(data, day, out, mapping=mapping, hazard_model=hazard_model)
        if id is None
        else score(data, out, id=id, as_of=day, reading=reading)
    )
    if json and not manifest.gates:
        output.print_json(manifest.to_dict())
    elif not json:
        output.print_line(repr(manifest))
    check_gates(manifest)
