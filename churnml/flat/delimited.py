"""CSV tables of one's own: encoding and delimiter found out, and said."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from pathlib import Path

from churnml.errors import DataError
from churnml.flat.table import ROW, Reject, Table, stamp
from churnml.source.delimited import PLACED, kept_in, line_number, scan
from churnml.source.engine import Engine, file_literal, literal, run
from churnml.source.lines import Text, as_utf8
from churnml.source.rejects import account, collect
from churnml.source.sniffing import open_bytes, read_names

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_HEADER_BYTES = 1 << 20
_SAMPLE = 1 << 20


def open_csv(path: Path, engine: Engine) -> Table:
    """The rows of a CSV file, as text.

    Raises
    ------
    DataError
        If the file is empty, of another format, cut off, or neither UTF-8 nor GB18030.
    ContractError
        If two columns have one name, or a quote is never closed.
    """
    state = stamp(path)
    delimiter = _likely_delimiter(path)
    _require_csv(path, delimiter)
    with kept_in(engine.workspace, path):
        encoding, text = _decoded(path, engine.workspace / "table.csv")
        names = read_names(path, encoding, delimiter)
        con, placed, rejects, rejected = _load(path, engine, text, names, delimiter)
        if text.path != path:
            text.path.unlink()
    notes = []
    if encoding != "utf-8":
        notes.append(f"{path.name}: not UTF-8; read as {encoding.upper()}.")
    if delimiter != ",":
        notes.append(f"{path.name}: fields parted by {_DELIMITERS[delimiter]}.")
    number = line_number([one.row for one in rejects]) if placed else "file_row_number + 1"
    relation = (
        f"(SELECT * EXCLUDE (file_row_number), CAST({number} AS BIGINT) AS {ROW} FROM "
        f"read_parquet({file_literal(_stored(engine))}, file_row_number = true))"
    )
    return Table(
        path,
        engine,
        con,
        relation,
        names,
        kinds=("VARCHAR",) * len(names),
        counted="line" if placed else "row",
        files={path: state},
        rejects=rejects,
        rejected=rejected,
        notes=tuple(notes),
    )


def _stored(engine: Engine) -> Path:
    return engine.workspace / "table.parquet"


def _likely_delimiter(path: Path) -> str:
    """A comma, unless the header then has one column and with another mark has more."""
    try:
        with open_bytes(path) as stream:
            head = stream.read(_HEADER_BYTES).decode("utf-8", errors="replace")
    except (OSError, EOFError, zlib.error, gzip.BadGzipFile):
        return ","
    columns = {mark: _fields(head, mark) for mark in _DELIMITERS}
    return "," if columns[","] > 1 else max(columns, key=lambda mark: columns[mark])


def _fields(head: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), []))
    except csv.Error:
        return 0


def _require_csv(path: Path, delimiter: str) -> None:
    """Refuse what is no CSV file at all; its encoding may still be another one."""
    try:
        read_names(path, "utf-8", delimiter)
    except DataError as error:
        if "offset" not in error.details:
            raise


def _decoded(path: Path, copy: Path) -> tuple[str, Text]:
    """The file as UTF-8 or, where it is not that from end to end, as GB18030."""
    try:
        return "utf-8", as_utf8(path, "utf-8", copy)
    except DataError as error:
        if "offset" not in error.details:
            raise
        first = int(error.details["offset"])
    if _ends_within(path, first):
        raise DataError(
            f"{path}: cut off within its last character (byte {first}).",
            hint="Write or copy it again.",
            file=str(path),
            offset=first,
        )
    try:
        text = as_utf8(path, "gb18030", copy)
    except DataError as error:
        if "offset" not in error.details:
            raise
        raise _neither(path, first) from None
    if not _looks_chinese(text.path):
        raise _neither(path, first)
    return "gb18030", text


def _ends_within(path: Path, offset: int) -> bool:
    """Whether the file ends within the character that begins at a byte."""
    with open_bytes(path) as stream:
        stream.seek(offset)
        end = stream.read(4)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(end)
    except UnicodeDecodeError:
        return False
    return True


def _neither(path: Path, offset: int) -> DataError:
    return DataError(
        f"{path}: byte {offset} is not UTF-8, and the text is not GB18030 either.",
        hint="Save it as UTF-8.",
        file=str(path),
        expected="UTF-8 or GB18030",
        offset=offset,
    )


def _looks_chinese(path: Path) -> bool:
    """Whether text decoded as GB18030 was that.

    Western text in Latin-1 decodes too: an accented letter and the plain one behind it
    become one character, whose second byte is then that plain letter's.
    """
    with path.open(encoding="utf-8") as stream:
        strange = [mark for mark in stream.read(_SAMPLE) if mark > "\x7f"]
    plain = sum(mark.encode("gb18030")[1] < 0x80 for mark in strange)
    return 2 * plain <= len(strange)


def _load(
    path: Path, engine: Engine, text: Text, names: tuple[str, ...], delimiter: str
) -> tuple[object, bool, tuple[Reject, ...], int]:
    """Put the rows into a Parquet file; whether each has its line, and what is no row."""
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
    rejects = tuple(Reject(line, problem) for line, problem in first)
    return con, placed and count <= PLACED, rejects, count
