"""``churnml export``: a saved model as a folder."""

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    uri: Annotated[str, typer.Argument(help="Anything MLflow reads: models:/churn@champion …")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the model goes.")],
    note: Annotated[
        list[str] | None,
        typer.Option(help="A limit that the model card shall name; may be given several times."),
    ] = None,
    overwrite: options.Overwrite = False,
    config: options.ConfigFile = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write a model into a folder, with its model card.

    The folder is read by score and by MLflow, and needs neither a store nor a network.
    MODEL_CARD.md says what the model was trained on, how good it is and for whom, and what
    its scores may and may not be used for.

    Example: churnml export models:/churn@champion models/churn
    """
    import churnml

    options.settings(config)
    exported = churnml.export(uri, folder, note=note or (), overwrite=overwrite)
    if json:
        output.print_json(exported.to_dict())
    else:
        output.print_line(f"{exported.model}: {exported.folder}")
