"""Write features to a Parquet file atomically."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr import types as ir

from churnml.base.dates import parse_date
from churnml.base.files import OUT_OF_ROOM, plain_reason, system_code, write_file
from churnml.base.placing import Product, input_first, only, placed, require_apart
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.errors import OutputError
from churnml.features.building import build_features, declared
from churnml.features.on_spark import count_parts, part_files, write_parts
from churnml.features.requirements import require_bills
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import HasTables
from churnml.tables.source import Source as OpenedSource
from churnml.tables.source.engines import spark
from churnml.tables.source.engines.duckdb import write_parquet

_log = logging.getLogger(__name__)
_MARK, _CONTENT = "churnml", "features"
"""What the file says of itself, so that nothing else is ever replaced."""
_ACCOUNT = "_features.json"
"""What a folder of parts says of itself."""


def write_features(
    source: HasTables | Mapping[str, ir.Table],
    as_of: date | str | Iterable[date | str],
    path: str | Path,
    *,
    config: ConfigGiven | None = None,
    spine: ir.Table | None = None,
) -> int:
    """Write the features of `build_features` to a Parquet file, without holding them in memory.

    The file appears when it is complete; until then an older one stays as it is.

    Parameters
    ----------
    source, as_of, config, spine
        As for `build_features`.
    path : path
        The file; the folders above it are made.

    Returns
    -------
    int
        Number of rows, ordered by ``as_of`` and ``customer_id``.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    table = build_features(source, as_of, config=config, spine=spine)
    with placed(path) as fresh:
        _copy(table, fresh, Path(path).parent)
        return int(pq.read_metadata(fresh).num_rows)


@dataclass(frozen=True, kw_only=True)
class SavedFeatures:
    """A file of features.

    Attributes
    ----------
    file : str
    as_of : str
    rows, features : int
    absent_tables : list of str
        Optional tables that the source lacks, and with them their features.
    """

    file: str
    as_of: str
    rows: int
    features: int
    absent_tables: list[str]

    def to_dict(self) -> dict[str, Any]:
        """The account as plain data, for ``--json``."""
        return asdict(self)


def save_features(
    data: OpenedSource | Location,
    *,
    as_of: date | str,
    out: Location,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    overwrite: bool = False,
    engine: str | None = None,
) -> SavedFeatures:
    """Write the features of all eligible customers at a date, from checked tables.

    Parameters
    ----------
    data : Source, str or path
        Its bad rows are set aside.
    as_of : date
    out : path
        A Parquet file; from Spark a folder of Parquet parts, which the same readers read.
    mapping : path, optional
    config : Config, path or mapping, optional
    overwrite : bool, default False
        Whether a file of features that stands there may be replaced.
    engine : {"duckdb", "spark"}, optional
        What reads a folder and builds the features; by default DuckDB, of a source its own.

    Raises
    ------
    DataError
        If the source is refused, or its bills end more than a month before the date.
    OutputError
        If the file cannot be written, or something stands there.
    """
    settings, day = as_config(config), parse_date(as_of)
    whole = as_source(data, mapping=mapping, config=settings, engine=engine)
    require_bills(whole, day)
    source = whole.until(day)
    with input_first(lambda: check(source, settings).accepted()):
        require_apart(out, source.read)
        kind = FEATURES_FOLDER if whole.engine == "spark" else FEATURES_FILE
        kind.require_free(out, overwrite=overwrite)
    clean = check(source, settings).accepted()
    _log.info("building features at %s", day)
    if whole.engine == "spark":
        rows = _write_folder(clean, day, Path(out), settings)
    else:
        rows = write_features(clean.tables, day, out, config=settings)
    return SavedFeatures(
        file=str(out),
        as_of=str(day),
        rows=rows,
        features=len(declared(clean.tables)),
        absent_tables=list(source.missing),
    )


def _ours(path: Path) -> bool:
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (OSError, pa.ArrowException):
        return False
    return metadata.get(_MARK.encode()) == _CONTENT.encode()


FEATURES_FILE = Product(what="a file of features", ours=_ours)


def _our_folder(folder: Path) -> bool:
    try:
        said = json.loads((folder / _ACCOUNT).read_bytes())
    except (OSError, ValueError):
        return False
    listed = {_ACCOUNT, *said.get("parts", ())} if said.get(_MARK) == _CONTENT else set()
    return only(folder, lambda name: name in listed)


FEATURES_FOLDER = Product(what="a folder of features", ours=_our_folder)


def _write_folder(source: OpenedSource, day: date, out: Path, config: Config) -> int:
    """Write the features of a source on Spark as parts, with an account that names them."""
    table = build_features(source.tables, day, config=config)
    with spark.spark_errors(source.location, out), placed(out) as fresh:
        customers = int(source.tables["customers"].count().to_pyarrow().as_py())
        cores = source.con._session.sparkContext.defaultParallelism
        many = count_parts(customers, least_rows=config.scoring.batch_rows, cores=cores)
        write_parts(table, fresh, parts=many)
        files = part_files(fresh)
        rows = sum(pq.read_metadata(file).num_rows for file in files)
        for path in fresh.iterdir():
            if path not in files:
                path.unlink()
        said = {_MARK: _CONTENT, "as_of": str(day), "rows": rows}
        account = said | {"parts": [file.name for file in files]}
        write_file(fresh / _ACCOUNT, json.dumps(account, indent=1).encode() + b"\n")
        return rows


def _copy(table: ir.Table, path: Path, folder: Path) -> None:
    try:
        write_parquet(table, path, mark={_MARK: _CONTENT})
    except duckdb.IOException as error:
        ours = path.name in str(error)
        if not ours and system_code(error) not in OUT_OF_ROOM:
            raise
        # What does not fit into memory is spilled while the features are built.
        place = f"{folder}" if ours else f"{folder} or {gettempdir()} (TMPDIR)"
        raise OutputError(
            f"{place}: cannot be written ({plain_reason(error)}).",
            hint="Free space or choose another disk, then run the same command again.",
            file=str(folder / path.name),
        ) from None
