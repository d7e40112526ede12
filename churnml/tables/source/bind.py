"""Match stored rows to what is declared of them, without reading a row."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ibis.expr import schema as sch
from ibis.expr import types as ir

from churnml.base.text import quoted
from churnml.errors import ContractError, UsageError
from churnml.tables.contract import TableSpec
from churnml.tables.source import parquet, workbook
from churnml.tables.source.binding import Binding, Exact, read_rows
from churnml.tables.source.csv import load as delimited
from churnml.tables.source.csv.sniffing import read_names
from churnml.tables.source.engines import spark
from churnml.tables.source.engines.duckdb import Engine
from churnml.tables.source.folder import CSV_ENDINGS, parts
from churnml.tables.source.mapping import SourceMapping, TableMapping

Declared = tuple[TableSpec, TableMapping]
"""What is declared of a table, and how its columns are called."""

Match = Callable[[tuple[str, ...], sch.Schema | None], Declared]
"""Of a table's column names and types, none of a CSV file, what is declared of it."""


def bind_file(
    engine: Engine, mapping: SourceMapping, name: str, path: Path, match: Match
) -> Binding:
    """Match a file, or the parts of a table: a folder of them, or a pattern such as ``a_*.csv``.

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
    if path.is_file() and path.name.lower().endswith(workbook.ENDINGS):
        return _bind_sheet(engine, mapping, path, match)
    files = parts(path)
    if all(file.name.lower().endswith(CSV_ENDINGS) for file in files):
        return _bind_text(engine, mapping, path, files, match)
    root = path if path.exists() else path.parent
    parquet.check(root, files)
    plain, numbered = parquet.views(engine.con, name, root, files)
    declared = match(tuple(plain.columns), plain.schema())
    return bind_rows(mapping, declared, str(path), plain, numbered, files=files)


def _bind_text(
    engine: Engine, mapping: SourceMapping, path: Path, files: tuple[Path, ...], match: Match
) -> Binding:
    """Match a CSV file, or several with one header."""
    names = read_names(files[0], mapping.encoding, mapping.delimiter)
    for file in files[1:]:
        own = read_names(file, mapping.encoding, mapping.delimiter)
        if own != names:
            strange = [name for name in (*own, *names) if (name in own) != (name in names)]
            raise ContractError(
                f"{file}: its columns are not those of {files[0].name} "
                f"({', '.join(map(quoted, strange[:3])) or 'another order'}).",
                hint="Files of one table need the same header.",
                file=str(file),
            )
    spec, entry = match(names, None)
    load = partial(delimited.load, mapping=mapping, engine=engine)
    return Binding(spec=spec, entry=entry, origin=str(path), names=names, load=load, files=files)


def _bind_sheet(engine: Engine, mapping: SourceMapping, path: Path, match: Match) -> Binding:
    """Match a sheet of a workbook, whose cells are read as the text of a CSV file is."""
    names = workbook.read_header(path, mapping.sheet)
    spec, entry = match(names, None)
    plain = mapping.model_copy(update={"encoding": "utf-8", "delimiter": ","})
    load = partial(
        delimited.load,
        mapping=plain,
        engine=engine,
        as_text=partial(workbook.as_csv, path, mapping.sheet),
    )
    return Binding(spec=spec, entry=entry, origin=str(path), names=names, load=load, files=(path,))


def bind_on_spark(con: Any, mapping: SourceMapping, name: str, path: Path, match: Match) -> Binding:
    """Match a Parquet table as a table of Spark; as `bind_file`."""
    files = parts(path)
    for ending, kind in {CSV_ENDINGS: "CSV file", workbook.ENDINGS: "workbook"}.items():
        if files[0].name.lower().endswith(ending):
            raise UsageError(
                f"--engine spark: {files[0]} is a {kind}; Spark reads Parquet.",
                hint="Use duckdb, or write the table as Parquet.",
                table=name,
                file=str(files[0]),
            )
    root = path if path.exists() else path.parent
    parquet.check(root, files, pages=False)
    plain, numbered = spark.files_view(con, name, root, files, mapping.timezone)
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
