"""Write features to a Parquet file atomically."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from tempfile import gettempdir

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr import types as ir

from churnml.base import placing
from churnml.base.files import OUT_OF_ROOM, plain_reason, system_code
from churnml.base.placing import placed
from churnml.config.settings import Config
from churnml.errors import OutputError
from churnml.features.building import HasTables, build_features
from churnml.tables.source.engines.duckdb import write_parquet

_MARK, _FEATURES = "churnml", "features"
"""What the file says of itself, so that nothing else is ever replaced."""


def write_features(
    source: HasTables | Mapping[str, ir.Table],
    as_of: date | str | Iterable[date | str],
    path: str | Path,
    *,
    config: Config | None = None,
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


def require_free(path: str | Path, *, overwrite: bool) -> None:
    """Refuse a place that cannot be written, or that holds anything but features.

    Raises
    ------
    OutputError
    """
    placing.require_free(path, overwrite=overwrite, what="a file of features", ours=_ours)


def _ours(path: Path) -> bool:
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (OSError, pa.ArrowException):
        return False
    return metadata.get(_MARK.encode()) == _FEATURES.encode()


def _copy(table: ir.Table, path: Path, folder: Path) -> None:
    try:
        write_parquet(table, path, compression="zstd", kv_metadata=f"{{{_MARK}: '{_FEATURES}'}}")
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
