"""The embedded database that reads the tables."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import ibis
from ibis.backends.duckdb import Backend

from churnml.durable import plain_reason
from churnml.errors import DataError, OutputError, UsageError


@dataclass(frozen=True, eq=False)
class Engine:
    """A DuckDB connection and the folder where it puts what does not fit into memory.

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
        """A second connection, alike but for what is changed."""
        return ibis.duckdb.connect(**{**self.settings, **changed})


def start(*, memory_limit: str | None = None, threads: int | None = None) -> Engine:
    """An engine of one's own, in memory, that never reaches for the network.

    Parameters
    ----------
    memory_limit : str, optional
        As DuckDB writes it, ``2GB``; without it, DuckDB's own limit. What does not fit is
        spilled to the workspace. The process may take up to a third more.
    threads : int, optional

    Raises
    ------
    UsageError
        If a limit is not one that DuckDB understands.
    OutputError
        If no temporary folder can be made.
    """
    workspace = _workspace()
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
    except duckdb.Error as error:
        shutil.rmtree(workspace, ignore_errors=True)
        raise UsageError(
            f"memory_limit, threads: {plain_reason(error).rstrip('.')}.", hint="Write 2GB, and 2."
        ) from None
    # Lazy tables may outlive their source; the files they read must live as long as they do.
    weakref.finalize(con, shutil.rmtree, workspace, ignore_errors=True)
    return Engine(con, workspace, settings)


def _workspace() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="churnml-"))
    except OSError as error:
        raise OutputError(
            f"TMPDIR: no temporary folder can be made ({plain_reason(error)}).",
            hint="Point TMPDIR to a folder with space.",
        ) from None


@contextmanager
def read_errors(location: str) -> Iterator[None]:
    """Turn what DuckDB says of unreadable data, or of too little room, into our own errors.

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
    """The rows that a statement gives, all fetched: DuckDB refuses new work before that."""
    rows: list[tuple[Any, ...]] = con.raw_sql(statement).fetchall()
    return rows


def identifier(name: str) -> str:
    """A name as SQL writes it.

    >>> identifier('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def literals(texts: Iterable[str]) -> str:
    """A list of texts as SQL writes it."""
    return f"[{', '.join(literal(text) for text in texts)}]"
