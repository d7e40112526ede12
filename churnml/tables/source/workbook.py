"""XLSX workbooks: one sheet as text, each cell as a CSV file would have it."""

from __future__ import annotations

import csv
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from churnml.base.text import counted, quoted
from churnml.errors import ChurnmlError, ContractError, DataError
from churnml.tables.source.csv.names import check_names
from churnml.tables.source.csv.text import Text

ENDINGS = (".xlsx", ".xlsm")
LONGEST_NUMBER = 15
"""The digits that a number cell keeps."""

_ZIP = b"PK\x03\x04"
_OLD = b"\xd0\xcf\x11\xe0"


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A workbook of openpyxl, read as it is asked for.

    Raises
    ------
    DataError
        If the file is empty, cut off, or no XLSX workbook; also where that shows while it is
        read.
    """
    import openpyxl

    _require_workbook(path)
    try:
        with warnings.catch_warnings(), path.open("rb") as stream:
            # openpyxl warns of styles and validation rules, which have no bearing on values.
            warnings.simplefilter("ignore")
            _require_intact(path)
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            try:
                yield book
            finally:
                book.close()
    except (ChurnmlError, OSError, MemoryError):
        raise
    except Exception as error:
        # What openpyxl raises on a damaged workbook is of many kinds.
        raise _damaged(path, str(error)) from None


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
            f"{path}: the content is not an XLSX workbook.",
            hint="Give the file the ending of what it holds.",
            file=str(path),
            expected="XLSX",
        )


def _require_intact(path: Path) -> None:
    """Compare every file in the workbook with its checksum; openpyxl may stop before its end."""
    with zipfile.ZipFile(path) as archive:
        wrong = archive.testzip()
    if wrong is not None:
        raise _damaged(path, f"{wrong} does not match its checksum")


def _damaged(path: Path, problem: str) -> DataError:
    return DataError(
        f"{path}: not a complete XLSX workbook ({problem}).",
        hint="Write or copy it again.",
        file=str(path),
    )


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


def sheet_titles(path: Path) -> list[str]:
    """The names of a workbook's sheets, in order.

    Raises
    ------
    DataError
        If it is no complete XLSX workbook.
    """
    with opened(path) as book:
        return [str(sheet.title) for sheet in book.worksheets]


def read_header(path: Path, sheet: str | None) -> tuple[str, ...]:
    """The column names of a sheet, by default the first.

    Raises
    ------
    DataError
        If the file is no complete XLSX workbook, or the sheet is empty.
    ContractError
        If there is no such sheet, or a name stands twice.
    """
    with opened(path) as book:
        rows = _sheet(path, book, sheet).iter_rows(values_only=True)
        number, cells = next(filled_rows(rows, Counter()), (0, []))
        if number != 1:
            raise DataError(
                f"{path}: row 1 of sheet {quoted(sheet or book.worksheets[0].title)} is blank.",
                hint="Begin with the column names.",
                file=str(path),
            )
    names = tuple((name or "").strip() for name in cells)
    check_names(path, names)
    return names


def as_csv(path: Path, sheet: str | None, copy: Path) -> Text:
    """Write a sheet as CSV in UTF-8, blank rows as blank lines.

    Parameters
    ----------
    path : Path
    sheet : str or None
        By default the first.
    copy : Path
        Where the CSV file goes.

    Raises
    ------
    DataError
        If it is no complete workbook, or formulas have no stored values.
    ContractError
        If a row has more cells than the header, or a number more digits than a cell keeps.
    """
    from churnml.tables.source.formulas import refuse_unvalued

    last = 0
    long: Counter[int] = Counter()
    with opened(path) as book, copy.open("w", encoding="utf-8", newline="") as stream:
        own = _sheet(path, book, sheet)
        writer = csv.writer(stream, lineterminator="\n")
        names: list[str] = []
        for number, cells in filled_rows(own.iter_rows(values_only=True), long):
            names = names or [cell or "" for cell in cells]
            _require_within(path, number, cells, len(names))
            stream.write("\n" * (number - last - 1))
            writer.writerow([*cells, *[None] * (len(names) - len(cells))])
            last = number
        _refuse_rounded(path, names, long)
        refuse_unvalued(path, own, names)
    with copy.open("rb") as written:
        lines = sum(1 for _line in written)
    return Text(copy, lines, closed=True)


def _require_within(path: Path, number: int, cells: Sequence[object], width: int) -> None:
    if len(cells) > width:
        raise ContractError(
            f"{path}: row {number} has {len(cells)} cells, the header {width}.",
            hint="Name the column, or clear the cell.",
            file=str(path),
            row=number,
        )


def _refuse_rounded(path: Path, names: Sequence[str], long: Counter[int]) -> None:
    for at, count in sorted(long.items()):
        raise ContractError(
            f"{path}: {quoted(names[at])} has {counted(count, 'number')} of more than "
            f"{LONGEST_NUMBER} digits; a number cell keeps {LONGEST_NUMBER}, so their ends are "
            "lost.",
            hint="Write such ids as text.",
            file=str(path),
            column=names[at],
            count=count,
        )


def _sheet(path: Path, book: Any, named: str | None) -> Any:
    sheets = {one.title: one for one in book.worksheets}
    if named is not None and named not in sheets:
        raise ContractError(
            f"{path}: there is no sheet {quoted(named)}, though the mapping names it.",
            hint=f"It has {', '.join(map(quoted, sheets))}.",
            file=str(path),
        )
    sheet = book.worksheets[0] if named is None else sheets[named]
    # The size that a workbook states of a sheet may be of an earlier state.
    sheet.reset_dimensions()
    return sheet


def filled_rows(
    rows: Iterable[Sequence[Any]], long: Counter[int]
) -> Iterator[tuple[int, list[str | None]]]:
    """Rows that hold anything, as text, with their numbers; without empty cells at the end.

    Counts by position the numbers that are longer than a number cell can keep.
    """
    for number, row in enumerate(rows, start=1):
        for at, value in enumerate(row):
            if isinstance(value, int | float) and abs(value) >= 10**LONGEST_NUMBER:
                long[at] += 1
        cells = [cell_text(value) for value in row]
        while cells and cells[-1] is None:
            cells.pop()
        if cells:
            yield number, cells
