"""CSV tables: read once, as text and without guessing, into typed rows.

DuckDB's reader puts the rows into a temporary Parquet file in which values have the
contract's types, and which every later query reads: parsing the text again for each
feature would cost far more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import duckdb
from ibis.backends.duckdb import Backend

from churnml.base.files import plain_reason
from churnml.errors import DataError, OutputError
from churnml.tables.source.binding import Binding, ReadRows, converted
from churnml.tables.source.columns import ROW
from churnml.tables.source.csv.rejects import account, collect
from churnml.tables.source.csv.text import Text, as_utf8, gathered
from churnml.tables.source.engines.duckdb import (
    Engine,
    file_literal,
    identifier,
    literal,
    literals,
    read_errors,
    run,
)
from churnml.tables.source.mapping import SourceMapping

PLACED = 1000
"""With more rejected lines than this, rows are counted, not placed by their lines."""


def load(
    binding: Binding,
    mapping: SourceMapping,
    engine: Engine,
    as_text: Callable[[Path], Text] | None = None,
) -> ReadRows:
    """The rows of a CSV table.

    Parameters
    ----------
    binding : Binding
        Rows of several files are counted through all of them, without their headers.
    mapping : SourceMapping
    engine : Engine
        Has the rows afterwards. The reading has a connection of its own, which keeps rows
        in order, so that they can be numbered.
    as_text : callable, optional
        Writes the table as CSV to a path, where it is no CSV file itself.

    Raises
    ------
    DataError
        If a byte is not text in the mapping's encoding, or the file is cut off.
    ContractError
        If a quote is opened and never closed.
    OutputError
        If the temporary folder has no space for the rows.
    """
    folder, path = engine.workspace, Path(binding.origin)
    copy = folder / f"{binding.spec.name}.csv"
    with kept_in(folder, path):
        text = as_text(copy) if as_text else _text(binding.files, mapping.encoding, copy)
        reader = engine.another(preserve_insertion_order=True)
        try:
            _copy(binding, mapping, reader, text, folder)
            placed = account(reader, text, path, binding.names)
        finally:
            reader.disconnect()
        if text.path == copy:
            text.path.unlink()
    return _stored(binding, engine.con, folder, placed=placed and len(binding.files) == 1)


def _text(files: Sequence[Path], encoding: str, copy: Path) -> Text:
    if len(files) == 1:
        return as_utf8(files[0], encoding, copy)
    return gathered(files, encoding, copy)


@contextmanager
def kept_in(folder: Path, path: Path) -> Iterator[None]:
    """Turn a full temporary folder into an error of its own, apart from an unreadable file.

    Raises
    ------
    OutputError
        If the rows of ``path`` cannot be written into ``folder``.
    DataError
        If ``path`` is damaged.
    """
    try:
        with read_errors(str(path)):
            yield
    except (OSError, DataError) as error:
        cause = error.__cause__
        if not isinstance(error, OSError) and not isinstance(cause, duckdb.IOException):
            raise
        raise OutputError(
            f"TMPDIR: the rows of {path} cannot be kept in {folder.parent} "
            f"({plain_reason(cause or error)}).",
            hint="Point TMPDIR to a folder with more space.",
        ) from error


def _copy(
    binding: Binding, mapping: SourceMapping, reader: Backend, text: Text, folder: Path
) -> None:
    """Write the typed rows, and the lines that are not rows, to Parquet files."""
    nulls = ("",) if mapping.nulls is None else tuple(mapping.nulls)
    everything = scan(text, len(binding.names), mapping.delimiter, nulls)
    run(reader, f"CREATE TEMP VIEW everything AS SELECT * FROM {everything}")
    positions = {name: f"c{at}" for at, name in enumerate(binding.names)}
    lines = reader.table("everything").select(
        **{own: positions[own] for own in binding.columns.values()}
    )
    as_read = mapping.model_copy(update={"nulls": None})
    typed, failed = converted(binding, lines, as_read)
    query = reader.compile(lines.select(**typed, **failed))
    rows, rejects = _files(binding, folder)
    run(reader, f"COPY ({query}) TO {literal(str(rows))} (FORMAT parquet)")
    run(reader, f"CREATE TEMP VIEW rows AS FROM read_parquet({file_literal(rows)})")
    collect(reader, text)
    run(
        reader,
        "COPY (SELECT line, problem, text FROM rejects ORDER BY line) "
        f"TO {literal(str(rejects))} (FORMAT parquet)",
    )


def _files(binding: Binding, folder: Path) -> tuple[Path, Path]:
    name = binding.spec.name
    return folder / f"{name}.parquet", folder / f"{name}.rejected.parquet"


def scan(text: Text, columns: int, delimiter: str, nulls: tuple[str, ...]) -> str:
    """SQL of DuckDB's reader with nothing left to guess: text columns ``c0``, ``c1``, ...

    Lines that are not rows go into the reader's ``reject_errors``; see
    `churnml.tables.source.csv.rejects`.
    """
    kinds = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(columns))
    return (
        f"read_csv({file_literal(text.path)}, header = true, auto_detect = false, "
        f"delim = {literal(delimiter)}, quote = '\"', escape = '\"', "
        f"columns = {{{kinds}}}, nullstr = {literals(nulls)}, store_rejects = true)"
    )


def _stored(binding: Binding, con: Backend, folder: Path, *, placed: bool) -> ReadRows:
    """The rows that were written, as lazy tables."""
    rows, rejects = _files(binding, folder)
    name = binding.spec.name
    view = identifier(f"{name}:rejected")
    run(con, f"CREATE TEMP VIEW {view} AS FROM read_parquet({file_literal(rejects)})")
    lines = [line for (line,) in run(con, f"SELECT line FROM {view} ORDER BY line")]
    placed = placed and len(lines) <= PLACED
    number = line_number(lines) if placed else "file_row_number + 1"
    run(
        con,
        f"CREATE TEMP VIEW {identifier(name)} AS SELECT * EXCLUDE (file_row_number), "
        f"CAST({number} AS BIGINT) AS {identifier(ROW)} "
        f"FROM read_parquet({file_literal(rows)}, file_row_number = true)",
    )
    table = con.table(name)
    typed = table.select(*binding.columns)
    counted: Literal["row", "line"] = "line" if placed else "row"
    return ReadRows(
        typed=typed,
        checked=table,
        rejected=con.table(f"{name}:rejected"),
        rejects=len(lines),
        counted=counted,
    )


def line_number(rejected: list[int]) -> str:
    """SQL of a row's line, from its ``file_row_number`` among the rows.

    Holds in a file in which each row and each rejected line is one line.
    """
    line = "(file_row_number + 2)"
    if not rejected:
        return line
    before = [at - earlier for earlier, at in enumerate(rejected)]
    return f"{line} + len(list_filter({before}, lambda place: place <= {line}))"
