"""The command line: one module a command, each a thin layer over the package.

Results go to standard output, progress and messages to standard error. Nothing heavy is
imported before a command runs, so that ``churnml --help`` answers at once.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType, ModuleType
from typing import NoReturn

import typer

from churnml.base.library_warnings import pass_over_library_warnings
from churnml.cli import (
    backtest,
    compare,
    complaints,
    demo,
    evaluate,
    export,
    features,
    history,
    index,
    init,
    labels,
    measure,
    monitor,
    output,
    promote,
    quality,
    report,
    retain,
    rollback,
    run,
    score,
    simulate,
    store,
    train,
    ui,
    validate,
)
from churnml.cli import list as list_customers
from churnml.cli.output import report_error
from churnml.errors import ChurnmlError
from churnml.errors.masking import without_secrets


def _help_of(module: ModuleType) -> str:
    """A command's docstring, read from its source where Python strips docstrings (``-OO``)."""
    if module.command.__doc__ is not None:
        return str(module.command.__doc__)
    tree = ast.parse(inspect.getsource(module))
    named = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "command"]
    return ast.get_docstring(named[0]) or ""


app = typer.Typer(
    name="churnml",
    help="Which customers will leave, how satisfied every customer is, why, and what to do.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Drawing help with rich costs more than everything else that --help does.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    demo,
    simulate,
    init,
    validate,
    features,
    labels,
    train,
    evaluate,
    backtest,
    score,
    list_customers,
    run,
    index,
    retain,
    measure,
    monitor,
    promote,
    rollback,
    history,
    compare,
    export,
    complaints,
    quality,
    report,
    ui,
):
    app.command(help=_help_of(module))(module.command)
    # Typer names a command after its function; here the module names it.
    app.registered_commands[-1].name = module.__name__.rpartition(".")[2]
app.add_typer(store.app, name="store")


def _version(value: bool) -> None:
    if value:
        from churnml import __version__

        typer.echo(f"churnml {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    pass


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with the status of the contract.

    0 done; 1 a fault of churnml's own; 2 the command line or configuration; 3 the input
    data; 4 the model or registry; 5 the output; 6 done, but a gate tripped.
    """
    arguments = sys.argv[1:] if argv is None else argv
    pass_over_library_warnings()
    if sys.stdout is None:
        # Closed by whoever started the command.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(_run(arguments))


_terminated: list[int] = []


def _terminate(number: int, _frame: FrameType | None) -> None:
    _terminated.append(number)
    raise SystemExit(143)


def _run(arguments: list[str]) -> int:
    # A newcomer who types the name alone is shown the way.
    arguments = arguments or ["--help"]
    as_json, debug = "--json" in arguments, "--debug" in arguments
    try:
        status = app(args=arguments, standalone_mode=False, prog_name="churnml")
        sys.stdout.flush()
        if status == 130:
            # Typer gives Ctrl-C back as a status instead of raising it.
            raise KeyboardInterrupt
    except ChurnmlError as error:
        if debug:
            _print_traceback(arguments)
        report_error(error.to_dict(), as_json=as_json)
        return error.status
    except typer.TyperException as error:
        message = error.format_message()
        if not message:
            return error.exit_code
        hint = _date_hint(message, arguments) or _help_hint(arguments)
        sentence = message if message.endswith((".", "?", "!")) else f"{message}."
        report_error({"status": 2, "message": sentence, "hint": hint}, as_json=as_json)
        return 2
    except typer.Exit as done:
        return done.exit_code
    except BrokenPipeError:
        # The reader has gone; what is left in the buffer must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, typer.Abort):
        report_error({"status": 130, "message": "Interrupted."}, as_json=as_json)
        return 130
    except Exception as error:
        if isinstance(error, OSError) and _was_printing(error):
            output.give_up_unwritable()
            problem = f"standard output: cannot be written ({error.strerror})."
            report_error({"status": 5, "message": problem}, as_json=False)
            return 5
        if debug:
            _print_traceback(arguments)
        if str(error) == "Query interrupted":
            # What DuckDB makes of a signal that comes during a query.
            stopped = 143 if _terminated else 130
            report_error({"status": stopped, "message": "Interrupted."}, as_json=as_json)
            return stopped
        problem = without_secrets(f"{type(error).__name__}: {error}", *_addresses(arguments))
        message = f"A fault of churnml's own: {problem.rstrip('.')}."
        hint = "Run again with --debug and report what it prints."
        report_error({"status": 1, "message": message, "hint": hint}, as_json=as_json)
        return 1
    return int(status or 0)


def _help_hint(arguments: list[str]) -> str:
    """Where the options of the command stand; of an unknown one, where the commands do."""
    known = {one.name for one in app.registered_commands} | {
        one.name for one in app.registered_groups
    }
    return f"Try churnml {arguments[0]} --help." if arguments[0] in known else "Try churnml --help."


def _date_hint(message: str, arguments: list[str]) -> str:
    """The latest usable date, where the one that is missing is of operator tables."""
    if "--as-of" not in message or len(arguments) < 2:
        return ""
    from churnml.features.requirements import suggest_date

    mapping = dict(itertools.pairwise(arguments)).get("--mapping")
    return next(filter(None, (suggest_date(one, mapping=mapping) for one in arguments[1:])), "")


def _was_printing(error: OSError) -> bool:
    """Whether standard output could not be written, rather than a file or a socket."""
    place = traceback.extract_tb(error.__traceback__)[-1].filename
    return any(f"/{part}/" in place for part in ("churnml/cli", "rich", "typer"))


def _print_traceback(arguments: list[str]) -> None:
    sys.stderr.write(without_secrets(traceback.format_exc(), *_addresses(arguments)))


def _addresses(arguments: list[str]) -> list[str]:
    """The addresses given to the command, parts of which may appear in any message."""
    named = [value for name, value in os.environ.items() if name.startswith("MLFLOW_")]
    return [text for text in (*arguments, *named) if "//" in text]
