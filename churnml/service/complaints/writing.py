"""Write a record of complaints: a folder of tables, and a file of categories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr import types as ir

from churnml.base.placing import Product, only
from churnml.service.complaints.privacy import common_words, safe_text
from churnml.tables.source.coded import COLUMNS as CODED_COLUMNS
from churnml.tables.source.engines.duckdb import write_parquet

_MARK, _RECORD, _CODED = "churnml", "complaints", "coded"
_OWNER_ONLY = 0o600
_COMMON = 20_000
"""Texts by which it is counted how many customers use a word."""

FILES = ("categories", "quality", "open", "for_a_person")

_KINDS = {
    "by": pa.string(),
    "cell": pa.string(),
    "month": pa.date32(),
    "category": pa.string(),
    "measure": pa.string(),
    "coder": pa.string(),
    "count": pa.int64(),
    "n": pa.int64(),
    "oldest_days": pa.int64(),
}
_PERSON = pa.schema(
    [("complaint_id", pa.string()), ("customer_id", pa.string()), ("text", pa.string())]
)


def write_folder(folder: Path, tables: Mapping[str, pd.DataFrame], open_ones: ir.Table) -> None:
    """Write the tables, and the complaints that are for a person.

    Parameters
    ----------
    folder : Path
        Not there yet.
    tables : mapping of str to DataFrame
    open_ones : Table
        Complaints without a category.
    """
    folder.mkdir()
    for name, frame in tables.items():
        arrays = {
            column: pa.array(frame[column], _KINDS.get(column, pa.float64()), from_pandas=True)
            for column in frame.columns
        }
        table = pa.table(arrays).replace_schema_metadata({_MARK: _RECORD})
        pq.write_table(table, folder / f"{name}.parquet")
    path = folder / "for_a_person.parquet"
    _write(path, _PERSON.with_metadata({_MARK: _RECORD}), _safe(open_ones))


def write_coded(path: Path, coded: ir.Table) -> None:
    """Write every complaint with its category, for its owner's eyes only."""
    path.touch(_OWNER_ONLY)
    rows = coded.select(*CODED_COLUMNS).order_by("complaint_id")
    write_parquet(rows, path, mark={_MARK: _CODED})
    path.chmod(_OWNER_ONLY)


def _write(path: Path, schema: pa.Schema, tables: Iterator[pa.Table]) -> None:
    path.touch(_OWNER_ONLY)
    path.chmod(_OWNER_ONLY)
    with pq.ParquetWriter(path, schema) as writer:
        for table in tables:
            writer.write_table(table)


def _safe(open_ones: ir.Table) -> Iterator[pa.Table]:
    """The complaints month by month, without digits and names in their texts."""
    names = _PERSON.names
    some = open_ones.filter(open_ones.text.notnull()).select(*names).limit(_COMMON)
    known = some.to_pyarrow().to_pydict()
    common = common_words(zip(known["text"], known["customer_id"], strict=True))
    months = open_ones.select("month").distinct().order_by("month").to_pyarrow()["month"]
    for month in months.to_pylist():
        rows = open_ones.filter(open_ones.month == month).order_by("complaint_id")
        columns = rows.select(*names).to_pyarrow().to_pydict()
        columns["text"] = [
            None if text is None else safe_text(text, common) for text in columns["text"]
        ]
        yield pa.table(columns, schema=_PERSON.with_metadata({_MARK: _RECORD}))


def _marked(path: Path, content: str) -> bool:
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (OSError, pa.ArrowException):
        return False
    return bool(metadata.get(_MARK.encode()) == content.encode())


def _is_record(place: Path) -> bool:
    names = {f"{name}.parquet" for name in FILES}
    return only(place, names.__contains__) and all(
        _marked(place / name, _RECORD) for name in names if (place / name).exists()
    )


RECORD = Product(what="a record of complaints", ours=_is_record)
CODED_FILE = Product(
    what="a file of complaints' categories", ours=lambda path: _marked(path, _CODED)
)
