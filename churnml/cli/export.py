"""``churnml export``: a saved model as a folder."""

from pathlib import Path
from typing import Annotated

import typer

from churnml.cli import options, output


def command(
    uri: Annotated[str, typer.Argument(help="Anything MLflow reads: models:/churn@champion …")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the model goes.")],
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write a model into a folder.

    The folder is checked, and read by score and by MLflow.

    Example: churnml export models:/churn@champion models/churn
    """
    from churnml import pipeline

    exported = pipeline.export(uri, folder, overwrite=overwrite)
    if json:
        output.print_json(exported)
    else:
        output.print_line(f"{exported['model']}: {exported['folder']}")
