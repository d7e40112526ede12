"""``churnml rollback``: the previous champion again."""

from typing import Annotated

import typer

from churnml.cli import options, output
from churnml.cli.promote import Name


def command(
    task_name: options.Task,
    reason: Annotated[str | None, typer.Option(help="Why; kept in the history.")] = None,
    name: Name = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Make the previous champion the champion again.

    The two change places, so that a second rollback undoes the first.

    For example:

    churnml rollback churn --reason "complaints about the June campaign"
    """
    import churnml

    options.settings(config)
    task = options.task(task_name, registered=True)
    rolled = churnml.rollback(task, name=name, reason=reason)
    if json:
        output.print_json(rolled.to_dict())
        return
    output.print_line(
        f"{rolled.name}/{rolled.event.version} is the champion again, "
        f"version {rolled.event.over} is previous."
    )
