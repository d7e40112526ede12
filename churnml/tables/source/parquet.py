"""Parquet tables: one file, or a folder of parts."""

from __future__ import annotations

import re
import resource
import uuid
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend
from ibis.expr import types as ir

from churnml.errors import ContractError, DataError
from churnml.tables.source.checksums import verify_pages
from churnml.tables.source.csv.names import check_names
from churnml.tables.source.engines.duckdb import (
    file_literals,
    identifier,
    literal,
    require_utf8,
    run,
)
from churnml.tables.source.engines.views import create

_MAGIC = b"PAR1"


def parts(folder: Path) -> list[Path]:
    """The Parquet parts of a table's folder, in the order of their names.

    Raises
    ------
    DataError
        If the job that writes the folder has not finished, or there are no parts.
    ContractError
        If the folder holds files of another kind.
    """
    files = sorted(path for path in folder.rglob("*") if not path.is_dir())
    if any(step == "_temporary" for path in folder.rglob("*") for step in path.parts):
        raise DataError(
            f"{folder}: holds _temporary, so the job that writes it has not finished.",
            hint="Wait for it, or remove what a broken job left.",
            file=str(folder),
        )
    inside = [path for path in files if not _hidden(path.relative_to(folder))]
    strange = [path for path in inside if path.suffix not in (".parquet", ".parq", ".pq")]
    if strange:
        raise ContractError(
            f"{folder}: {strange[0].name} is not a Parquet part.",
            hint="A table's folder holds Parquet parts only.",
            file=str(strange[0]),
        )
    for path in inside:
        require_utf8(path)
    if not inside:
        raise DataError(f"{folder}: no Parquet parts.", file=str(folder))
    return inside


def _hidden(path: Path) -> bool:
    return any(step.startswith(("_", ".")) for step in path.parts)


def check(root: Path, files: Sequence[Path], *, pages: bool = True) -> None:
    """Refuse incomplete Parquet files, and parts whose columns or types differ.

    Parameters
    ----------
    root : Path
        The file, or the folder of the parts.
    files : sequence of Path
    pages : bool
        Whether to compare the checksums of all pages, for which they are read.

    Raises
    ------
    DataError
        If a file is empty, cut off, of another kind, or not what its checksums say.
    ContractError
        If a column has one type here and another there, or stands twice in a file.
    """
    first: pa.Schema | None = None
    keys = partition_keys(root, files[0])
    for path in files:
        schema = _schema(path)
        check_names(path, schema.names)
        if pages:
            verify_pages(path)
        _check_keys(root, path, schema.names, keys)
        if first is None:
            first = schema
        else:
            _agree(files[0], first, path, schema)


def _schema(path: Path) -> pa.Schema:
    size = path.stat().st_size
    if size == 0:
        raise DataError(f"{path}: the file is empty (0 bytes).", file=str(path))
    with path.open("rb") as stream:
        head = stream.read(4)
        stream.seek(-min(4, size), 2)
        tail = stream.read(4)
    if head != _MAGIC or tail != _MAGIC or size <= 2 * len(_MAGIC):
        raise DataError(
            f"{path}: not a complete Parquet file ({size} bytes, ends in {tail!r}, "
            f"expected {_MAGIC!r}).",
            hint="Write or copy it again." if head == _MAGIC else None,
            file=str(path),
        )
    try:
        return pq.read_schema(path.absolute())
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path}: the Parquet footer cannot be read ({error}).",
            hint="Write or copy it again.",
            file=str(path),
        ) from None


def partition_keys(root: Path, path: Path) -> list[str]:
    """The partition keys in a part's folder names, as in ``month=2026-06-01/``.

    >>> partition_keys(Path("bills"), Path("bills/month=2026-06-01/part-0.parquet"))
    ['month']
    """
    folders = path.relative_to(root).parent.parts
    return [unquote(step.partition("=")[0]) for step in folders if "=" in step]


