"""Find the files, or folders of parts, that hold the tables."""

from __future__ import annotations

import stat
from pathlib import Path

from churnml.errors import ContractError, DataError
from churnml.tables.source import parquet

ENDINGS = (".parquet", ".csv", ".csv.gz", "")
"""What a table's name ends in, the empty one for a folder of parts."""

CSV_ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")

MAPPING_FILE = "source.yaml"
"""A folder's own mapping."""


def find(folder: Path, table: str, named: str | None = None) -> Path | None:
    """The path of a table in a folder, or ``None``.

    Parameters
    ----------
    folder : path
    table : str
    named : str, optional
        What the mapping says: a file, a folder of parts, or a pattern of parts such as
        ``bills_*.csv``, relative to ``folder``.

    Raises
    ------
    ContractError
        If two files stand for the table, or the one that the mapping names is not there.
    DataError
        If what stands there is neither a file nor a folder.
    """
    if named is not None:
        path = _named(folder, table, named)
        return path if is_pattern(path) else _sound(path)
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
    if not _exists(path) and not (is_pattern(path) and parts(path)):
        raise ContractError(
            f"{table}: {path} does not exist, though the mapping names it.",
            hint=f"Correct tables.{table}.file.",
            table=table,
            file=str(path),
        )
    return path


def is_pattern(path: Path) -> bool:
    """Whether a path stands for several files, by a ``*`` or ``?`` in its last step."""
    return any(mark in path.name for mark in "*?[") and not _exists(path)


def parts(path: Path) -> tuple[Path, ...]:
    """The files of a table, in the order of their names.

    Parameters
    ----------
    path : Path
        A file, a folder of CSV or of Parquet parts, or a pattern of names.

    Raises
    ------
    DataError
        If a folder holds none, or the job that writes it has not finished.
    ContractError
        If it holds files of other kinds.
    """
    if is_pattern(path):
        return tuple(_sound(one) for one in sorted(path.parent.glob(path.name)))
    if not path.is_dir():
        return (path,)
    shown = [one for one in sorted(path.iterdir()) if not one.name.startswith((".", "_"))]
    unfinished = (path / "_temporary").exists()
    if not unfinished and any(one.name.lower().endswith(CSV_ENDINGS) for one in shown):
        strange = [one for one in shown if not one.name.lower().endswith(CSV_ENDINGS)]
        if strange:
            raise ContractError(
                f"{path}: {strange[0].name} is not a CSV file as the others are.",
                hint="A table's folder holds parts of one kind only.",
                file=str(strange[0]),
            )
        return tuple(_sound(one) for one in shown)
    return tuple(parquet.parts(path))


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
