"""Read flat Parquet tables: one file, or a folder of parts."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from churnml.datasets.flat.table import ROW, Table, stamp
from churnml.tables.source import parquet
from churnml.tables.source.engines.duckdb import Engine, identifier, literal, plain_name, run
from churnml.tables.source.folder import parts

_READABLE = {'"NULL"': "VARCHAR", "TIMESTAMP_NS": "TIMESTAMP"}


def open_parquet(path: Path, engine: Engine) -> Table:
    """Read the rows of a Parquet table in their own types.

    Raises
    ------
    DataError
        If a file is empty, cut off or of another kind.
    ContractError
        If the parts disagree, or two columns have one name.
    """
    files = list(parts(path))
    several = path.is_dir() or len(files) > 1
    stamps = {file: stamp(file) for file in files}
    parquet.check(path if path.exists() else path.parent, files)
    con = engine.another(preserve_insertion_order=True)
    reader = parquet.numbered_rows(con, files, named=several)
    added = "filename, file_row_number" if several else "file_row_number"
    described = run(con, f"DESCRIBE SELECT * EXCLUDE ({added}) FROM {reader}")
    zones = _zones(files[0])
    columns = {
        name: (_local(identifier(name), zones[name]), "TIMESTAMP")
        if name in zones
        else (identifier(name), _kind(kind))
        for name, kind, *_ in described
    }
    keys = parquet.partition_columns(path, files[0]) if path.is_dir() else {}
    columns |= {key: (sql, "VARCHAR") for key, sql in keys.items()}
    selected = ", ".join(
        f"CAST({sql} AS {kind}) AS c{at}" for at, (sql, kind) in enumerate(columns.values())
    )
    relation = f"(SELECT {selected}, {_number(files)} AS {ROW} FROM {reader})"
    return Table(
        path=path,
        engine=engine,
        con=con,
        relation=relation,
        names=tuple(name.strip() for name in columns),
        kinds=tuple(kind for _, kind in columns.values()),
        counted="row",
        files=stamps,
        index=_index(files[0]),
    )


def _index(file: Path) -> tuple[str, ...]:
    """The columns that were the index of the data frame that pandas wrote."""
    metadata = pq.read_schema(file.absolute()).pandas_metadata or {}
    # An index that only counts the rows is stored as a mapping, and is not a column.
    return tuple(name for name in metadata.get("index_columns", ()) if isinstance(name, str))


def _zones(file: Path) -> dict[str, str]:
    """The time zone of each column of moments that has one, as whoever wrote the file said."""
    return {
        field.name: field.type.tz
        for field in pq.read_schema(file.absolute())
        if pa.types.is_timestamp(field.type) and field.type.tz not in (None, "UTC")
    }


def _local(column: str, zone: str) -> str:
    """SQL of a moment as the clocks of its zone show it: whoever wrote midnight meant that day."""
    moment = f"CAST({column} AS TIMESTAMPTZ)"
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", zone)
    if offset is None:
        return f"timezone({literal(zone)}, {moment})"
    sign, hours, minutes = offset.groups()
    return f"timezone('UTC', {moment}) {sign} INTERVAL '{hours} hours {minutes} minutes'"


def _kind(kind: str) -> str:
    return "VARCHAR" if kind.startswith("ENUM(") else _READABLE.get(kind, kind)


def _number(files: list[Path]) -> str:
    """SQL of a row's number, counted through all parts."""
    if len(files) == 1:
        return "file_row_number + 1"
    before, cases = 0, []
    for file in files:
        cases.append(f"WHEN {literal(plain_name(file))} THEN {before}")
        before += pq.read_metadata(file.absolute()).num_rows
    return f"file_row_number + 1 + CASE filename {' '.join(cases)} END"
