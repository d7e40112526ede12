"""Match one table's columns to the contract."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import ibis
from ibis.expr import types as ir

from churnml.base.text import nearest
from churnml.config.settings import Available
from churnml.errors import ContractError, UsageError
from churnml.tables import asof
from churnml.tables.contract import KNOWN_AT, ColumnSpec, TableSpec
from churnml.tables.source.columns import FILE, RAW, ROW, read_column
from churnml.tables.source.mapping import SourceMapping, TableMapping

Exact = Literal["", "text", "all"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ReadRows:
    """The rows of a table, read.

    Attributes
    ----------
    typed : Table
        The contract's columns in the contract's types, ``known_at`` as it was given.
    checked : Table
        The same, and beside them what could not be read (`RAW`), and where each row
        stands (`ROW`, `FILE`).
    rejected : Table or None
        Lines of a CSV file that are not rows: ``line`` (as a text editor counts),
        ``problem``, ``text`` (which may hold personal data).
    rejects : int
        How many these are.
    counted : {"row", "line"}
        What `ROW` counts.
    """

    typed: ir.Table
    checked: ir.Table
    rejected: ir.Table | None = None
    rejects: int = 0
    counted: Literal["row", "line"] = "row"


@dataclass(frozen=True, eq=False, kw_only=True)
class Binding:
    """A table of the source with its contract and mapping.

    Attributes
    ----------
    spec : TableSpec
    entry : TableMapping
    origin : str
        The file, folder or database table, for messages.
    names : tuple of str
        Every column of the table, as the operator calls it.
    load : callable
        Reads the rows; called at most once.
    files : tuple of Path
        What the input consists of, where it is files.
    zoned : tuple of str
        Columns with a time zone, where the mapping names none.
    numbers : mapping of str to str
        The type of each column of whole numbers, as the operator calls it.
    """

    spec: TableSpec
    entry: TableMapping
    origin: str
    names: tuple[str, ...]
    load: Callable[[Binding], ReadRows]
    files: tuple[Path, ...] = ()
    zoned: tuple[str, ...] = ()
    numbers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def columns(self) -> dict[str, str]:
        """The operator's column names by contract name, in the contract's order."""
        wanted = [column.name for column in (*self.spec.columns, KNOWN_AT)]
        owned = {name: self.entry.own_name(name) for name in wanted}
        return {name: own for name, own in owned.items() if own in self.names}

    @property
    def ignored(self) -> tuple[str, ...]:
        """Columns that the contract does not know."""
        return tuple(name for name in self.names if name not in self.columns.values())

    @property
    def absent(self) -> tuple[str, ...]:
        """Columns that the contract requires, or the mapping names, and the table lacks."""
        named = self.entry.columns.values()
        return tuple(
            column.name
            for column in self.spec.columns
            if column.name not in self.columns
            and (column.name in named or (column.required and not self._stood_in_for(column)))
        )

    def _stood_in_for(self, column: ColumnSpec) -> bool:
        return any(other in self.columns for other in column.unless)

    def available(self) -> dict[str, Available]:
        """Availability by column, under the contract's names where it has one.

        Raises
        ------
        UsageError
            If the mapping says it of a column that is not there.
        """
        names = {own: ours for ours, own in self.columns.items()}
        declared = {}
        for given, who in self.entry.availability.items():
            if given not in self.names and given not in self.columns:
                near = nearest(given, [*self.names, *self.columns])
                key = f"tables.{self.spec.name}.availability.{given}"
                raise UsageError(
                    f"{key}: {self.origin} has no such column.",
                    hint=f"Did you mean {near!r}?" if near else None,
                    key=key,
                )
            declared[names.get(given, given)] = who
        return declared

    @cached_property
    def rows(self) -> ReadRows:
        """The rows, read when first asked for."""
        return self.load(self)

    def filled(self, rows: ir.Table) -> ir.Table:
        """The rows with a ``known_at`` that is never missing, and the contract's columns only."""
        known = asof.known_at(rows, self.spec, self.entry.lag)
        kept = [name for name in self.columns if name != KNOWN_AT.name]
        return rows.select(*kept, known_at=known)


def read_rows(
    binding: Binding,
    *,
    plain: ir.Table,
    numbered: ir.Table,
    mapping: SourceMapping,
    exact: Exact = "",
) -> ReadRows:
    """Rows of a typed store, such as Parquet: renamed, and converted where types differ.

    Parameters
    ----------
    binding : Binding
    plain : Table
        The table as it stands.
    numbered : Table
        The same with `ROW`, and `FILE` where it has several.
    mapping : SourceMapping
    exact : {"", "text", "all"}
        Refuse columns whose values would have to be converted one by one: those of text, or
        all. Not every engine reads a text as DuckDB does.

    Raises
    ------
    ContractError
        With ``exact``, naming the column and its type.
    """
    place = [name for name in (ROW, FILE) if name in numbered.columns]
    typed, failed = converted(binding, numbered, mapping)
    for name in (one.removeprefix(RAW) for one in failed):
        if exact == "all" or (exact and plain[binding.columns[name]].type().is_string()):
            raise _inexact(binding, plain, name)
    checked = numbered.select(**typed, **failed, **{name: numbered[name] for name in place})
    return ReadRows(typed=plain.select(**converted(binding, plain, mapping)[0]), checked=checked)


def _inexact(binding: Binding, plain: ir.Table, name: str) -> ContractError:
    own = binding.columns[name]
    wanted = next(c.kind for c in contract_columns(binding.spec, [name]))
    return ContractError(
        f"{binding.spec.name}.{own}: of type {plain[own].type()} in "
        f"{'the files' if binding.files else 'the database'}; {wanted} expected.",
        hint="Write it in that type, or read the folder with duckdb."
        if binding.files
        else "Cast it in a view and name the view in the mapping.",
        table=binding.spec.name,
        column=own,
    )


def converted(
    binding: Binding, table: ir.Table, mapping: SourceMapping
) -> tuple[dict[str, ir.Value], dict[str, ir.Value]]:
    """The contract's columns by name, and the texts of what could not be read."""
    typed: dict[str, ir.Value] = {}
    failed: dict[str, ir.Value] = {}
    for column in contract_columns(binding.spec, binding.columns):
        rule = binding.entry.rule(column.name, mapping)
        reading = read_column(table[binding.columns[column.name]], column, rule)
        typed[column.name] = reading.typed
        if reading.failed is not None:
            failed[RAW + column.name] = reading.failed
    return typed, failed


def contract_columns(spec: TableSpec, names: Collection[str]) -> tuple[ColumnSpec, ...]:
    """The columns of the contract that a table has, ``known_at`` last."""
    return tuple(column for column in (*spec.columns, KNOWN_AT) if column.name in names)


def numbered_rows(table: ir.Table) -> ir.Table:
    """A table whose rows have no place of their own, numbered as they come."""
    return table.mutate(**{ROW: ibis.row_number().cast("int64") + 1})
