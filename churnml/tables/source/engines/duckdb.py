"""The embedded database that reads the tables."""

from __future__ import annotations

import re
import uuid
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend
from ibis.expr import types as ir

from churnml.base import scratch
from churnml.base.files import is_utf8, plain_reason, shown
from churnml.errors import DataError, OutputError, UsageError

_PATTERN = re.compile(r"[*?\[]")
_BATCH = 50_000
_BYTES = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_ENOUGH, _A_THREAD = 3e9, 0.5e9


@dataclass(frozen=True, eq=False)
class Engine:
    """A DuckDB connection and its spill folder.

    Attributes
    ----------
    con : Backend
    workspace : Path
        Removed with the connection.
    settings : mapping
        What the connection was made with.
    """

    con: Backend
    workspace: Path
    settings: Mapping[str, object]

    def another(self, **changed: object) -> Backend:
        """Open a second connection with some settings changed."""
        return ibis.duckdb.connect(**{**self.settings, **changed})


def start(*, memory_limit: str | None = None, threads: int | None = None) -> Engine:
    """Start an in-memory engine without network access.

    Parameters
    ----------
    memory_limit : str, optional
        As DuckDB writes it, ``2GB``; without it, half of the memory that there is, and at
        most 3 GB or, with many threads, half a gigabyte a thread. What does not fit is spilled
        to the workspace. The process may take up to a third more.
    threads : int, optional

    Raises
    ------
    UsageError
        If a limit is not one that DuckDB understands.
    OutputError
        If no temporary folder can be made, or there is no memory for it.
    """
    made = scratch.temporary()
    workspace = made.folder
    settings: dict[str, object] = {
        "temp_directory": str(workspace),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        # Every result that must have an order asks for it; keeping rows in order costs memory.
        "preserve_insertion_order": False,
    }
    limits = {"memory_limit": memory_limit, "threads": threads}
    settings |= {name: limit for name, limit in limits.items() if limit is not None}
    try:
        con = ibis.duckdb.connect(**settings)
    except duckdb.OutOfMemoryException as error:
        made.remove()
        raise OutputError(
            f"Out of memory ({plain_reason(error)}).",
            hint="Raise the limit of this account (ulimit -v), or end other programs.",
        ) from None
    except duckdb.Error as error:
        made.remove()
        raise UsageError(
            f"memory_limit, threads: {plain_reason(error).rstrip('.')}.", hint="Write 2GB, and 2."
        ) from None
    if memory_limit is None:
        settings["memory_limit"] = _modest(con)
        con.raw_sql(f"SET memory_limit = '{settings['memory_limit']}'")
    # Lazy tables may outlive their source; the files they read must live as long as they do.
    weakref.finalize(con, made.remove)
    return Engine(con, workspace, settings)


def _modest(con: Backend) -> str:
    """A limit that leaves memory to the models, whatever the machine or its container has.

    DuckDB's own is four fifths of the memory, and it fills that before it spills.
    """
    ((own, threads),) = run(
        con, "SELECT current_setting('memory_limit'), current_setting('threads')"
    )
    size, unit = str(own).split()
    half = float(size) * _BYTES[unit] / 0.8 / 2
    return f"{int(min(half, max(_ENOUGH, threads * _A_THREAD)) / 1e6)}MB"


@contextmanager
def read_errors(location: str) -> Iterator[None]:
    """Turn DuckDB's errors about unreadable data or lack of space into churnml's own.

    Raises
    ------
    OutputError
        If the rows fit neither into memory nor into the temporary folder.
    DataError
        If a file is damaged.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise OutputError(
            f"{location}: out of memory ({plain_reason(error)}).",
            hint="Raise engine.memory_limit, or point TMPDIR to a folder with more space.",
        ) from error
    except duckdb.Error as error:
        if isinstance(error, (duckdb.InternalException, duckdb.BinderException)):
            raise
        raise DataError(
            f"{location}: cannot be read ({plain_reason(error)}).",
            hint="Write or copy the files again.",
        ) from error


def run(con: Backend, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement and fetch all rows, without which DuckDB refuses new work."""
    rows: list[tuple[Any, ...]] = con.raw_sql(statement).fetchall()
    return rows


def identifier(name: str) -> str:
    """Quote a name for SQL.

    >>> identifier('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def file_literal(path: Path) -> str:
    """Quote a file path for a reader, even where it looks like a pattern.

    Raises
    ------
    DataError
        If DuckDB cannot open a file of that name.

    Examples
    --------
    >>> file_literal(Path("export[1].csv"))
    "'export[[]1].csv'"
    """
    text = plain_name(path)
    pattern = _PATTERN.search(text) is not None
    if pattern and "\\" in text:
        raise DataError(
            f"{path}: a name with a backslash beside *, ? or [ cannot be read.",
            hint="Rename the file or its folder.",
            file=text,
        )
    return literal(_PATTERN.sub(r"[\g<0>]", text))


def file_literals(paths: Iterable[Path]) -> str:
    """Quote a list of file paths for a reader."""
    return f"[{', '.join(file_literal(path) for path in paths)}]"


def plain_name(path: Path) -> str:
    """A path as DuckDB reports it; absolute where DuckDB would take it for another.

    Raises
    ------
    DataError
        If the name is not UTF-8.
    """
    require_utf8(path)
    text = str(path)
    return str(path.absolute()) if text.startswith("~") or ":" in text else text


def require_utf8(path: str | Path) -> None:
    """Refuse an input whose name is not UTF-8.

    Raises
    ------
    DataError
    """
    if not is_utf8(path):
        raise DataError(
            f"{shown(path)}: a file name that is not UTF-8.",
            hint="Rename the file or its folder.",
            file=shown(path),
        )


def write_parquet(table: ir.Table, path: Path, *, mark: Mapping[str, str] | None = None) -> None:
    """Write a lazy table to a Parquet file, in batches of bounded memory.

    Parameters
    ----------
    table : Table
        Of any engine.
    path : Path
    mark : mapping of str to str, optional
        What the file says of itself.
    """
    con = ibis.get_backend(table)
    if not isinstance(con, Backend):
        _write_batches(table, path, mark or {})
        return
    # Ibis's own way to write puts the path into SQL as Python writes it.
    view = f"written:{uuid.uuid4().hex}"
    con.create_view(view, table)
    try:
        said = ", ".join(f"{name}: {literal(value)}" for name, value in (mark or {}).items())
        to = literal(str(path.absolute()))
        settings = "FORMAT parquet, compression zstd"
        settings += f", kv_metadata {{{said}}}" if said else ""
        run(con, f"COPY (FROM {identifier(view)}) TO {to} ({settings})")
    finally:
        con.drop_view(view)


def _write_batches(table: ir.Table, path: Path, mark: Mapping[str, str]) -> None:
    reader = table.to_pyarrow_batches(chunk_size=_BATCH)
    metadata = {name.encode(): value.encode() for name, value in mark.items()}
    schema = reader.schema.with_metadata(metadata)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_table(pa.Table.from_batches([batch]).cast(reader.schema))


def literals(texts: Iterable[str]) -> str:
    """Quote a list of texts for SQL."""
    return f"[{', '.join(literal(text) for text in texts)}]"
