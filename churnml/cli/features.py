"""``churnml features``: what was known of every customer at a date."""

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    source: options.Source,
    as_of: options.AsOf,
    out: Annotated[
        Path,
        typer.Option(
            metavar="F.parquet", help="The Parquet file to write; from Spark a folder of parts."
        ),
    ],
    engine: options.Engine = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write every customer's features at a date.

    Example: churnml features demo/operator --as-of 2026-06-01 --out features.parquet
    """
    from churnml.config.settings import load_config
    from churnml.features.writing import save_features

    output.show_progress()
    written = save_features(
        source,
        as_of=options.day(as_of),
        out=out,
        mapping=mapping,
        config=load_config(config),
        overwrite=overwrite,
        engine=engine,
    )
    if json:
        output.print_json(written.to_dict())
        return
    output.print_line(
        f"{written.rows:,} customers, {written.features} features at {written.as_of}: "
        f"{written.file}"
    )
