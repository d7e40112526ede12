"""``churnml labels``: the churn rate by every definition of leaving, before any model."""

import math
from typing import Annotated, Any

import typer

from churnml.cli import options, output

_COLUMNS = {
    "window": "lead+ horizon",
    "inactive_months": "silent for",
    "customers": "all",
    "rate": "leave",
    "terminated": "end",
    "terminated_also_inactive": "silent too",
    "inactive": "fall silent",
    "inactive_also_terminated": "end too",
    "come_back": "come back",
    "involuntary": "unpaid",
}
_TEXTS = 1
_TITLES = {
    "with": "Leaving after {}: shares of the customers; * is what training uses",
    "without": "\nWithout those who by the same silence had left before",
}
_LEGEND = {
    "lead+horizon": "from the date to where the horizon begins, and how long it is",
    "silent for": "whole months without an active day after which a prepaid customer has left; "
    "+2: it ends 2 months after the horizon, and needs data that reach as far",
    "all": "customers who are there when the horizon begins",
    "leave": "by ending the service or by falling silent; once who does both",
    "end": "end their service; silent too: of them, the share that falls silent as well",
    "fall silent": "have no active day for so long; end too: of them, the share "
    "that ends its service as well; come back: the share active again in a whole month after "
    "its first such silence, up to 3 months past the horizon, where one is seen",
    "unpaid": "of those who end their service, the share with a bill then unpaid for 60 days or "
    "more: the involuntary part",
    "-": "the data do not tell",
}


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
    """Show how the churn rate depends on its definition.

    Inactivity of 1, 2, 3 whole months, horizons of 1, 2, 3 months, leads of 0, 30, 60 days,
    with and without customers who were silent before.

    Example: churnml labels demo/operator --as-of 2026-02-01
    """
    import churnml
    from churnml.config.settings import load_config

    output.show_progress()
    table = churnml.label_sensitivity(
        source,
        options.day(as_of) if as_of else None,
        mapping=mapping,
        config=load_config(config),
    )
    rows = table.assign(as_of=table["as_of"].dt.strftime("%Y-%m-%d")).to_dict("records")
    if json:
        output.print_json({"labels": [{str(k): _plain(v) for k, v in row.items()} for row in rows]})
        return
    for silent, title in _TITLES.items():
        some = [row for row in rows if row["silent"] == silent]
        if some:
            output.print_table(
                title.format(rows[0]["as_of"]),
                list(_COLUMNS.values()),
                [[_cell(name, row) for name in _COLUMNS] for row in some],
                numbers=len(_COLUMNS) - _TEXTS,
            )
    output.print_line("")
    for name, words in _LEGEND.items():
        output.print_line(f"{name}: {words}")


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _cell(name: str, row: dict[Any, Any]) -> str:
    if name == "window":
        return f"{row['gap']}+{row['horizon']}"
    value = row[name]
    if name == "inactive_months":
        beyond = f" +{row['beyond_months']}" if row["beyond_months"] else ""
        return f"{value}mo{beyond}" if value else "-"
    if isinstance(value, float):
        star = "* " if name == "rate" and row["configured"] else ""
        return "-" if math.isnan(value) else f"{star}{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else str(value)
