"""Pivot monthly tables: one row per customer, one column per month.

``amount_0`` is the value of the latest month, ``amount_1`` of the month before, and so
on. What is summed is whole: an engine's sums of floating-point numbers depend on the
order of the rows, those of whole numbers do not. Hence all values here are counted in
millionths of their unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add

from ibis.expr import types as ir

from churnml.tables import asof

UNIT = 1_000_000
"""What one yuan, minute or megabyte counts."""

TIER_MONTHS = 10
"""For how many months, counted back, the individual tier is computed."""

_PARTS = ("voice", "data", "value_added")
_RATES = ("offnet_minutes", "dropped_calls")


def bill_months(arpu_months: int) -> int:
    """How many months of bills are needed: a year, and those of every ARPU that sets a tier."""
    return max(12, TIER_MONTHS - 1 + arpu_months)


def bills(rows: ir.Table, arpu_months: int) -> ir.Table:
    """Pivot bills and payments.

    Parameters
    ----------
    rows : Table
        Of ``bills``, with ``ago``, of `bill_months`; see `churnml.tables.asof.last_months`.
    arpu_months : int
        The months whose mean is the ARPU that sets the tier.

    Returns
    -------
    Table
        ``customer_id``, ``as_of``; ``amount_{ago}``; ``billed_months``, ``billed_amount``
        and ``peak_amount`` of 12 months; ``{part}_sum`` of 3 months, and ``{part}_of``,
        the bills that tell it; and the aggregates of the payments, as far as the table
        has them.
    """
    there = [name for name in ("issued_on", "paid_on") if name in rows.columns]
    money = {name: whole(rows[name]) for name in ("amount", *_PARTS) if name in rows.columns}
    rows = rows.select("customer_id", "as_of", "ago", *there, **money)
    year, quarter = rows.ago < 12, rows.ago < 3
    columns = _slots(rows, "amount", TIER_MONTHS - 1 + arpu_months)
    columns |= {
        "billed_months": rows.amount.count(where=year),
        "peak_amount": rows.amount.max(where=year),
        "billed_amount": rows.amount.sum(where=year),
    }
    for part in _PARTS:
        if part in rows.columns:
            columns[f"{part}_sum"] = rows[part].sum(where=quarter)
            columns[f"{part}_of"] = rows.amount.sum(where=quarter & rows[part].notnull())
    return rows.group_by("customer_id", "as_of").agg(**columns, **_payments(rows, year))


def _payments(rows: ir.Table, year: ir.BooleanValue) -> dict[str, ir.Scalar]:
    if "paid_on" not in rows.columns:
        return {}
    unpaid = year & rows.paid_on.isnull()
    columns = {
        "unpaid_amount": rows.amount.sum(where=unpaid),
        "unpaid_months": rows.count(where=unpaid),
        "last_paid_on": rows.paid_on.max(where=year),
    }
    if "issued_on" not in rows.columns:
        return columns
    delay, half = rows.paid_on.delta(rows.issued_on, unit="day"), rows.ago < 6
    return columns | {
        "delay_days": delay.sum(where=half),
        "delay_bills": delay.count(where=half),
        "longest_delay_days": delay.max(where=year),
        "oldest_unpaid_on": rows.issued_on.min(where=unpaid),
    }


def usage(rows: ir.Table) -> ir.Table:
    """Pivot usage.

    Parameters
    ----------
    rows : Table
        Of ``usage``, with ``ago``, of 12 months.

    Returns
    -------
    Table
        ``customer_id``, ``as_of``; ``{voice_minutes,data_mb,active_days}_{ago}`` of 6
        months; ``used_months`` of these; ``last_active``, a first day of a month;
        ``{column}_{3,6}m`` and ``{column}_of_{3,6}m``, sums of off-net minutes and
        dropped calls over the last 3 months and the 3 before, and of the voice minutes
        of the months that tell them; ``speed_{3,6}m`` and ``speeds_{3,6}m``, sums and
        numbers of speeds.
    """
    levels = ("voice_minutes", "data_mb", "active_days")
    there = [name for name in (*levels, *_RATES, "data_speed_mbps") if name in rows.columns]
    rows = rows.select(
        "customer_id", "as_of", "ago", "month", **{name: whole(rows[name]) for name in there}
    )
    spans = {"3m": rows.ago < 3, "6m": rows.ago.between(3, 5)}
    columns = {
        "used_months": rows.count(where=rows.ago < 6),
        "last_active": rows.month.max(where=rows.active_days > 0),
    }
    for name in levels:
        columns |= _slots(rows, name, 6)
    for span, inside in spans.items():
        for name in _RATES:
            if name in there:
                known = inside & rows[name].notnull()
                columns[f"{name}_{span}"] = rows[name].sum(where=inside)
                columns[f"{name}_of_{span}"] = rows.voice_minutes.sum(where=known)
        if "data_speed_mbps" in there:
            columns[f"speed_{span}"] = rows.data_speed_mbps.sum(where=inside)
            columns[f"speeds_{span}"] = rows.data_speed_mbps.count(where=inside)
    return rows.group_by("customer_id", "as_of").agg(**columns)


def whole(value: ir.NumericValue) -> ir.IntegerValue:
    """Convert a value to whole millionths of its unit."""
    return (value * UNIT + 0.5).floor().cast("int64")


def _slots(rows: ir.Table, column: str, months: int) -> dict[str, ir.Scalar]:
    # Two rows of one month are a breach of the contract; should they come this far, the
    # greater value counts, whatever their order.
    return {f"{column}_{k}": rows[column].max(where=rows.ago == k) for k in range(months)}


def ratio(sum_: ir.IntegerValue, number: ir.IntegerValue) -> ir.FloatingValue:
    """Divide whole numbers; null where the divisor is 0."""
    return sum_ / number.nullif(0)


def total(values: Sequence[ir.IntegerValue]) -> ir.IntegerValue:
    """Sum values from first to last."""
    return reduce(add, values)


def filled(row: ir.Table, column: str, months: range) -> list[ir.IntegerValue]:
    """The values of the given months, 0 where missing."""
    return [row[f"{column}_{k}"].fill_null(0) for k in months]


def there(row: ir.Table, column: str, months: range) -> list[ir.IntegerValue]:
    """Indicators of the given months: 1 where there is a value, else 0."""
    return [row[f"{column}_{k}"].notnull().ifelse(1, 0) for k in months]


@dataclass(frozen=True, eq=False)
class MonthlyTrend:
    """Trend statistics over the last months, for columns with values in the same months.

    Attributes
    ----------
    there : list of 0 or 1
        Whether there is a value, the latest month first.
    """

    there: list[ir.IntegerValue]

    @cached_property
    def number(self) -> ir.IntegerValue:
        """How many months have a value."""
        return total(self.there)

    @cached_property
    def _back(self) -> ir.IntegerValue:
        return total([one * k for k, one in enumerate(self.there) if k])

    @cached_property
    def _spread(self) -> ir.IntegerValue:
        squares = total([one * (k * k) for k, one in enumerate(self.there) if k])
        return ((self.number * squares - self._back * self._back) * UNIT).nullif(0)

    def slope(self, values: list[ir.IntegerValue]) -> ir.FloatingValue:
        """Least-squares change per month; null with fewer than two values."""
        lean = total([value * k for k, value in enumerate(values) if k])
        # Months count backwards, hence the sign.
        return (self._back * total(values) - self.number * lean) / self._spread

    def volatility(self, values: list[ir.IntegerValue], mean: ir.FloatingValue) -> ir.FloatingValue:
        """Sample standard deviation as a share of the mean.

        ``mean`` counts in millionths too. Null with fewer than two values, and where the
        mean is 0.
        """
        apart = [value - mean for value in values]
        squares = total([one * (a * a) for one, a in zip(self.there, apart, strict=True)])
        return (squares / (self.number - 1).nullif(0)).sqrt() / mean.nullif(0)


def missing(row: ir.Table, table: str, months: int, number: ir.IntegerValue) -> ir.IntegerValue:
    """How many of a table's last months lack a customer's row.

    Only months count in which there could be one: from that of activation on, and from the
    first of which the table has any row, so that a record that has only just begun does
    not make everybody look as if they had been away.

    Parameters
    ----------
    row : Table
        With ``activated_on`` and the table's ``{table}_starts`` and ``{table}_ends``.
    table : str
    months : int
        How many are looked at.
    number : integer column
        How many of them have a row.
    """
    since, starts = asof.month_index(row.activated_on), row[f"{table}_starts"]
    # Not greatest() and least(), which pass nulls over.
    age = row[f"{table}_ends"] - (since < starts).ifelse(starts, since)
    expected = (age >= months).ifelse(months, age + 1)
    return (expected - number.fill_null(0)).clip(lower=0)
