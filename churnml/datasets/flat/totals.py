"""Detect a last row that is the sum of all others."""

from __future__ import annotations

from collections.abc import Mapping

from churnml.base.text import quoted
from churnml.datasets.flat.signature import Column
from churnml.datasets.flat.table import ROW, Table, in_parts

_FEWEST_ROWS, _FEWEST_SUMS = 3, 2
_CLOSE = 1e-6
_SHOWN = 3


def totals_row(table: Table, columns: Mapping[str, Column]) -> str | None:
    """Describe a last row that is clearly the sum of the others; ``None`` if it is not.

    Clearly: at least two columns of numbers hold the sum of what stands above, and most do.

    Parameters
    ----------
    table : Table
    columns : mapping of str to Column
        By SQL name.
    """
    numbers = {x: one for x, one in columns.items() if one.kind == "number"}
    ((rows, last),) = table.query(f"count(*), max({ROW})")
    if rows < _FEWEST_ROWS or len(numbers) < _FEWEST_SUMS:
        return None
    totals = _values_of(table, numbers, last)
    fewest = max(_FEWEST_SUMS, len(totals) / 2)
    sums: list[str] = []
    left = len(totals)
    for some in in_parts(list(totals)):
        own = {x: numbers[x] for x in some}
        ((*summed,),) = table.read(own, ", ".join(f"sum(t_{x})" for x in own))
        for (x, column), whole in zip(own.items(), summed, strict=True):
            above = whole - totals[x]
            if above and abs(totals[x] - above) <= _CLOSE * abs(totals[x]):
                sums.append(column.name)
        left -= len(own)
        if len(sums) + left < fewest:
            return None
    if len(sums) < fewest:
        return None
    listed = ", ".join(quoted(name) for name in sums[:_SHOWN])
    more = f" and {len(sums) - _SHOWN} more columns" if len(sums) > _SHOWN else ""
    return f"the last row ({table.counted} {last}) is the sum of the others in {listed}{more}"


def _values_of(table: Table, numbers: Mapping[str, Column], row: int) -> dict[str, float]:
    """The numbers of one row, as far as they are there, by SQL name."""
    found: dict[str, float] = {}
    for some in in_parts(list(numbers)):
        own = {x: numbers[x] for x in some}
        selected = ", ".join(f"t_{x}" for x in own)
        ((*values,),) = table.select(selected, f"{table.prepared(own)} WHERE {ROW} = {row}")
        found |= {x: value for x, value in zip(own, values, strict=True) if value is not None}
    return found
