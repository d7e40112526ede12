"""Open a flat table: CSV, Parquet or XLSX, by its file name."""

from __future__ import annotations

import hashlib
from pathlib import Path

from churnml.datasets.flat.csv import open_csv
from churnml.datasets.flat.parquet import open_parquet
from churnml.datasets.flat.reading import Reading
from churnml.datasets.flat.table import Table
from churnml.datasets.flat.xlsx import open_workbook
from churnml.errors import DataError, UsageError
from churnml.tables.source.engines.duckdb import require_utf8, start
from churnml.tables.source.folder import CSV_ENDINGS
from churnml.tables.source.parquet import parts

_PARQUET = (".parquet", ".parq", ".pq")
_WORKBOOK = (".xlsx", ".xlsm")


def open_table(
    path: str | Path,
    *,
    reading: Reading | None = None,
    remembered: Reading | None = None,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> Table:
    """Open a flat table.

    Parameters
    ----------
    path : path
        ``.csv``, ``.tsv`` or ``.txt``, also with ``.gz``; ``.parquet``, or a folder of
        Parquet parts; ``.xlsx``, of which one sheet is read, by default the first.
    reading : Reading, optional
        How the user says to read the file: sheet, encoding, delimiter.
    remembered : Reading, optional
        How the training table was read, used where it fits.
    memory_limit : str, optional
        What DuckDB may take, as ``2GB``.
    threads : int, optional

    Raises
    ------
    UsageError
        If the file is not as the user said.
    DataError
        If there is no such file, or it is not what its ending says: empty, cut off, of
        another format, in an encoding that is not certain, with one name for two columns.
    OutputError
        If the temporary folder has no space.
    """
    place = Path(path)
    require_utf8(place)
    _require_file(place)
    name = place.name.lower()
    reading, remembered = reading or Reading(), remembered or Reading()
    engine = start(memory_limit=memory_limit, threads=threads)
    if place.is_dir() or name.endswith(_PARQUET):
        if reading.to_dict():
            raise UsageError(
                f"--sheet, --encoding and --delimiter: {place} is Parquet and needs none of them."
            )
        return open_parquet(place, engine)
    if name.endswith(_WORKBOOK):
        return open_workbook(place, engine, reading, remembered)
    return open_csv(place, engine, reading, remembered)


def fingerprint(path: str | Path) -> str:
    """SHA-256 over the names and bytes of a table's files.

    Raises
    ------
    DataError
        If there is no such file.
    """
    place = Path(path)
    _require_file(place)
    digest = hashlib.sha256()
    for file in parts(place) if place.is_dir() else [place]:
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        name = file.relative_to(place).as_posix() if place.is_dir() else file.name
        digest.update(f"{name}\t{content}\n".encode())
    return digest.hexdigest()


def _require_file(path: Path) -> None:
    if not path.exists():
        raise DataError(f"{path}: there is no such file.", file=str(path))
    if path.is_dir():
        return
    # A pipe or a device would never end.
    if not path.is_file():
        raise DataError(f"{path}: not a regular file.", hint="Save it to a file.", file=str(path))
    if not path.name.lower().endswith((*CSV_ENDINGS, *_PARQUET, *_WORKBOOK)):
        raise DataError(
            f"{path}: unknown ending {path.suffix!r}; .csv, .parquet or .xlsx expected.",
            hint="Save it as one of these, with that ending.",
            file=str(path),
            expected="CSV, Parquet or XLSX",
        )
