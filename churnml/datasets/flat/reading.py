"""Options for reading a file: sheet, encoding, delimiter."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from churnml.base.text import nearest
from churnml.errors import UsageError

_TAB = ("tab", "\\t", "\t")


@dataclass(frozen=True)
class Reading:
    """How to read a file, where the file itself does not say.

    Attributes
    ----------
    sheet : str or None
        Of a workbook.
    encoding : str or None
        Of a CSV file, as Python calls it: ``cp949``, ``big5``, ``utf-16``.
    delimiter : str or None
        Of a CSV file, one character.

    Raises
    ------
    UsageError
        If there is no such encoding, or the delimiter is longer.
    """

    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None

    def __post_init__(self) -> None:
        if self.delimiter in _TAB:
            object.__setattr__(self, "delimiter", "\t")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise UsageError(
                f"--delimiter {self.delimiter!r}: one character expected.",
                hint="Write it as --delimiter ';', or --delimiter tab.",
            )
        if self.encoding is not None:
            object.__setattr__(self, "encoding", _encoding(self.encoding))

    def to_dict(self) -> dict[str, str]:
        """The options that were given, as plain data."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def remembered(cls, readings: Iterable[Mapping[str, str]]) -> Reading:
        """Merge the options used for the training tables; the first table's take precedence."""
        fields: dict[str, str] = {}
        for one in readings:
            fields = {**one, **fields}
        return cls(**fields)


def _encoding(name: str) -> str:
    try:
        known = codecs.lookup(name)
    except (LookupError, ValueError):
        known = None
    # base64 and its like are codecs too, but none of text.
    if known is None or not getattr(known, "_is_text_encoding", True):
        near = nearest(name, ["utf-8", "utf-16", "gb18030", "big5", "cp949", "euc-kr", "cp1252"])
        raise UsageError(
            f"--encoding {name!r}: no such encoding.",
            hint=f"Did you mean {near}?" if near else "Write it as utf-8, gb18030, big5, cp949 …",
        )
    return known.name
