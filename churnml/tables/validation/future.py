"""Find where the data end; later dates are in the future.

The clock on the wall would give another answer tomorrow; the data's own end does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from statistics import median

from ibis import _

from churnml.tables.asof import month_index
from churnml.tables.validation.scope import Scope


def data_end(scopes: Mapping[str, Scope]) -> date | None:
    """The day after the last well-filled month of bills or usage; ``None`` without any.

    A month is well filled if it has more than half as many rows as the median month, so
    that a few rows of a wrong year do not move the end.
    """
    ends = [_last_month_end(scopes[name]) for name in ("bills", "usage") if name in scopes]
    return max((end for end in ends if end is not None), default=None)


def _last_month_end(scope: Scope) -> date | None:
    if not scope.has("month"):
        return None
    dated = scope.rows.filter(scope.rows.month.notnull())
    months = dated.group_by(month=month_index(dated.month)).agg(rows=_.count())
    counts = {row["month"]: row["rows"] for row in months.to_pyarrow().to_pylist()}
    if not counts:
        return None
    usual = median(counts.values())
    last = max(month for month, rows in counts.items() if 2 * rows > usual)
    return date(last // 12, last % 12 + 1, 1)


def future_start(scopes: Mapping[str, Scope], days: int) -> datetime | None:
    """The moment from which a date counts as in the future.

    Parameters
    ----------
    scopes : mapping of str to Scope
    days : int
        After the end of the data.
    """
    end = data_end(scopes)
    return None if end is None else datetime.combine(end, time()) + timedelta(days=days)
