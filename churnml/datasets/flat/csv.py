"""Read CSV tables: detect encoding and delimiter, and report them."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from churnml.base.text import counted, quoted
from churnml.datasets.flat.decoding import decoded, utf_16
from churnml.datasets.flat.header import LOOKED_AT, refuse_title
from churnml.datasets.flat.reading import Reading
from churnml.datasets.flat.table import ROW, Reject, Table, in_parts, stamp
from churnml.errors import UsageError
from churnml.tables.source.csv.load import PLACED, kept_in, line_number, scan
from churnml.tables.source.csv.rejects import account, collect
from churnml.tables.source.csv.sniffing import names_in, read_head
from churnml.tables.source.csv.text import Text
from churnml.tables.source.engines.duckdb import Engine, file_literal, literal, run

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_HEADER_LINES = 1000
_ROW_NUMBER = "file_row_number + 1"
_SEP = re.compile(rb'(?:\xef\xbb\xbf)?"?sep=([^"\r\n])"?,*[\r\n]*', re.IGNORECASE)
_MARKED = re.compile(r'="(.*)"')
_NOTHING = Reading()


def open_csv(
    path: Path, engine: Engine, reading: Reading = _NOTHING, remembered: Reading = _NOTHING
) -> Table:
    """Read the rows of a CSV file as text.

    Parameters
    ----------
    path : Path
    engine : Engine
    reading : Reading, optional
        What the user said of the file.
    remembered : Reading, optional
        What the user said of the training table; it holds where it fits.

    Raises
    ------
    UsageError
        If the file is not as the user said.
    DataError
        If the file is empty, of another format, cut off, or its encoding is not certain.
    ContractError
        If two columns have one name, or a quote is never closed.
    """
    if reading.sheet is not None:
        raise UsageError(f"--sheet {reading.sheet!r}: {path} is not a workbook.")
    state = stamp(path)
    read_head(path, utf_16(path) or "utf-8")
    with kept_in(engine.workspace, path):
        encoding, text = decoded(
            path,
            engine.workspace / "table.csv",
            encoding=reading.encoding,
            remembered=remembered.encoding,
        )
        said, text = _without_sep(text, engine.workspace / "rows.csv")
        lines = _first_lines(text)
        delimiter = reading.delimiter or said or _likely_delimiter(lines, remembered.delimiter)
        _refuse_title(path, lines, delimiter)
        names = tuple(_bare(name) for name in names_in(path, "".join(lines), delimiter))
        con, placed, rejects, rejected = _load(path, engine, text, names, delimiter, bool(said))
        if text.path != path:
            text.path.unlink()
    notes = []
    if encoding != "utf-8":
        notes.append(f"{path.name}: not UTF-8; read as {encoding.upper()}.")
    if delimiter != ",":
        marks = _DELIMITERS.get(delimiter, repr(delimiter))
        notes.append(f"{path.name}: fields separated by {marks}.")
    number = line_number([one.row - bool(said) for one in rejects]) if placed else _ROW_NUMBER
    relation = (
        f"(SELECT * EXCLUDE (file_row_number), CAST({number} + {int(bool(said))} AS BIGINT) "
        f"AS {ROW} FROM read_parquet({file_literal(_stored(engine))}, file_row_number = true))"
    )
    table = Table(
        path=path,
        engine=engine,
        con=con,
        relation=relation,
        names=names,
        kinds=("VARCHAR",) * len(names),
        counted="line" if placed else "row",
        files={path: state},
        rejects=rejects,
        rejected=rejected,
        notes=tuple(notes),
    )
    return _without_marks(table)


def _without_sep(text: Text, copy: Path) -> tuple[str, Text]:
    """Read the delimiter from Excel's first line ``sep=;``, and skip that line."""
    with text.path.open("rb") as stream:
        match = _SEP.fullmatch(stream.readline())
        if match is None:
            return "", text
        with copy.open("wb") as rest:
            shutil.copyfileobj(stream, rest)
    return match[1].decode(), Text(copy, text.lines - 1, text.closed)


