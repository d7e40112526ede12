"""What the command line prints: tables for people, one JSON object for programs."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from churnml.errors.masking import masked, without_secrets

if TYPE_CHECKING:
    from rich.console import Console

    from churnml.scoring.bands import Band


def printable(text: object) -> str:
    r"""Mask secrets and escape control characters, so that data cannot control the terminal.

    >>> printable("a" + chr(27) + "[31mb")
    'a\\x1b[31mb'
    """
    return "".join(
        character if character.isprintable() or character in "\n" else _escaped(character)
        for character in without_secrets(str(text))
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def print_json(result: dict[str, Any]) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(masked(result), ensure_ascii=False, default=str) + "\n")


def report_error(error: dict[str, Any], *, as_json: bool) -> None:
    """Print an error on standard error, and as JSON if asked for."""
    if as_json:
        with suppress(OSError):
            print_json({"error": error})
        give_up_unwritable()
    message = " ".join(printable(error[key]) for key in ("message", "hint") if error.get(key))
    with suppress(OSError):
        sys.stderr.write(f"churnml: {message}\n")


def give_up_unwritable() -> bool:
    """Whether standard output cannot be written; if so, discard the rest of it.

    Python would otherwise try again at its end, and end with a status of its own.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: int = 0
) -> None:
    """A table on standard output, its last ``numbers`` columns aligned to the right."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, column in enumerate(columns):
        right = place >= len(columns) - numbers
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(printable(cell)) for cell in row))
    console().print(table)


def print_bands(bands: Sequence[Band], as_of: str | None, meaning: str = "") -> None:
    """Customers by risk band, with what usually drives them; nothing where churn is not scored.

    ``meaning`` says what cuts the bands.
    """
    rows = [
        (
            band.name,
            band.driver or "–",
            f"{band.customers:,}",
            f"{band.percentile:.0f} %",
            f"{band.churn_probability:.1%}",
            "–" if band.satisfaction is None else f"{band.satisfaction:.1f}",
        )
        for band in bands
    ]
    if rows:
        when = f" at {as_of}" if as_of else ""
        head = ("risk", "usual driver", "customers", "riskier than", "will leave", "satisfaction")
        print_table(f"Scores{when}, means by risk band", head, rows, numbers=4)
        if meaning:
            print_line(meaning)


def print_line(text: str) -> None:
    """One line on standard output."""
    console().print(printable(text), highlight=False, markup=False)


def console() -> Console:
    """Standard output, wide enough for a table when not a terminal."""
    from rich.console import Console

    class OutputConsole(Console):
        def on_broken_pipe(self) -> None:
            # Rich would end the command with status 1; the reader has simply gone.
            raise BrokenPipeError

    return OutputConsole(
        soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 120
    )


def show_progress() -> None:
    """Send the package's progress lines to standard error, with elapsed times."""
    logger = logging.getLogger("churnml")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Elapsed())
    logger.handlers = [handler]


class _Elapsed(logging.Formatter):
    def __init__(self) -> None:
        super().__init__()
        self._started = time.monotonic()

    def format(self, record: logging.LogRecord) -> str:
        elapsed = time.monotonic() - self._started
        return f"{elapsed:7.1f} s  {printable(record.getMessage())}"
