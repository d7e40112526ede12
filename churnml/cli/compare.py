"""``churnml compare``: two models side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnml.cli import options, output

if TYPE_CHECKING:
    from churnml.registry.compare import Comparison

_Uri = Annotated[str, typer.Argument(help="Model URI: models:/churn@champion, a folder …")]


def command(
    first: _Uri,
    second: _Uri,
    config: options.ConfigFile = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Compare two models: origin, label, parameters, metrics, features.

    For example:

    churnml compare models:/churn@champion models:/churn@challenger
    """
    import churnml

    options.settings(config)
    comparison = churnml.compare(first, second)
    if json:
        output.print_json(comparison.to_dict())
    else:
        show(comparison)


def show(comparison: "Comparison") -> None:
    """Print what differs, and whether the figures may be compared."""
    from churnml.metrics.bootstrap import INTERVALS

    one, other = comparison.models
    columns = ("", one, other)
    origin = [(name, *values) for name, values in comparison.origin.items()]
    output.print_table("Origin", columns, origin)
    if comparison.params:
        rows = [(name, *map(str, values)) for name, values in comparison.params.items()]
        output.print_table("Parameters that differ", columns, rows)
    title = f"Tested before the refit; {INTERVALS}"
    if not comparison.comparable:
        title += "; NOT comparable, see the notes"
    rows = [(name, *map(_metric, values)) for name, values in comparison.metrics.items()]
    output.print_table(title, columns, rows, numbers=2)
    for version, names in zip(comparison.models, comparison.only, strict=True):
        if names:
            output.print_line(f"only {version} has: {', '.join(names)}")
    rows = [(name, *map(_weight, values)) for name, values in comparison.importance.items()]
    output.print_table("Importance: mean absolute contribution", columns, rows, numbers=2)
    for note in comparison.notes:
        output.print_line(f"note: {note}")


def _metric(value: Sequence[float | None] | None) -> str:
    from churnml.metrics import Estimate, format_estimate

    if value is None or value[0] is None:
        return "–"
    if value[1] is None or value[2] is None:
        return f"{value[0]:.4f}"
    return format_estimate(Estimate(value[0], value[1], value[2]))


def _weight(value: Any) -> str:
    return "–" if value is None else f"{value:.4f}"
