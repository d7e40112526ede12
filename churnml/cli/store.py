"""``churnml store relocate``: the model store of a project folder that was moved."""

import typer

from churnml.cli import options, output

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def _store() -> None:
    """Look after the model store."""


@app.command("relocate")
def relocate(json: options.Json = False, debug: options.Debug = False) -> None:
    """Write the places of the store's files anew, after its folder was moved or copied.

    Other commands do so by themselves where the files came along; run it in the folder that
    holds mlflow.db.

    Example: churnml store relocate
    """
    from churnml.registry.relocation import relocate_store
    from churnml.registry.store import database_file, store_uri

    output.show_progress()
    moved = relocate_store(database_file(store_uri()))
    if json:
        output.print_json(moved.to_dict())
    else:
        output.print_line(repr(moved))
