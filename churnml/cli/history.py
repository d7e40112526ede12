"""``churnml history``: what happened to a registered model."""

from typing import Any

from churnml.cli import options, output
from churnml.cli.promote import Name


def command(
    task_name: options.Task,
    name: Name = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show who registered, promoted or rolled back which version, when and why.

    For example:

    churnml history churn
    """
    import churnml

    options.settings(config)
    history = churnml.history(options.task(task_name, registered=True), name=name).to_dict()
    if json:
        output.print_json(history)
    else:
        show(history)


def show(history: dict[str, Any]) -> None:
    """Print the events, oldest first, and the aliases as they are."""
    rows = [
        (
            event["when"],
            event.get("who", ""),
            event["what"],
            event["version"],
            event.get("over", ""),
            event.get("digest", "")[:12],
            event.get("why", ""),
        )
        for event in history["events"]
    ]
    columns = ("when (UTC)", "who", "what", "version", "over", "digest", "why")
    output.print_table(history["name"], columns, rows)
    aliases = ", ".join(
        f"{alias} {version}" for alias, version in sorted(history["aliases"].items())
    )
    output.print_line(f"aliases: {aliases or 'none'}")
