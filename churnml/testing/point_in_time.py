"""Try whether features say at a date only what was known by then.

Everything after the date, and everything that became known later, is taken away, and then
scrambled; features that are point in time stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis.expr import types as ir

from churnml.base.dates import parse_dates
from churnml.base.text import counted, nearest
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.errors import UsageError
from churnml.features.building import Builder, build_features
from churnml.features.declaration import Feature
from churnml.features.view import KEYS, gather, look
from churnml.tables import asof
from churnml.tables.checked import Location, as_tables
from churnml.tables.source import Source
from churnml.tables.source.binding import Binding, contract_columns

Build = Callable[[Source, date], Any]
"""Of a source and a date: a frame or table with ``customer_id`` and features."""

Asked = str | Feature | Builder | Build | Iterable[str | Feature]

_TOLERANCE = 1e-9
_WAYS = {
    "taken away": "the rows that happened or became known later are taken away",
    "scrambled": "the rows that happened or became known later are changed",
}


def assert_point_in_time(
    source: Source | Location | Mapping[str, Any],
    features: Asked | None = None,
    *,
    as_of: date | str | Iterable[date | str],
    config: ConfigGiven | None = None,
) -> None:
    """Assert that features at a date are the same whatever happened, or became known, later.

    The features are built three times: from the source as it is, without what was not known
    at midnight when the date began, and with all of that changed (numbers, texts, truth values
    and later moments).

    Parameters
    ----------
    source : Source, path, or mapping of str to frame
        Operator tables; of what is not open yet, the good rows. There should be rows after the
        date, or there is nothing to take away.
    features : str, Feature, several of them, builder, or callable, optional
        Names of features of the source; a builder, installed or not; or a function of a source
        and a date that gives a frame or an Ibis table with ``customer_id`` and features. By
        default every feature that the source has.
    as_of : date, or several
        Each is tried by itself.
    config : Config, path or mapping, optional

    Raises
    ------
    AssertionError
        Names the feature, a customer, and the two values.
    UsageError
        If a feature is not one of the source's, or nothing lies after the date.

    Examples
    --------
    >>> import churnml, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = churnml.simulate(folder, customers=50, months=12, overwrite=True)
    >>> assert_point_in_time(folder, ["usage_voice_mean_3m_minutes"], as_of="2026-03-01")
    """
    settings = as_config(config)
    opened = as_tables(source, config=settings)  # type: ignore[arg-type]
    if not isinstance(opened, Source):
        raise UsageError(
            f"A source expected, found a {type(source).__name__}.",
            hint="churnml.open_source(...) gives one.",
        )
    names, build = _asked(features, settings)
    for day in parse_dates(as_of):
        if not any(
            _later(opened.bindings[name], _rows(opened, name), day) for name in opened.tables
        ):
            raise UsageError(
                f"Nothing in {opened.location} happened or became known after {day}.",
                hint="Choose an earlier date, so that there is something to leave out.",
                value=str(day),
            )
        before = _built(build, opened, day, names)
        for way, other in (
            ("taken away", opened.until(day)),
            ("scrambled", _scrambled(opened, day)),
        ):
            _compare(before, _built(build, other, day, names), day, way)


def _asked(features: Asked | None, config: Config) -> tuple[list[str] | None, Build]:
    """The names asked for, all where None, and what builds them."""
    if features is None or isinstance(features, str | Feature):
        chosen = None if features is None else [features]
    elif hasattr(features, "FEATURES") and hasattr(features, "parts"):
        return None, lambda source, day: _of_builder(features, source, day, config)  # type: ignore[arg-type]
    elif callable(features):
        return None, features
    else:
        chosen = list(features)
    names = None if chosen is None else [str(getattr(one, "name", one)) for one in chosen]

    def build(source: Source, day: date) -> ir.Table:
        table = build_features(source.tables, day, config)
        for name in names or ():
            if name not in table.columns:
                near = nearest(name, table.columns)
                raise UsageError(
                    f"{source.location} has no feature {name!r}.",
                    hint=f"Did you mean {near!r}?" if near else None,
                    column=name,
                )
        return table if names is None else table.select(*KEYS, *names)

    return names, build


def _of_builder(builder: Builder, source: Source, day: date, config: Config) -> ir.Table:
    view = look(source.tables, day, config)
    row = gather(view.rows, builder.parts(view))
    made = builder.columns(row, view)
    columns = {
        one.name: made[one.name] if one.name in made else row[one.name] for one in builder.FEATURES
    }
    return row.select(*KEYS, **columns)


def _built(build: Build, source: Source, day: date, names: Sequence[str] | None) -> pd.DataFrame:
    found = build(source, day)
    if isinstance(found, ir.Table) or not isinstance(found, pd.DataFrame):
        found = found.to_pandas()
    if "customer_id" not in found.columns:
        raise UsageError(
            "The features have no column customer_id.",
            hint="Give one row for each customer, with customer_id.",
        )
    found = found.drop(columns="as_of", errors="ignore").set_index("customer_id").sort_index()
    if found.index.has_duplicates:
        who = found.index[found.index.duplicated()][0]
        raise AssertionError(f"Customer {who} has several rows at {day}.")
    return found if names is None else found[list(names)]


def _compare(before: pd.DataFrame, after: pd.DataFrame, day: date, way: str) -> None:
    """Refuse the first feature that differs; it is told with one of its customers."""
    said = f"when {_WAYS[way]}"
    gone = before.index.symmetric_difference(after.index)
    if len(gone):
        raise AssertionError(
            f"Customer {gone[0]} is among the rows at {day} or not, {said} "
            f"({counted(len(gone), 'customer')})."
        )
    for name in before.columns:
        differ = _differ(before[name], after[name])
        if differ.any():
            who = before.index[differ][0]
            raise AssertionError(
                f"{name} is not point in time: of customer {who} at {day} it is "
                f"{_shown(before[name][who])}, and {_shown(after[name][who])} {said} "
                f"({int(differ.sum()):,} of {len(differ):,} customers differ)."
            )


def _differ(one: pd.Series, other: pd.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if pd.api.types.is_numeric_dtype(one) and pd.api.types.is_numeric_dtype(other):
        numbers = [values.to_numpy(dtype=float, na_value=np.nan) for values in (one, other)]
        alike = np.isclose(numbers[0], numbers[1], rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
        return np.logical_not(alike)
    gone = one.isna().to_numpy(), other.isna().to_numpy()
    unlike = (one.astype(str) != other.astype(str)).to_numpy()
    return (gone[0] != gone[1]) | (unlike & ~gone[0] & ~gone[1])


def _shown(value: Any) -> str:
    return (
        "missing" if pd.isna(value) else f"{value:.6g}" if isinstance(value, float) else f"{value}"
    )


def _rows(source: Source, name: str) -> ir.Table:
    """A table's rows as they were given, before what is hidden is filled in."""
    if name in source.cleaned:
        return source.cleaned[name]
    return source.bindings[name].rows.typed


