"""``churnml report``: one page for a manager."""

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    source: options.Source,
    as_of: options.AsOf,
    out: Annotated[Path, typer.Option(metavar="F.html", help="The page.")],
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
    scores: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Scores of that date; else everybody is scored."),
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="DIR", help="What churnml retain wrote.")
    ] = None,
    campaign: Annotated[
        Path | None, typer.Option(metavar="F.json", help="What churnml measure wrote.")
    ] = None,
    monitor: Annotated[
        Path | None, typer.Option(metavar="DIR", help="What churnml monitor wrote.")
    ] = None,
    churn_model: Annotated[
        str | None, typer.Option(help="Model URI; by default models:/churn@champion.")
    ] = None,
    satisfaction_model: Annotated[
        str | None, typer.Option(help="Model URI; by default models:/satisfaction@champion.")
    ] = None,
    any_source: options.AnySource = False,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write a page for a manager: satisfaction, who may leave, service, what to do.

    One file without scripts or addresses; no customer is in it, and nothing about fewer than 10.

    For example:

    churnml report demo/operator --as-of 2026-06-01 --scores demo/scores --out report.html
    --lang zh
    """
    import churnml

    output.show_progress()
    written = churnml.report(
        source,
        options.day(as_of),
        out=out,
        lang=lang,
        scores=scores,
        plan=plan,
        campaign=campaign,
        monitor=monitor,
        churn_model=churn_model,
        satisfaction_model=satisfaction_model,
        any_source=any_source,
        mapping=mapping,
        config=options.settings(config),
        overwrite=overwrite,
    )
    if json:
        output.print_json(written.to_dict())
        return
    output.print_line(written.headline)
    output.print_line(f"written: {out}")