def partition_columns(root: Path, path: Path) -> dict[str, str]:
    """SQL of a part's partition keys as text, taken from its ``filename``.

    DuckDB's own ``hive_partitioning`` would also take folders above the table for keys.
    """
    steps = [step for step in path.relative_to(root).parent.parts if "=" in step]
    keys = {}
    for step in steps:
        key = step.partition("=")[0]
        # The last folder of that name is the one within the table.
        own = literal(f"(?s).*/{re.escape(key)}=([^/]*)/")
        value = f"url_decode(regexp_extract(filename, {own}, 1))"
        keys[unquote(key)] = f"nullif({value}, '__HIVE_DEFAULT_PARTITION__')"
    return keys


def _check_keys(root: Path, path: Path, names: Sequence[str], expected: Sequence[str]) -> None:
    keys = partition_keys(root, path)
    if keys != list(expected) or len(set(keys)) < len(keys):
        raise ContractError(
            f"{path}: its folders name the partition keys {', '.join(keys) or 'none'}, those of "
            f"the first part {', '.join(expected) or 'none'}.",
            hint="Put every part into folders of the same keys, each once.",
            file=str(path),
        )
    lower = {name.strip().casefold() for name in names}
    twice = [key for key in keys if key.strip().casefold() in lower]
    if twice:
        raise ContractError(
            f"{path}: {twice[0]!r} is a partition key and a column.",
            hint="Leave the column out of the files.",
            file=str(path),
            column=twice[0],
        )


def _agree(one: Path, expected: pa.Schema, other: Path, schema: pa.Schema) -> None:
    for name in dict.fromkeys([*expected.names, *schema.names]):
        here = expected.field(name).type if name in expected.names else None
        there = schema.field(name).type if name in schema.names else None
        if _plain(here) != _plain(there) and pa.null() not in (here, there):
            raise ContractError(
                f"{other}: column {name!r} is {there or 'absent'}, but {here or 'absent'} "
                f"in {one.name}.",
                hint="Write the parts with one type for each column.",
                file=str(other),
                column=name,
            )


def _plain(kind: pa.DataType | None) -> pa.DataType | None:
    """A column's type, regardless of its memory layout."""
    if kind is None:
        return None
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return pa.string() if pa.types.is_large_string(kind) else kind


def numbered_rows(con: Backend, files: Sequence[Path], *, named: bool) -> str:
    """SQL of the rows of all parts with ``file_row_number``, from 0, and ``filename`` if named.

    The parts are read as they lie. Where they are more than a process may open, which
    DuckDB does at once, their rows are first brought together, some parts at a time, in a
    table of the connection, which goes to its temporary folder where memory is short.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4
    if len(files) <= most:
        return _reader(files, named)
    name = identifier(f"gathered_{uuid.uuid4().hex}")
    step = max(most // 2, 1)
    run(con, f"CREATE TEMP TABLE {name} AS FROM {_reader(files[:step], named)}")
    for at in range(step, len(files), step):
        run(con, f"INSERT INTO {name} BY NAME FROM {_reader(files[at : at + step], named)}")
    return name


def _reader(files: Sequence[Path], named: bool) -> str:
    return (
        f"read_parquet({file_literals(files)}, binary_as_string = true, "
        f"union_by_name = {len(files) > 1}, hive_partitioning = false, "
        f"file_row_number = true, filename = {named})"
    )


def views(con: Backend, table: str, root: Path, files: Sequence[Path]) -> tuple[ir.Table, ir.Table]:
    """The files as one lazy table, and as one whose rows are numbered file by file.

    Parameters
    ----------
    con : Backend
    table : str
        Names the views.
    root : Path
        The file, or the folder of the parts.
    files : sequence of path
        Checked by `check`.
    """
    reader = numbered_rows(con, files, named=True)
    keys = partition_columns(root, files[0]) if root != files[0] else {}
    added = "".join(f", {sql} AS {identifier(key)}" for key, sql in keys.items())
    placed = f"(SELECT *{added} FROM {reader})"
    plain = f"(SELECT * EXCLUDE (filename, file_row_number){added} FROM {reader})"
    return create(
        con,
        table,
        plain,
        placed=placed,
        row="file_row_number + 1",
        file="filename",
    )
