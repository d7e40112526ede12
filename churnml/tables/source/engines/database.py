"""Tables in a database: a DuckDB file, PostgreSQL, or Spark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
from ibis.expr import types as ir

from churnml.base.text import nearest
from churnml.errors import ContractError, DataError
from churnml.tables.contract import TABLES
from churnml.tables.source.engines import postgres, spark, views
from churnml.tables.source.engines.duckdb import Engine, identifier, literal, run
from churnml.tables.source.mapping import SourceMapping

_CATALOG = "source"
_MAGIC = b"DUCK"


def attach(engine: Engine, path: Path) -> dict[str, str]:
    """Attach a DuckDB file read-only; return its tables and views by their SQL names.

    Parameters
    ----------
    engine : Engine
    path : Path

    Returns
    -------
    dict of str to str
        ``table``, and ``schema.table`` where the schema is not ``main``: the quoted name.

    Raises
    ------
    DataError
        If it is no DuckDB file, or another process has it open for writing.
    """
    with path.open("rb") as stream:
        if stream.read(12)[8:] != _MAGIC:
            raise DataError(
                f"{path}: neither a folder nor a DuckDB file.",
                hint="Name the folder that holds the tables.",
                file=str(path),
            )
    if "\\" in str(path.absolute()):
        # DuckDB takes it for a slash and would open another file.
        raise DataError(
            f"{path}: a database with a backslash in its name or folder cannot be opened.",
            hint="Rename it.",
            file=str(path),
        )
    try:
        run(engine.con, f"ATTACH {literal(str(path.absolute()))} AS {_CATALOG} (READ_ONLY)")
    except duckdb.Error as error:
        raise _unavailable(path, str(error)) from None
    tables = run(
        engine.con,
        "SELECT schema_name, table_name FROM duckdb_tables() "
        f"WHERE database_name = {literal(_CATALOG)} UNION ALL "
        "SELECT schema_name, view_name FROM duckdb_views() "
        f"WHERE database_name = {literal(_CATALOG)} AND NOT internal",
    )
    return {
        (name if schema == "main" else f"{schema}.{name}"): ".".join(
            identifier(step) for step in (_CATALOG, schema, name)
        )
        for schema, name in tables
    }


def _unavailable(path: Path, problem: str) -> DataError:
    holder = re.search(r"held in (.+?) \(PID (\d+)\)", problem)
    if holder is not None:
        return DataError(
            f"{path}: open for writing in {holder[1]} (PID {holder[2]}).",
            hint="Close it there, or open a copy.",
            file=str(path),
            holder=int(holder[2]),
        )
    return DataError(f"{path}: cannot be opened ({problem.splitlines()[0]}).", file=str(path))


def attached_views(engine: Engine, table: str, name: str) -> tuple[ir.Table, ir.Table]:
    """A table of the attached file as lazy tables, plain and numbered."""
    return views.create(
        engine.con, table, name, placed=name, row="CAST(row_number() OVER () AS BIGINT)"
    )


def choose(names: Mapping[str, Any], mapping: SourceMapping, location: str) -> dict[str, str]:
    """Match a database's tables to those of the contract.

    Raises
    ------
    ContractError
        If the mapping names a table that is not there, with the nearest that is.
    """
    chosen = {}
    for table in TABLES:
        named = mapping.table(table).file
        if named is not None and named not in names:
            near = nearest(named, names)
            raise ContractError(
                f"{table}: {location} has no table {named}, though the mapping names it.",
                hint=f"Did you mean {near}?" if near else f"Correct tables.{table}.file.",
                table=table,
            )
        if (named or table) in names:
            chosen[table] = named or table
    return chosen


def connect(location: str, zone: str | None) -> tuple[Any, Mapping[str, ir.Table], str]:
    """Connect to PostgreSQL or Spark; return engine, tables, and an address without its password.

    Parameters
    ----------
    location : str
        ``postgresql://user@host/database`` (with ``?schema=NAME`` for another schema than
        the user's own), or ``spark://catalog.schema``.
    zone : str or None
        The mapping's time zone.

    Raises
    ------
    UsageError
        If the extra is not installed.
    DataError
        If the database cannot be reached.
    """
    if spark.is_address(location):
        return spark.connect(location, zone)
    return postgres.connect(location)


def digest(con: Any, location: str, names: Iterable[str]) -> str:
    """A text that differs wherever the rows of a database's tables do."""
    if spark.is_address(location):
        return spark.digest(con, location, list(names))
    return postgres.digest(con, names)


def is_address(location: object) -> bool:
    """Whether a location is a database address rather than a path.

    >>> is_address("postgresql://localhost/crm"), is_address("data/demo")
    (True, False)
    """
    return str(location).startswith(("postgresql://", "postgres://", "spark://"))
