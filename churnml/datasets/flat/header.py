"""Detect a title above the header."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from churnml.base.text import quoted
from churnml.errors import DataError

LOOKED_AT = 30
_LEAST_WIDTH = 3
_SHOWN = 4

Row = Sequence[str | None]


def refuse_title(path: Path, rows: Sequence[Row], counted: str, where: str = "") -> None:
    """Refuse a file that begins with a title or a two-line header.

    Parameters
    ----------
    path : Path
    rows : sequence of sequence of str
        The cells of the first lines.
    counted : {"row", "line"}
    where : str, optional
        Words behind the path, as of a sheet.

    Raises
    ------
    DataError
        Naming the line in which the column names seem to stand.
    """
    filled = [sum(bool(cell and cell.strip()) for cell in row) for row in rows]
    width = max(filled[1:], default=0)
    if width < _LEAST_WIDTH or 2 * filled[0] >= width:
        return
    at = next(at for at, count in enumerate(filled) if count == width)
    names = [cell.strip() for cell in rows[at] if cell and cell.strip()]
    title = next((cell.strip() for cell in rows[0] if cell and cell.strip()), "")
    more = " …" if len(names) > _SHOWN else ""
    raise DataError(
        f"{path}{where}: {counted} 1 looks like a title ({title!r}); the column names seem to "
        f"be in {counted} {at + 1} ({', '.join(map(quoted, names[:_SHOWN]))}{more}).",
        hint=f"Delete the {counted}s above the column names.",
        file=str(path),
        row=at + 1,
    )