def _first_lines(text: Text) -> list[str]:
    """The first lines, the header whole."""
    with text.path.open(encoding="utf-8-sig", newline="") as stream:
        return list(islice(stream, _HEADER_LINES))


def _refuse_title(path: Path, lines: Sequence[str], delimiter: str) -> None:
    try:
        rows = list(islice(csv.reader(lines, delimiter=delimiter), LOOKED_AT))
    except csv.Error:
        return
    if rows and len(rows[0]) == 1 and delimiter == ",":
        # A title has no mark that tells how the lines below are parted.
        ways = [list(islice(csv.reader(lines, delimiter=one), LOOKED_AT)) for one in _DELIMITERS]
        rows = max(ways, key=lambda one: max((len(row) for row in one[1:]), default=0))
    if rows and any(cell.strip() for cell in rows[0]):
        refuse_title(path, rows, "line")


def _bare(name: str) -> str:
    match = _MARKED.fullmatch(name)
    return match[1] if match else name


def _without_marks(table: Table) -> Table:
    """Strip the marks from cells that Excel wrote as ``="007"`` to keep them text."""
    marked: dict[str, int] = {}
    columns = [f"c{at}" for at in range(len(table.names))]
    for some in in_parts(columns):
        selected = ", ".join(f"count_if({x} LIKE '=\"%\"')" for x in some)
        (counts,) = table.query(selected)
        marked |= {x: count for x, count in zip(some, counts, strict=True) if count}
    if not marked:
        return table
    replaced = ", ".join(
        f"CASE WHEN {x} LIKE '=\"%\"' THEN substr({x}, 3, length({x}) - 3) ELSE {x} END AS {x}"
        for x in marked
    )
    notes = [
        f"{quoted(table.names[int(x[1:])])}: {counted(count, 'cell')} written as "
        '="…", read without these marks.'
        for x, count in marked.items()
    ]
    relation = f"(SELECT * REPLACE ({replaced}) FROM {table.relation})"
    return replace(table, relation=relation, notes=(*table.notes, *notes))


def _stored(engine: Engine) -> Path:
    return engine.workspace / "table.parquet"


def _likely_delimiter(lines: Sequence[str], remembered: str | None) -> str:
    """Guess the delimiter: that of training if it fits, else the one that gives most columns.

    It fits where the header has several columns with it.
    """
    head = "".join(lines)
    if remembered is not None and _fields(head, remembered) > 1:
        return remembered
    columns = {mark: _fields(head, mark) for mark in _DELIMITERS}
    return "," if columns[","] > 1 else max(columns, key=lambda mark: columns[mark])


def _fields(head: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), []))
    except csv.Error:
        return 0


def _load(
    path: Path,
    engine: Engine,
    text: Text,
    names: tuple[str, ...],
    delimiter: str,
    behind: bool,
) -> tuple[object, bool, tuple[Reject, ...], int]:
    """Write the rows to Parquet; return whether each is one line, and the malformed lines."""
    con = engine.another(preserve_insertion_order=True)
    source = scan(text, len(names), delimiter, ("",))
    stored = literal(str(_stored(engine)))
    run(con, f"COPY (SELECT * FROM {source}) TO {stored} (FORMAT parquet)")
    run(con, f"CREATE TEMP VIEW everything AS FROM read_parquet({file_literal(_stored(engine))})")
    run(con, "CREATE TEMP VIEW rows AS FROM everything")
    collect(con, text)
    placed = account(con, text, path, names)
    ((count,),) = run(con, "SELECT count(*) FROM rejects")
    first = run(con, f"SELECT line, problem FROM rejects ORDER BY line LIMIT {PLACED}")
    rejects = tuple(Reject(line + behind, problem) for line, problem in first)
    return con, placed and count <= PLACED, rejects, count
