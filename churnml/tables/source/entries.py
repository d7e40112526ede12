"""Types that several entries of a mapping share."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import StringConstraints

CsvEncoding = Literal["utf-8", "utf-8-sig", "gb18030"]

Lag = Annotated[str, StringConstraints(pattern=r"^\d+[dh]$")]
"""How long after it happened a row reaches the warehouse: days (``3d``) or hours (``12h``)."""

ScaleFactor = Annotated[
    str, StringConstraints(pattern=r"^\d+(\.\d+)?([eE]-?\d{1,2})?(/[1-9]\d*)?$")
]
"""A positive number, or a fraction such as ``1/60``."""


def lag_of(text: str) -> timedelta:
    """A lag as a length of time.

    >>> lag_of("12h")
    datetime.timedelta(seconds=43200)
    """
    number = int(text[:-1])
    return timedelta(days=number) if text[-1] == "d" else timedelta(hours=number)
