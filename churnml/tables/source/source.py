"""A source: the operator's tables, opened."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Protocol

from ibis.expr import types as ir

from churnml.base.dates import parse_date
from churnml.base.placing import ReadPlaces
from churnml.config.settings import Available
from churnml.errors import ContractError, DataError
from churnml.tables import asof
from churnml.tables.contract import REQUIRED_TABLES, TABLES
from churnml.tables.source.binding import Binding
from churnml.tables.source.coded import CodedComplaints
from churnml.tables.source.engines import spark
from churnml.tables.source.extra.table import ExtraTable, extras_of
from churnml.tables.source.folder import ENDINGS, MAPPING_FILE


class HasTables(Protocol):
    """Anything that holds an operator's tables."""

    @property
    def tables(self) -> Mapping[str, ir.Table]:
        """Typed as the contract says, each with a filled ``known_at``."""


class Tables(Mapping[str, ir.Table]):
    """The tables of a source by name, each read when it is first asked for."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._made: dict[str, ir.Table] = {}

    def __getitem__(self, name: str) -> ir.Table:
        if name not in self._made:
            self._made[name] = self._source.table(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._source.bindings)

    def __len__(self) -> int:
        return len(self._source.bindings)

    @property
    def extras(self) -> Mapping[str, ExtraTable]:
        """The declared tables of one's own among them."""
        return self._source.extras

    def __repr__(self) -> str:
        return f"Tables({', '.join(self)})"


