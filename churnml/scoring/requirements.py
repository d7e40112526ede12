"""Check that an operator's tables have what a model reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from churnml.errors import ModelError, SchemaError
from churnml.features import Feature, declared
from churnml.models.model import InputColumn
from churnml.registry.resolve import Resolved
from churnml.tables.source import Source


def require_features(resolved: Resolved, source: Source) -> None:
    """Refuse a source that lacks a model's features.

    Raises
    ------
    ModelError
        If the model reads a flat table, or a feature of one's own that is declared otherwise
        here, or not at all.
    SchemaError
        Naming the tables and columns that are absent.
    """
    has = {feature.name: feature for feature in declared(source.tables)}
    lost = [column for column in resolved.model.inputs if column.name not in has]
    if not lost:
        _require_same_definitions(resolved, has)
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
    if not needs:
        raise ModelError(
            f"{resolved.version} learned from {lost[0].name}, which nothing declares here "
            f"({len(lost)} of the model's {len(resolved.model.inputs)} features).",
            hint="Declare it as in training (extra, in the mapping or open_source), or install the "
            "package that builds it; else train a model without it.",
            column=lost[0].name,
            count=len(lost),
        )
    raise SchemaError(
        f"{resolved.version} needs {', '.join(needs)}, which {source.location} does not have "
        f"({len(lost)} of the model's {len(resolved.model.inputs)} features).",
        hint="Add it, or train a model without it.",
        table=needs[0].split(".")[0] if needs else None,
        count=len(lost),
    )


def _require_same_definitions(resolved: Resolved, has: Mapping[str, Feature]) -> None:
    """Refuse features of one's own that are not what the model learned from."""
    for column in resolved.model.inputs:
        learned, here = (column.feature or {}).get("definition", ""), has[column.name].definition
        if learned == here:
            continue
        if column.feature is None:
            raise ModelError(
                f"{resolved.version} knows {column.name} as a column of a table, not as a feature "
                "of tables of your own.",
                hint="churnml.log_model(estimator, X, source=source) tells it where that is from.",
                column=column.name,
            )
        before, now = (json.loads(one) if one else {} for one in (learned, here))
        differ = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        said = "; ".join(
            f"{name} {_said(before.get(name))} in training, {_said(now.get(name))} here"
            for name in differ
        )
        raise ModelError(
            f"{resolved.version}: {column.name} is not what it learned from: {said}.",
            hint="Declare it as in training, call it otherwise, or train again.",
            column=column.name,
        )


def _said(value: object) -> str:
    return "none" if value in (None, "") else str(value)


def _lacking(column: InputColumn, source: Source) -> Iterator[str]:
    for need in (column.feature or {}).get("needs", ()):
        table, _, name = need.partition(".")
        if table not in source.tables:
            yield table
        elif name not in source.tables[table].columns:
            yield need
