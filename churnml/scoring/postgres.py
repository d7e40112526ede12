"""A PostgreSQL table as the place of scores: its address, its columns, the server's errors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit, urlunsplit

import pyarrow as pa
import pyarrow.parquet as pq

from churnml.base.files import crash_point
from churnml.errors import OutputError, UsageError
from churnml.errors.masking import without_secrets

if TYPE_CHECKING:
    from psycopg import Connection, Error

_SCHEMES = ("postgresql://", "postgres://")
_EXAMPLE = "postgresql://user@host/database/schema.table"
_LONGEST = 63
VERSIONS = ("churn_model", "satisfaction_model")
"""The columns that tell whose scores a row holds."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ScoresTable:
    """A table of a PostgreSQL database.

    Attributes
    ----------
    address : str
        Of the database, with its password where it holds one.
    schema : str or None
        ``None`` for the first of the user's search path.
    table : str
    shown : str
        The table's address for people.
    """

    address: str
    schema: str | None
    table: str
    shown: str


def is_target(out: object) -> bool:
    """Whether a result's place is a table of a database rather than a folder.

    Examples
    --------
    >>> is_target("postgresql://crm@db1/crm/public.churn_scores"), is_target("scores")
    (True, False)
    """
    return str(out).startswith(_SCHEMES)


def parse_target(out: str) -> ScoresTable:
    """Read the address of a table.

    Parameters
    ----------
    out : str
        ``postgresql://user@host/database/schema.table``, or without the schema.

    Raises
    ------
    UsageError
        If it names no table, or a name that the server would cut off.

    Examples
    --------
    >>> parse_target("postgresql://crm:S@db1/crm/public.churn_scores?sslmode=require").shown
    'postgresql://db1/crm/public.churn_scores'
    >>> parse_target("postgresql://crm@db1/crm")
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: --out postgresql://crm@db1/crm: names no table. Expected \
postgresql://user@host/database/schema.table.
    """
    parts = urlsplit(out)
    steps = [unquote(step) for step in parts.path.split("/")[1:]]
    if len(steps) != 2 or not all(steps):
        raise UsageError(f"--out {out}: names no table.", hint=f"Expected {_EXAMPLE}.")
    schema, dot, table = steps[1].rpartition(".")
    if not table or (dot and not schema) or "." in schema:
        raise UsageError(
            f"--out {out}: {steps[1]!r} is not a table's name.", hint=f"Expected {_EXAMPLE}."
        )
    for name in (schema, table):
        if len(name.encode()) > _LONGEST or "\0" in name:
            raise UsageError(
                f"--out {out}: PostgreSQL allows names of at most {_LONGEST} bytes.",
                hint="Choose a shorter one.",
            )
    database = parts.path.rpartition("/")[0]
    where = without_secrets(f"postgresql://{parts.hostname or ''}{database}")
    return ScoresTable(
        address=urlunsplit(parts._replace(path=database)),
        schema=schema or None,
        table=table,
        shown=f"{where}/{steps[1]}",
    )


def connect(target: ScoresTable) -> Connection[Any]:
    """Connect to the database of a table, to write.

    Raises
    ------
    UsageError
        If the extra is not installed.
    OutputError
        If the server cannot be reached.
    """
    try:
        import psycopg
    except ImportError:
        raise UsageError(
            f"{target.shown}: needs the extra 'postgres'.",
            hint="Run pip install 'churnml[postgres]'.",
        ) from None
    if urlsplit(target.address).password:
        _log.warning(
            "the address of --out holds a password, which others on this machine can see: keep "
            "it in a file that PGPASSFILE names"
        )
    with server_errors(target):
        connection = psycopg.connect(
            target.address,
            autocommit=True,
            application_name="churnml",
            client_encoding="UTF8",
            keepalives=1,
            keepalives_idle=30,
        )
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    return connection


@contextmanager
def server_errors(target: ScoresTable) -> Iterator[None]:
    """Raise the server's errors as churnml's own, each with what to do.

    Raises
    ------
    OutputError
    """
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        problem = without_secrets(str(error), target.address).strip().partition("\n")[0]
        raise OutputError(
            f"{target.shown}: {problem.rstrip('.')}.",
            hint=_advice(error),
            file=target.shown,
            code=error.sqlstate,
        ) from None


