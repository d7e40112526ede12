"""Monthly tables turned on their side: one row a customer, one column a month.

``amount_0`` is the value of the latest month, ``amount_1`` of the month before, and so
on; null where the customer has no visible row for that month. Statistics are then plain
arithmetic over these columns in a fixed order. An engine's own sums of floating-point
numbers depend on the order of the rows; these do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add

import ibis
from ibis.expr import types as ir

from churnml.config import Tiers

PER_YUAN = 10_000
"""Money is summed in whole ten-thousandths of a yuan, so that no sum is rounded."""

USAGE_MONTHS = 12
"""How far back usage is looked at."""

TIER_MONTHS = 12
"""For how many months, counted back, the individual tier is told."""

_USAGE_SLOTS = {
    "voice_minutes": 6,
    "data_mb": 6,
    "active_days": 6,
    "offnet_minutes": 6,
    "dropped_calls": 3,
    "data_speed_mbps": 6,
}


def bills(rows: ir.Table, months: int, tiers: Tiers) -> ir.Table:
    """Bills side by side, what of them is paid, the mean bill, and the tier of each month.

    Parameters
    ----------
    rows : Table
        Of ``bills``, with ``ago``; see `churnml.asof.last_months`.
    months : int
        At least 12, and 11 more than ``tiers.arpu_months``.
    tiers : Tiers

    Returns
    -------
    Table
        ``customer_id``, ``as_of``; ``amount_{ago}`` and for 3 months each part of it,
        `exact`; ``mean_{1,3,6,12}m``, yuan; ``arpu``, yuan, and ``tier_{ago}``, the level
        of 0 to 3, null where no bill tells it; and the aggregates of `payments`.
    """
    slots = _slots(rows, {"amount": months, "voice": 3, "data": 3, "value_added": 3})
    exactly = {name: exact(value) for name, value in slots.items()}
    row = rows.group_by("customer_id", "as_of").agg(**exactly, **payments(rows))
    means = {f"mean_{n}m": mean(row, "amount", range(n), per=PER_YUAN) for n in (1, 3, 6, 12)}
    arpu = mean(row, "amount", range(tiers.arpu_months), per=PER_YUAN)
    levels = {f"tier_{ago}": _level(row, ago, tiers) for ago in range(TIER_MONTHS)}
    return row.mutate(**means, arpu=arpu, **levels)


def _level(row: ir.Table, ago: int, tiers: Tiers) -> ir.IntegerValue:
    """The level of 0 to 3 by the mean bill of the months up to one, without rounding it."""
    months = range(ago, ago + tiers.arpu_months)
    number, spent = filled(row, "amount", months), total(row, "amount", months)
    limits = (tiers.diamond, tiers.gold, tiers.silver)
    reached = (
        (spent >= number * round(limit * PER_YUAN), 3 - place)
        for place, limit in enumerate(limits)
    )
    return ibis.cases((number == 0, ibis.null("int64")), *reached, else_=0)


def payments(rows: ir.Table) -> dict[str, ir.Scalar]:
    """Aggregates over the bills of the last 12 months, by what had been paid.

    Parameters
    ----------
    rows : Table
        Of ``bills``, with ``ago``; what it lacks (``paid_on``, ``issued_on``) has no
        aggregates.
    """
    if "paid_on" not in rows.columns:
        return {}
    year = rows.ago < 12
    unpaid = year & rows.paid_on.isnull()
    found = {
        "billed_months": rows.count(where=year),
        "unpaid_amount": exact(rows.amount).sum(where=unpaid),
        "unpaid_months": rows.count(where=unpaid),
        "last_paid_on": rows.paid_on.max(where=year),
    }
    if "issued_on" not in rows.columns:
        return found
    delay = rows.paid_on.delta(rows.issued_on, unit="day")
    return found | {
        "delay_days": delay.sum(where=rows.ago < 6),
        "delay_bills": delay.count(where=rows.ago < 6),
        "longest_delay_days": delay.max(where=year),
        "oldest_unpaid_on": rows.issued_on.min(where=unpaid),
    }


def usage(rows: ir.Table) -> ir.Table:
    """Usage side by side, and the last month with an active day.

    Parameters
    ----------
    rows : Table
        Of ``usage``, with ``ago``, of `USAGE_MONTHS`.

    Returns
    -------
    Table
        ``customer_id``, ``as_of``; ``{column}_{ago}``; the means of 6 months
        ``{column}_mean``; ``last_active``, the first day of a month.
    """
    row = rows.group_by("customer_id", "as_of").agg(
        **_slots(rows, _USAGE_SLOTS), last_active=rows.month.max(where=rows.active_days > 0)
    )
    levels = ("voice_minutes", "data_mb", "active_days")
    return row.mutate(**{f"{name}_mean": mean(row, name, range(6)) for name in levels})


def _slots(rows: ir.Table, months: Mapping[str, int]) -> dict[str, ir.Scalar]:
    """One aggregate for each column that is there, and month: its value ``ago`` months back.

    Two rows of one month are a breach of the contract; should they come this far, the
    greater value counts, whatever their order.
    """
    return {
        f"{column}_{ago}": rows[column].max(where=rows.ago == ago)
        for column, number in months.items()
        if column in rows.columns
        for ago in range(number)
    }


def exact(yuan: ir.NumericValue) -> ir.IntegerValue:
    """An amount in whole ten-thousandths of a yuan."""
    return (yuan * PER_YUAN + 0.5).floor().cast("int64")


def _columns(row: ir.Table, name: str, ago: Iterable[int]) -> list[ir.NumericColumn]:
    return [row[f"{name}_{number}"] for number in ago]


def _sum(values: Iterable[ir.NumericValue]) -> ir.NumericValue:
    return reduce(add, values)


def total(row: ir.Table, name: str, ago: Iterable[int]) -> ir.NumericValue:
    """Sum over the given months; a month without a value adds nothing."""
    return _sum(value.fill_null(0) for value in _columns(row, name, ago))


def total_where(row: ir.Table, name: str, known: str, ago: Iterable[int]) -> ir.NumericValue:
    """Sum of one column over those of the given months in which another has a value."""
    pairs = zip(_columns(row, name, ago), _columns(row, known, ago), strict=True)
    return _sum(ibis.ifelse(other.isnull(), 0, value).fill_null(0) for value, other in pairs)


def filled(row: ir.Table, name: str, ago: Iterable[int]) -> ir.IntegerValue:
    """Number of the given months that have a value."""
    return _sum(value.notnull().cast("int64") for value in _columns(row, name, ago))


def mean(row: ir.Table, name: str, ago: range, *, per: int = 1) -> ir.FloatingValue:
    """Mean over those of the given months that have a value; null where none has one.

    ``per`` is what one unit of the result counts in the column: `PER_YUAN` for yuan from
    exact amounts.
    """
    if len(ago) == 1:
        return _columns(row, name, ago)[0] / float(per)
    number = filled(row, name, ago)
    return total(row, name, ago) / (number * float(per)).nullif(0)


def peak(row: ir.Table, name: str, ago: range) -> ir.NumericValue:
    """The greatest value of the given months; null where none has one."""
    return ibis.greatest(*_columns(row, name, ago))


def slope(row: ir.Table, name: str, ago: range, *, per: int = 1) -> ir.FloatingValue:
    """Least-squares change per month over the given months; null with fewer than two values."""
    values = _columns(row, name, ago)
    there = [value.notnull().cast("int64") for value in values]
    n = _sum(there)
    back = _sum(one * k for one, k in zip(there, ago, strict=True) if k)
    squares = _sum(one * (k * k) for one, k in zip(there, ago, strict=True) if k)
    level = total(row, name, ago)
    lean = _sum(value.fill_null(0) * k for value, k in zip(values, ago, strict=True) if k)
    # Months count backwards, hence the sign.
    return (back * level - n * lean) / ((n * squares - back * back) * float(per)).nullif(0)


def volatility(
    row: ir.Table, name: str, ago: range, mean: ir.FloatingValue, *, per: int = 1
) -> ir.FloatingValue:
    """Sample standard deviation over the given months as a share of their mean.

    Null with fewer than two values, and where the mean is 0.
    """
    apart = [value / float(per) - mean for value in _columns(row, name, ago)]
    squares = _sum((value * value).fill_null(0.0) for value in apart)
    free = (filled(row, name, ago) - 1).nullif(0)
    return (squares / free).sqrt() / mean.nullif(0)


def missing(row: ir.Table, name: str, ago: range, age: ir.IntegerValue) -> ir.IntegerValue:
    """Number of the given months without a value, of those fewer than ``age`` months back."""
    return _sum(
        (value.isnull() & (age > number)).cast("int64")
        for number, value in zip(ago, _columns(row, name, ago), strict=True)
    )
