"""``churnml features``: what was known of every customer at a date."""

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    source: options.Source,
    as_of: options.AsOf,
    out: Annotated[Path, typer.Option(metavar="F.parquet", help="The Parquet file to write.")],
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write every customer's features at a date.

    Example: churnml features demo/operator --as-of 2026-06-01 --out features.parquet
    """
    from churnml import pipeline
    from churnml.config.settings import load_config

    output.show_progress()
    written = pipeline.features(
        source,
        options.day(as_of),
        out,
        mapping=mapping,
        config=load_config(config),
        overwrite=overwrite,
    )
    if json:
        output.print_json(written)
        return
    output.print_line(
        f"{written['rows']:,} customers, {written['features']} features at "
        f"{written['as_of']}: {written['file']}"
    )
