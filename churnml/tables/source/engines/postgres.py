"""PostgreSQL as a source: one snapshot for a whole run, plans that end, errors in sentences."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import ibis
from ibis.expr import types as ir

from churnml.errors import DataError, UsageError
from churnml.errors.masking import without_secrets
from churnml.tables.source.engines.duckdb import identifier

# The planner expects far fewer rows than come, and nests loops over them; just-in-time
# compilation of the many expressions costs more than they do.
_SESSION = ("SET jit = off", "SET enable_nestloop = off", "SET standard_conforming_strings = on")
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ"


class DatabaseTables(Mapping[str, ir.Table]):
    """The tables of a database by name, each looked at when it is first asked for."""

    def __init__(self, con: Any, names: Iterable[str]) -> None:
        self._con, self._names = con, tuple(names)

    def __getitem__(self, name: str) -> ir.Table:
        if name not in self._names:
            raise KeyError(name)
        return self._con.table(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def connect(location: str) -> tuple[Any, Mapping[str, ir.Table], str]:
    """Connect to PostgreSQL; return engine, tables, and an address without its password.

    All that is read from the connection is of one moment, that of the connecting.

    Raises
    ------
    UsageError
        If the extra is not installed.
    DataError
        If the server cannot be reached.
    """
    parts = urlsplit(location)
    shown = without_secrets(f"postgresql://{parts.hostname or ''}{parts.path}")
    try:
        import psycopg

        con = ibis.connect(location)
    except ImportError:
        raise UsageError(
            f"{shown}: needs the extra 'postgres'.", hint="Run pip install 'churnml[postgres]'."
        ) from None
    except psycopg.Error as error:
        problem = without_secrets(str(error), location).strip().partition("\n")[0]
        raise DataError(f"{shown}: cannot be reached ({problem}).") from None
    weakref.finalize(con, con.con.close)
    _translate_errors(con.con, shown, location)
    with con.con.cursor() as cursor:
        for statement in (*_SESSION, _SNAPSHOT):
            cursor.execute(statement)
    return con, DatabaseTables(con, con.list_tables()), shown


def digest(con: Any, tables: Iterable[str]) -> str:
    """A text that differs wherever the rows of the tables do.

    Parameters
    ----------
    con : ibis Backend
    tables : iterable of str
        By their names in the database.
    """
    found = []
    for name in sorted(tables):
        query = (
            "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) "
            f"FROM {identifier(name)} t"
        )
        with con.con.cursor() as cursor:
            rows, hashed = cursor.execute(query).fetchone()
        found.append(f"{name}\t{rows}\t{hashed}")
    return "\n".join(found)


def _translate_errors(connection: Any, shown: str, location: str) -> None:
    """Make every cursor of a connection raise churnml's own errors."""
    import psycopg

    def told(error: psycopg.Error) -> DataError:
        problem = without_secrets(str(error), location).strip().partition("\n")[0]
        return DataError(f"{shown}: {problem}.", hint=_hint(error, problem))

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, *args: Any, **options: Any) -> Cursor:
            try:
                super().execute(*args, **options)
            except psycopg.Error as error:
                raise told(error) from error
            return self

    class ServerCursor(psycopg.ServerCursor[Any]):
        def execute(self, *args: Any, **options: Any) -> ServerCursor:
            try:
                super().execute(*args, **options)
            except psycopg.Error as error:
                raise told(error) from error
            return self

        def fetchmany(self, *args: Any, **options: Any) -> list[Any]:
            try:
                return super().fetchmany(*args, **options)
            except psycopg.Error as error:
                raise told(error) from error

    plain = connection.transaction

    @contextmanager
    def transaction(*args: Any, **options: Any) -> Iterator[Any]:
        try:
            with plain(*args, **options) as one:
                yield one
        except psycopg.Error as error:
            raise told(error) from error

    connection.cursor_factory, connection.server_cursor_factory = Cursor, ServerCursor
    connection.transaction = transaction


def _hint(error: Any, problem: str) -> str:
    from psycopg import errors

    if isinstance(error, errors.InsufficientPrivilege):
        if "temporary" in problem:
            return (
                "Dates are passed as small temporary tables: GRANT TEMPORARY ON DATABASE … TO "
                "this role. Nothing else is ever written."
            )
        return "GRANT SELECT on the table to this role."
    if isinstance(error, errors.QueryCanceled):
        return "Raise statement_timeout for this role, or run when the server is less busy."
    if isinstance(error, errors.DiskFull | errors.OutOfMemory):
        return "Free space on the server (temp_tablespaces), then run the same command again."
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn):
        return "The tables changed since they were looked at: run the same command again."
    if isinstance(error, errors.OperationalError):
        return "The connection was lost: run the same command again when the server answers."
    return ""
