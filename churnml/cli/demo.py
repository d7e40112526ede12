"""``churnml demo``: the whole way on a simulated operator."""

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where tables, models and scores go.")
    ] = Path("demo"),
    customers: options.Customers = 20_000,
    months: options.Months = 24,
    seed: options.Seed = 0,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Go the whole way on a simulated operator.

    Simulates its tables, checks them, trains both models and scores every customer.

    Example: churnml demo demo --overwrite
    """
    from churnml import pipeline
    from churnml.config import load_config

    output.show_progress()
    result = pipeline.demo(
        folder,
        customers=customers,
        months=months,
        seed=seed,
        config=load_config(config),
        overwrite=overwrite,
    )
    if json:
        output.print_json(result.to_dict())
        return
    show(result)


def show(result: object) -> None:
    """Print what was made, how good it is, and where to look."""