def _unseen(binding: Binding, rows: ir.Table, day: date) -> ir.BooleanValue:
    seen = asof.seen_by(rows, binding.spec, day, known=_KNOWN)
    return ~seen.fill_null(False)


_KNOWN = "row:known"


def _with_known(binding: Binding, rows: ir.Table) -> ir.Table:
    return rows.mutate(**{_KNOWN: asof.known_at(rows, binding.spec, binding.entry.lag)})


def _later(binding: Binding, rows: ir.Table, day: date) -> int:
    """How many rows were not known at a date."""
    known = _with_known(binding, rows)
    return int(known.count(where=_unseen(binding, known, day)).to_pyarrow().as_py())


def _scrambled(source: Source, day: date) -> Source:
    """The source with all that was not known at a date changed."""
    changed = {
        name: _scrambled_rows(source.bindings[name], _rows(source, name), day)
        for name in source.tables
    }
    return replace(source, cleaned=changed, checks={})


def _scrambled_rows(binding: Binding, rows: ir.Table, day: date) -> ir.Table:
    known = _with_known(binding, rows)
    later = _unseen(binding, known, day)
    values = {}
    for column in contract_columns(binding.spec, rows.columns):
        value, changes = known[column.name], later
        if column.happens in rows.columns:
            # What a seen row says of a moment to come was not known either.
            ahead = known[column.happens].cast("timestamp") >= ibis.literal(day).cast("timestamp")
            changes |= ahead.fill_null(False)
        kept = column.name in binding.spec.key or column.name == "customer_id"
        values[column.name] = value if kept else ibis.ifelse(changes, _changed(value), value)
    return known.select(**values)


def _changed(value: ir.Value) -> ir.Value:
    """Another value of the same type; a moment lies later."""
    kind = value.type()
    if kind.is_date():
        return (value + ibis.interval(days=_LATER_DAYS)).cast("date")
    if kind.is_timestamp():
        return (value + ibis.interval(days=_LATER_DAYS)).cast(kind)
    if kind.is_boolean():
        return (~value).fill_null(True)
    if kind.is_numeric():
        return (value.fill_null(0) * 3 + 17).cast(kind)
    return value.fill_null("") + "~"


_LATER_DAYS = 11
