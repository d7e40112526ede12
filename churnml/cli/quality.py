"""``churnml quality``: indicators along the customer's way, and what moves them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnml.cli import options, output

if TYPE_CHECKING:
    from churnml.service.quality.result import ServiceQuality


def command(
    source: options.Source,
    as_of: options.AsOf,
    months: Annotated[
        int | None, typer.Option(min=1, help="Whole months told; the default is quality.months.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder for the tables, as Parquet files.")
    ] = None,
    churn_model: Annotated[
        str | None, typer.Option(help="A model URI; by default models:/churn@champion, if any.")
    ] = None,
    satisfaction_model: Annotated[
        str | None,
        typer.Option(help="A model URI; by default models:/satisfaction@champion, if any."),
    ] = None,
    any_source: options.AnySource = False,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show service quality: hall, hotline, network, tariff, billing.

    Operation beside perception, against targets and with intervals; drivers, the hotline's menu,
    word of mouth, corporate groups. Values about fewer than 10 people are hidden.

    Example: churnml quality demo/operator --as-of 2026-06-01 --out quality
    """
    import churnml

    output.show_progress()
    found = churnml.service_quality(
        source,
        options.day(as_of),
        months=months,
        out=out,
        churn_model=churn_model,
        satisfaction_model=satisfaction_model,
        any_source=any_source,
        mapping=mapping,
        config=options.settings(config),
        overwrite=overwrite,
    )
    if json:
        output.print_json(found.to_dict())
        return
    _print(found)


def _print(found: "ServiceQuality") -> None:
    from churnml.service.quality.result import count_text, interval_text, light_text, number_text

    rows = [
        (
            f"{one.en} {one.zh}",
            interval_text(row["value"], row["low"], row["high"], one.unit),
            light_text(row["light"]) + ("  ALARM" if row["alarm"] else ""),
            row["stage"],
            f"{row['month']:%Y-%m}",
            count_text(row["n"]),
            number_text(row["target"], one.unit),
        )
        for row in found.latest_rows()
        for one in [found.declared[row["indicator"]]]
    ]
    # What a narrow screen shows first leads.
    head = ("indicator", "value (95 % interval)", "light", "stage", "month", "n", "target")
    output.print_table(f"Service quality at {found.as_of}", head, rows)
    for sentence in found.alarm_sentences():
        output.print_line(f"alarm: {sentence}")
    for point in found.facts["change_points"]:
        segment = point["segment"] or "all customers"
        output.print_line(
            f"word of mouth of {segment}: the level differs from {point['month']:%Y-%m} on, by "
            f"{point['difference']:+.1f} points ({point['low']:+.1f} to {point['high']:+.1f})"
        )
    for note in found.notes:
        output.print_line(f"note: {note}")
