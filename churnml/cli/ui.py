"""``churnml ui``: the MLflow UI on the project's store."""

from typing import Annotated

import typer

from churnml.cli import options


def command(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 5000,
    debug: options.Debug = False,
) -> None:
    """Start the MLflow UI on this machine.

    Shows the store that train and score use.

    Example: churnml ui --port 5000
    """
    from churnml.ui import serve

    serve(port)
