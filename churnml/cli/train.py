"""``churnml train``: a churn or satisfaction model."""

from typing import TYPE_CHECKING, Annotated

import typer

from churnml.cli import options, output
from churnml.errors import UsageError

if TYPE_CHECKING:
    from churnml.pipeline import Trained


def command(
    task_name: options.Task,
    data: options.SourceOrTable,
    until: Annotated[
        str | None, typer.Option(help="Read nothing at or after this date, labels included.")
    ] = None,
    id: options.Id = None,
    target: options.Target = None,
    scale: options.Scale = None,
    positive: options.Positive = None,
    drop: options.Drop = None,
    group: options.Group = None,
    sheet: options.Sheet = None,
    encoding: options.Encoding = None,
    delimiter: options.Delimiter = None,
    name: Annotated[
        str | None, typer.Option(help="Registered name; by default <task>-<file stem>.")
    ] = None,
    budget: options.Budget = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    track: Annotated[
        bool, typer.Option(help="Record the run in MLflow; --no-track needs --out.")
    ] = True,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Save the model into this folder too.")
    ] = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Train, test and register a model.

    Trains forward in time, tests on the last months, then learns from all of them.

    For example:

    churnml train churn demo/operator

    churnml train churn customers.csv --id customerID --target Churn
    """
    from churnml import pipeline
    from churnml.config.settings import with_setting

    task = options.task(task_name)
    output.show_progress()
    settings = options.settings(config)
    if budget is not None:
        settings = with_setting(settings, f"{task}.budget", budget)
    reading = {"sheet": sheet, "encoding": encoding, "delimiter": delimiter}
    if id is not None or target is not None:
        if until is not None or mapping is not None:
            raise UsageError("--until and --mapping are for operator tables, not with --id.")
        trained = pipeline.train_table(
            task,
            data,
            id=id,
            target=target,
            scale=scale,
            positive=positive,
            drop=drop or [],
            group=group,
            name=name,
            reading=reading,
            config=settings,
            track=track,
            out=out,
            overwrite=overwrite,
        )
    else:
        own = (scale, positive, group, name, *reading.values())
        if any(option is not None for option in own) or drop:
            raise UsageError(
                "--scale, --positive, --drop, --group, --name, --sheet, --encoding and "
                "--delimiter are for a table of your own.",
                hint="Name its columns with --id and --target.",
            )
        trained = pipeline.train_source(
            task,
            data,
            until=options.day(until) if until else None,
            mapping=mapping,
            config=settings,
            track=track,
            out=out,
            overwrite=overwrite,
        )
    if json:
        output.print_json(trained.to_dict())
    else:
        show(trained)


def show(trained: "Trained") -> None:
    """Print how good a model is beside its baselines, and what it is called."""
    from churnml.metrics import HEADLINE
    from churnml.metrics.bootstrap import INTERVALS
    from churnml.models.cards.mlflow_notes import format_estimate

    sides = trained.baselines.values()
    rows = [
        (
            name,
            format_estimate(trained.metrics[name]),
            *(format_estimate(found.get(name), alone=True) for found in sides),
        )
        for name in HEADLINE[trained.task]
        if name in trained.metrics
    ]
    tested = ", ".join(trained.dates["test"]) if trained.dates else "held-out rows"
    output.print_table(
        f"{trained.name}: tested on {trained.rows['test']:,} rows ({tested}); {INTERVALS}",
        ("measure", "model", *trained.baselines),
        rows,
        numbers=1 + len(trained.baselines),
    )
    for note in trained.notes:
        output.print_line(f"note: {note}")
    alias = f" ({trained.alias})" if trained.alias else ""
    output.print_line(f"model: {trained.model_uri}{alias}")
