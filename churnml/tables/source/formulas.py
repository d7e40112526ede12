"""Detect workbook formulas without stored values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

from openpyxl.utils.cell import column_index_from_string
from openpyxl.xml.constants import SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from churnml.base.text import counted, quoted
from churnml.errors import DataError

_FORMULA = re.compile(rb"<(\w+:)?f[\s/>]")
_CHUNK = 1 << 20
_OVERLAP = 64


def refuse_unvalued(path: Path, sheet: Any, names: Sequence[str]) -> None:
    """Refuse a sheet with formulas that were never computed.

    Programs that write workbooks store a formula without its value; Excel adds it.

    Parameters
    ----------
    path : Path
    sheet : ReadOnlyWorksheet of openpyxl
    names : sequence of str
        What its columns are called.

    Raises
    ------
    DataError
        With the count and the first such cell.
    """
    archive, member = sheet.parent._archive, sheet._worksheet_path
    cells = [cell for cell in _unvalued(archive, member) if _place(cell) < len(names)]
    if not cells:
        return
    columns = dict.fromkeys(names[_place(cell)] for cell in cells)
    shown = ", ".join(quoted(name) for name in columns)
    verb = "is a formula" if len(cells) == 1 else "are formulas"
    raise DataError(
        f"{path}: {counted(len(cells), 'cell')} {verb} without a stored value "
        f"(column {shown}; the first is {cells[0]}).",
        hint="Open and save it in Excel, which stores the values.",
        file=str(path),
        column=next(iter(columns)),
        count=len(cells),
    )


def _place(cell: str) -> int:
    letters = re.sub("[^A-Z]", "", cell)
    return int(column_index_from_string(letters)) - 1 if letters else 0


def _unvalued(archive: ZipFile, member: str) -> Iterator[str]:
    """The cells with a formula and without a value."""
    with archive.open(member) as stream:
        if not _has_formulas(stream):
            return
    with archive.open(member) as stream:
        for _event, element in iterparse(stream, events=("end",)):
            if element.tag == f"{{{SHEET_MAIN_NS}}}c":
                # An empty text is a value too, which Excel marks as text.
                valued = element.findtext(f"{{{SHEET_MAIN_NS}}}v") or element.get("t") == "str"
                if element.find(f"{{{SHEET_MAIN_NS}}}f") is not None and not valued:
                    yield element.get("r", "")
            if element.tag == f"{{{SHEET_MAIN_NS}}}row":
                element.clear()


def _has_formulas(stream: IO[bytes]) -> bool:
    tail = b""
    while chunk := stream.read(_CHUNK):
        if _FORMULA.search(tail + chunk):
            return True
        tail = chunk[-_OVERLAP:]
    return False
