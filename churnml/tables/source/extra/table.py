"""A table of one's own, matched to its declaration."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ibis.expr import schema as sch

from churnml.base.text import nearest
from churnml.errors import UsageError
from churnml.tables.contract import TABLES, ColumnSpec, ColumnType, TableSpec
from churnml.tables.source.extra.declaration import ExtraColumn, ExtraMapping, Kind
from churnml.tables.source.extra.expressions import names_in, texts_in
from churnml.tables.source.mapping import TableMapping

KEYS = ("customer_id", "group_id", "hall_id", "region")
"""What a table of one's own may be keyed by."""

_LARGEST = 1e15
_NUMERIC = {"mean", "sum", "trend"}
_TYPES: Mapping[Kind, ColumnType] = {
    "number": "number",
    "category": "text",
    "boolean": "boolean",
    "date": "date",
}
_CAN: Mapping[Kind, frozenset[str]] = {
    "number": frozenset({"last", "mean", "sum", "count", "share", "trend", "days_since"}),
    "category": frozenset({"last", "count", "share", "days_since"}),
    "boolean": frozenset({"last", "mean", "count", "share", "days_since", "sum"}),
    "date": frozenset({"count", "days_since"}),
}


@dataclass(frozen=True, kw_only=True)
class ExtraTable:
    """A table of one's own.

    Attributes
    ----------
    name : str
    spec : TableSpec
        Its columns as the contract would say them; a state is an event of the day from which on
        it is valid.
    entry : TableMapping
        How its columns are called and read.
    columns : mapping of str to ExtraColumn
        What is declared.
    inputs : mapping of str to tuple of str
        The columns that each of them reads.
    kinds : mapping of str to {"number", "category", "boolean", "date"}
        What each of them is.
    key : str
    rows : {"event", "month", "state"}
    """

    name: str
    spec: TableSpec
    entry: TableMapping
    columns: Mapping[str, ExtraColumn]
    inputs: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, Kind]
    key: str
    rows: str
    said: bool = True


def extras_of(tables: object) -> Mapping[str, ExtraTable]:
    """The declared tables of one's own among the tables of a source; none of plain tables."""
    found: Mapping[str, ExtraTable] = getattr(tables, "extras", {})
    return found


def check_name(name: str) -> None:
    """Refuse a name that no table of one's own may have.

    Raises
    ------
    UsageError
    """
    if name in TABLES:
        raise UsageError(
            f"extra.{name}: {name} is a table of the contract.",
            hint="Call yours otherwise.",
            key=f"extra.{name}",
        )
    if not name.isidentifier():
        raise UsageError(
            f"extra: {name!r} cannot begin the names of features.",
            hint="Use letters, digits and underscores, as crm.",
            key="extra",
        )


def declare(
    name: str, mapping: ExtraMapping, names: Collection[str], types: sch.Schema | None
) -> ExtraTable:
    """Match a declaration to the columns that the table has.

    Parameters
    ----------
    name : str
    mapping : ExtraMapping
    names : collection of str
        Every column of the table, as its owner calls it.
    types : Schema or None
        Of these columns; None of a CSV file, where all is text.

    Raises
    ------
    UsageError
        If the declaration cannot be followed; names the place.
    """
    place = f"extra.{name}"
    own_key, key = _key(place, mapping)
    rows, own_time = _time(place, mapping, names)
    event = {"month": "month", "state": "valid_from"}.get(rows, own_time)
    known = mapping.known_at or ("known_at" if "known_at" in names else None)
    taken = {own_key, own_time, key, event, known, "known_at", "as_of", "ago"} - {None}
    inputs, kinds = {}, {}
    specs: dict[str, ColumnSpec] = {}
    for column, one in mapping.columns.items():
        where = f"{place}.columns.{column}"
        inputs[column] = (column,) if one.expression is None else names_in(one.expression)
        for read in inputs[column]:
            if read in taken:
                raise _refused(where, f"{read} says whose a row is or when it happened")
            specs.setdefault(read, _spec(read, one, types))
        kinds[column] = _expressed(one) if one.expression is not None else _kind(column, one, types)
        _check(where, one, rows, kinds[column])
    for part in ("formats", "scale", "values"):
        for column in getattr(mapping, part):
            if column not in {*specs, own_key, own_time, known}:
                near = nearest(column, [*specs, own_time])
                raise UsageError(
                    f"{place}.{part}.{column}: nothing is declared of this column.",
                    hint=f"Did you mean {near!r}?" if near else None,
                    key=f"{place}.{part}.{column}",
                )
    time: ColumnType = {"month": "month", "state": "date"}.get(rows, "timestamp")  # type: ignore[assignment]
    spec = TableSpec(
        name=name,
        rows="month" if rows == "month" else "event",
        # Two events of one moment are two events.
        key=() if rows == "event" else (key, event),
        event=event,
        columns=(
            ColumnSpec(key, "text", "whose row it is", required=True),
            ColumnSpec(event, time, "when it happened", required=True),
            *specs.values(),
        ),
    )
    renamed = {own_key: key, own_time: event} | ({known: "known_at"} if known else {})
    entry = TableMapping(
        file=mapping.file,
        encoding=mapping.encoding,
        delimiter=mapping.delimiter,
        columns=renamed | {read: read for read in specs},
        formats=dict(mapping.formats),
        scale=dict(mapping.scale),
        values={column: dict(codes) for column, codes in mapping.values.items()},
        known_after=mapping.known_after,
    )
    return ExtraTable(
        name=name,
        spec=spec,
        entry=entry,
        columns=mapping.columns,
        inputs=inputs,
        kinds=kinds,
        key=key,
        rows=rows,
        said=mapping.rows is not None or rows != "event",
    )


