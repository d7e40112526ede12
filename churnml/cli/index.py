"""``churnml index``: how satisfied all customers are, and each kind of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from churnml.base.text import counted
from churnml.cli import options, output


def command(
    source: options.Source,
    as_of: options.AsOf,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COL[+COL]",
            help="What cells are made of: columns of customers, individual_tier, group_tier, "
            "tenure_band; may be given several times.",
        ),
    ] = None,
    satisfaction_model: Annotated[
        str | None,
        typer.Option(
            help="Model URI; by default models:/satisfaction@champion, where there is one."
        ),
    ] = None,
    any_source: options.AnySource = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="F", help="A file for the table: .parquet, .csv or .xlsx."),
    ] = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show how satisfied the customers are, with intervals.

    From survey answers, weighted to stand for everybody, and predictions.

    For example:

    churnml index demo/operator --as-of 2026-06-01 --by brand --by hall_id --out index.xlsx
    """
    import churnml

    output.show_progress()
    found = churnml.satisfaction_index(
        source,
        as_of=options.day(as_of),
        by=by or (),
        satisfaction_model=satisfaction_model,
        out=out,
        any_source=any_source,
        mapping=mapping,
        config=options.settings(config),
        overwrite=overwrite,
    )
    if json:
        output.print_json(found.to_dict())
        return
    title = f"Satisfaction index at {found.as_of}, answers since {found.since}"
    table = found.table
    hidden = (table["how"] == "hidden") & (table["by"] != "")
    rows = [
        _columns(row)
        for row, out_of_sight in zip(found.rows(), hidden, strict=True)
        if not out_of_sight
    ]
    output.print_table(title, _columns(found.head()), rows)
    for name, cells in table[hidden].groupby("by", sort=False)["cell"].count().items():
        output.print_line(f"{name}: {counted(int(cells), 'cell')} hidden, of fewer than 10 people")
    for note in found.notes:
        output.print_line(f"note: {note.en}")
    if out is not None:
        output.print_line(f"written: {out}")


def _columns(row: Sequence[str]) -> list[str]:
    """What of a row fits beside each other on a screen; ``--json`` and ``--out`` hold all."""
    cell, _customers, answers, _survey, index, month, year, how, _needed, standing = row
    return [cell, answers, index, month, year, how if not standing or how == "pooled" else standing]
