"""Convert CSV text to what DuckDB reads: UTF-8 with one kind of line end."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from churnml.tables.source.csv.sniffing import broken_gzip, open_bytes, wrong_encoding

_BLOCK = 1 << 23
_AROUND = 4096


@dataclass(frozen=True)
class Text:
    """A file as DuckDB can read it.

    Attributes
    ----------
    path : Path
        The file itself, or its copy in UTF-8.
    lines : int
        Lines of text, the header and blank ones among them.
    closed : bool
        Whether the last line has its line end.
    """

    path: Path
    lines: int
    closed: bool

    def blank_lines(self) -> int:
        """How many lines are blank."""
        with self.path.open("rb") as stream:
            return sum(not line.strip(b"\r\n") for line in stream)


def as_utf8(path: Path, encoding: str, copy: Path) -> Text:
    """Return a CSV file as UTF-8 with one kind of line end, rewriting it only if needed.

    Parameters
    ----------
    path : Path
    encoding : str
    copy : Path
        Where the rewritten file goes.

    Raises
    ------
    DataError
        If a byte is not text in that encoding, naming its place; or a gzip file is cut off.
    """
    if encoding.startswith("utf-8") and path.suffix != ".gz":
        ends, text = _read(path, encoding, lambda block: None)
        if ends in (None, "\n", "\r\n"):
            return Text(path, *text)
    with copy.open("w", encoding="utf-8", newline="") as stream:
        _, text = _read(path, encoding, stream.write)
    return Text(copy, *text)


def gathered(paths: Sequence[Path], encoding: str, copy: Path) -> Text:
    """Bring the files of one table together under the header of the first.

    Parameters
    ----------
    paths : sequence of Path
        Their headers are the same, each in the first line.
    encoding : str
    copy : Path
        Where the rows of all go, in UTF-8.

    Raises
    ------
    DataError
        If a byte is not text in that encoding, naming its file and place.
    """
    lines = 0
    with copy.open("w", encoding="utf-8", newline="") as stream:
        for at, path in enumerate(paths):
            own = _Headless(stream.write, skips=at > 0)
            _, (count, closed) = _read(path, encoding, own.write)
            if not closed:
                stream.write("\n")
            lines += count - (at > 0)
    return Text(copy, lines, closed=True)


class _Headless:
    """Passes text on, without its first line if that is to be skipped."""

    def __init__(self, write: Callable[[str], object], *, skips: bool) -> None:
        self._write = write
        self._skips = skips

    def write(self, text: str) -> None:
        if self._skips:
            _, end, text = text.partition("\n")
            self._skips = not end
        self._write(text)


def _read(
    path: Path, encoding: str, use: Callable[[str], object]
) -> tuple[object, tuple[int, bool]]:
    """Read a file's text in blocks; return its line ends, its line count, and how it ends."""
    codec = codecs.getincrementaldecoder("utf-8" if encoding.startswith("utf-8") else encoding)
    decoder = io.IncrementalNewlineDecoder(codec(), translate=True)
    offset, lines, last = 0, 0, "\n"
    try:
        with open_bytes(path) as stream:
            while True:
                block = stream.read(_BLOCK)
                offset += len(block)
                text = decoder.decode(block, final=not block)
                use(text)
                lines += text.count("\n")
                last = text[-1:] or last
                if not block:
                    break
    except UnicodeDecodeError as error:
        start = offset - len(error.object) + error.start
        around = error.object[max(0, error.start - _AROUND) : error.start + _AROUND]
        raise wrong_encoding(path, encoding, start, around) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise broken_gzip(path, error) from None
    closed = last == "\n"
    return decoder.newlines, (lines + (not closed), closed)
