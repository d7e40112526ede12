"""Check that an operator's tables have what a model reads."""

from __future__ import annotations

from collections.abc import Iterator

from churnml.errors import ModelError, SchemaError
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
            f"{resolved.version} reads a flat table, not operator tables: {strange[0]!r} "
            f"and {len(strange) - 1} more of its columns are not operator features.",
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
