"""Verify Parquet pages against their checksums.

DuckDB does not look at them; Arrow does when asked. Files without checksums, as most writers
other than Spark make them, cost the reading of one page's header.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from churnml.errors import DataError

_INT32 = 0x15
"""How Thrift's compact protocol begins a 32-bit number that is the next field."""

_HEADER = 64
_BATCH = 65_536


def verify_pages(path: Path) -> None:
    """Refuse a file whose pages do not match their checksums.

    Raises
    ------
    DataError
        Names the row group and the columns that differ.
    """
    if not _has_checksums(path):
        return
    groups = pq.read_metadata(path.absolute()).num_row_groups
    with pq.ParquetFile(path.absolute(), page_checksum_verification=True) as file:
        for group in range(groups):
            try:
                for _ in file.iter_batches(_BATCH, row_groups=[group]):
                    pass
            except (pa.ArrowException, OSError) as error:
                if "CRC" not in str(error):
                    # What else is wrong with it, its reader will say.
                    continue
                raise DataError(
                    f"{path}: damaged: a page of row group {group + 1} of {groups} does not "
                    "match its checksum.",
                    hint="Write or copy it again.",
                    file=str(path),
                ) from None


def _has_checksums(path: Path) -> bool:
    """Whether the first page's header holds a checksum: its optional fourth field."""
    metadata = pq.read_metadata(path.absolute())
    if not metadata.num_row_groups or not metadata.num_columns:
        return False
    column = metadata.row_group(0).column(0)
    start = column.dictionary_page_offset or column.data_page_offset
    with path.open("rb") as stream:
        stream.seek(start)
        header = stream.read(_HEADER)
    at = 0
    for _kind_and_two_sizes in range(3):
        if at >= len(header) or header[at] != _INT32:
            return False
        at += 1
        while at < len(header) and header[at] & 0x80:
            at += 1
        at += 1
    return at < len(header) and header[at] == _INT32
