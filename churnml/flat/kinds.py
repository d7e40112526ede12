"""What each column of a training table is: decided on the whole column, and said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from churnml.errors import DataError
from churnml.flat.dates import date_column, digits_layout, layouts
from churnml.flat.patterns import matches, pattern_of
from churnml.flat.signature import Column, Kind
from churnml.flat.standing_in import remember
from churnml.flat.table import Table, in_parts
from churnml.flat.values import is_integer, is_number, is_temporal, too_large
from churnml.wording import counted, quoted

NEARLY_ALL = 0.95
"""A column is of numbers, or of dates, if at least this share of its values is."""

_FEW_LEVELS = 20
"""With so few different values, ``10%`` and ``20%`` are names of categories."""

_PATTERNED = 0.01
_EARLIEST = 19_000_101
_NESTED = ("STRUCT", "MAP", "UNION", "BLOB", "BIT", "INTERVAL", "GEOMETRY", "VARIANT")


@dataclass(frozen=True)
class Profile:
    """Counts of a column's values.

    Attributes
    ----------
    filled : int
        Values that are there.
    present : int
        Those that do not mean a missing number.
    numbers, infinite, booleans, patterned : int
        Those that are plain numbers, infinite or too large ones, ``true`` or ``false``,
        numbers as people write them.
    dated : int
        Those that have what every date has: a digit before a mark.
    least : float
        The least number.
    """

    filled: int
    present: int
    numbers: int
    infinite: int
    booleans: int
    patterned: int
    dated: int
    least: float

    @property
    def maybe_digits(self) -> bool:
        """Whether the numbers may be dates written as digits."""
        return self.present > 0 and self.numbers == self.present and self.least >= _EARLIEST


@dataclass
class Plan:
    """How a training table is read.

    Attributes
    ----------
    columns : dict of str to Column
        By SQL name.
    dropped : dict of str to str
        Columns that cannot be used, and why.
    notes : list of str
    """

    columns: dict[str, Column] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def decide(table: Table, columns: Sequence[str]) -> Plan:
    """What each column is.

    Parameters
    ----------
    table : Table
    columns : sequence of str
        The SQL names of those that may be features.

    Raises
    ------
    DataError
        If a column mostly holds numbers that are not plainly written, naming the pattern.
    """
    plan = Plan()
    plain = [x for x in columns if table.kind(x) == "VARCHAR" or is_integer(table.kind(x))]
    profiles = _profiles(table, plain)
    refused: list[str] = []
    for x in columns:
        name, kind = table.names[int(x[1:])], table.kind(x)
        if kind == "VARCHAR":
            problem = _patterns(table, x, name, profiles[x])
            if problem:
                refused.append(problem)
            else:
                _decide_text(table, x, name, profiles[x], plan)
        elif kind.startswith(_NESTED) or kind.endswith("]"):
            plan.dropped[name] = f"of type {kind.lower()}"
        else:
            plan.columns[x] = _typed(table, x, name, profiles.get(x))
    if refused:
        raise _unplain(table, refused)
    plan.columns, dropped, notes = remember(table, plan.columns)
    plan.dropped |= dropped
    plan.notes += notes
    return plan


def _profiles(table: Table, columns: Sequence[str]) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    for some in in_parts(columns):
        as_numbers = {x: Column("", "number") for x in some}
        selected = ", ".join(_counts(x, table.kind(x)) for x in some)
        counts = [count or 0 for count in table.read(as_numbers, selected)[0]]
        width = len(counts) // len(some)
        for at, x in enumerate(some):
            found[x] = Profile(*counts[width * at : width * (at + 1)])
    return found


def _counts(x: str, kind: str) -> str:
    counts = f"count(f_{x}), count(p_{x}), count(t_{x}), count_if({too_large(f'v_{x}')}), "
    if kind == "VARCHAR":
        counts += f"count_if(lower(f_{x}) IN ('true', 'false')), count_if({matches(f'f_{x}')}), "
        counts += f"count_if(regexp_matches(f_{x}, '[0-9][-/.年 ]')), "
    else:
        counts += "0, 0, 0, "
    return counts + f"min(t_{x})"


def _typed(table: Table, x: str, name: str, found: Profile | None) -> Column:
    """A column that has a type of its own, as in Parquet."""
    kind = table.kind(x)
    if kind == "BOOLEAN":
        return Column(name, "boolean")
    if is_temporal(kind):
        return date_column(table, x, name)
    if found is not None and found.maybe_digits:
        layout = digits_layout(table, x)
        if layout is not None:
            return date_column(table, x, name, layout)
    return Column(name, "number" if is_number(kind) else "category")


def _decide_text(table: Table, x: str, name: str, found: Profile, plan: Plan) -> None:
    kind: Kind = "category"
    if found.numbers and found.numbers + found.infinite >= NEARLY_ALL * found.present:
        layout = digits_layout(table, x) if found.maybe_digits else None
        if layout is not None:
            plan.columns[x] = date_column(table, x, name, layout)
        else:
            plan.columns[x] = Column(name, "number")
        return
    dates = 2 * found.dated >= found.present > 0
    ways = layouts(table, x, NEARLY_ALL) if dates else []
    if len(ways) > 1:
        shown = " or ".join(way or "YYYY-MM-DD" for way in ways[:2])
        plan.dropped[name] = f"dates that can be read as {shown}; write them as 2026-06-01"
    elif ways:
        plan.columns[x] = date_column(table, x, name, ways[0])
    else:
        if found.booleans == found.filled:
            kind = "boolean"
        elif 2 * found.numbers > found.present:
            plan.notes.append(
                f"{name}: {found.numbers} of {found.present} values are numbers, fewer than "
                f"{NEARLY_ALL:.0%}; kept as a category."
            )
        plan.columns[x] = Column(name, kind)


def _patterns(table: Table, x: str, name: str, found: Profile) -> str | None:
    """What to say of a column of numbers that are not plainly written."""
    like_numbers = found.numbers + found.patterned
    if found.patterned < max(1, _PATTERNED * found.present):
        return None
    if like_numbers < NEARLY_ALL * found.present:
        return None
    ((levels, example),) = table.read(
        {x: Column(name, "number")},
        f"count(DISTINCT f_{x}), min(f_{x}) FILTER ({matches(f'f_{x}')})",
    )
    if levels <= _FEW_LEVELS:
        return None
    values = counted(found.patterned, "value")
    return f"{quoted(name)}: {values} with {pattern_of(example)} ({example!r})"


def _unplain(table: Table, refused: list[str]) -> DataError:
    more = f" and {len(refused) - 5} more columns" if len(refused) > 5 else ""
    return DataError(
        f"{table.path}: numbers that are not plainly written: {'; '.join(refused[:5])}{more}.",
        hint="Write them as 1234.5, percentages and amounts alike, or leave the column out "
        "with --drop.",
        file=str(table.path),
        count=len(refused),
        expected="plain numbers such as 1234.5",
    )