class ChangedTables(dict[str, ir.Table]):
    """The tables of a source, some of them replaced; what is declared of them stays."""

    def __init__(self, tables: Mapping[str, ir.Table], **changed: ir.Table) -> None:
        super().__init__({**tables, **changed})
        self.extras = extras_of(tables)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Source:
    """The operator's tables, renamed and typed as the contract says; lazy and unchanging.

    Made by `open_source`; ``with open_source(...) as source`` closes it at the end.

    Attributes
    ----------
    location : str
        What was opened, without a password.
    con : ibis Backend
        The engine that runs what is built on the tables.
    bindings : mapping of str to Binding
        The tables that are there.
    day : date or None
        Nothing at or after it is visible.
    address : str
        What was opened, as it was given; for connecting again, never for people.
    mapping_file : str
        The absolute path of the mapping that was given; empty where none was.
    identify_rows : callable, optional
        Of a database: gives a text that differs wherever its rows do.
    hash_files : callable, optional
        Gives the SHA-256 of files, where the engine reads them on other machines.
    checks : dict
        What `churnml.validate` found, so that each step need not look again.
    coded : CodedComplaints or None
        Categories of complaints from a file that the mapping names.
    operator : str
        The operator's name, where the mapping gives one.
    extras : mapping of str to ExtraTable
        The tables of one's own that are there.
    """

    location: str
    con: Any
    bindings: Mapping[str, Binding]
    day: date | None = None
    mapping_text: str = ""
    cleaned: Mapping[str, ir.Table] = field(default_factory=dict)
    stamps: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    address: str = ""
    mapping_file: str = ""
    checks: dict[str, Any] = field(default_factory=dict)
    coded: CodedComplaints | None = None
    identify_rows: Callable[[], str] | None = None
    hash_files: Callable[[Sequence[Path]], Mapping[Path, str]] | None = None
    operator: str = ""
    extras: Mapping[str, ExtraTable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tables", Tables(self))

    @property
    def tables(self) -> Mapping[str, ir.Table]:
        """The tables that are there, lazy, by name; each has a filled ``known_at``.

        Raises
        ------
        ContractError
            When a required table, or one that lacks a required column, is asked for.
        KeyError
            When an optional table that is absent is asked for.
        """
        return self._tables  # type: ignore[attr-defined]

    def table(self, name: str) -> ir.Table:
        """One table; as `tables` has it, but made anew."""
        if name not in self.bindings:
            if name in REQUIRED_TABLES:
                raise ContractError(
                    f"{name}: there is no such table in {self.location}. [C01]",
                    hint=f"Add {name}.parquet or {name}.csv, or name its file in the mapping.",
                    table=name,
                    code="C01",
                )
            raise KeyError(name)
        binding = self.bindings[name]
        if binding.absent:
            raise ContractError(
                f"{name}: {binding.origin} has no column {', '.join(binding.absent)}. [C02]",
                hint="Name the operator's column in the mapping.",
                table=name,
                column=binding.absent[0],
                code="C02",
            )
        rows = self.cleaned[name] if name in self.cleaned else binding.rows.typed  # noqa: SIM401
        filled = binding.filled(rows)
        if name == "complaints" and self.coded is not None:
            filled = self.coded.joined(filled)
        return asof.until(filled, binding.spec, self.day)

    @property
    def lags(self) -> dict[str, timedelta]:
        """Each table's reporting lag, from ``known_after``."""
        return {name: binding.entry.lag for name, binding in self.bindings.items()}

    @property
    def availability(self) -> dict[str, Available]:
        """Availability by ``table.column`` in the contract's names, where the mapping gives it.

        Raises
        ------
        UsageError
            If the mapping says it of a column that the table does not have.
        """
        return {
            f"{name}.{column}": who
            for name, binding in self.bindings.items()
            for column, who in binding.available().items()
        }

    @property
    def missing(self) -> tuple[str, ...]:
        """The contract's tables that are absent."""
        return tuple(name for name in TABLES if name not in self.bindings)

    def until(self, day: date | str) -> Source:
        """The source as it was at midnight when a day began.

        Rows that had not happened, or were not known, are gone; values that are later
        events are null where these lay ahead.

        Parameters
        ----------
        day : date, or text as ``2026-06-01``
        """
        limit = parse_date(day)
        if self.day is not None:
            limit = min(limit, self.day)
        return replace(self, day=limit)

    def fingerprint(self) -> str:
        """SHA-256 over the input, the mapping and ``until``.

        The input is the names and bytes of its files; of a database, the rows of its tables.
        """
        digest = hashlib.sha256(f"{self.mapping_text}\n{self.day}\n".encode())
        if self.identify_rows is not None:
            digest.update(self.identify_rows().encode())
        files = self._files()
        sums = (self.hash_files or _hash_files)(files)
        for path in files:
            digest.update(f"{path.name}\t{sums[path]}\n".encode())
        return digest.hexdigest()

    @property
    def engine(self) -> str:
        """The engine that runs what is built on the tables: duckdb, postgres or spark."""
        return "spark" if spark.on_spark(self.con) else str(self.con.name)

    @property
    def read(self) -> ReadPlaces:
        """The paths that are read and must not be overwritten."""
        place = Path(self.location)
        if not self.stamps or not place.exists():
            return ReadPlaces()
        if place.is_file():
            wal = place.with_name(f"{place.name}.wal")
            return ReadPlaces(places=(place, wal, *self._files()))
        tables = [Path(binding.origin) for binding in self.bindings.values()]
        names = [f"{table}{ending}" for table in TABLES for ending in ENDINGS]
        return ReadPlaces(
            places=(place, *tables, *self._files()),
            tables=tuple(tables),
            names=tuple(place / name for name in (*names, MAPPING_FILE)),
        )

    def _files(self) -> list[Path]:
        files = {path for binding in self.bindings.values() for path in binding.files}
        return sorted(files | ({self.coded.path} if self.coded else set()))

    def close(self) -> None:
        """Let go of the database or files; lazy tables built on the source end with it.

        Until then a DuckDB file stays open for reading, and nobody else can write to it.
        """
        self.con.disconnect()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def ensure_unchanged(self) -> None:
        """Refuse input files that have changed since the source was opened.

        Raises
        ------
        DataError
            Naming the file.
        """
        for path in self._files():
            state = path.stat() if path.exists() else None
            now = (state.st_ino, state.st_size, state.st_mtime_ns) if state else None
            if now != self.stamps.get(str(path)):
                raise DataError(
                    f"{path}: changed while it was read.",
                    hint="Run again when nothing writes to it.",
                    file=str(path),
                )

    def __repr__(self) -> str:
        limit = f", until {self.day}" if self.day else ""
        return f"Source({self.location!r}: {', '.join(self.bindings)}{limit})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(binding.origin)}</td>"
            f"<td>{html.escape(', '.join(binding.columns))}</td></tr>"
            for name, binding in self.bindings.items()
        )
        head = "<tr><th>table</th><th>from</th><th>columns</th></tr>"
        return f"<p>{html.escape(repr(self))}</p><table>{head}{rows}</table>"


def _hash_files(files: Sequence[Path]) -> dict[Path, str]:
    sums = {}
    for path in files:
        with path.open("rb") as stream:
            sums[path] = hashlib.file_digest(stream, "sha256").hexdigest()
    return sums
