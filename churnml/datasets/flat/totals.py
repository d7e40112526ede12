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
    there, sums = 0, []
    for some in in_parts(list(numbers)):
        own = {x: numbers[x] for x in some}
        selected = ", ".join(
            f"sum(t_{x}) FILTER ({ROW} < {last}), max(t_{x}) FILTER ({ROW} = {last})" for x in own
        )
        (row_of_sums,) = table.read(own, selected)
        for at, column in enumerate(own.values()):
            above, total = row_of_sums[2 * at : 2 * at + 2]
            there += total is not None
            if total and above and abs(total - above) <= _CLOSE * abs(total):
                sums.append(column.name)
    if len(sums) < max(_FEWEST_SUMS, there / 2):
        return None
    listed = ", ".join(quoted(name) for name in sums[:_SHOWN])
    more = f" and {len(sums) - _SHOWN} more columns" if len(sums) > _SHOWN else ""
    return f"the last row ({table.counted} {last}) is the sum of the others in {listed}{more}"
