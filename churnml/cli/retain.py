"""``churnml retain``: who gets which offer within a budget."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnml.cli import options, output

if TYPE_CHECKING:
    from churnml.retention.result import RetentionPlan

_SEGMENTS = 8


def command(
    source: options.Source,
    as_of: options.AsOf,
    budget: Annotated[
        float, typer.Option(help="Yuan that may be spent if every offer is accepted.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the list goes.")],
    expected: Annotated[
        bool, typer.Option("--expected", help="The budget caps the expected spending instead.")
    ] = False,
    contacts: Annotated[int | None, typer.Option(help="Customers treated at most.")] = None,
    hold_out: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Share of the list that gets nothing, 0 to below 1."),
    ] = None,
    campaign: Annotated[str | None, typer.Option(metavar="NAME", help="Its name.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the hold-out's draw.")] = None,
    explore: Annotated[
        bool,
        typer.Option(
            "--explore",
            help="Without evidence that offers work, list by value at risk with a hold-out.",
        ),
    ] = False,
    churn_model: Annotated[
        str | None, typer.Option(metavar="URI", help="By default models:/churn@champion.")
    ] = None,
    offers_model: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            help="By default models:/offers@champion; without one, offers are learned anew.",
        ),
    ] = None,
    any_source: options.AnySource = False,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Decide who gets which retention offer within a budget.

    What offers do is told by the promoted model of offers, else learned from the source's own
    past offers. Where there is no evidence that they do anything, or they drive customers away,
    nobody is treated.

    Example: churnml retain demo/operator --as-of 2026-06-01 --budget 20000 --out plan
    """
    import churnml

    output.show_progress()
    plan = churnml.plan_retention(
        source,
        as_of=options.day(as_of),
        budget=budget,
        out=out,
        expected=expected,
        contacts=contacts,
        hold_out=hold_out,
        campaign=campaign,
        seed=seed,
        explore=explore,
        churn_model=churn_model,
        offers_model=offers_model,
        any_source=any_source,
        mapping=mapping,
        config=options.settings(config),
        overwrite=overwrite,
    )
    if json:
        output.print_json(plan.to_dict())
    else:
        _print(plan)


def _print(plan: "RetentionPlan") -> None:
    offers = plan.facts["offers"]
    rows = [
        (
            one["offer"],
            f"{one['treated']:,}",
            f"{100 * one['effect']:+.2f} ({100 * one['effect_low']:+.2f} to "
            f"{100 * one['effect_high']:+.2f})",
            "< 0.001" if one["p"] < 0.001 else f"{one['p']:.3f}",
            f"{one['accepted']:.0%}",
            "–" if one["cost_per_kept"] is None else f"{one['cost_per_kept']:,.0f}",
        )
        for one in offers
    ]
    control = offers[0]["control"] if offers else 0
    title = f"What past offers did, in points, against {control:,} customers offered nothing"
    head = ("offer", "treated", "effect (95 %)", "p (Holm)", "accepted", "yuan/kept")
    output.print_table(title, head, rows, numbers=5)
    _print_segments(plan)
    for name, value in plan.lines():
        output.print_line(f"{name}{'' if name.endswith('?') else ':'} {value}")
    output.print_line(f"list: {plan.folder}")


def _print_segments(plan: "RetentionPlan") -> None:
    told = [one for one in plan.facts["segments"] if one["treated"] and one["offer"]]
    rows = [
        (
            one["segment"],
            one["offer"],
            f"{one['customers']:,}",
            f"{one['treated']:,}",
            f"{one['cost']:,.0f}",
            f"{one['gain_optimistic']:,.0f}",
            "–" if one["gain_honest"] is None else f"{one['gain_honest']:,.0f}",
        )
        for one in sorted(told, key=lambda one: -one["treated"])[:_SEGMENTS]
    ]
    if rows:
        head = ("segment", "offer", "customers", "treated", "cost", "gain", "honest")
        output.print_table("Segments where most are treated, yuan", head, rows, numbers=5)
