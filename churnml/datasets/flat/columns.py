"""Match a table's columns to those that a model was trained on."""

from __future__ import annotations

from collections.abc import Sequence

from churnml.base.text import counted, nearest, quoted
from churnml.datasets.flat.signature import Column, Signature
from churnml.datasets.flat.table import Table
from churnml.errors import SchemaError, UsageError

_SHOWN = 10
_FEW = 2
_MOST = 0.5
_EQUAL = 1.0


def merged(signatures: Sequence[Signature]) -> tuple[Column, ...]:
    """Merge the columns of the models that score the same table.

    Raises
    ------
    UsageError
        If the models read a column in different ways.
    """
    columns: dict[str, Column] = {}
    for column in (column for one in signatures for column in one.columns):
        if columns.setdefault(column.name, column) != column:
            raise UsageError(
                f"column {quoted(column.name)}: the two models read it in different ways.",
                hint="Score with one model at a time.",
                column=column.name,
            )
    return tuple(columns.values())


def bind(table: Table, signatures: Sequence[Signature]) -> dict[str, Column]:
    """Find the model's columns in a table, in any order, by SQL name.

    Raises
    ------
    SchemaError
        If columns are missing; names each, and what stands there instead.
    """
    columns = merged(signatures)
    places = {name: f"c{at}" for at, name in enumerate(table.names) if name}
    missing = [column.name for column in columns if column.name not in places]
    if missing:
        raise _missing(table, signatures[0], missing)
    return {places[column.name]: column for column in columns}


def ignored(table: Table, signatures: Sequence[Signature], named: Sequence[str]) -> list[str]:
    """Columns that neither the training tables have nor an option names."""
    known = {name for one in signatures for name in one.table} | set(named)
    return [name for name in table.names if name and name not in known]


def _missing(table: Table, signature: Signature, missing: list[str]) -> SchemaError:
    known = set(signature.table)
    strangers = [name for name in table.names if name and name not in known]
    # Of another table altogether no column is a renamed one.
    foreign = len(missing) > max(_FEW, _MOST * len(signature.names))
    renamed = [
        _describe_missing(table, signature, name, strangers, foreign) for name in missing[:_SHOWN]
    ]
    more = f" and {len(missing) - _SHOWN:,} more" if len(missing) > _SHOWN else ""
    what = f"{counted(len(missing), 'column is', 'columns are')} missing"
    of = f", of {len(signature.names):,} that the model reads" if foreign else ""
    hint = table.elsewhere.get(missing[0]) or (
        "Rename the columns as in training, or train on what this table has."
    )
    return SchemaError(
        f"{table.path}: {what}{of}: {'; '.join(renamed)}{more}.",
        hint=f"Is this a model of such a table? {hint}" if foreign else hint,
        file=str(table.path),
        column=missing[0],
        count=len(missing),
        expected=missing,
    )


def _describe_missing(
    table: Table, signature: Signature, name: str, strangers: Sequence[str], foreign: bool
) -> str:
    other = nearest(name, strangers, cutoff=_EQUAL) if foreign else nearest(name, strangers)
    if other is None and not foreign:
        other = _in_its_place(table, signature, name, strangers)
    if other is None:
        return quoted(name)
    position = table.names.index(other) + 1
    return f"expected {quoted(name)}, found {quoted(other)} at position {position}"


def _in_its_place(
    table: Table, signature: Signature, name: str, strangers: Sequence[str]
) -> str | None:
    """The new column at the position that the missing one had in training."""
    # The target and what was dropped may be gone, so places are counted among the model's own.
    here = [one for one in table.names if one in signature.names or one in strangers]
    position = signature.names.index(name) if name in signature.names else len(here)
    return here[position] if position < len(here) and here[position] in strangers else None
