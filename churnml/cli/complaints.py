"""``churnml complaints``: complaints, recorded in one way."""

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    source: options.Source,
    as_of: options.AsOf,
    months: Annotated[
        int | None,
        typer.Option(min=1, help="Whole months looked back on; by default 12, a setting."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="For the tables: categories, quality, open, for_a_person."
        ),
    ] = None,
    coded: Annotated[
        Path | None,
        typer.Option(
            metavar="F.parquet", help="For every complaint's category, which a mapping can name."
        ),
    ] = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Put complaints into categories, and show how they are recorded and solved.

    By the operator's own category or code first, then by the text; what is unsure is for a
    person.

    Example: churnml complaints demo/operator --as-of 2026-06-01 --out complaints
    """
    import churnml
    from churnml.config.settings import load_config
    from churnml.service.complaints import result

    output.show_progress()
    found = churnml.complaint_record(
        source,
        as_of=options.day(as_of),
        months=months,
        out=out,
        coded=coded,
        mapping=mapping,
        config=load_config(config),
        overwrite=overwrite,
    )
    if json:
        output.print_json(found.to_dict())
        return
    for sentence in found.sentences:
        output.print_line(sentence)
    last = found.last_month
    for title, head, rows, numbers in (
        (f"\nComplaints of {last} by category (投诉分类)", result.CATEGORY_HEAD,
         found.category_rows(), 2),
        (f"\nThe record's quality in {last} (投诉记录质量)", result.MEASURE_HEAD,
         found.measure_rows(), 0),
        (f"\nOpen at {found.as_of} (未解决投诉)", result.OPEN_HEAD, found.open_rows(), 3),
    ):  # fmt: skip
        output.print_table(title, head, rows, numbers=numbers)
    for note in found.notes:
        output.print_line(f"note: {note}")
    for place in (found.folder, found.coded):
        if place is not None:
            output.print_line(f"written: {place}")
