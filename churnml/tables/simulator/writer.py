"""Write batches to Parquet, typed by the contract; files appear only when complete."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from churnml.base import scratch
from churnml.base.files import is_utf8, plain_reason, shown
from churnml.errors import OutputError
from churnml.tables.contract import KNOWN_AT, TABLES
from churnml.tables.simulator.encoded_columns import (
    DAY,
    NEVER,
    ColumnBatch,
    ColumnData,
    Words,
    length,
)

_DESK = ".simulate-"
_MARK, _SIMULATED = "churnml", "simulated"
"""Metadata key of simulated files, so that no other file is ever replaced."""
HAZARD, OFFER_EFFECT = "truth/hazard", "truth/offer_effect"
COMPLAINT = "truth/complaint"
REACTION = "truth/reaction"
TIES, CONTAGION = "ties", "truth/contagion"
"""The files that are written only where ties are asked for."""

_TRUTH = {
    HAZARD: {
        "customer_id": "text",
        "month": "date",
        "churn_probability": "number",
        "satisfaction": "number",
    },
    OFFER_EFFECT: {
        "offer_id": "text",
        "customer_id": "text",
        "month": "date",
        "probability_control": "number",
        "probability_treated": "number",
        "effect": "number",
    },
    COMPLAINT: {"complaint_id": "text", "category": "text", "subcategory": "text"},
    REACTION: {"customer_id": "text", "offer": "text", "reaction": "number"},
    CONTAGION: {"customer_id": "text", "month": "date", "log_odds": "number"},
}

_TYPES = {
    "text": pa.dictionary(pa.int32(), pa.string()),
    "date": pa.date32(),
    "month": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "integer": pa.int32(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}


def kinds(*, ties: bool = False) -> dict[str, dict[str, str]]:
    """The kind of every column of every file, in order; ``known_at`` last.

    Parameters
    ----------
    ties : bool
        Whether the files about ties are among them.
    """
    kinds: dict[str, dict[str, str]] = {
        name: {column.name: str(column.kind) for column in spec.columns}
        | ({} if spec.rows == "state" else {KNOWN_AT.name: KNOWN_AT.kind})
        for name, spec in TABLES.items()
        if ties or name != TIES
    }
    truth = {name: columns for name, columns in _TRUTH.items() if ties or name != CONTAGION}
    return kinds | truth


class Writer:
    """Writes all tables of one simulation side by side.

    Used as a context manager: the files appear in the folder when it ends well, and
    nothing is left of them when it does not.

    Parameters
    ----------
    folder : Path
    extract : int
        The day on which the tables are drawn, since 1970-01-01: what happens at or after
        it is null, what would arrive later arrives then.
    overwrite : bool
        Whether files that are there may be replaced; what else lies in the folder stays.
    ties : bool
        Whether the files about ties are written; where they are not, simulated ones go.

    Raises
    ------
    OutputError
        If the folder is not empty, or cannot be written.
    """

    def __init__(self, folder: Path, *, extract: int, overwrite: bool, ties: bool = False) -> None:
        self.folder, self.extract, self._kinds = folder, extract, kinds(ties=ties)
        self.rows = dict.fromkeys(self._kinds, 0)
        if not is_utf8(folder):
            raise OutputError(f"{shown(folder)}: a name that is not UTF-8.", hint="Choose another.")
        present = [name for name in self.rows if (folder / f"{name}.parquet").exists()]
        foreign = [name for name in present if not _simulated(folder / f"{name}.parquet")]
        if foreign:
            raise OutputError(
                f"{folder}: {foreign[0]}.parquet already exists and was not simulated.",
                hint="Nothing was changed; choose another folder.",
                file=str(folder / f"{foreign[0]}.parquet"),
                count=len(foreign),
                code="FOREIGN",
            )
        if present and not overwrite:
            raise OutputError(
                f"{folder}: {len(present)} of the files to be written are there already, "
                f"{present[0]}.parquet first.",
                hint="Choose another folder, or overwrite.",
                file=str(folder / f"{present[0]}.parquet"),
                count=len(present),
            )
        others = _strangers(folder)
        if others and not overwrite:
            raise OutputError(
                f"{folder}: not empty: it holds {others[0]}"
                + (f" and {len(others) - 1} more." if others[1:] else "."),
                hint="Choose a folder of its own; --overwrite puts the tables beside it.",
                file=str(folder),
                count=len(others),
            )

    def __enter__(self) -> Writer:
        try:
            (self.folder / "truth").mkdir(parents=True, exist_ok=True)
            self._scratch = scratch.make(self.folder, _DESK)
        except OSError as error:
            raise self._unwritable(error) from error
        self._desk = self._scratch.folder
        self._files: dict[str, pq.ParquetWriter] = {}
        try:
            (self._desk / "truth").mkdir()
            for name, columns in self._kinds.items():
                self._files[name] = self._opened(name, columns)
        except OSError as error:
            self._scratch.remove()
            raise self._unwritable(error) from error
        return self

    def _opened(self, name: str, columns: Mapping[str, str]) -> pq.ParquetWriter:
        return pq.ParquetWriter(
            self._desk / f"{name}.parquet",
            _schema(columns),
            compression="zstd",
            compression_level=1,
            use_dictionary=[key for key, kind in columns.items() if kind == "text"],
            # Without it readers see plain text, not the categories of one block.
            store_schema=False,
        )

    def write(self, batches: Mapping[str, ColumnBatch]) -> None:
        """Append one block's rows, a row group for every table.

        Parameters
        ----------
        batches : mapping of str to batch
            By file name without its ending.
        """
        for name, batch in batches.items():
            columns = self._kinds[name]
            arrays = [self._array(key, kind, batch[key]) for key, kind in columns.items()]
            self._files[name].write_table(pa.table(arrays, schema=_schema(columns)))
            self.rows[name] += length(batch)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            for file in self._files.values():
                if error is None:
                    file.add_key_value_metadata({_MARK: _SIMULATED})
                file.close()
            if error is None:
                self._publish()
        except OSError as failure:
            raise self._unwritable(failure) from failure
        finally:
            self._scratch.remove()
        if isinstance(error, OSError):
            raise self._unwritable(error) from error

    def _publish(self) -> None:
        for name in self._files:
            (self._desk / f"{name}.parquet").replace(self.folder / f"{name}.parquet")
        # The ties of an earlier operator would be taken for this one's.
        for name in kinds(ties=True).keys() - self._kinds.keys():
            stale = self.folder / f"{name}.parquet"
            if _simulated(stale):
                stale.unlink()

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.folder}: cannot be written ({plain_reason(error)}).",
            hint="Choose a folder with space that you may write to.",
            file=str(self.folder),
        )

    def _array(self, name: str, kind: str, column: ColumnData) -> pa.Array:
        if isinstance(column, Words):
            codes = pa.array(column.codes.astype(np.int32), mask=column.codes < 0)
            return pa.DictionaryArray.from_arrays(codes, pa.array(column.words, pa.string()))
        if kind in ("date", "month"):
            gone = column >= NEVER if name == "contract_ends_on" else column >= self.extract
            return pa.array(np.where(gone, 0, column).astype(np.int32), pa.int32(), mask=gone).cast(
                pa.date32()
            )
        if kind == "timestamp":
            return self._timestamps(name, column)
        if kind == "integer":
            return pa.array(column.astype(np.int32), mask=column < 0)
        if kind == "number":
            return pa.array(column.astype(float), from_pandas=True)
        return pa.array(column)

    def _timestamps(self, name: str, seconds: np.ndarray[Any, Any]) -> pa.Array:
        limit = self.extract * DAY
        if name == "known_at":
            seconds = np.minimum(seconds, limit)
        gone = seconds > limit
        micros = np.where(gone, 0, seconds) * 1_000_000
        return pa.array(micros, pa.int64(), mask=gone).cast(pa.timestamp("us"))


def _simulated(path: Path) -> bool:
    """Whether a file's metadata says that it was simulated."""
    try:
        metadata = pq.read_metadata(path.absolute()).metadata or {}
    except (OSError, pa.ArrowException):
        return False
    return metadata.get(_MARK.encode()) == _SIMULATED.encode()


def _strangers(folder: Path) -> list[str]:
    """A folder's other contents, apart from what a failed or killed simulation left."""
    if not folder.is_dir():
        return []
    return sorted(
        one.name
        for one in folder.iterdir()
        if not one.name.startswith(_DESK) and not (one.is_dir() and not any(one.iterdir()))
    )


def _schema(columns: Mapping[str, str]) -> pa.Schema:
    return pa.schema([pa.field(name, _TYPES[kind]) for name, kind in columns.items()])
