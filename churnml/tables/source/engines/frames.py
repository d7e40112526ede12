"""Frames in memory as tables of the engine: pandas, polars, Arrow, DuckDB, Ibis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
from ibis.expr import types as ir
from ibis.util import gen_name

from churnml.base.files import plain_reason
from churnml.errors import ContractError, DataError, UsageError
from churnml.tables.source.columns import ROW
from churnml.tables.source.engines import views
from churnml.tables.source.engines.duckdb import Engine, identifier, run

_BATCH = 65_536

KINDS = (
    "a pandas, polars or Arrow table, an Arrow dataset or record batch reader, a DuckDB "
    "relation or an Ibis table"
)
"""What is taken, in words."""


def is_frame(given: object) -> bool:
    """Whether something is one of the kinds of frames that are taken.

    >>> is_frame(pa.table({"a": [1]})), is_frame([{"a": 1}]), is_frame("bills.csv")
    (True, False, False)
    """
    if isinstance(given, pd.Series | ir.Column | type):
        return False
    kinds = (pd.DataFrame, ds.Dataset, ir.Table, duckdb.DuckDBPyRelation)
    return isinstance(given, kinds) or _is_lazy(given) or _streams(given)


def _is_lazy(given: object) -> bool:
    return type(given).__module__.partition(".")[0] == "polars" and hasattr(given, "collect")


def _streams(given: object) -> bool:
    # A column of polars or Arrow streams too, but has no columns of its own.
    holds = any(hasattr(given, name) for name in ("column_names", "columns", "schema"))
    return hasattr(given, "__arrow_c_stream__") and holds


def frame_views(engine: Engine, table: str, frame: Any) -> tuple[ir.Table, ir.Table, str]:
    """Take a frame's rows into the engine, which spills what memory does not hold.

    Parameters
    ----------
    engine : Engine
    table : str
        Names the views, and the table in messages.
    frame : frame of any kind

    Returns
    -------
    plain, numbered : Table
        Without and with each row's place in the frame.
    name : str
        What the rows are called in the engine.

    Raises
    ------
    UsageError
        If it is not a frame.
    ContractError
        If two of its columns have one name.
    DataError
        If its rows cannot be had, or a column holds values of several types.
    """
    if not is_frame(frame):
        raise _not_a_frame(table, frame)
    name = gen_name(f"frame_{table}")
    con = engine.con
    try:
        reader = _reader(table, frame)
        _check_names(table, reader.schema.names)
        con.con.register(f"{name}:rows", _numbered(reader))
        run(con, f"CREATE TEMP TABLE {identifier(name)} AS FROM {identifier(f'{name}:rows')}")
        con.con.unregister(f"{name}:rows")
    except (ContractError, MemoryError):
        raise
    except duckdb.OutOfMemoryException:
        raise
    except Exception as error:
        # Whatever a lazy frame of polars, DuckDB or Ibis finds wrong with what it reads.
        raise DataError(
            f"{table}: the rows of this {_kind(frame)} cannot be read ({plain_reason(error)}).",
            hint="Give every column one type; collect or execute the frame to see where it fails.",
            table=table,
        ) from error
    rows = identifier(name)
    plain = f"(SELECT * EXCLUDE ({identifier(ROW)}) FROM {rows})"
    return *views.create(con, table, plain, placed=plain_rows(rows), row=identifier(_AT)), name


_AT = "row:at"


def plain_rows(rows: str) -> str:
    """SQL of the rows with their number under a name that the views may use again."""
    row = identifier(ROW)
    return f"(SELECT * EXCLUDE ({row}), {row} AS {identifier(_AT)} FROM {rows})"


def digest(con: Any, names: Mapping[str, str]) -> str:
    """A text that differs wherever the rows of the frames do, whatever their order."""
    found = []
    for table, name in sorted(names.items()):
        rows = f"(SELECT * EXCLUDE ({identifier(ROW)}) FROM {identifier(name)}) AS t"
        (counts,) = run(con, f"SELECT count(*), sum(hash(t)::HUGEINT) FROM {rows}")
        found.append("\t".join(map(str, (table, *counts))))
    return "\n".join(found)


def digest_rows(rows: pa.Table) -> str:
    """A text that differs wherever rows in memory do, whatever their order.

    >>> digest_rows(pa.table({"a": [1, 2]})) == digest_rows(pa.table({"a": [2, 1]}))
    True
    """
    with duckdb.connect() as con:
        con.register("rows_in_memory", rows)
        query = "SELECT count(*), sum(hash(t)::HUGEINT) FROM rows_in_memory AS t"
        return "\t".join(map(str, con.execute(query).fetchall()[0]))


def _reader(table: str, frame: Any) -> pa.RecordBatchReader:
    if _is_lazy(frame):
        frame = frame.collect()
    if isinstance(frame, pd.DataFrame):
        strange = [name for name in frame.columns if not isinstance(name, str)]
        if strange:
            raise ContractError(
                f"{table}: column {strange[0]!r} has a name that is not text.",
                hint="Name the frame's columns as the contract does.",
                table=table,
            )
        _check_names(table, list(frame.columns))
        return pa.Table.from_pandas(frame, preserve_index=False).to_reader(_BATCH)
    if isinstance(frame, duckdb.DuckDBPyRelation):
        return frame.to_arrow_reader(_BATCH)
    if isinstance(frame, ir.Table):
        if frame.get_backend().name == "duckdb":
            # Ibis 12 asks DuckDB 2 for batches by a name that it has given up.
            return frame.to_pyarrow().to_reader(_BATCH)
        return frame.to_pyarrow_batches(chunk_size=_BATCH)
    if isinstance(frame, ds.Dataset):
        return frame.scanner(batch_size=_BATCH).to_reader()
    if isinstance(frame, pa.RecordBatchReader):
        return frame
    return pa.RecordBatchReader.from_stream(frame)


def _numbered(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The same rows with their places, from 1, as the engine does not keep them in order."""
    schema = reader.schema.append(pa.field(ROW, pa.int64())).remove_metadata()

    def batches() -> Iterator[pa.RecordBatch]:
        begin = 1
        for batch in reader:
            places = pa.array(range(begin, begin + batch.num_rows), pa.int64())
            yield pa.RecordBatch.from_arrays([*batch.columns, places], schema=schema)
            begin += batch.num_rows

    return pa.RecordBatchReader.from_batches(schema, batches())


def _check_names(table: str, names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        key = name.strip().casefold()
        if key in seen:
            raise ContractError(
                f"{table}: two columns are called {seen[key]!r} and {name!r}.",
                hint="Give every column a name of its own.",
                table=table,
                column=name,
            )
        seen[key] = name


def _not_a_frame(table: str, given: object) -> UsageError:
    hint = f"Give {KINDS}."
    if isinstance(given, str) or hasattr(given, "__fspath__"):
        hint = (
            "Open a folder of files by its path, open_source(folder), or read the file: "
            "polars.scan_parquet(path)."
        )
    elif isinstance(given, dict | list | tuple):
        hint = f"pandas.DataFrame(...) makes a frame of it. {hint}"
    return UsageError(f"{table}: a {_kind(given)} is not a frame.", hint=hint, table=table)


def _kind(given: object) -> str:
    kind = type(given)
    module = kind.__module__.partition(".")[0].lstrip("_")
    return kind.__name__ if module == "builtins" else f"{module} {kind.__name__}"


def arrow_table(table: str, frame: Any) -> pa.Table:
    """A frame's rows in memory.

    Raises
    ------
    UsageError
        If it is not a frame.
    """
    if not is_frame(frame):
        raise _not_a_frame(table, frame)
    return _reader(table, frame).read_all()
