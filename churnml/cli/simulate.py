"""``churnml simulate``: an operator with known truth."""

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the tables go.")],
    customers: options.Customers = 20_000,
    months: options.Months = 24,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write the tables of a simulated operator.

    DIR/truth/ holds what only a simulator knows.

    Example: churnml simulate demo/operator --customers 20000 --months 24
    """
    from churnml import pipeline

    output.show_progress()
    tables = pipeline.simulate(
        folder, customers=customers, months=months, seed=seed, overwrite=overwrite
    )
    if json:
        output.print_json({"folder": str(folder), "rows": tables})
        return
    rows = [(name, f"{count:,}") for name, count in tables.items()]
    output.print_table(f"Simulated operator in {folder}", ("table", "rows"), rows, numbers=1)
