"""XLSX tables of one's own: one sheet, its cells as the text that they stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from churnml.base.text import counted, quoted
from churnml.datasets.flat.header import LOOKED_AT, refuse_title
from churnml.datasets.flat.reading import Reading
from churnml.datasets.flat.table import ROW, Table, stamp
from churnml.errors import ContractError, DataError, UsageError
from churnml.tables.source.csv.load import kept_in
from churnml.tables.source.csv.names import check_names
from churnml.tables.source.engines.duckdb import Engine, file_literal
from churnml.tables.source.workbook import LONGEST_NUMBER, cell_text, filled_rows, opened

_BATCH = 5_000
_NOTHING = Reading()


def open_workbook(
    path: Path, engine: Engine, reading: Reading = _NOTHING, remembered: Reading = _NOTHING
) -> Table:
    """The rows of a workbook's sheet, as text.

    Parameters
    ----------
    path : Path
    engine : Engine
    reading : Reading, optional
        What the user said of the file; without a word it is the first sheet.
    remembered : Reading, optional
        What the user said of the training table; its sheet is read where there is one.

    Raises
    ------
    UsageError
        If there is no such sheet.
    DataError
        If the file is empty, cut off, or no XLSX workbook, or begins with a title.
    ContractError
        If two columns have one name, or a row has more cells than the header.
    """
    if reading.encoding is not None or reading.delimiter is not None:
        raise UsageError(f"--encoding and --delimiter are for CSV files; {path} is a workbook.")
    state = stamp(path)
    stored = engine.workspace / "table.parquet"
    with kept_in(engine.workspace, path):
        names, notes, elsewhere = _store(path, stored, reading.sheet, remembered.sheet)
    relation = f"read_parquet({file_literal(stored)})"
    kinds = ("VARCHAR",) * len(names)
    con = engine.another(preserve_insertion_order=True)
    return Table(
        path=path,
        engine=engine,
        con=con,
        relation=relation,
        names=names,
        kinds=kinds,
        counted="row",
        files={path: state},
        notes=notes,
        elsewhere=elsewhere,
    )


def _store(
    path: Path, stored: Path, named: str | None, remembered: str | None
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, str]]:
    """Write a sheet to a Parquet file.

    Gives its column names, what to tell, and what other sheets have.
    """
    from churnml.tables.source.formulas import refuse_unvalued

    with opened(path) as book:
        sheet = _sheet(path, book, named, remembered)
        _refuse_title(path, sheet)
        # The size that a workbook states of a sheet may be of an earlier state.
        sheet.reset_dimensions()
        long: Counter[int] = Counter()
        rows = filled_rows(sheet.iter_rows(values_only=True), long)
        names = _write(path, rows, stored, sheet.title)
        refuse_unvalued(path, sheet, names)
        notes = _notes(path, book, sheet.title, named) + _rounded(names, long)
        return names, notes, _elsewhere(book, sheet)


def _sheet(path: Path, book: Any, named: str | None, remembered: str | None) -> Any:
    sheets = {one.title: one for one in book.worksheets}
    if named is not None and named not in sheets:
        listed = ", ".join(quoted(one) for one in sheets)
        raise UsageError(
            f"--sheet {quoted(named)}: {path} has no such sheet.",
            hint=f"It has {listed}.",
            file=str(path),
        )
    return sheets.get(named or remembered or "", book.worksheets[0])


def _refuse_title(path: Path, sheet: Any) -> None:
    first = [[cell_text(one) for one in row] for row in _top(sheet)]
    others = [row for row in first if any(row)]
    if others and others[0] is first[0]:
        refuse_title(path, first, "row", f", sheet {sheet.title!r}")


def _top(sheet: Any) -> Iterator[Sequence[Any]]:
    # The size that a workbook states of a sheet may be of an earlier state.
    sheet.reset_dimensions()
    return sheet.iter_rows(max_row=LOOKED_AT, values_only=True)


def _notes(path: Path, book: Any, title: str, named: str | None) -> tuple[str, ...]:
    if len(book.worksheets) == 1 or title == named:
        return ()
    if title == book.worksheets[0].title:
        count = len(book.worksheets)
        return (f"{path.name}: the first of {count} sheets was read, {title!r}.",)
    return (f"{path.name}: sheet {title!r} was read, as in training.",)


def _elsewhere(book: Any, own: Any) -> dict[str, str]:
    """What the first rows of other sheets have, and how to read these."""
    cells: dict[str, str] = {}
    for sheet in book.worksheets:
        if sheet.title == own.title:
            continue
        for row in _top(sheet):
            for cell in filter(None, map(cell_text, row)):
                hint = f"Sheet {quoted(sheet.title)} has it: --sheet {quoted(sheet.title)}."
                cells.setdefault(cell.strip(), hint)
            if any(row):
                break
    return cells


def _rounded(names: Sequence[str], long: Counter[int]) -> tuple[str, ...]:
    return tuple(
        f"{quoted(names[at])}: {counted(count, 'number')} of more than {LONGEST_NUMBER} digits; a "
        f"number cell keeps {LONGEST_NUMBER}, so their ends are not to be trusted. Write such ids "
        "as text."
        for at, count in sorted(long.items())
        if at < len(names)
    )


def _write(
    path: Path, rows: Iterator[tuple[int, list[str | None]]], stored: Path, title: str
) -> tuple[str, ...]:
    header = next(rows, (0, []))[1]
    if not any(name and name.strip() for name in header):
        raise DataError(f"{path}: the sheet {title!r} is empty.", file=str(path))
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
