"""Check that an operator's tables can be scored at a date by a model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import add_months
from churnml.errors import DataError, ModelError, SchemaError
from churnml.features import declared
from churnml.models.model import InputColumn
from churnml.registry.resolve import Resolved
from churnml.tables.source import Source


def require_features(resolved: Resolved, source: Source) -> None:
    """Refuse a source that lacks a model's features.

    Raises
    ------
    ModelError
        If the model reads a flat table.
    SchemaError
        Naming the tables and columns that are absent.
    """
    has = {feature.name for feature in declared(source.tables)}
    lost = [column for column in resolved.model.inputs if column.name not in has]
    if not lost:
        return
    strange = [column.name for column in lost if column.feature is None]
    if strange:
        raise ModelError(
            f"{resolved.version} reads a table of one's own, not operator tables: {strange[0]!r} "
            f"and {len(strange) - 1} more of its columns are no operator features.",
            hint="Score that kind of table, with --id, or name a model of operator tables.",
            column=strange[0],
            count=len(strange),
        )
    needs = sorted({need for column in lost for need in _lacking(column, source)})
    raise SchemaError(
        f"{resolved.version} needs {', '.join(needs)}, which {source.location} does not have "
        f"({len(lost)} of the model's {len(resolved.model.inputs)} features).",
        hint="Add it, or train a model without it.",
        table=needs[0].split(".")[0] if needs else None,
        count=len(lost),
    )


def _lacking(column: InputColumn, source: Source) -> Iterator[str]:
    for need in (column.feature or {}).get("needs", ()):
        table, _, name = need.partition(".")
        if table not in source.tables:
            yield table
        elif name not in source.tables[table].columns:
            yield need


def require_bills(source: Source, day: date) -> None:
    """Refuse a date more than a month after the last bill before it.

    Raises
    ------
    DataError
        Says which date would do.
    """
    bills = source.tables["bills"]
    last = _last_month(bills, day)
    if last is None:
        first = _day(bills.month.min().to_pyarrow().as_py())
        usable = (
            f"Use --as-of {add_months(first, 1)} or later" if first else "Choose a later --as-of"
        )
        raise DataError(
            f"bills.month: no bill of a month that had ended by {day}"
            + (f"; bills begin with {first:%Y-%m}." if first else "."),
            hint=f"{usable}, or add bills.",
            table="bills",
            column="month",
            expected=f"a month before {day}",
        )
    ended = add_months(last, 1)
    if add_months(ended, 1) < day:
        raise DataError(
            f"bills.month: the last bill before {day} is of {last:%Y-%m}; features would be "
            "more than a month old.",
            hint=f"Add the bills since, or score at {add_months(ended, 1)} or before.",
            table="bills",
            column="month",
            value=last.isoformat(),
        )


def _last_month(bills: ir.Table, day: date) -> date | None:
    # A month has ended if a day of the next one is not after the date.
    ended = bills.filter(_.month < day.replace(day=1))
    return _day(ended.month.max().to_pyarrow().as_py())


def _day(value: Any) -> date | None:
    return value.date() if hasattr(value, "date") else value
