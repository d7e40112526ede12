"""Find the files, or folders of parts, that hold the tables."""

from __future__ import annotations

import stat
from pathlib import Path

from churnml.errors import ContractError, DataError

ENDINGS = (".parquet", ".csv", ".csv.gz", "")
"""What a table's name ends in, the empty one for a folder of Parquet parts."""

MAPPING_FILE = "source.yaml"
"""A folder's own mapping."""


def find(folder: Path, table: str, named: str | None = None) -> Path | None:
    """The path of a table in a folder, or ``None``.

    Parameters
    ----------
    folder : path
    table : str
    named : str, optional
        What the mapping says: a file or folder, relative to ``folder``.

    Raises
    ------
    ContractError
        If two files stand for the table, or the one that the mapping names is not there.
    DataError
        If what stands there is neither a file nor a folder.
    """
    if named is not None:
        return _sound(_named(folder, table, named))
    paths = [path for ending in ENDINGS if _exists(path := folder / f"{table}{ending}")]
    if len(paths) > 1:
        names = " and ".join(path.name for path in paths)
        raise ContractError(
            f"{table}: {names} both match it in {folder}.",
            hint=f"Remove one, or name one in the mapping: tables.{table}.file.",
            table=table,
            file=str(folder),
        )
    return _sound(paths[0]) if paths else None


def _named(folder: Path, table: str, named: str) -> Path:
    path = folder / named
    if not _exists(path):
        raise ContractError(
            f"{table}: {path} does not exist, though the mapping names it.",
            hint=f"Correct tables.{table}.file.",
            table=table,
            file=str(path),
        )
    return path


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _sound(path: Path) -> Path:
    """Check that a path is a file or a folder, not a pipe or a dangling link."""
    if path.is_symlink() and not path.exists():
        raise DataError(f"{path}: a link to nothing ({path.readlink()}).", file=str(path))
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise DataError(
            f"{path}: a pipe or a device, not a file.",
            hint="Write the table to a file.",
            file=str(path),
        )
    return path
