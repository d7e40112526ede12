"""``churnml demo``: the whole way on a simulated operator."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnml.cli import options, output

if TYPE_CHECKING:
    from churnml.pipeline import Demo


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

    output.show_progress()
    result = pipeline.demo(
        folder,
        customers=customers,
        months=months,
        seed=seed,
        config=options.settings(config),
        overwrite=overwrite,
    )
    if json:
        output.print_json(result.to_dict())
        return
    show(result)


def show(result: "Demo") -> None:
    """Print what was made, how good it is, and where to look."""
    from churnml.cli import train

    for one in result.trained:
        train.show(one)
        output.print_line("")
    _bands(result)
    scored = result.manifest.rows.scored
    output.print_line(f"{scored:,} customers scored; the whole way in {result.seconds:.0f} s.")
    output.print_line("")
    output.print_line("Where to look:")
    folder = result.folder
    for what, place in (
        ("tables", folder / "operator"),
        ("truth of the simulation", folder / "operator" / "truth"),
        ("scores with reasons", folder / "scores"),
        ("account of the scoring", folder / "scores" / "_manifest.json"),
        ("runs, figures, models", "churnml ui"),
    ):
        output.print_line(f"  {what:<25}{place}")


def _bands(result: "Demo") -> None:
    """How many customers are in each band of risk, and what drives it there."""
    import duckdb

    from churnml.tables.source.engines.duckdb import file_literals

    scores = result.folder / "scores"
    parts = file_literals(scores / part.name for part in result.manifest.parts)
    rows = duckdb.execute(
        "select risk_band, count(*), avg(churn_probability), avg(satisfaction), "
        f"mode(reasons[1].driver) from read_parquet({parts}) group by 1 order by 3 desc"
    ).fetchall()
    cells = [
        (band, driver, f"{count:,}", f"{chance:.1%}", f"{satisfied:.1f}")
        for band, count, chance, satisfied, driver in rows
    ]
    head = ("risk", "usual driver", "customers", "mean churn probability", "mean satisfaction")
    output.print_table(f"Scores at {result.manifest.as_of}", head, cells, numbers=3)
