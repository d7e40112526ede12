"""Look at the first bytes of a CSV file: format, encoding, header.

Problems that show in the first bytes are reported when a source is opened, not after
minutes of reading.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from pathlib import Path

from churnml.errors import ContractError, DataError
from churnml.tables.source.csv.names import check_names

UTF8_MARK = b"\xef\xbb\xbf"

_FORMATS = {
    b"PAR1": "Parquet",
    b"PK\x03\x04": "XLSX or another ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"ORC": "ORC",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_GZIP = b"\x1f\x8b"
_HEADER_BYTES = 1_000_000
_DELIMITERS = {";": "';'", "\t": "a tab", "|": "'|'", ",": "','", "\x01": "\\x01"}


def open_bytes(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """Open a file's bytes, decompressed where its name ends in ``.gz``."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def read_names(path: Path, encoding: str, delimiter: str) -> tuple[str, ...]:
    """The column names of a CSV file, without the blanks around them.

    Parameters
    ----------
    path : path
    encoding : str
        ``utf-8`` reads a byte order mark too.
    delimiter : str

    Raises
    ------
    DataError
        If the file is empty, cut off, of another format or in another encoding.
    ContractError
        If a name stands twice, or the delimiter is another one.
    """
    head = read_head(path, encoding)
    return names_in(path, _decoded(path, head, encoding), delimiter)


def read_head(path: Path, encoding: str) -> bytes:
    """The first bytes of a CSV file.

    Raises
    ------
    DataError
        If the file is empty, cut off or of another format.
    """
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty (0 bytes).", file=str(path))
    head = _head(path)
    _check_format(path, head, encoding)
    return head


def names_in(path: Path, text: str, delimiter: str) -> tuple[str, ...]:
    """The column names in the first lines of a CSV file.

    Raises
    ------
    ContractError
        If a name stands twice, or the delimiter is another one.
    """
    given = _first_record(path, text, delimiter)
    if not any(name.strip() for name in given):
        raise ContractError(
            f"{path}: line 1 is blank.", hint="Begin with the column names.", file=str(path)
        )
    check_names(path, given)
    names = tuple(name.strip() for name in given)
    _check_delimiter(path, names, delimiter)
    return names


def _first_record(path: Path, text: str, delimiter: str) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return next(reader, [])
    except csv.Error as error:
        raise ContractError(
            f"{path}: line 1 holds no column names ({error}).", file=str(path)
        ) from None


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        packed = stream.read(2) == _GZIP
    if packed and path.suffix != ".gz":
        raise ContractError(
            f"{path}: the content is gzip.", hint=f"Call it {path.name}.gz.", file=str(path)
        )
    try:
        with open_bytes(path) as stream:
            return stream.read(_HEADER_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise broken_gzip(path, error) from None


def broken_gzip(path: Path, error: Exception) -> DataError:
    """The error for a gzip file that cannot be decompressed."""
    return DataError(
        f"{path}: not a complete gzip file ({error}).",
        hint="Write or copy it again.",
        file=str(path),
    )


def _check_format(path: Path, head: bytes, encoding: str) -> None:
    for magic, name in _FORMATS.items():
        if head.startswith(magic) and not (encoding.startswith("utf-16") and "UTF" in name):
            raise ContractError(
                f"{path}: the content is {name}, not CSV.",
                hint="Save it as CSV in UTF-8, or give it its own ending.",
                file=str(path),
                expected="CSV",
            )
    if head.startswith(UTF8_MARK) and encoding == "gb18030":
        raise ContractError(
            f"{path}: starts with the byte order mark of UTF-8, but the mapping says gb18030.",
            hint="Write encoding: utf-8 in the mapping.",
            file=str(path),
        )


def _decoded(path: Path, head: bytes, encoding: str) -> str:
    codec = "utf-8-sig" if encoding.startswith("utf-8") else encoding
    try:
        return head.decode(codec)
    except UnicodeDecodeError as error:
        if error.reason.startswith(("unexpected end", "incomplete")):
            return head[: error.start].decode(codec)
        raise wrong_encoding(path, encoding, error.start, head) from None


def wrong_encoding(path: Path, encoding: str, offset: int, sample: bytes) -> DataError:
    """The error for bytes that are not text in the given encoding.

    Parameters
    ----------
    path : path
    encoding : str
    offset : int
        Of the first wrong byte, counted from 0.
    sample : bytes
        Some of the file around that byte, to try another encoding on.
    """
    other = "utf-8" if encoding == "gb18030" else "gb18030"
    hint = "Save it as UTF-8."
    if _decodes(sample, other):
        hint = f"It reads as {other}: write encoding: {other} in the mapping."
    return DataError(
        f"{path}: byte {offset} is not {encoding}.",
        hint=hint,
        file=str(path),
        expected=encoding,
        offset=offset,
    )


def _decodes(sample: bytes, encoding: str) -> bool:
    """Whether the sample is text; it may begin and end within a character."""
    for start in range(4):
        text = sample[start:].decode(encoding, errors="replace")
        if "\ufffd" not in text[:-4]:
            return True
    return False


def _check_delimiter(path: Path, names: Sequence[str], delimiter: str) -> None:
    if len(names) != 1:
        return
    counts = {mark: names[0].count(mark) for mark in _DELIMITERS if mark != delimiter}
    likely = max(counts, key=lambda mark: counts[mark])
    if counts[likely]:
        shown = _DELIMITERS[likely]
        raise ContractError(
            f"{path}: 1 column found; the fields look separated by {shown}.",
            hint=f"Write delimiter: {likely!r} in the mapping.",
            file=str(path),
            expected=f"fields separated by {_DELIMITERS.get(delimiter, repr(delimiter))}",
        )