def _key(place: str, mapping: ExtraMapping) -> tuple[str, str]:
    """The key's name in the table, and in the contract."""
    pairs = {mapping.key: mapping.key} if isinstance(mapping.key, str) else dict(mapping.key)
    if len(pairs) != 1 or next(iter(pairs.values())) not in KEYS:
        raise UsageError(
            f"{place}.key: {mapping.key!r} is not one of {', '.join(KEYS)}.",
            hint="Where the column is called otherwise: {its name: customer_id}.",
            key=f"{place}.key",
        )
    return next(iter(pairs.items()))


def _time(place: str, mapping: ExtraMapping, names: Collection[str]) -> tuple[str, str]:
    """What a row is, and the column of its time."""
    if mapping.time is not None:
        if mapping.time not in names:
            near = nearest(mapping.time, names)
            raise UsageError(
                f"{place}.time: the table has no column {mapping.time!r}.",
                hint=f"Did you mean {near!r}?" if near else f"It has {', '.join(names)}.",
                key=f"{place}.time",
            )
        by_name = {"month": "month", "valid_from": "state"}.get(mapping.time, "event")
        return mapping.rows or by_name, mapping.time
    for column, rows in (("month", "month"), ("valid_from", "state")):
        if column in names and mapping.rows in (None, rows):
            return rows, column
    raise UsageError(
        f"{place}: nothing says when a row happened, so nobody can tell what was known at a date.",
        hint="Name the column of the moment, the month or the first day of validity as time.",
        key=f"{place}.time",
    )


def _expressed(one: ExtraColumn) -> Kind:
    if one.kind is not None:
        return one.kind
    return "boolean" if _decides(one.expression or "") else "number"


def _decides(expression: str) -> bool:
    """Whether an expression is a comparison."""
    tree = ast.parse(expression.strip(), mode="eval").body
    negated = isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not)
    return negated or isinstance(tree, ast.Compare | ast.BoolOp)


def _kind(column: str, one: ExtraColumn, types: sch.Schema | None) -> Kind:
    """What a column is: as declared, as its type says, or as its aggregates ask."""
    if one.kind is not None:
        return one.kind
    if one.equals is not None:
        return "category"
    found = None if types is None else types.get(column)
    if found is not None and found.is_boolean():
        return "boolean"
    if found is not None and found.is_temporal():
        return "date"
    if _NUMERIC & set(one.aggregate) or (found is not None and found.is_numeric()):
        return "number"
    if set(one.aggregate) == {"share"}:
        return "boolean"
    return "number" if found is None else "category"


def _spec(read: str, one: ExtraColumn, types: sch.Schema | None) -> ColumnSpec:
    if one.expression is None:
        kind = _kind(read, one, types)
    elif read in texts_in(one.expression):
        kind = "category"
    else:
        plain = ExtraColumn(aggregate=("mean",))
        kind = _kind(read, plain, types)
    bound = _LARGEST if kind == "number" else None
    return ColumnSpec(
        read,
        _TYPES[kind],
        one.en or read,
        nullable=True,
        unit=one.unit.en or one.unit.zh,
        low=None if bound is None else -bound,
        high=bound,
        # A date that lies ahead has not come yet.
        happens=read if kind == "date" else None,
    )


def _check(where: str, one: ExtraColumn, rows: str, kind: Kind) -> None:
    wrong = [name for name in one.aggregate if name not in _CAN[kind]]
    if wrong:
        raise _refused(where, f"{wrong[0]} of a {kind} tells nothing")
    days = [window for window in one.windows if window.endswith("d")]
    if rows == "month" and days:
        raise _refused(where, f"{days[0]} of a table of months; windows such as 3mo expected")
    if len(set(one.windows)) < len(one.windows) or len(set(one.aggregate)) < len(one.aggregate):
        raise _refused(where, "a window or an aggregate stands twice")


def _refused(where: str, problem: str) -> UsageError:
    return UsageError(f"{where}: {problem}.", key=where)
