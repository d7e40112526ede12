"""``churnml demo``: the whole job on a simulated operator."""

import logging
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnml.cli import options, output

if TYPE_CHECKING:
    from churnml.config.settings import Config
    from churnml.scoring.manifest import Manifest
    from churnml.tables.validation import Report
    from churnml.training.train import Trained

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """The results of a demo.

    Attributes
    ----------
    folder : Path
    tables : dict of str to int
        Rows of each simulated table.
    report : Report
        Of validation.
    trained : tuple of Trained
    manifest : Manifest
        Of the scoring.
    seconds : float
    """

    folder: Path
    tables: dict[str, int]
    report: "Report"
    trained: "tuple[Trained, ...]"
    manifest: "Manifest"
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The demo as plain data, for ``--json``."""
        return {
            "folder": str(self.folder),
            "tables": self.tables,
            "validation": self.report.to_dict(),
            "trained": [one.to_dict() for one in self.trained],
            "scores": self.manifest.to_dict(),
            "seconds": round(self.seconds, 1),
        }


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
    """Run the whole job on a simulated operator.

    Simulates its tables, checks them, trains both models and scores every customer.

    Example: churnml demo demo --overwrite
    """
    output.show_progress()
    result = run_demo(
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


def run_demo(
    folder: Path, *, customers: int, months: int, seed: int, config: "Config", overwrite: bool
) -> Demo:
    """Simulate an operator, check it, train both models and score everybody."""
    import churnml
    from churnml.base.dates import add_span
    from churnml.base.tasks import TASKS
    from churnml.tables.checked import as_source

    began = time.monotonic()
    if config.engine.memory_limit is None:
        # The whole demo is to stay within 2 GB.
        engine = config.engine.model_copy(update={"memory_limit": "1GB"})
        config = config.model_copy(update={"engine": engine})
    _log.info("simulating %s customers over %d months", f"{customers:,}", months)
    tables = churnml.simulate(
        folder / "operator",
        customers=customers,
        months=months,
        seed=seed,
        overwrite=overwrite,
        progress=True,
    )
    operator = as_source(folder / "operator", config=config)
    validation = churnml.validate(operator, config)
    trained = tuple(
        churnml.train(operator, task.name, config=config)
        for task in TASKS.values()
        if task.by_default
    )
    last = max(date.fromisoformat(day) for day in trained[0].dates["all"])
    # Two months after the last labelled date the tables end: the first date to be scored.
    as_of = add_span(last, config.churn.horizon)
    manifest = churnml.score(
        operator,
        as_of,
        out=folder / "scores",
        churn_model=trained[0].model_uri,
        satisfaction_model=trained[1].model_uri,
        config=config,
        overwrite=overwrite,
    )
    return Demo(
        folder=folder,
        tables=tables,
        report=validation.report,
        trained=trained,
        manifest=manifest,
        seconds=time.monotonic() - began,
    )


def show(result: "Demo") -> None:
    """Print what was made, how good it is, and where to look."""
    from churnml.cli import train
    from churnml.scoring.bands import risk_bands

    for one in result.trained:
        train.show(one)
        output.print_line("")
    output.print_bands(
        risk_bands(result.manifest),
        result.manifest.as_of,
        result.manifest.bands.get("meaning", ""),
    )
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
