"""XLSX tables of one's own: the first sheet, its cells as the text that they stand for."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from churnml.errors import ContractError, DataError
from churnml.flat.table import ROW, Table, stamp
from churnml.source.delimited import kept_in
from churnml.source.engine import Engine, file_literal
from churnml.source.names import check_names

_BATCH = 5_000
_ZIP = b"PK\x03\x04"
_OLD = b"\xd0\xcf\x11\xe0"


def open_workbook(path: Path, engine: Engine) -> Table:
    """The rows of a workbook's first sheet, as text.

    Raises
    ------
    DataError
        If the file is empty, cut off, or no XLSX workbook.
    ContractError
        If two columns have one name, or a row has more cells than the header.
    """
    state = stamp(path)
    _require_workbook(path)
    stored = engine.workspace / "table.parquet"
    with kept_in(engine.workspace, path):
        names, notes = _store(path, stored)
    relation = f"read_parquet({file_literal(stored)})"
    kinds = ("VARCHAR",) * len(names)
    con = engine.another(preserve_insertion_order=True)
    return Table(path, engine, con, relation, names, kinds, "row", {path: state}, notes=notes)


def _require_workbook(path: Path) -> None:
    with path.open("rb") as stream:
        head = stream.read(4)
    if not head:
        raise DataError(f"{path}: the file is empty (0 bytes).", file=str(path))
    if head == _OLD:
        raise DataError(
            f"{path}: an old or password-protected Excel workbook.",
            hint="Save it as XLSX without a password.",
            file=str(path),
        )
    if head != _ZIP:
        raise DataError(
            f"{path}: the content is no XLSX workbook.",
            hint="Give the file the ending of what it holds.",
            file=str(path),
            expected="XLSX",
        )


def _store(path: Path, stored: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write the first sheet to a Parquet file; its column names, and what to tell."""
    import openpyxl

    from churnml.flat.formulas import refuse_unvalued

    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and validation rules, which have no bearing on values.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            try:
                sheet = book.worksheets[0]
                notes = _sheet_notes(path, [one.title for one in book.worksheets])
                # The size that a workbook states of a sheet may be of an earlier state.
                sheet.reset_dimensions()
                rows = _filled(sheet.iter_rows(values_only=True))
                names = _write(path, rows, stored)
                refuse_unvalued(path, sheet, names)
                return names, notes
            finally:
                book.close()
    except (zipfile.BadZipFile, KeyError, EOFError, IndexError) as error:
        raise DataError(
            f"{path}: not a complete XLSX workbook ({error}).",
            hint="Write or copy it again.",
            file=str(path),
        ) from None


def _sheet_notes(path: Path, titles: Sequence[str]) -> tuple[str, ...]:
    if len(titles) == 1:
        return ()
    return (f"{path.name}: the first of {len(titles)} sheets was read, {titles[0]!r}.",)


def _filled(rows: Iterator[Sequence[Any]]) -> Iterator[tuple[int, list[str | None]]]:
    """Rows that hold anything, as text, with their numbers; without empty cells at the end."""
    for number, row in enumerate(rows, start=1):
        cells = [cell_text(value) for value in row]
        while cells and cells[-1] is None:
            cells.pop()
        if cells:
            yield number, cells


def cell_text(value: Any) -> str | None:
    """A cell's value as text, as a CSV file would have it.

    Examples
    --------
    >>> cell_text(13800138000.0), cell_text(29.85), cell_text(True), cell_text("007")
    ('13800138000', '29.85', 'True', '007')
    >>> cell_text(datetime(2026, 6, 1)), cell_text(datetime(2026, 6, 1, 8, 30))
    ('2026-06-01', '2026-06-01 08:30:00')
    """
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        plain = value.time() == time.min
        return value.date().isoformat() if plain else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _write(
    path: Path, rows: Iterator[tuple[int, list[str | None]]], stored: Path
) -> tuple[str, ...]:
    header = next(rows, (0, []))[1]
    if not any(name and name.strip() for name in header):
        raise DataError(f"{path}: the first sheet is empty.", file=str(path))
    names = tuple((name or "").strip() for name in header)
    check_names(path, names)
    fields = [*((f"c{at}", pa.string()) for at in range(len(names))), (ROW, pa.int64())]
    schema = pa.schema(fields)
    with pq.ParquetWriter(stored, schema) as writer:
        for batch in _batches(path, rows, len(names)):
            columns = [
                pa.array(column, field.type) for column, field in zip(batch, schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    return names


def _batches(
    path: Path, rows: Iterator[tuple[int, list[str | None]]], width: int
) -> Iterator[list[list[Any]]]:
    """Columns of some rows at a time, the last being the rows' numbers."""
    batch: list[list[Any]] = []
    for number, cells in rows:
        if len(cells) > width:
            raise ContractError(
                f"{path}: row {number} has {len(cells)} cells, the header {width}.",
                hint="Name the column, or clear the cell.",
                file=str(path),
                row=number,
            )
        batch.append([*cells, *[None] * (width - len(cells)), number])
        if len(batch) == _BATCH:
            yield [list(column) for column in zip(*batch, strict=True)]
            batch = []
    if batch:
        yield [list(column) for column in zip(*batch, strict=True)]
