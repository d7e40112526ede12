"""Build the features of all builders in one query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Protocol

from ibis.expr import types as ir

from churnml.base.dates import parse_dates
from churnml.config.settings import ConfigGiven, as_config
from churnml.errors import UsageError
from churnml.features import arpu, billing, complaints, lifecycle, service, tiers, ties, usage
from churnml.features.declaration import Declarations, Feature, available
from churnml.features.installed import installed
from churnml.features.own import OwnBuilder
from churnml.features.requirements import require_bills
from churnml.features.view import KEYS, JoinedTable, View, gather, look
from churnml.tables.checked import Location, as_tables
from churnml.tables.source import HasTables, Source
from churnml.tables.source.extra.table import extras_of


class Builder(Protocol):
    """A module that builds features."""

    @property
    def FEATURES(self) -> tuple[Feature, ...]:
        """The features that it declares."""

    def parts(self, view: View) -> dict[str, JoinedTable]:
        """The tables to join, by a name under which builders share them."""

    def columns(self, row: ir.Table, view: View) -> dict[str, ir.Value]:
        """Its features that are not columns of a joined table already."""


BUILDERS: tuple[Builder, ...] = (
    lifecycle,
    arpu,
    billing,
    complaints,
    tiers,
    usage,
    service,
    ties,
)
"""churnml's own builders, in the order of their features."""


def builders(tables: Mapping[str, ir.Table] | None = None) -> tuple[Builder, ...]:
    """Every builder: churnml's own, those installed, and one for each table of one's own.

    Parameters
    ----------
    tables : mapping of str to Table, optional
        Of a source.

    Raises
    ------
    UsageError
        If two of them build a feature of one name.
    """
    own = [OwnBuilder(one) for one in extras_of(tables).values()]
    found: tuple[Builder, ...] = (*BUILDERS, *installed(), *own)
    if len(found) > len(BUILDERS):
        seen: set[str] = set()
        for feature in (one for builder in found for one in builder.FEATURES):
            if feature.name in seen:
                raise UsageError(
                    f"Two features are called {feature.name}.",
                    hint="Call one of the tables, columns or features otherwise.",
                    column=feature.name,
                )
            seen.add(feature.name)
    return found


def declared(tables: Mapping[str, ir.Table] | None = None) -> Declarations:
    """Return every declared feature, in the order of the columns.

    Those of tables of one's own are declared by the tables of a source.

    Parameters
    ----------
    tables : mapping of str to Table, optional
        Only the features that these tables can have; those that see only today's state
        are marked ``snapshot``.

    Examples
    --------
    >>> declared()[0].name
    'lifecycle_tenure_days'
    """
    features = tuple(feature for one in builders(tables) for feature in one.FEATURES)
    return Declarations(features if tables is None else available(features, tables))


def build_features(
    source: HasTables | Mapping[str, ir.Table] | Location,
    as_of: date | str | Iterable[date | str],
    config: ConfigGiven | None = None,
    spine: ir.Table | None = None,
) -> ir.Table:
    """Build the features of each customer as known at each ``as_of``.

    Parameters
    ----------
    source : Source, path, or mapping of str to Table
        The operator's tables, typed as the contract says, each with a filled ``known_at``.
        ``customers`` and ``bills`` are needed.
    as_of : date, or several
        Several dates are one query.
    config : Config, path or mapping, optional
        Thresholds of the tiers, days to a repeated complaint.
    spine : Table, optional
        ``(customer_id, as_of)``, unique, of the rows asked for; by default everyone
        eligible. Relative features compare with everyone eligible in either case.

    Returns
    -------
    Table
        Lazy, ordered by ``as_of`` and ``customer_id``: these two, then the features that
        the source can have in the order of `declared`.

    Raises
    ------
    DataError
        If the source's bills end more than a month before the latest date.
    """
    settings = as_config(config)
    held = source if isinstance(source, Mapping) else as_tables(source, config=settings)
    if isinstance(held, Source):
        require_bills(held, max(parse_dates(as_of)))
    tables = held if isinstance(held, Mapping) else held.tables
    view = look(tables, as_of, settings, spine)
    features = declared(tables)
    row, values = _over(view, features)
    columns = {
        feature.name: _typed(
            values[feature.name]
            if feature.empty is None
            else values[feature.name].fill_null(feature.empty)
        )
        for feature in features
    }
    return row.select(*KEYS, **columns).order_by("as_of", "customer_id")


def _typed(value: ir.Value) -> ir.Value:
    """A feature in the one type that it has on every engine."""
    if value.type().is_string():
        return value
    return value.cast("int64" if value.type().is_integer() else "float64")


def _over(view: View, features: tuple[Feature, ...]) -> tuple[ir.Table, dict[str, ir.Value]]:
    """Join the customers with the builders' tables; return the join and all features over it."""
    names = {feature.name for feature in features}
    used = [
        one for one in builders(view.tables) if names & {feature.name for feature in one.FEATURES}
    ]
    parts: dict[str, JoinedTable] = {}
    for builder in used:
        for name, part in builder.parts(view).items():
            shared = parts.get(name, part)
            parts[name] = part._replace(columns=shared.columns | part.columns)
    row = gather(view.rows, parts)
    columns = {name: row[name] for name in row.columns if name in names}
    for builder in used:
        columns |= builder.columns(row, view)
    return row, columns
