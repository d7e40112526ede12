"""A table's rows under validation, with the values that could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import ibis
from ibis.expr import types as ir
from ibis.util import gen_name

from churnml.tables import asof
from churnml.tables.contract import ColumnSpec, TableSpec
from churnml.tables.source.binding import Binding, contract_columns
from churnml.tables.source.columns import FILE, RAW, ROW

KNOWN = "row:known"
"""When the row became known, by the contract's rule."""


@dataclass(frozen=True, eq=False)
class Scope:
    """One table under validation.

    Attributes
    ----------
    binding : Binding
    rows : Table
        The contract's columns, `RAW` texts, `ROW`, `FILE` where there are several, `KNOWN`.
    brands : tuple of str
        The values that a brand may have; none: those of the contract.
    """

    binding: Binding
    rows: ir.Table
    brands: tuple[str, ...] = ()

    @property
    def spec(self) -> TableSpec:
        """The table's contract."""
        return self.binding.spec

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        """The contract's columns that the table has."""
        return contract_columns(self.spec, self.binding.columns)

    def codes(self, column: ColumnSpec) -> tuple[str, ...]:
        """The legal values of a column, where they are a closed list."""
        return self.brands if column.listed and self.brands else column.codes

    @property
    def place(self) -> tuple[str, ...]:
        """The columns that locate a row: file and row number."""
        return tuple(name for name in (FILE, ROW) if name in self.rows.columns)

    def has(self, *names: str) -> bool:
        """Whether the table has all of these columns."""
        return all(name in self.binding.columns for name in names)

    def unreadable(self, name: str) -> ir.BooleanValue | None:
        """Whether a column's value could not be read; ``None`` where any can."""
        raw = RAW + name
        return self.rows[raw].notnull() if raw in self.rows.columns else None

    def text(self, name: str) -> ir.StringValue:
        """A column's value as text, whether it could be read or not."""
        typed = self.rows[name].cast("string")
        raw = RAW + name
        return ibis.coalesce(self.rows[raw], typed) if raw in self.rows.columns else typed


def count(rows: ir.Table) -> int:
    """How many rows a table has."""
    return int(rows.count().to_pyarrow().as_py())


def kept(rows: ir.Table, name: str) -> ir.Table:
    """Materialise the rows where the engine has temporary tables."""
    con = rows.get_backend()
    if con.name == "pyspark":
        return rows
    return con.create_table(gen_name(name), rows, temp=True)


def scope(binding: Binding, day: date | None) -> Scope:
    """The rows of a table that a source shows; those whose date cannot be read among them."""
    rows = binding.rows.checked
    rows = rows.mutate(**{KNOWN: asof.known_at(rows, binding.spec, binding.entry.lag)})
    rows = asof.until(rows, binding.spec, day, known=KNOWN, undated=True)
    con = rows.get_backend()
    if con.name == "duckdb":
        # Every check would otherwise compile all of this again. Other engines are not ours
        # to put views into.
        rows = con.create_view(gen_name(binding.spec.name), rows)
    return Scope(binding, rows)
