"""Read data frames as flat tables: pandas, polars, Arrow, DuckDB and Ibis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from churnml.base.scratch import temporary_folder
from churnml.errors import ChurnmlError, DataError, UsageError

Frame = Any
"""Whatever gives its rows as Arrow (``__arrow_c_stream__``), or a lazy frame of polars."""

NAME = "frame"
"""What a table without a file is called."""


def is_frame(data: object) -> bool:
    """Whether something is a data frame rather than the location of one.

    >>> is_frame(pd.DataFrame({"a": [1]})), is_frame("customers.csv")
    (True, False)
    """
    return hasattr(data, "__arrow_c_stream__") or hasattr(data, "collect")


def name_of(data: object) -> str:
    """The name of a table in messages and records.

    >>> name_of("data/customers.csv"), name_of(pd.DataFrame())
    ('data/customers.csv', 'frame')
    """
    return NAME if is_frame(data) else str(data)


@contextmanager
def table_file(data: Frame | str | Path) -> Iterator[Path]:
    """The file of a table; for a frame a temporary one that lasts as long as the block.

    A frame is read from then on as a Parquet file is, so that both give the same numbers.

    Parameters
    ----------
    data : path or data frame

    Raises
    ------
    UsageError
        If it is neither.
    DataError
        If a column holds what no table can: values of several types, or columns of one name.

    Examples
    --------
    >>> with table_file(pd.DataFrame({"a": [1, 2]})) as path:
    ...     path.name
    'frame.parquet'
    """
    if isinstance(data, str | Path):
        yield Path(data)
        return
    if not is_frame(data):
        raise UsageError(
            f"A table expected, found a {type(data).__name__}.",
            hint="Give a file, or a frame of pandas, polars, Arrow, DuckDB or Ibis.",
        )
    with temporary_folder() as folder:
        path = folder / f"{NAME}.parquet"
        _write(data, path)
        try:
            yield path
        except ChurnmlError as error:
            raise _renamed(error, path) from None


def _write(frame: Frame, path: Path) -> None:
    reader = _reader(frame)
    try:
        with pq.ParquetWriter(path, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
    except pa.ArrowException as error:
        raise _unfit(error) from None


def _reader(frame: Frame) -> pa.RecordBatchReader:
    try:
        if isinstance(frame, pd.DataFrame):
            # With the names of the index, which is no column unless the user says so.
            return pa.Table.from_pandas(_arrow_moments(frame)).to_reader()
        if hasattr(frame, "collect") and not hasattr(frame, "__arrow_c_stream__"):
            frame = frame.collect()
        return _decoded(pa.RecordBatchReader.from_stream(frame))
    except (pa.ArrowException, ValueError) as error:
        raise _unfit(error) from None


def _arrow_moments(frame: pd.DataFrame) -> pd.DataFrame:
    """Moments with a time zone as Arrow's: pandas 3.1 warns where Arrow takes its own."""
    zoned = {
        name: pd.ArrowDtype(pa.timestamp(kind.unit, tz=str(kind.tz).removeprefix("UTC") or "UTC"))
        for name, kind in frame.dtypes.items()
        if isinstance(kind, pd.DatetimeTZDtype)
    }
    return frame.astype(zoned) if zoned else frame


def _decoded(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Categories as their texts: Parquet has no dictionary of every kind of text."""
    coded = [field.name for field in reader.schema if pa.types.is_dictionary(field.type)]
    if not coded:
        return reader
    table = reader.read_all()
    for name in coded:
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, _values(table.column(at)))
    return table.to_reader()


def _values(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type.value_type
    # Arrow cannot take from views of text.
    kind = pa.string() if pa.types.is_string_view(kind) else kind
    chunks = [chunk.dictionary.cast(kind).take(chunk.indices) for chunk in column.chunks]
    return pa.chunked_array(chunks, kind)


def _unfit(error: Exception) -> DataError:
    told = " ".join(str(one) for one in error.args)
    return DataError(
        f"{NAME}: cannot be read as a table ({told}).",
        hint="Give every column one name and one type.",
    )


def _renamed(error: ChurnmlError, path: Path) -> ChurnmlError:
    """Rewrite an error to name the frame instead of its temporary file."""
    for name in (str(path), path.name):
        error.message = error.message.replace(name, NAME)
        error.hint = error.hint.replace(name, NAME) if error.hint else error.hint
    return error
