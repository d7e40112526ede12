"""Features into a Parquet file, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from tempfile import gettempdir

import duckdb
import pyarrow.parquet as pq
from ibis.expr import types as ir

from churnml.config import Config
from churnml.durable import (
    OUT_OF_ROOM,
    output_errors,
    plain_reason,
    sync_file,
    sync_folder,
    system_code,
)
from churnml.errors import OutputError
from churnml.features.building import Source, build_features
from churnml.source.engine import write_parquet


def write_features(
    source: Source | Mapping[str, ir.Table],
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
        The file, in a folder that exists.

    Returns
    -------
    int
        Number of rows, ordered by ``as_of`` and ``customer_id``.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.tmp")
    table = build_features(source, as_of, config=config, spine=spine)
    with output_errors(path):
        try:
            # The system's own words for a folder that is missing or forbidden.
            temporary.touch()
            _copy(table, temporary)
            rows = pq.read_metadata(temporary).num_rows
            sync_file(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    return int(rows)


def _copy(table: ir.Table, path: Path) -> None:
    try:
        write_parquet(table, path, compression="zstd")
    except duckdb.IOException as error:
        ours = path.name in str(error)
        if not ours and system_code(error) not in OUT_OF_ROOM:
            raise
        # What does not fit into memory is spilled while the features are built.
        place = f"{path.parent}" if ours else f"{path.parent} or {gettempdir()} (TMPDIR)"
        raise OutputError(
            f"{place}: cannot be written ({plain_reason(error)}).",
            hint="Free space or choose another disk, then run the same command again.",
            file=str(path),
        ) from None
