"""``churnml ui``: the MLflow UI on the project's store."""

import sys
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 5000,
    config: options.ConfigFile = None,
    debug: options.Debug = False,
) -> None:
    """Start the MLflow UI on this machine, and print where it is.

    Shows the store that train and score use. Ctrl-C stops it.

    Example: churnml ui --port 5000
    """
    from churnml.registry.ui import serve

    options.settings(config)
    serve(port, _say)


def _say(line: str) -> None:
    # As it is, and at once: an address that is wrapped cannot be followed.
    sys.stdout.write(f"{output.printable(line)}\n")
    sys.stdout.flush()
