"""``churnml labels``: the churn rate by every definition of leaving, before any model."""

import math
from typing import Annotated, Any

import typer

from churnml.cli import options, output

_COLUMNS = {
    "silent": "silent before",
    "gap": "lead",
    "horizon": "horizon",
    "inactive_months": "silence",
    "customers": "customers",
    "rate": "leave",
    "terminated": "end service",
    "inactive": "fall silent",
    "terminated_also_inactive": "ended, silent too",
    "inactive_also_terminated": "silent, ended too",
    "come_back": "come back",
    "involuntary": "unpaid",
}
_TEXTS = 3


def command(
    source: options.Source,
    as_of: Annotated[
        str | None,
        typer.Option(help="A date; by default the last that the data cover for every definition."),
    ] = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show what the churn rate depends on, before any model.

    Inactivity of 1, 2, 3 whole months, horizons of 1, 2, 3 months, leads of 0, 30, 60 days,
    with and without customers who were silent before.

    Example: churnml labels demo/operator --as-of 2026-02-01
    """
    from churnml import pipeline
    from churnml.config import load_config

    output.show_progress()
    found = pipeline.label_sensitivity(
        source,
        options.day(as_of) if as_of else None,
        mapping=mapping,
        config=load_config(config),
    )
    rows = found.to_dict("records")
    if json:
        output.print_json({"labels": [{str(k): _plain(v) for k, v in row.items()} for row in rows]})
        return
    output.print_table(
        f"Leaving after {rows[0]['as_of']}: shares of the customers; * is what training uses",
        list(_COLUMNS.values()),
        [[_cell(name, row) for name in _COLUMNS] for row in rows],
        numbers=len(_COLUMNS) - _TEXTS,
    )


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _cell(name: str, row: dict[Any, Any]) -> str:
    value = row[name]
    if name == "inactive_months":
        return f"{value} mo" if value else "-"
    if isinstance(value, float):
        star = "* " if name == "rate" and row["configured"] else ""
        return "-" if math.isnan(value) else f"{star}{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else str(value)
