"""The time rule, and nowhere else: what had happened, and was known, at ``as_of``.

``as_of`` is a date and means midnight at its start. A row may feed a feature at
``as_of`` only if it had happened before that moment and had reached the warehouse by
then; a value that is itself a later event is unknown until it has happened. Windows
are half-open: *w* days cover ``[as_of - w, as_of)``.

Functions take and return lazy tables, but for `latest_months` and `first_months`, whose
answers are dates. *Moments* are a table with the column ``as_of``; a *spine* is a table
of ``(customer_id, as_of)`` with one row for every customer and date to be described.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr import types as ir
from ibis.util import gen_name

from churnml.base.dates import months_before, parse_dates
from churnml.tables.contract import TABLES, TableSpec

_LONG_AGO = date(1900, 1, 1)
# From which month back, and how many: nearly always the last or the one before will do.
_LOOKS_BACK = ((1, 2), (3, 1200))


def month_index(day: ir.DateValue) -> ir.IntegerValue:
    """Months since year 0 of a date, so that months can be subtracted.

    Engines disagree about differences in months; whole numbers leave nothing to agree on.
    """
    return day.year() * 12 + day.month()


def known_at(table: ir.Table, spec: TableSpec, lag: timedelta = timedelta()) -> ir.TimestampValue:
    """When each row became known.

    From the row's own ``known_at``, but for a bill not before midnight after its
    ``issued_on``; else, for a bill, that midnight; else the moment the row happened (a
    month: its end) plus ``lag``.

    Parameters
    ----------
    table : Table
    spec : TableSpec
    lag : timedelta
        What the mapping's ``known_after`` says.

    Returns
    -------
    timestamp column, never null where the row's event is not
    """
    stamps = [table.known_at] if "known_at" in table.columns else []
    if "issued_on" in table.columns:
        stamps.append((table.issued_on + ibis.interval(days=1)).cast("timestamp"))
    happened = _happened(table, spec).cast("timestamp")
    if lag:
        happened = happened + ibis.interval(seconds=int(lag.total_seconds()))
    if not stamps:
        return happened
    # Spark's greatest() refuses a single argument.
    known = ibis.greatest(*stamps) if len(stamps) > 1 else stamps[0]
    return ibis.coalesce(known, happened)


def _happened(table: ir.Table, spec: TableSpec) -> ir.Value:
    """The first moment, or for a state day, at which the row can be said to have happened."""
    if spec.rows == "month":
        return table.month + ibis.interval(months=1)
    if spec.rows == "event":
        return table[spec.event]
    days = [table[name] for name in ("valid_from", spec.event) if name in table.columns]
    return ibis.coalesce(*days, ibis.literal(_LONG_AGO))


def visible(table: ir.Table, spec: TableSpec, moments: ir.Table) -> ir.Table:
    """The rows of a customer's table that may be used at each ``as_of``.

    Parameters
    ----------
    table : Table
        One of the source's tables, with ``customer_id`` and a filled ``known_at``.
    spec : TableSpec
    moments : Table
        With ``as_of``; with ``customer_id`` too where only those customers' rows are
        wanted. Distinct rows.

    Returns
    -------
    Table
        ``as_of`` and the table's columns; one row for every pair of a moment and a row
        visible then. Values that date a later event, and values dated by one, are null
        while it has not happened.
    """
    if "customer_id" in moments.columns:
        rows = moments.select("customer_id", "as_of").join(table, "customer_id")
    else:
        rows = moments.select("as_of").cross_join(table)
    seen = _happened_before(rows, spec, rows.as_of) & _known_by(rows.known_at, rows.as_of)
    rows = rows.filter(seen)
    return _hide_later_events(rows, spec, rows.as_of)


def until(
    table: ir.Table,
    spec: TableSpec,
    day: date | None,
    *,
    known: str = "known_at",
    undated: bool = False,
) -> ir.Table:
    """What had happened and was known at midnight when a day began; all, where there is none.

    Parameters
    ----------
    table : Table
    spec : TableSpec
    day : date or None
    known : str
        The column that says when each row became known.
    undated : bool
        Whether to keep rows whose date is missing.

    Returns
    -------
    Table
        The same columns. Values that are later events are null where those lay ahead.
    """
    if day is None:
        return table
    seen = seen_by(table, spec, day, known=known)
    kept = table.filter(seen.fill_null(True) if undated else seen)
    return _hide_later_events(kept, spec, ibis.literal(day))


def seen_by(
    table: ir.Table, spec: TableSpec, day: date, *, known: str = "known_at"
) -> ir.BooleanValue:
    """Whether each row had happened and was known at midnight when a day began.

    Null where nobody can tell. Arguments as for `until`.
    """
    as_of = ibis.literal(day)
    return _happened_before(table, spec, as_of) & _known_by(table[known], as_of)


def _happened_before(rows: ir.Table, spec: TableSpec, as_of: ir.DateValue) -> ir.BooleanValue:
    """Whether each row had happened; a month, whether it had ended."""
    if spec.rows == "month":
        return month_index(rows.month) < month_index(as_of)
    midnight = as_of.cast("timestamp")
    if spec.rows == "event":
        return rows[spec.event] < midnight
    days = [rows[name] for name in ("valid_from", spec.event) if name in rows.columns]
    return ibis.and_(*((day.cast("timestamp") < midnight) | day.isnull() for day in days))


def _known_by(known: ir.TimestampValue, as_of: ir.DateValue) -> ir.BooleanValue:
    return known <= as_of.cast("timestamp")


def _hide_later_events(rows: ir.Table, spec: TableSpec, as_of: ir.DateValue) -> ir.Table:
    """Null the values that were not there yet: later events, what one dates, what none knew."""
    hidden = {
        column.name: ibis.ifelse(
            rows[column.happens].cast("timestamp") < as_of.cast("timestamp"),
            rows[column.name],
            ibis.null(),
        )
        for column in spec.columns
        if column.happens in rows.columns and column.name in rows.columns
    }
    hidden |= {
        column.name: ibis.ifelse(
            _known_by(rows[column.known], as_of), rows[column.name], ibis.null()
        )
        for column in spec.columns
        if column.known in rows.columns and column.name in rows.columns
    }
    return rows.mutate(**hidden) if hidden else rows


def in_force(table: ir.Table, spec: TableSpec, moments: ir.Table) -> ir.Table:
    """The version of each state that was in force, and known, at each ``as_of``.

    Parameters
    ----------
    table : Table
        ``customers`` or ``groups``, with a filled ``known_at``.
    spec : TableSpec
    moments : Table
        With ``as_of``; with the table's key too where only those rows are wanted.

    Returns
    -------
    Table
        ``as_of`` and the table's columns, at most one row for each key and ``as_of``.
    """
    (key,) = spec.key
    on = [key] if key in moments.columns else []
    wanted = moments.select(*on, "as_of").distinct()
    rows = wanted.join(table, on) if on else wanted.cross_join(table)
    seen = _happened_before(rows, spec, rows.as_of) & _known_by(rows.known_at, rows.as_of)
    rows = rows.filter(seen)
    rows = _hide_later_events(rows, spec, rows.as_of)
    if "valid_from" not in table.columns:
        return rows
    latest = ibis.window(group_by=[key, "as_of"], order_by=[_.valid_from.desc(), _.known_at.desc()])
    rows = rows.mutate(_version=ibis.row_number().over(latest))
    return rows.filter(_._version == 0).drop("_version")


def moments(as_of: date | str | Iterable[date | str]) -> ir.Table:
    """The distinct dates given as a table with the one column ``as_of``."""
    return small_table([(day,) for day in parse_dates(as_of)], as_of=pa.date32())


def eligible(customers: ir.Table) -> ir.Table:
    """Of the customers in force, those not terminated before ``as_of``."""
    return customers.filter(_.terminated_on.isnull())


def spine(tables: Mapping[str, ir.Table], as_of: date | str | Iterable[date | str]) -> ir.Table:
    """Every customer eligible at each ``as_of``: activated before it, not terminated before it.

    Parameters
    ----------
    tables : mapping of str to Table
        Needs ``customers``.
    as_of : date, or several

    Returns
    -------
    Table
        ``(customer_id, as_of)``, unique rows.
    """
    customers = in_force(tables["customers"], TABLES["customers"], moments(as_of))
    return eligible(customers).select("customer_id", "as_of")


def calendar(latest: Mapping[date, date], months: int) -> ir.Table:
    """The last ``months`` months of each ``as_of``, counted back from its latest month.

    Parameters
    ----------
    latest : mapping of date to date
        For each ``as_of`` the first day of the month in which its windows end; see
        `latest_months`. An ``as_of`` that is not in it has no months.
    months : int

    Returns
    -------
    Table
        ``as_of``, ``month`` (first day), ``ago``: 0 for the latest month.
    """
    rows = [
        (as_of, months_before(month, ago), ago)
        for as_of, month in latest.items()
        for ago in range(months)
    ]
    return small_table(rows, as_of=pa.date32(), month=pa.date32(), ago=pa.int64())


def small_table(rows: Sequence[tuple[object, ...]], **types: pa.DataType) -> ir.Table:
    """A few rows as a table: typed even where there are none, or only nulls."""
    schema = pa.schema(types)
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return ibis.memtable(pa.Table.from_arrays(arrays, schema=schema))


def latest_months(
    tables: Mapping[str, ir.Table], eligible: ir.Table, days: Sequence[date]
) -> dict[str, dict[date, date]]:
    """The month in which the windows of each monthly table end, for each ``as_of``.

    The latest month that is visible for at least half of the eligible customers, so
    that a bill issued on the 3rd does not turn the last month into a hole. Asks the
    engine, as windows with fixed ends are twice as fast as those that a join must find.

    Parameters
    ----------
    tables : mapping of str to Table
        Monthly ones, each with ``customer_id``, ``month`` and a filled ``known_at``.
    eligible : Table
        ``(customer_id, as_of)`` of all eligible customers.
    days : sequence of date
        Every ``as_of``.

    Returns
    -------
    dict of str to dict of date to date
        For each table and ``as_of`` the first day of a month; no entry where no month
        is visible enough.
    """
    eligible = eligible.alias(gen_name("eligible"))
    latest: dict[str, dict[date, date]] = {name: {} for name in tables}
    sizes = dict.fromkeys(days, 0)
    counts = [_tally(eligible.mutate(month=ibis.null("date")), "")]
    for back, months in _LOOKS_BACK:
        for name, table in tables.items():
            ends = {day: months_before(day, back) for day in sizes if day not in latest[name]}
            if ends:
                rows = last_months(table, TABLES[name], calendar(ends, months))
                rows = rows.select("customer_id", "as_of", "month").distinct()
                counts.append(_tally(rows.semi_join(eligible, ["customer_id", "as_of"]), name))
        if not counts:
            break
        tallies = (ibis.union(*counts) if len(counts) > 1 else counts[0]).to_pyarrow().to_pylist()
        sizes |= {row["as_of"]: row["customers"] for row in tallies if not row["table"]}
        for row in sorted((row for row in tallies if row["table"]), key=lambda row: row["month"]):
            if row["customers"] * 2 >= sizes[row["as_of"]]:
                latest[row["table"]][row["as_of"]] = row["month"]
        counts = []
    return {name: dict(sorted(months.items())) for name, months in latest.items()}


def first_months(
    tables: Mapping[str, ir.Table], days: Sequence[date]
) -> dict[str, dict[date, date]]:
    """The month in which the record of each monthly table begins, as seen at each ``as_of``.

    Asks the engine once.

    Parameters
    ----------
    tables : mapping of str to Table
        Monthly ones, each with ``month`` and a filled ``known_at``.
    days : sequence of date
        Every ``as_of``.

    Returns
    -------
    dict of str to dict of date to date
        For each table and ``as_of`` the first month of which a row is visible; no entry
        where none is.
    """
    if not tables:
        return {}
    counts = [
        table.group_by("month")
        .agg(known_at=_.known_at.min())
        .select(table=ibis.literal(name), month=_.month, known_at=_.known_at)
        for name, table in tables.items()
    ]
    rows = (ibis.union(*counts) if len(counts) > 1 else counts[0]).to_pyarrow().to_pylist()
    first: dict[str, dict[date, date]] = {name: {} for name in tables}
    for day in days:
        for row in rows:
            month, known = row["month"], row["known_at"]
            if month is None or known is None:
                continue
            if month < day.replace(day=1) and known.replace(tzinfo=None) <= _midnight(day):
                first[row["table"]][day] = min(month, first[row["table"]].get(day, month))
    return first


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def _tally(rows: ir.Table, table: str) -> ir.Table:
    rows = rows.group_by("as_of", "month").agg(customers=_.count())
    return rows.select(
        table=ibis.literal(table), as_of=_.as_of, month=_.month, customers=_.customers
    )


def last_months(table: ir.Table, spec: TableSpec, calendar: ir.Table) -> ir.Table:
    """The visible rows of a monthly table in the months of a calendar.

    Parameters
    ----------
    table : Table
        Monthly, with a filled ``known_at``.
    spec : TableSpec
    calendar : Table
        ``as_of``, ``month``, ``ago``; see `calendar`. Its months had ended at ``as_of``.

    Returns
    -------
    Table
        ``as_of``, ``ago`` and the table's columns, later events hidden.
    """
    rows = calendar.join(table, "month")
    ended = rows.month < rows.as_of.truncate("M")
    seen = ended & _known_by(rows.known_at, rows.as_of)
    rows = rows.filter(seen)
    return _hide_later_events(rows, spec, rows.as_of)


def last_days(rows: ir.Table, moment: str, days: int) -> ir.BooleanValue:
    """Whether each visible row's ``moment`` lies in ``[as_of - days, as_of)``.

    What is visible lies before ``as_of``; so only the start of the window is compared.
    """
    return rows[moment] >= (rows.as_of - ibis.interval(days=days)).cast("timestamp")
