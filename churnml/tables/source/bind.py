"""Match stored rows to what is declared of them, without reading a row."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ibis.expr import schema as sch
from ibis.expr import types as ir

from churnml.errors import UsageError
from churnml.tables.contract import TableSpec
from churnml.tables.source import parquet
from churnml.tables.source.binding import Binding, Exact, read_rows
from churnml.tables.source.csv import load as delimited
from churnml.tables.source.csv.sniffing import read_names
from churnml.tables.source.engines import spark
from churnml.tables.source.engines.duckdb import Engine
from churnml.tables.source.mapping import SourceMapping, TableMapping

CSV_ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")

Declared = tuple[TableSpec, TableMapping]
"""What is declared of a table, and how its columns are called."""

Match = Callable[[tuple[str, ...], sch.Schema | None], Declared]
"""Of a table's column names and types, none of a CSV file, what is declared of it."""


def bind_file(
    engine: Engine, mapping: SourceMapping, name: str, path: Path, match: Match
) -> Binding:
    """Match a file, or a folder of Parquet parts.

    Parameters
    ----------
    engine : Engine
    mapping : SourceMapping
        With the encoding and delimiter of this file.
    name : str
        Names the views.
    path : Path
    match : callable
    """
    if path.is_file() and path.name.lower().endswith(CSV_ENDINGS):
        names = read_names(path, mapping.encoding, mapping.delimiter)
        spec, entry = match(names, None)
        load = partial(delimited.load, mapping=mapping, engine=engine)
        return Binding(
            spec=spec, entry=entry, origin=str(path), names=names, load=load, files=(path,)
        )
    files = tuple(parquet.parts(path)) if path.is_dir() else (path,)
    parquet.check(path, files)
    plain, numbered = parquet.views(engine.con, name, path, files)
    declared = match(tuple(plain.columns), plain.schema())
    return bind_rows(mapping, declared, str(path), plain, numbered, files=files)


def bind_on_spark(con: Any, mapping: SourceMapping, name: str, path: Path, match: Match) -> Binding:
    """Match a Parquet table as a table of Spark; as `bind_file`."""
    if path.is_file() and path.name.lower().endswith(CSV_ENDINGS):
        raise UsageError(
            f"--engine spark: {path} is a CSV file; Spark reads Parquet.",
            hint="Use duckdb, or write the table as Parquet.",
            table=name,
            file=str(path),
        )
    files = tuple(parquet.parts(path)) if path.is_dir() else (path,)
    parquet.check(path, files, pages=False)
    plain, numbered = spark.files_view(con, name, path, files, mapping.timezone)
    declared = match(tuple(plain.columns), plain.schema())
    return bind_rows(mapping, declared, str(path), plain, numbered, files=files, exact="text")


def bind_rows(
    mapping: SourceMapping,
    declared: Declared,
    origin: str,
    plain: ir.Table,
    numbered: ir.Table,
    *,
    files: tuple[Path, ...] = (),
    exact: Exact = "",
) -> Binding:
    """Match rows that have types.

    Parameters
    ----------
    mapping : SourceMapping
    declared : (TableSpec, TableMapping)
    origin : str
        For messages.
    plain, numbered : Table
        As they stand, and with the place of each.
    files : tuple of Path
    exact : str
        As for `read_rows`.
    """
    spec, entry = declared
    load = partial(read_rows, plain=plain, numbered=numbered, mapping=mapping, exact=exact)
    kinds = plain.schema().items()
    zoned = tuple(name for name, kind in kinds if kind.is_timestamp() and kind.timezone)
    if mapping.timezone is not None:
        zoned = ()
    return Binding(
        spec=spec,
        entry=entry,
        origin=origin,
        names=tuple(plain.columns),
        load=load,
        files=files,
        zoned=zoned,
        numbers={name: str(kind).lstrip("!") for name, kind in kinds if kind.is_integer()},
    )
