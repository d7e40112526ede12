"""Check that column names are unique."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from churnml.errors import ContractError


def check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse a file in which two column names differ only in case or blanks.

    Raises
    ------
    ContractError
        With the names and their positions.

    Examples
    --------
    >>> check_names(Path("bills.csv"), ["month", "Month "])
    Traceback (most recent call last):
    churnml.errors.ContractError: bills.csv: column 'month' and 'Month ' stands at positions 1
    and 2. Give every column a name of its own.
    """
    places: dict[str, list[int]] = {}
    for position, name in enumerate(names, start=1):
        if name.strip():
            places.setdefault(name.strip().casefold(), []).append(position)
    for positions in places.values():
        if len(positions) > 1:
            shown = " and ".join(dict.fromkeys(repr(names[at - 1]) for at in positions))
            where = " and ".join(str(at) for at in positions)
            raise ContractError(
                f"{path}: column {shown} stands at positions {where}.",
                hint="Give every column a name of its own.",
                file=str(path),
                column=names[positions[0] - 1],
            )
