"""Tables in a database: a DuckDB file, PostgreSQL, or Spark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import ibis
from ibis.expr import types as ir

from churnml.base.text import nearest
from churnml.errors import ContractError, DataError, UsageError
from churnml.errors.masking import without_secrets
from churnml.tables.contract import TABLES
from churnml.tables.source.engines import postgres, views
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
    return _spark(location, zone) if location.startswith("spark://") else postgres.connect(location)


def digest(con: Any, location: str, names: Iterable[str]) -> str:
    """A text that differs wherever the rows of a database's tables do."""
    if not location.startswith("spark://"):
        return postgres.digest(con, names)
    place = location.removeprefix("spark://")
    found = []
    for name in sorted(names):
        query = f"SELECT count(*), sum(cast(xxhash64(*) AS decimal(38, 0))) FROM {place}.`{name}`"
        rows, hashed = con._session.sql(query).first()
        found.append(f"{name}\t{rows}\t{hashed}")
    return "\n".join(found)


def is_address(location: object) -> bool:
    """Whether a location is a database address rather than a path.

    >>> is_address("postgresql://localhost/crm"), is_address("data/demo")
    (True, False)
    """
    return str(location).startswith(("postgresql://", "postgres://", "spark://"))


def _spark(location: str, zone: str | None) -> tuple[Any, dict[str, ir.Table], str]:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise _without("spark", location) from None
    catalog, _, schema = location.removeprefix("spark://").partition(".")
    session = SparkSession.builder.getOrCreate()
    con = ibis.pyspark.connect(session)
    place = (catalog, schema) if schema else catalog
    try:
        # Temporary views would be listed in every schema.
        listed = session.catalog.listTables(".".join((catalog, schema) if schema else (catalog,)))
        names = [table.name for table in listed if not table.isTemporary]
    except Exception as error:
        problem = without_secrets(str(error)).strip().partition("\n")[0]
        raise DataError(f"{location}: cannot be read ({problem}).") from None
    tables = {name: con.table(name, database=place) for name in names}
    for name, table in tables.items():
        fields = session.table(".".join((catalog, schema, name) if schema else (catalog, name)))
        # Ibis shows Spark's zoned and plain timestamps alike.
        zoned = [field.name for field in fields.schema if field.dataType.typeName() == "timestamp"]
        tables[name] = _localised(table, zoned, zone)
    return con, tables, without_secrets(location)


_from_utc = ibis.udf.scalar.builtin(
    lambda moment, zone: None,
    name="from_utc_timestamp",
    signature=(("timestamp", "string"), "timestamp"),
)


def _localised(table: ir.Table, zoned: list[str], zone: str | None) -> ir.Table:
    if not zoned:
        return table
    if zone is None:
        raise UsageError(
            f"{table.get_name()}: {', '.join(zoned)} have a time zone.",
            hint="Name the one that local days are counted in as timezone in a mapping.",
        )
    return table.mutate(**{name: _from_utc(table[name], zone) for name in zoned})


def _without(extra: str, location: str) -> UsageError:
    return UsageError(
        f"{location}: needs the extra {extra!r}.", hint=f"Run pip install 'churnml[{extra}]'."
    )
