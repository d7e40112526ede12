"""``churnml init``: a draft of the mapping of an operator's own files."""

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Holds an operator's files: CSV, Parquet or XLSX, also in parts; or a DuckDB file."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="MAPPING", help="The mapping; by default source.yaml in the folder."),
    ] = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Look at an operator's files and draft their mapping: names, codes, dates, units.

    Each line of the draft is marked as sure or as to be checked; the source is then validated
    with it.

    Example: churnml init my_files
    """
    import churnml

    output.show_progress()
    draft = churnml.draft_mapping(folder, out=out, overwrite=overwrite)
    if json:
        output.print_json(draft.to_dict())
        return
    rows = [
        (
            one["table"],
            one["file"],
            f"{one['rows']:,}",
            *(
                str(
                    sum(c["table"] == one["table"] and c["status"] == status for c in draft.columns)
                )
                for status in ("sure", "check", "not read")
            ),
        )
        for one in draft.tables
    ]
    head = ("table", "file", "rows", "sure", "check", "not read")
    output.print_table(f"Draft mapping in {draft.mapping}", head, rows, numbers=4)
    doubtful = [
        (f"{one['table']}.{one['column']}", one["own"], one["check"])
        for one in draft.columns
        if one["status"] == "check"
    ]
    if doubtful:
        output.print_table("To check", ("taken for", "column", "why"), doubtful)
    left = [f"{one['file']}: {one['own']}" for one in draft.columns if one["status"] == "not read"]
    if left:
        output.print_line(f"not read: {', '.join(left)}")
    for note in draft.notes:
        output.print_line(note)
    output.print_line(draft.verdict)
    output.print_line(draft.next_step)
