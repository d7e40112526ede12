"""Validate a source: count every breach, set bad rows aside, keep the good rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ibis.expr import types as ir

from churnml.base.text import nearest, quoted
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.errors import ContractError
from churnml.tables.contract import REQUIRED_TABLES
from churnml.tables.source.engines.duckdb import read_errors
from churnml.tables.source.source import Source
from churnml.tables.validation.causes import empty_tables, numbered_ids
from churnml.tables.validation.codes import CODES
from churnml.tables.validation.future import future_start
from churnml.tables.validation.history import lives
from churnml.tables.validation.months_as_events import months_as_events
from churnml.tables.validation.references import empty_months
from churnml.tables.validation.report import Breach, Count, Report
from churnml.tables.validation.scope import Scope, scope
from churnml.tables.validation.table import Beside, Examined, examine


@dataclass(frozen=True, eq=False, repr=False)
class Validation:
    """A validated source.

    Attributes
    ----------
    source : Source
        The good rows: bad rows are gone, bad values of optional columns null.
    report : Report
    aside : mapping of str to list of Table
        The rows set aside, as text, with ``code``, ``column``, ``message``, ``row`` and
        ``file``, by table.
    """

    source: Source
    report: Report
    aside: Mapping[str, list[ir.Table]]

    @property
    def refused(self) -> bool:
        """Whether the source is refused."""
        return bool(self.report.refused)

    def raise_if_refused(self) -> None:
        """Raise an error if the source is refused.

        Raises
        ------
        ContractError
            Saying why; ``breaches`` among its details.
        """
        if self.refused:
            text = "; ".join(self.report.refused)
            named = [one for one in self.report.codes() if re.search(rf"\b{one}\b", text)]
            codes = "; ".join(f"{one}: {CODES[one].meaning}" for one in named)
            raise ContractError(
                f"{self.source.location} is refused: {text}.",
                hint=f"{codes}{'. ' if codes else ''}churnml validate lists every breach; "
                "--quarantine DIR keeps the rows.",
                breaches=[str(breach) for breach in self.report.breaches],
            )

    def accepted(self) -> Source:
        """The good rows.

        Raises
        ------
        ContractError
            If the source is refused, saying why.
        """
        self.raise_if_refused()
        return self.source

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, for ``--json``."""
        return self.report.to_dict()

    def __repr__(self) -> str:
        counts = self.report.counts
        state = "refused" if self.refused else "accepted"
        rows, aside = sum(one.rows for one in counts), sum(one.aside for one in counts)
        return (
            f"Validation({self.source.location!r}: {state}, {aside:,} of {rows:,} rows set aside)"
        )

    def _repr_html_(self) -> str:
        return self.report._repr_html_()


def validate(
    source: Source, config: ConfigGiven | None = None, *, until: date | str | None = None
) -> Validation:
    """Check every table against the contract.

    A bad value in an optional column becomes null and is counted; a bad key, date or
    required value sets the row aside. Orphans are judged before anything is set aside.

    Parameters
    ----------
    source : Source
    config : Config, path or mapping, optional
        Its ``validation`` section: above which share a source is refused, and where the
        future begins.
    until : date, optional
        Look at the source as it was at the start of that day.

    Returns
    -------
    Validation

    Raises
    ------
    DataError
        If a file cannot be read at all.
    OutputError
        If neither memory nor the temporary folder has room.
    """
    config = as_config(config)
    seen = source if until is None else source.until(until)
    with read_errors(source.location):
        return _validated(seen, config)


def _validated(seen: Source, config: Config) -> Validation:
    whole = {name: binding for name, binding in seen.bindings.items() if not binding.absent}
    scopes = {
        name: replace(scope(binding, seen.day), brands=config.brands.names)
        for name, binding in whole.items()
    }
    # Nothing lies in the future of a source that ends at a day.
    future = None if seen.day else future_start(scopes, config.validation.future_days)
    customers = scopes.get("customers")
    begun = lives(customers) if customers is not None else None
    beside = Beside(begun, scopes.get("groups"), future)
    examined = {name: examine(table, beside) for name, table in scopes.items()}
    clean = {name: one.clean for name, one in examined.items() if one.clean is not None}
    report = _report(seen, scopes, examined, config.validation.set_aside_limit)
    aside = {name: one.aside for name, one in examined.items() if one.aside}
    return Validation(replace(seen, cleaned=clean), report, aside)


