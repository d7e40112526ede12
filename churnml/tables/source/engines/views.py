"""Create DuckDB views of stored tables, with and without row numbers."""

from __future__ import annotations

from ibis.backends.duckdb import Backend
from ibis.expr import types as ir

from churnml.tables.source.columns import FILE, ROW
from churnml.tables.source.engines.duckdb import identifier, run

_READABLE = {'"NULL"': "VARCHAR", "TIMESTAMPTZ_NS": "TIMESTAMPTZ", "TIMESTAMP_NS": "TIMESTAMP"}
"""Types that Ibis has no name for, or that hold no more than another."""


def create(
    con: Backend, table: str, relation: str, *, placed: str, row: str, file: str | None = None
) -> tuple[ir.Table, ir.Table]:
    """Return a relation as a lazy table, and as one with each row's file and row number.

    Parameters
    ----------
    con : Backend
    table : str
        Names the views.
    relation : str
        What stands after FROM.
    placed : str
        The same, with what ``row`` and ``file`` need.
    row, file : str
        SQL of a row's number and of its file.
    """
    kinds = run(con, f"DESCRIBE SELECT * FROM {relation}")
    columns = ", ".join(_selected(name, kind) for name, kind, *_ in kinds)
    place = f"{row} AS {identifier(ROW)}"
    if file is not None:
        place += f", {file} AS {identifier(FILE)}"
    numbered = f"{table}:numbered"
    run(con, f"CREATE TEMP VIEW {identifier(table)} AS SELECT {columns} FROM {relation}")
    run(con, f"CREATE TEMP VIEW {identifier(numbered)} AS SELECT {columns}, {place} FROM {placed}")
    return con.table(table), con.table(numbered)


def _selected(name: str, kind: str) -> str:
    own = identifier(name)
    target = "VARCHAR" if kind.startswith("ENUM(") else _READABLE.get(kind)
    return own if target is None else f"CAST({own} AS {target}) AS {own}"
