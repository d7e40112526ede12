"""``churnml simulate``: an operator whose true probabilities are known."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnml.cli import options, output

if TYPE_CHECKING:
    from churnml.tables.simulator import Replay

Trend = Annotated[
    float,
    typer.Option(
        min=-0.1,
        max=0.1,
        metavar="T",
        help="What every month adds to everybody's log-odds of leaving.",
    ),
]
Interactions = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=3.0,
        metavar="S",
        help="Strength of interactions between causes; at 0 their effects add up.",
    ),
]
OwnWords = Annotated[
    bool,
    typer.Option("--own-words", help="Complaints in thousands of wordings, not in fifteen."),
]
Uncoded = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, metavar="S", help="Share of complaints without a category."),
]
Spoilt = Annotated[
    float,
    typer.Option(
        min=0.0, max=1.0, metavar="S", help="Share of complaints badly typed, in other words."
    ),
]

SatisfactionStep = Annotated[
    float,
    typer.Option(
        min=-30.0,
        max=30.0,
        metavar="P",
        help="Points by which everybody is more satisfied from --step-from on.",
    ),
]
StepFrom = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="First day of that month; by default the middle one."),
]

Effect = Annotated[
    str,
    typer.Option(metavar="E", help="What offers do: own, none, same, mixed or harm."),
]
Assignment = Annotated[
    str, typer.Option(metavar="A", help="Arms drawn by lot, or by_risk: the riskier treated more.")
]
CampaignSize = Annotated[
    float, typer.Option(min=0.0, max=100.0, metavar="K", help="Times the usual offers.")
]
Fatigue = Annotated[
    float,
    typer.Option(min=0.0, max=2.0, metavar="F", help="Log-odds of leaving by earlier offers."),
]
OptOuts = Annotated[
    float, typer.Option(min=0.0, max=1.0, metavar="S", help="Share who want no contacts.")
]
Contagion = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=3.0,
        metavar="S",
        help="Adds who calls whom; S: what a friend who left adds to the log-odds of leaving.",
    ),
]


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the tables go.")],
    customers: options.Customers = 20_000,
    months: options.Months = 24,
    seed: options.Seed = 0,
    trend: Trend = 0.0,
    interactions: Interactions = 0.0,
    own_words: OwnWords = False,
    uncoded: Uncoded = 0.0,
    spoilt: Spoilt = 0.0,
    satisfaction_step: SatisfactionStep = 0.0,
    step_from: StepFrom = None,
    effect: Effect = "own",
    assignment: Assignment = "lot",
    campaign_size: CampaignSize = 1.0,
    fatigue: Fatigue = 0.0,
    opt_outs: OptOuts = 0.03,
    contagion: Contagion = None,
    replay: Annotated[
        Path | None,
        typer.Option(metavar="PLAN", help="A folder of churnml retain, played in its month."),
    ] = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write the tables of a simulated operator.

    DIR/truth/ holds what only a simulator knows.

    Example: churnml simulate demo/operator --customers 20000 --months 24
    """
    import churnml
    from churnml.base.dates import parse_date

    output.show_progress()
    tables = churnml.simulate(
        folder,
        customers=customers,
        months=months,
        seed=seed,
        trend=trend,
        interactions=interactions,
        own_words=own_words,
        uncoded=uncoded,
        spoilt=spoilt,
        satisfaction_step=satisfaction_step,
        step_from=None if step_from is None else parse_date(step_from),
        effect=effect,  # type: ignore[arg-type]
        assignment=assignment,  # type: ignore[arg-type]
        campaign_size=campaign_size,
        fatigue=fatigue,
        opt_outs=opt_outs,
        contagion=contagion,
        replay=_replay(replay),
        overwrite=overwrite,
        progress=True,
    )
    if json:
        output.print_json({"folder": str(folder), "rows": tables})
        return
    rows = [(name, f"{count:,}") for name, count in tables.items()]
    output.print_table(f"Simulated operator in {folder}", ("table", "rows"), rows, numbers=1)


def _replay(plan: Path | None) -> "Replay | None":
    if plan is None:
        return None
    from churnml.retention.result import RetentionPlan

    return RetentionPlan.read(plan).as_replay()
