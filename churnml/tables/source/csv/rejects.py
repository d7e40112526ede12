"""Locate malformed CSV lines, and check that no other line is lost."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
from ibis.backends.duckdb import Backend

from churnml.errors import ContractError
from churnml.tables.source.csv.text import Text
from churnml.tables.source.engines.duckdb import literal, run

_BLOCK = 1 << 23
_FIELDS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_ENDS = "\r\n"


def collect(reader: Backend, text: Text) -> None:
    """Collect the lines that the reader rejected into the table ``rejects``, each once.

    The reader miscounts lines after blank ones, but its byte positions are right.

    Parameters
    ----------
    reader : Backend
        After the file was read.
    text : Text
    """
    rejects = run(
        reader,
        "SELECT line_byte_position, min(error_type)::VARCHAR, min(error_message), min(csv_line) "
        "FROM reject_errors GROUP BY 1 ORDER BY 1",
    )
    starts = [at - 1 + len(line) - len(line.lstrip(_ENDS)) for at, _kind, _why, line in rejects]
    lines = _line_numbers(text.path, starts)
    problems = [_FIELDS.sub(r"\2 fields instead of \1", why) for _at, _kind, why, _line in rejects]
    if lines and lines[-1] == text.lines and not text.closed:
        problems[-1] += "; no line end"
    table = pa.table(
        {
            "line": pa.array(lines, pa.int64()),
            "kind": pa.array([kind for _at, kind, _why, _line in rejects], pa.string()),
            "problem": pa.array(problems, pa.string()),
            "text": pa.array([line.strip(_ENDS) for *_rest, line in rejects], pa.string()),
        }
    )
    reader.create_table("rejects", table, temp=True)


def _line_numbers(path: Path, starts: list[int]) -> list[int]:
    """The 1-based line numbers of byte offsets, given in ascending order."""
    lines, line, at = [], 1, 0
    with path.open("rb") as stream:
        for start in starts:
            while at < start:
                block = stream.read(min(start - at, _BLOCK))
                line += block.count(b"\n")
                at += len(block)
            lines.append(line)
    return lines


def account(reader: Backend, text: Text, path: Path, names: tuple[str, ...]) -> bool:
    """Check that each line is one row or one rejected line; refuse where lines are lost.

    A quote that is never closed swallows what follows it, and the reader reports one bad
    line where thousands of rows are gone.

    Parameters
    ----------
    reader : Backend
        With ``rows``, ``rejects`` and ``everything``: all columns as text.
    text : Text
    path : Path
        The file, as the operator calls it.
    names : tuple of str
        The header.

    Raises
    ------
    ContractError
        With the line where the quote opens, or the number of lost lines.
    """
    lines = _one(
        reader,
        "SELECT min(line) FROM rejects WHERE kind = 'UNQUOTED VALUE' AND contains(text, chr(10))",
    )
    if lines is not None:
        raise ContractError(
            f"{path}: a quote is opened in line {lines} and not closed there.",
            hint="Double the quotes inside quoted fields, or write the file again.",
            file=str(path),
            row=lines,
        )
    rows = _one(reader, "SELECT count(*) FROM rows") + _one(reader, "SELECT count(*) FROM rejects")
    if text.lines == 1 + rows:
        return True
    inside = _breaks(reader, "rejects", ["text"]) + sum(name.count("\n") for name in names)
    inside += _breaks(reader, "everything", [f"c{at}" for at in range(len(names))])
    lost = int(text.lines - 1 - rows - inside)
    if not 0 <= lost <= text.blank_lines():
        raise ContractError(
            f"{path}: {lost} of {text.lines} lines are in no row.",
            hint="A quote is likely opened and not closed.",
            file=str(path),
            count=lost,
        )
    return False


def _breaks(reader: Backend, table: str, columns: list[str]) -> int:
    """Line ends within fields."""
    counts = [
        f"coalesce(sum(length({name}) - length(replace({name}, {literal(chr(10))}, ''))), 0)"
        for name in columns
    ]
    # Not joined by +: DuckDB refuses expressions a thousand deep.
    return int(_one(reader, f"SELECT list_sum([{', '.join(counts)}]) FROM {table}"))


def _one(con: Backend, query: str) -> Any:
    return run(con, query)[0][0]
