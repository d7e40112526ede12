"""What the command line prints: tables for people, one JSON object for programs."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from churnml.errors.masking import masked, without_secrets

if TYPE_CHECKING:
    from rich.console import Console

    from churnml.scoring.bands import Band


_SENTENCE = 32
_NO_SCREEN = 120
"""Columns of what is no terminal, where ``COLUMNS`` says nothing."""


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
    text = f"churnml: {message}"
    if sys.stderr.isatty():
        # A terminal would break words; files and pipes keep one line.
        text = "\n".join(wrapped(text, shutil.get_terminal_size().columns))
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")


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
    """A table on standard output, its last ``numbers`` columns aligned to the right.

    What is wider than the screen goes on below, the first column repeated.
    """
    from rich.markup import escape
    from rich.table import Table

    screen = console()
    cells = [[printable(cell) for cell in row] for row in rows]
    # Two blanks between columns, or one where the screen is too narrow for two.
    gap = 2 if len(_fitting(columns, cells, screen.width, gap=2)) == 1 else 1
    for part, places in enumerate(_fitting(columns, cells, screen.width, gap=gap)):
        heading = "" if part else title
        padding = (0, gap, 0, 0)
        table = Table(
            title=heading, title_justify="left", box=None, pad_edge=False, padding=padding
        )
        for place in places:
            right = place >= len(columns) - numbers
            justify: Literal["left", "right"] = "right" if right else "left"
            table.add_column(columns[place], justify=justify, overflow="fold")
        for row in cells:
            table.add_row(*(escape(row[place]) for place in places))
        if part:
            screen.print()
        screen.print(table)


def _fitting(
    columns: Sequence[str], cells: Sequence[Sequence[str]], width: int, *, gap: int
) -> list[list[int]]:
    """The columns in groups that fit the screen, the first in each of them.

    >>> _fitting(["measure", "model", "base"], [["auc", "0.7", "0.5"]], 80, gap=1)
    [[0, 1, 2]]
    >>> _fitting(["measure", "model", "base"], [["auc", "0.7", "0.5"]], 15, gap=1)
    [[0, 1], [0, 2]]
    """
    from rich.cells import cell_len

    def needed(place: int) -> int:
        widest = max(map(cell_len, [columns[place], *(row[place] for row in cells)]))
        # Sentences may be broken into lines, numbers and names may not.
        return min(widest, _SENTENCE)

    groups: list[list[int]] = [[]]
    used = 0
    for place in range(len(columns)):
        wide = needed(place) + (gap if groups[-1] else 0)
        if used + wide > width and len(groups[-1]) > 1:
            groups.append([0])
            used, wide = needed(0), needed(place) + gap
        groups[-1].append(place)
        used += wide
    return groups


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


def wrapped(text: str, width: int) -> list[str]:
    """A sentence in lines of at most ``width`` columns; a Chinese character takes two.

    >>> wrapped("Days since service began", 12)
    ['Days since', 'service', 'began']
    >>> wrapped("在网时长（天）", 8)
    ['在网时长', '（天）']
    """
    from rich.text import Text

    lines = Text(text).wrap(console(), width)
    return [line.plain.rstrip() for line in lines]


def console() -> Console:
    """Standard output, wide enough for a table when not a terminal."""
    from rich.console import Console

    class OutputConsole(Console):
        def on_broken_pipe(self) -> None:
            # Rich would end the command with status 1; the reader has simply gone.
            raise BrokenPipeError

    told = os.environ.get("COLUMNS", "")
    wide = int(told) if told.isdigit() and int(told) else _NO_SCREEN
    return OutputConsole(
        soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else wide
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
