"""Tables as files for people: Parquet, CSV or XLSX, by the file's suffix.

What a spreadsheet would take for a formula is written so that it stays text: names and texts
come from an operator's data, and nobody's data runs in somebody else's spreadsheet.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

import pyarrow as pa
import pyarrow.parquet as pq

from churnml.base.placing import Product
from churnml.base.text import visible
from churnml.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".parquet", ".csv", ".xlsx")
MOST_XLSX_ROWS = 1_048_575
_WIDEST = 60

_MARK = b"churnml"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_ALWAYS = (1980, 1, 1, 0, 0, 0)
_WRITTEN = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")


@dataclass(frozen=True, kw_only=True)
class TableFile:
    """A kind of table that is written as one file.

    Attributes
    ----------
    what : str
        What messages call the file: ``a satisfaction index``.
    content : str
        What the file says of itself, so that nothing else is ever replaced.
    columns : sequence of str
        Of the table, in their order; a CSV file is known by them.
    private : bool, default False
        Whether it is about single customers: then its owner alone may read it.
    """

    what: str
    content: str
    columns: Sequence[str]
    private: bool = False

    def require_free(self, out: str | Path, *, overwrite: bool) -> None:
        """Refuse a place that cannot be written, or holds something not to be replaced.

        Raises
        ------
        UsageError
            If the suffix is none of ``.parquet``, ``.csv`` and ``.xlsx``.
        OutputError
        """
        suffix_of(out)
        self._product.require_free(out, overwrite=overwrite)

    def write(self, frame: pd.DataFrame, out: str | Path, *, overwrite: bool = False) -> None:
        """Write the table; the same table gives the same bytes.

        Parameters
        ----------
        frame : DataFrame
            With the columns, without an index that matters.
        out : path
        overwrite : bool, default False
            Whether such a file that stands there may be replaced.

        Raises
        ------
        UsageError
            If the suffix is unknown, or there are more rows than a workbook holds.
        OutputError
            If it cannot be written, or something stands there.
        """
        self.write_batches([frame], out, overwrite=overwrite)

    def write_batches(
        self, frames: Iterable[pd.DataFrame], out: str | Path, *, overwrite: bool = False
    ) -> int:
        """Write a table that comes in batches, as `write`; gives the number of rows."""
        suffix = suffix_of(out)
        with self._product.replaced(out, overwrite=overwrite) as fresh:
            if self.private:
                fresh.touch(0o600)
            write = {".parquet": _write_parquet, ".csv": _write_csv, ".xlsx": _write_xlsx}[suffix]
            rows = (frame[list(self.columns)] for frame in frames)
            return write(rows, fresh, self.content)

    @property
    def _product(self) -> Product:
        return Product(what=self.what, ours=self._ours)

    def _ours(self, path: Path) -> bool:
        with suppress(OSError, ValueError, KeyError, pa.ArrowException, zipfile.BadZipFile):
            return _READERS[path.suffix.casefold()](path) in (self.content, ",".join(self.columns))
        return False


def suffix_of(out: str | Path) -> str:
    """The suffix by which a table is written.

    Raises
    ------
    UsageError
        If it is none of those known.

    Examples
    --------
    >>> suffix_of("index.CSV")
    '.csv'
    """
    suffix = Path(out).suffix.casefold()
    if suffix not in SUFFIXES:
        raise UsageError(
            f"{out}: {suffix or 'no suffix'}; one of {', '.join(SUFFIXES)} expected.",
            hint="The suffix says how the table is written.",
            file=str(out),
        )
    return suffix


def harmless(value: object) -> object:
    """A text that no spreadsheet takes for a formula; anything else as it is.

    Examples
    --------
    >>> harmless("=1+1"), harmless("H0001"), harmless(-1.5)
    ("'=1+1", 'H0001', -1.5)
    """
    if not isinstance(value, str):
        return value
    return f"'{value}" if value.startswith(_FORMULA) else value


def _escaped(frame: pd.DataFrame) -> pd.DataFrame:
    texts = [
        name for name, kind in frame.dtypes.items() if str(kind) in ("object", "str", "string")
    ]
    return frame.assign(**{str(name): frame[name].map(harmless) for name in texts})


def _write_parquet(frames: Iterable[pd.DataFrame], path: Path, content: str) -> int:
    writer, count = None, 0
    try:
        for frame in frames:
            table = pa.Table.from_pandas(frame, preserve_index=False)
            if writer is None:
                schema = table.schema.with_metadata({_MARK: content.encode()})
                writer = pq.ParquetWriter(path, _without_nulls(schema))
            writer.write_table(table.replace_schema_metadata(None).cast(writer.schema))
            count += len(frame)
    finally:
        if writer is not None:
            writer.close()
    return count


def _without_nulls(schema: pa.Schema) -> pa.Schema:
    """A column that is empty in the first batch is text."""
    fields = [
        field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in schema
    ]
    return pa.schema(fields, schema.metadata)


def _write_csv(frames: Iterable[pd.DataFrame], path: Path, _content: str) -> int:
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        for number, frame in enumerate(frames):
            _escaped(frame).to_csv(stream, index=False, header=number == 0, lineterminator="\n")
            count += len(frame)
    return count


def _write_xlsx(frames: Iterable[pd.DataFrame], path: Path, content: str) -> int:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.creator, book.properties.description = "churnml", content
    sheet = book.create_sheet(content[:31])
    sheet.freeze_panes = "A2"
    count = 0
    try:
        for number, frame in enumerate(frames):
            if number == 0:
                _begin(sheet, frame)
            count += len(frame)
            _require_room(path, count)
            for row in _escaped(frame).itertuples(index=False):
                sheet.append([_cell(sheet, value) for value in row])
    except BaseException:
        sheet.close()
        raise
    sheet.auto_filter.ref = f"A1:{_last_column(sheet)}{count + 1}"
    draft = path.with_name(f"{path.name}.draft")
    book.save(draft)
    _without_clock(draft, path)
    draft.unlink()
    return count


def _require_room(path: Path, rows: int) -> None:
    if rows > MOST_XLSX_ROWS:
        raise UsageError(
            f"{path.name}: a workbook holds {MOST_XLSX_ROWS:,} rows; these are more.",
            hint="Write fewer (--top), or Parquet or CSV.",
            file=path.name,
        )


def _begin(sheet: Any, frame: pd.DataFrame) -> None:
    """The header, in bold, and columns as wide as what they hold, up to a limit."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    for at, name in enumerate(frame.columns, start=1):
        widest = max([_width(str(name)) + 3, *map(_width, frame[name].head(200).map(_text))])
        sheet.column_dimensions[get_column_letter(at)].width = min(widest + 1, _WIDEST)
    header = []
    for name in frame.columns:
        cell = WriteOnlyCell(sheet, str(name))
        cell.font = Font(bold=True)
        header.append(cell)
    sheet.append(header)


