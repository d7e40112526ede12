"""A file of complaints' categories, as ``churnml complaints --coded`` writes it, joined to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis.expr import types as ir

from churnml.errors import ContractError, DataError
from churnml.tables.contract import CODED_AT, TABLES

COLUMNS = ("complaint_id", "category", "subcategory", "coder", "confidence", "known_at")
"""Of such a file, in order."""

_READ = {"complaint_id": "string", "category": "string", "known_at": "timestamp[us]"}


@dataclass(frozen=True, eq=False)
class CodedComplaints:
    """What a file says of each complaint, and where it stands.

    Attributes
    ----------
    path : Path
    rows : pyarrow Table
        ``complaint_id`` (unique), ``category``, ``subcategory``, ``coded_at``.
    """

    path: Path
    rows: pa.Table

    def joined(self, complaints: ir.Table) -> ir.Table:
        """The complaints with a category where the file has one and they have none.

        Parameters
        ----------
        complaints : Table
            With a filled ``known_at``.

        Returns
        -------
        Table
            With ``coded_at`` beside: when the category became known, that of the row where
            the operator gave it. Until then it is null at any ``as_of``.
        """
        told = ibis.memtable(self.rows)
        told = told.rename({f"_{name}": name for name in told.columns})
        rows = complaints.left_join(told, complaints.complaint_id == told._complaint_id)
        own = rows.category if "category" in complaints.columns else ibis.null("string")
        fine = rows.subcategory if "subcategory" in complaints.columns else ibis.null("string")
        from_file = own.isnull() & rows._category.notnull()
        joined = rows.mutate(
            category=ibis.coalesce(own, rows._category),
            subcategory=ibis.ifelse(from_file, ibis.coalesce(fine, rows._subcategory), fine),
            **{CODED_AT: ibis.ifelse(from_file, rows._coded_at, rows.known_at)},
        )
        names = [name for name in complaints.columns if name not in ("category", "subcategory")]
        return joined.select(*names, "category", "subcategory", CODED_AT)


def find_coded(named: str, places: Iterable[Path]) -> Path:
    """The file that a mapping names: beside the tables, or beside the mapping.

    Raises
    ------
    ContractError
        If it is in neither place.
    """
    tried = [place / named for place in places] or [Path(named)]
    for path in tried:
        if path.is_file():
            return path
    raise ContractError(
        f"complaints: {tried[0]} does not exist, though the mapping names it.",
        hint="Mend complaints.coded, or make the file with churnml complaints --coded.",
        table="complaints",
        file=str(tried[0]),
    )


def read_coded(path: Path) -> CodedComplaints:
    """Read and check a file of categories.

    Raises
    ------
    DataError
        If it is no Parquet file, or says what no such file says.
    """
    try:
        rows = pq.read_table(path.absolute(), columns=None, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path}: not a complete Parquet file ({error}).",
            hint="Write it again with churnml complaints --coded.",
            file=str(path),
        ) from None
    absent = [name for name in _READ if name not in rows.column_names]
    if absent:
        raise _refused(path, absent[0], f"no column {absent[0]}")
    if "subcategory" not in rows.column_names:
        rows = rows.append_column("subcategory", pa.nulls(len(rows), pa.string()))
    try:
        kinds = _READ | {"subcategory": "string"}
        columns = {name: _cast(rows[name], kind) for name, kind in kinds.items()}
    except pa.ArrowException as error:
        raise _refused(path, "known_at", str(error)) from None
    _check(path, columns)
    columns[CODED_AT] = columns.pop("known_at")
    return CodedComplaints(path, pa.table(columns))


def _cast(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    target = pa.timestamp("us") if kind.startswith("timestamp") else pa.string()
    return column.cast(target)


def _check(path: Path, columns: dict[str, pa.ChunkedArray]) -> None:
    ids, categories = columns["complaint_id"], columns["category"]
    if ids.null_count or pc.count_distinct(ids).as_py() < len(ids):
        raise _refused(path, "complaint_id", "a complaint stands in it twice, or without an id")
    legal = TABLES["complaints"].column("category").codes
    strange = pc.unique(categories.filter(pc.invert(pc.is_in(categories, pa.array(legal)))))
    wrong = [value for value in strange.to_pylist() if value is not None]
    if wrong:
        raise _refused(path, "category", f"{wrong[0]!r} is none of {', '.join(legal)}")
    if columns["known_at"].filter(pc.is_valid(categories)).null_count:
        raise _refused(path, "known_at", "a category without the moment it became known")


def _refused(path: Path, column: str, problem: str) -> DataError:
    return DataError(
        f"{path}: {column}: {problem}.",
        hint=f"Expected are {', '.join(COLUMNS)}, as churnml complaints --coded writes them.",
        file=str(path),
        column=column,
    )
