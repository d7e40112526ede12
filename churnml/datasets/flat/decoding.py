"""Detect the encoding of a CSV file; refuse one that is uncertain."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

from churnml.errors import DataError, UsageError
from churnml.tables.source.csv.sniffing import open_bytes
from churnml.tables.source.csv.text import Text, as_utf8

_SAMPLE = 1 << 20
_MOSTLY, _SOME, _SHOWN = 0.9, 0.1, 6
_UTF_16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def decoded(
    path: Path, copy: Path, *, encoding: str | None, remembered: str | None
) -> tuple[str, Text]:
    """Decode a CSV file; return its encoding and its text.

    Unless given, the encoding is UTF-8 or UTF-16 or, where the file is not valid as either,
    that of training or else GB18030.

    Parameters
    ----------
    path : Path
    copy : Path
        Where the text goes in UTF-8, if it is not that.
    encoding : str, optional
        What the user said.
    remembered : str, optional
        What the user said of the training table.

    Raises
    ------
    UsageError
        If the file is not in the encoding named.
    DataError
        If its encoding is not certain.
    """
    if encoding is not None:
        try:
            return encoding, as_utf8(path, encoding, copy)
        except DataError as error:
            if "offset" not in error.details:
                raise
            raise UsageError(
                f"--encoding {encoding}: byte {error.details['offset']} of {path} is not that.",
                hint="Name another one, or save the file as UTF-8.",
                file=str(path),
            ) from None
    wide = utf_16(path)
    if wide is not None:
        return wide, as_utf8(path, wide, copy)
    try:
        return "utf-8", as_utf8(path, "utf-8", copy)
    except DataError as error:
        if "offset" not in error.details:
            raise
        first = int(error.details["offset"])
    if remembered is not None:
        return decoded(path, copy, encoding=remembered, remembered=None)
    if _ends_within(path, first):
        raise DataError(
            f"{path}: cut off within its last character (byte {first}).",
            hint="Write or copy it again.",
            file=str(path),
            offset=first,
        )
    return "gb18030", _as_gb18030(path, copy, first)


def sample(path: Path) -> bytes:
    """The first bytes of a file, whole lines; empty if it cannot be decompressed."""
    try:
        with open_bytes(path) as stream:
            content = stream.read(_SAMPLE)
    except (OSError, EOFError, zlib.error, gzip.BadGzipFile):
        return b""
    return content if len(content) < _SAMPLE else content[: content.rfind(b"\n") + 1]


def utf_16(path: Path) -> str | None:
    """Which UTF-16 a file is: by its mark, or by the zero in every second byte."""
    head = sample(path)[:4096]
    marked = _UTF_16.get(head[:2])
    if marked or len(head) < 4:
        return marked
    zeros = [part.count(0) / len(part) for part in (head[::2], head[1::2])]
    if max(zeros) < 0.5 or min(zeros) > 0.05:
        return None
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def _as_gb18030(path: Path, copy: Path, first: int) -> Text:
    head = sample(path)
    rivals = {
        name: start for name, likely in _RIVALS.items() if (start := _read(head, name, likely))
    }
    own = _read(head, "gb18030", _simplified)
    if rivals:
        ways = rivals | ({"gb18030": own} if own else {})
        listed = " or ".join(f"{name.upper()} ({text!r})" for name, text in ways.items())
        raise DataError(
            f"{path}: neither UTF-8 nor certainly GB18030: it may be {listed}.",
            hint=f"Say which with --encoding, for example --encoding {next(iter(rivals))}, or "
            "save it as UTF-8.",
            file=str(path),
            expected="UTF-8, or --encoding",
        )
    try:
        text = as_utf8(path, "gb18030", copy)
    except DataError as error:
        if "offset" not in error.details:
            raise
        raise _neither(path, first) from None
    if not _looks_chinese(text.path):
        raise _neither(path, first)
    return text


def _read(head: bytes, encoding: str, likely: Callable[[str], bool]) -> str | None:
    """A sample of the text in an encoding, or ``None`` where that is unlikely."""
    try:
        text = head.decode(encoding)
    except UnicodeDecodeError:
        return None
    strange = "".join(mark for mark in text if mark > "\x7f")
    return strange[:_SHOWN] if strange and likely(strange) else None


def _share(text: str, first: str, last: str) -> float:
    return sum(first <= mark <= last for mark in text) / len(text)


def _korean(text: str) -> bool:
    return _share(text, "가", "힣") >= _MOSTLY


def _japanese(text: str) -> bool:
    return _share(text, "ぁ", "ヿ") >= 2 * _SOME


def _traditional(text: str) -> bool:
    # GB2312 never has a second byte below 0xA1; two in five of Big5's lie there.
    low = sum(len(code := mark.encode("big5", "ignore")) == 2 and code[1] < 0x7F for mark in text)
    return _share(text, "\u3000", "\uffef") >= _MOSTLY and low >= _SOME * len(text)


def _simplified(text: str) -> bool:
    return len(text.encode("gb2312", "ignore")) >= 2 * _MOSTLY * len(text) and not _japanese(text)


_RIVALS = {"cp949": _korean, "big5": _traditional, "cp932": _japanese, "euc_jp": _japanese}
"""Encodings whose bytes are nearly all GB18030 too, and what their text then looks like."""


def _ends_within(path: Path, offset: int) -> bool:
    """Whether the file ends within the character that begins at a byte."""
    with open_bytes(path) as stream:
        stream.seek(offset)
        end = stream.read(4)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(end)
    except UnicodeDecodeError:
        return False
    return True


def _neither(path: Path, offset: int) -> DataError:
    return DataError(
        f"{path}: byte {offset} is not UTF-8, and the text is not GB18030 either.",
        hint="Save it as UTF-8, or name its encoding with --encoding.",
        file=str(path),
        expected="UTF-8 or GB18030",
        offset=offset,
    )


def _looks_chinese(path: Path) -> bool:
    """Whether text decoded as GB18030 really is Chinese.

    Western text in Latin-1 decodes too: an accented letter and the plain one behind it
    become one character, whose second byte is then that plain letter's.
    """
    with path.open(encoding="utf-8") as stream:
        strange = [mark for mark in stream.read(_SAMPLE) if mark > "\x7f"]
    plain = sum(mark.encode("gb18030")[1] < 0x80 for mark in strange)
    return 2 * plain <= len(strange)
