"""``churnml validate``: every breach of the contract."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnml.base.text import quoted
from churnml.cli import options, output

if TYPE_CHECKING:
    from churnml.tables.validation import Report


def command(
    source: options.Source,
    quarantine: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the rows set aside go, each with its reason."),
    ] = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Check operator tables against the contract.

    Status 3 where the source is refused.

    Example: churnml validate demo/operator --quarantine bad_rows
    """
    import churnml
    from churnml.config.settings import load_config

    output.show_progress()
    validation = churnml.validate(
        source,
        load_config(config),
        mapping=mapping,
        quarantine=quarantine,
        overwrite=overwrite,
    )
    if json and not validation.refused:
        output.print_json(validation.report.to_dict())
    elif not json:
        _print(validation.report)
    validation.raise_if_refused()


def _print(report: "Report") -> None:
    output.print_table(
        "Rows", ("table", "rows", "good", "set aside"), report.count_rows(), numbers=3
    )
    breaches = [(*row[:5], f"{row[5]}; {row[6]}") for row in report.breach_rows()]
    head = ("code", "table", "column", "count", "examples", "expected; what was done")
    if breaches:
        output.print_table("Breaches", head, breaches)
    else:
        output.print_line("No breach of the contract.")
    for table, columns in (report.ignored or {}).items():
        names = ", ".join(quoted(name) for name in columns)
        output.print_line(f"ignored columns of {table}: {names}")
    for note in report.notes:
        output.print_line(f"note: {note}")
    if report.missing:
        output.print_line(f"absent tables: {', '.join(report.missing)}")
