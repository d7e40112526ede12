"""Check ids: text, unique for each row."""

from __future__ import annotations

from churnml.base.text import counted, quoted
from churnml.datasets.flat.signature import Column
from churnml.datasets.flat.table import ROW, Table
from churnml.errors import DataError
from churnml.tables.source.engines.duckdb import literal

_SHOWN = 5
_SCIENTIFIC = r"[0-9]([.,][0-9]+)?[eE]\+?[0-9]{1,2}"


ID = Column(name="", kind="category")
"""How ids are read: as text, whole numbers without a decimal point."""


def note_scientific(table: Table, x: str, name: str) -> list[str]:
    """Note ids that a spreadsheet truncated, such as ``8.6013E+10``."""
    written = f"regexp_full_match(t_{x}, {literal(_SCIENTIFIC)})"
    ((count, example),) = table.read({x: ID}, f"count_if({written}), min(t_{x}) FILTER ({written})")
    if not count:
        return []
    return [
        f"{quoted(name)}: {counted(count, 'id is', 'ids are')} in scientific notation, such as "
        f"{example!r}; their last digits are gone. Export the ids as text."
    ]


def refuse_duplicates(table: Table, x: str, name: str, *, time: str | None = None) -> None:
    """Refuse a table with duplicate ids.

    Parameters
    ----------
    table : Table
    x : str
        The id column's SQL name.
    name : str
        What it is called.
    time : str, optional
        The SQL name of the date that each row stands for; an id may then stand at several.

    Raises
    ------
    DataError
        With the first rows; the ids themselves may be personal data and are not shown.
    """
    own = [one for one in (x, time) if one is not None]
    rows = table.prepared(dict.fromkeys(own, ID))
    key = ", ".join(f"t_{one}" for one in own)
    known = f"SELECT *, count(*) OVER (PARTITION BY {key}) AS times FROM {rows}"
    ((ids, count, first),) = table.select(
        f"count(DISTINCT t_{x}), count(*), list_sort(min({ROW}, {_SHOWN}))",
        f"({known} WHERE t_{x} IS NOT NULL) WHERE times > 1",
    )
    if not ids:
        return
    shown = ", ".join(str(row) for row in first) + (" …" if count > len(first) else "")
    rounded = note_scientific(table, x, name)
    why = f" {rounded[0]}" if rounded else ""
    raise DataError(
        f"{table.path}: {counted(ids, 'id')} of {quoted(name)} "
        f"{'appears' if ids == 1 else 'appear'} in more than one row "
        f"{'' if time is None else 'of the same date '}({table.counted}s {shown}).{why}",
        hint="One row for each id is expected; for training, --group lets rows of one "
        "customer repeat, and --time names the date that each row stands for.",
        file=str(table.path),
        column=name,
        count=ids,
        rows=first,
        expected="different ids",
    )
