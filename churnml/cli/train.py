"""``churnml train``: a churn or satisfaction model."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnml.cli import options, output

if TYPE_CHECKING:
    from churnml.training.train import Trained


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
    time: options.Time = None,
    offer: Annotated[
        str | None, typer.Option(metavar="COL", help="offers: the column of each row's offer.")
    ] = None,
    control: Annotated[
        str | None, typer.Option(metavar="VALUE", help="offers: its value for no offer.")
    ] = None,
    sheet: options.Sheet = None,
    encoding: options.Encoding = None,
    delimiter: options.Delimiter = None,
    name: Annotated[
        str | None, typer.Option(help="Registered name; by default <task>-<file stem>.")
    ] = None,
    budget: options.Budget = None,
    engine: options.Engine = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    accept_suspects: Annotated[
        bool,
        typer.Option(
            "--accept-suspects",
            help="Let a model become champion that learned from columns reported as outcomes.",
        ),
    ] = False,
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
    import churnml

    task = options.task(task_name)
    output.show_progress()
    trained = churnml.train(
        data,
        task,
        until=options.day(until) if until else None,
        id=id,
        target=target,
        scale=scale,
        positive=positive,
        drop=drop or (),
        group=group,
        time=time,
        offer=offer,
        control=control,
        name=name,
        sheet=sheet,
        encoding=encoding,
        delimiter=delimiter,
        budget=budget,
        engine=engine,
        mapping=mapping,
        config=options.settings(config),
        accept_suspects=accept_suspects,
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
    from churnml.metrics.bootstrap import INTERVALS

    tested = ", ".join(trained.dates["test"]) if trained.dates else "held-out rows"
    output.print_table(
        f"{trained.name}: tested on {trained.rows['test']:,} rows ({tested}); {INTERVALS}",
        ("measure", "model", *trained.baselines),
        trained.metric_rows(),
        numbers=1 + len(trained.baselines),
    )
    if trained.offers is not None:
        _show_offers(trained.offers["offers"])
    for note in trained.notes:
        output.print_line(f"note: {note}")
    alias = f" ({trained.alias})" if trained.alias else ""
    output.print_line(f"model: {trained.model_uri}{alias}")


def _show_offers(offers: list[dict[str, Any]]) -> None:
    """Print what each offer did, as counted and doubly robust."""

    def points(one: dict[str, Any], name: str) -> str:
        if one[name] is None:
            return "not known"
        low, high = 100 * one[f"{name}_low"], 100 * one[f"{name}_high"]
        return f"{100 * one[name]:+.2f} ({low:+.2f} to {high:+.2f})"

    output.print_table(
        f"Points more than of {offers[0]['control']:,} offered nothing (95 %)",
        ("offer", "rows", "as counted", "doubly robust", "p (Holm)"),
        [
            (
                one["offer"],
                f"{one['treated']:,}",
                points(one, "difference"),
                points(one, "effect"),
                f"{one['p']:.3f}",
            )
            for one in offers
        ],
        numbers=4,
    )
