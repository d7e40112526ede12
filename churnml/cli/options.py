"""The arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnml.base.tasks import TASKS, TaskName, find_task, listed

if TYPE_CHECKING:
    from churnml.config.settings import Config

Source = Annotated[
    str,
    typer.Argument(help="Operator tables: a folder of Parquet or CSV files, or a DuckDB file."),
]
SourceOrTable = Annotated[
    str,
    typer.Argument(
        help="Operator tables (a folder or DuckDB file), or with --id or --target a table of "
        "your own (CSV, Parquet or XLSX)."
    ),
]
Task = Annotated[str, typer.Argument(metavar="TASK", help=f"{listed(TASKS)}.")]
Mapping = Annotated[
    Path | None,
    typer.Option(help="Mapping of an operator's own names, codes and units (source.yaml)."),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="YAML with settings by section, such as `scoring: {reasons: 3}`; `configs/` of "
        "churnml's repository has every section with its defaults.",
    ),
]
AsOf = Annotated[
    str, typer.Option(help="A date: everything known before midnight at its start counts.")
]
AnySource = Annotated[
    bool,
    typer.Option(
        "--any-source",
        help="Use champions for customers of regions and halls they do not know.",
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        help="duckdb or spark: what reads a folder and builds the features; duckdb by default."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an existing result.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Print tracebacks.")]
Id = Annotated[str | None, typer.Option("--id", help="The table's id column.")]
Target = Annotated[str | None, typer.Option(help="The table's target column.")]
Scale = Annotated[
    str | None,
    typer.Option(
        help="LO:HI, the ends of the satisfaction scale, for example 1:10; 5:1 where 1 is best. "
        'Or words with their scores, 0 to 100: "good=100,fair=50,bad=0".'
    ),
]
Positive = Annotated[
    str | None, typer.Option(help="The target's value that means the customer left.")
]
Sheet = Annotated[str | None, typer.Option(help="The workbook's sheet; by default the first.")]
Encoding = Annotated[
    str | None,
    typer.Option(help="The CSV file's encoding, where it does not tell: cp949, big5, gb18030 …"),
]
Delimiter = Annotated[str | None, typer.Option(help="The CSV file's delimiter: ';', tab …")]
Drop = Annotated[
    list[str] | None, typer.Option(help="A column to leave out; may be given several times.")
]
Group = Annotated[
    str | None, typer.Option(help="The column whose rows belong together, such as one customer's.")
]
Time = Annotated[
    str | None,
    typer.Option(metavar="COL", help="The column of the date that each row stands for."),
]
Budget = Annotated[
    str | None,
    typer.Option(
        help="Time for a search of better settings on the training folds first: 60s, 5m, 1h. "
        "The same command goes on where a stopped search was."
    ),
]
Customers = Annotated[int, typer.Option(min=1, help="Customers to simulate.")]
Months = Annotated[int, typer.Option(min=1, help="Months to simulate.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same operator.")]


def settings(path: Path | None) -> Config:
    """Read the settings of ``--config`` and apply those of the model store."""
    from churnml.config.settings import load_config
    from churnml.registry.store import wait_at_most

    config = load_config(path)
    wait_at_most(config.store.timeout)
    return config


def task(text: str, *, registered: bool = False) -> TaskName:
    """One of the tasks; ``registered`` where models of other names are asked for too.

    Raises
    ------
    UsageError
        If it is none of them.

    Examples
    --------
    >>> task("churn")
    'churn'
    """
    return find_task(text, registered=registered).name


def day(text: str) -> str:
    """A date as ``YYYY-MM-DD``.

    Raises
    ------
    UsageError
        If it is none.

    Examples
    --------
    >>> day("2026-06-01")
    '2026-06-01'
    """
    from datetime import date

    from churnml.errors import UsageError

    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"{text!r} is not a date.", hint="Write it as 2026-06-01.") from None