def _last_column(sheet: Any) -> str:
    return list(sheet.column_dimensions)[-1] if sheet.column_dimensions else "A"


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _width(text: str) -> int:
    """Columns on a screen: a Chinese character takes two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _cell(sheet: Any, value: Any) -> Any:
    import pandas as pd
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, str):
        # A workbook cannot hold control characters; "@" keeps an id as text when edited.
        cell = WriteOnlyCell(sheet, visible(value))
        cell.number_format = "@"
        return cell
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _without_clock(draft: Path, path: Path) -> None:
    """Copy a workbook without the moment of its writing: the same table gives the same bytes."""
    with zipfile.ZipFile(draft) as book, zipfile.ZipFile(path, "w") as copy:
        for name in book.namelist():
            data = _WRITTEN.sub(rb"\g<1>1980-01-01T00:00:00Z", book.read(name))
            entry = zipfile.ZipInfo(name, _ALWAYS)
            entry.external_attr = 0o644 << 16
            copy.writestr(entry, data, zipfile.ZIP_DEFLATED)


def _parquet_says(path: Path) -> str:
    return (pq.read_metadata(path).metadata or {}).get(_MARK, b"").decode()


def _csv_says(path: Path) -> str:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return ",".join(next(csv.reader(stream), []))


def _xlsx_says(path: Path) -> str:
    with zipfile.ZipFile(path) as book:
        found = re.search(rb"<dc:description>([^<]*)<", book.read("docProps/core.xml"))
    return found[1].decode() if found else ""


_READERS = {".parquet": _parquet_says, ".csv": _csv_says, ".xlsx": _xlsx_says}