def _report(
    source: Source, scopes: Mapping[str, Scope], examined: Mapping[str, Examined], limit: float
) -> Report:
    counts = tuple(one.count for one in examined.values())
    structure = [*_structure(source), *empty_tables(source, counts)]
    breaches = [*structure, *(breach for one in examined.values() for breach in one.breaches)]
    excessive = [examined[one.table] for one in counts if one.share > limit]
    if any(one.code == "C22" and one.table == "customers" for one in structure):
        # All rows of the other tables are orphans then, which is no news.
        excessive = [one for one in excessive if _causes(one).keys() != {("C07", "customer_id")}]
    refused = [str(breach) for breach in structure]
    refused += [_excess(one, limit) for one in excessive]
    refused += months_as_events(source, scopes)
    notes = _notes(source, scopes, counts)
    cause = numbered_ids(source, breaches)
    if cause is not None:
        (refused if excessive else notes).insert(0, cause)
    return Report(
        breaches=tuple(breaches),
        counts=counts,
        missing=source.missing,
        ignored={name: one.ignored for name, one in source.bindings.items() if one.ignored},
        refused=tuple(refused),
        notes=tuple(notes),
    )


def _structure(source: Source) -> list[Breach]:
    """Missing tables and columns."""
    breaches = [
        Breach(
            code="C01",
            table=name,
            column="",
            count=1,
            effect="refuse",
            expected=f"{name}.parquet, {name}.csv or a folder {name}/",
        )
        for name in REQUIRED_TABLES
        if name not in source.bindings
    ]
    for name, binding in source.bindings.items():
        for column in binding.absent:
            own = binding.entry.own_name(column)
            # A column that is another one of the contract is not this one misspelt.
            near = nearest(own, binding.ignored)
            expected = f"a column {own} in {binding.origin}"
            if near is not None:
                expected += f" (nearest: {quoted(near)})"
            breaches.append(
                Breach(
                    code="C02",
                    table=name,
                    column=column,
                    count=1,
                    effect="refuse",
                    expected=expected,
                )
            )
    return breaches


def _causes(one: Examined) -> dict[tuple[str, str], int]:
    """Why rows of a table are set aside: rows by code and column."""
    return {(b.code, b.column): b.count for b in one.breaches if b.effect == "aside"}


def _excess(one: Examined, limit: float) -> str:
    count: Count = one.count
    causes = ", ".join(
        f"{code} {column} {rows:,}" if column else f"{code} {rows:,}"
        for (code, column), rows in _causes(one).items()
    )
    shifted = len({breach.column for breach in one.breaches if breach.everywhere}) >= _SHIFTED
    advice = "; the columns look shifted" if shifted else ""
    return (
        f"{count.table}: {count.aside:,} of {count.rows:,} rows set aside "
        f"({count.share:.1%}, at most {limit:.1%}): {causes}{advice}"
    )


_SHIFTED = 3
"""So many columns without a good value look like columns in each other's place."""


def _notes(source: Source, scopes: Mapping[str, Scope], counts: Iterable[Count]) -> list[str]:
    notes = [
        f"{one.table}: no row at all."
        for one in counts
        if not one.rows and one.table not in REQUIRED_TABLES
    ]
    for name, table in scopes.items():
        if table.binding.zoned:
            columns = ", ".join(table.binding.zoned)
            notes.append(
                f"{name}: {columns} have a time zone and are read as UTC; name timezone in the "
                "mapping for local days."
            )
        if table.spec.rows == "month" and table.has("month"):
            empty = empty_months(table)
            if empty:
                notes.append(f"{name}: no row at all for {', '.join(empty[:12])}.")
    return notes