def _advice(error: Error) -> str:
    from psycopg import errors

    whole = "What stood in the table still does"
    again = f"{whole}: run the same command again"
    if isinstance(error, errors.InsufficientPrivilege):
        return f"{whole}. This role needs CREATE on the schema, and owns the table or may \
SELECT, INSERT and DELETE."
    if isinstance(error, errors.InvalidSchemaName | errors.InvalidCatalogName):
        return "Create it, or correct --out."
    if isinstance(error, errors.DiskFull | errors.OutOfMemory):
        return f"{whole}. Free space on the server, then run the same command again."
    if isinstance(error, errors.QueryCanceled | errors.LockNotAvailable):
        return f"{again} when the server is less busy, or raise statement_timeout for this role."
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return "This server is a read-only copy: name the one that may be written to."
    if isinstance(error, errors.OperationalError):
        return f"{again} when the server answers."
    return f"{whole}."


def column_types(schema: pa.Schema) -> dict[str, str]:
    """The columns of scores with their types in PostgreSQL.

    Examples
    --------
    >>> column_types(pa.schema([("customer_id", pa.string()), ("arpu", pa.float64())]))
    {'customer_id': 'text', 'arpu': 'double precision'}
    """
    return {field.name: _type(field.type) for field in schema}


def _type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return "jsonb"
    if pa.types.is_date(kind):
        return "date"
    return "double precision" if pa.types.is_floating(kind) else "text"


def copy_parts(
    connection: Connection[Any], table: Any, parts: Iterable[Path], columns: Mapping[str, str]
) -> int:
    """Copy the parts of a result into a table; return how many rows it then has.

    Parameters
    ----------
    connection : Connection
    table : psycopg.sql.Composable
    parts : iterable of Path
    columns : mapping of str to str
        As `column_types` gives them.
    """
    from psycopg import sql

    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(table, names)
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for part in parts:
                with pq.ParquetFile(part) as file:
                    for batch in file.iter_batches(columns=list(columns)):
                        copy.write(_csv(pa.Table.from_batches([batch])))
                crash_point(f"{part.name}:copied")
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(table))
        (counted,) = cursor.fetchall()
    return int(counted[0])


def _csv(table: pa.Table) -> bytes:
    """Rows as PostgreSQL reads them: a null is nothing, an empty text is quoted."""
    import duckdb
    from pyarrow import csv

    nested = [field.name for field in table.schema if pa.types.is_list(field.type)]
    if nested:
        with duckdb.connect() as con:
            con.register("rows", table)
            replaced = ", ".join(f'to_json("{name}")::VARCHAR AS "{name}"' for name in nested)
            table = con.sql(f"SELECT * REPLACE ({replaced}) FROM rows").to_arrow_table()
    buffer = pa.BufferOutputStream()
    csv.write_csv(table, buffer, csv.WriteOptions(include_header=False))
    return bytes(buffer.getvalue())


def same_scores(
    there: Container[str], as_of: date | None, versions: Mapping[str, str]
) -> tuple[str, tuple[Any, ...]]:
    """The condition of SQL for the scores of models at a date, with its values.

    Parameters
    ----------
    there : container of str
        The table's columns.
    as_of : date or None
    versions : mapping of str to str
        By column of `VERSIONS`.
    """
    values = {name: versions.get(name) for name in VERSIONS if name in there}
    condition = " AND ".join(f"{name} IS NOT DISTINCT FROM %s" for name in ("as_of", *values))
    return condition, (as_of, *values.values())


def query_scores(
    target: ScoresTable,
    as_of: date | None,
    versions: Mapping[str, str],
    *,
    columns: Callable[[list[str]], str],
    rest: str,
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Select from the scores of models at a date; return the columns' names and the rows.

    Parameters
    ----------
    target : ScoresTable
    as_of : date or None
    versions : mapping of str to str
        By column of `VERSIONS`.
    columns : callable
        Given the table's columns, what to select.
    rest : str
        What follows the condition: a grouping or an order.
    """
    from psycopg import sql

    def plain(text: str) -> sql.SQL:
        return sql.SQL(cast(Any, text))

    with connect(target) as connection, server_errors(target):
        table = sql.Identifier(*([target.schema] if target.schema else []), target.table)
        empty = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(table))
        there = [column.name for column in empty.description or ()]
        condition, values = same_scores(there, as_of, versions)
        query = sql.SQL("SELECT {} FROM {} WHERE {} {}").format(
            plain(columns(there)), table, plain(condition), plain(rest)
        )
        found = connection.execute(query, values)
        return [column.name for column in found.description or ()], found.fetchall()
