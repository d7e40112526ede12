"""``churnml evaluate``: a model on rows whose outcome is known."""

from typing import Annotated, Any

import typer

from churnml.cli import options, output
from churnml.errors import UsageError


def command(
    model: Annotated[str, typer.Argument(help="Model URI: models:/churn@champion, a folder …")],
    data: options.SourceOrTable,
    as_of: Annotated[
        str | None, typer.Option(help="Operator tables: the date to predict from.")
    ] = None,
    id: options.Id = None,
    target: options.Target = None,
    group: options.Group = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Measure a model where the outcome is known.

    For example:

    churnml evaluate models:/churn@champion demo/operator --as-of 2026-04-01

    churnml evaluate models:/churn-customers/1 customers.csv --id customerID --target Churn
    """
    from churnml import pipeline
    from churnml.config import load_config

    output.show_progress()
    settings = load_config(config)
    if as_of is not None and target is None:
        evaluated = pipeline.evaluate_source(
            model, data, options.day(as_of), mapping=mapping, config=settings
        )
    elif target is not None and as_of is None:
        evaluated = pipeline.evaluate_table(
            model, data, id=id, target=target, group=group, config=settings
        )
    else:
        raise UsageError(
            "Operator tables need --as-of, a table of your own needs --target, never both."
        )
    if json:
        output.print_json(evaluated)
    else:
        show(evaluated)


def show(evaluated: dict[str, Any]) -> None:
    """Print the measures with their intervals."""
    found = evaluated["metrics"]
    names = [name for name in found if not name.endswith(("_low", "_high"))]
    ends = [[found.get(f"{name}_{end}") for end in ("low", "high")] for name in names]
    rows = [
        (name, f"{found[name]:.4f}", *("–" if one is None else f"{one:.4f}" for one in both))
        for name, both in zip(names, ends, strict=True)
    ]
    title = f"{evaluated['model']} on {evaluated['rows']:,} rows; 95 % intervals over customers"
    output.print_table(title, ("measure", "value", "low", "high"), rows, numbers=3)
    for note in evaluated["notes"]:
        output.print_line(f"note: {note}")
