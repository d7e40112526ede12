"""Decide the kind of each column of a training table from all its values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

from churnml.base.text import counted, quoted
from churnml.datasets.flat.dates import (
    century,
    date_column,
    digits_layout,
    epoch_layout,
    layouts,
    years,
)
from churnml.datasets.flat.notation import Notation
from churnml.datasets.flat.sieve import Found, described, forms, sifted
from churnml.datasets.flat.sieve import decide as decide_notation
from churnml.datasets.flat.signature import Column
from churnml.datasets.flat.standing_in import remember
from churnml.datasets.flat.table import Table, in_parts
from churnml.datasets.flat.values import is_number, is_temporal, is_time_of_day, too_large
from churnml.errors import DataError

NEARLY_ALL = 0.95
"""A column is of numbers, or of dates, if at least this share of its values is."""

_FEW_LEVELS = 20
"""With so few different values, ``10%`` and ``20%`` are names of categories."""

_UNPLAIN = 0.01
_EARLIEST = 19_000_101
_CODE = re.compile(r"[^\W\d_]+[-_ ]?[0-9]+")
_NESTED = ("STRUCT", "MAP", "UNION", "BLOB", "BIT", "INTERVAL", "GEOMETRY", "VARIANT")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Counts of a column's values.

    Attributes
    ----------
    filled : int
        Values that are there.
    present : int
        Those that do not mean a missing number.
    numbers, infinite, booleans, digits : int
        Those that are plain numbers, infinite or too large ones, ``true`` or ``false``,
        mostly digits but no plain number.
    pointed, thousands : int
        Plain numbers with a decimal point, and those that may be thousands, as ``1.234``.
    dated : int
        Those that have what every date has: a digit before a mark.
    least, most : float
        The least and the greatest number.
    """

    filled: int
    present: int
    numbers: int
    infinite: int
    booleans: int
    digits: int
    pointed: int
    thousands: int
    dated: int
    least: float
    most: float

    @property
    def maybe_digits(self) -> bool:
        """Whether the numbers may be dates written as digits."""
        return self.present > 0 and self.numbers == self.present and self.least >= _EARLIEST

    @property
    def unplain(self) -> bool:
        """Whether this may be a column of numbers in an unusual notation."""
        if self.numbers + self.digits < NEARLY_ALL * self.present:
            return False
        return self.digits >= max(1, _UNPLAIN * self.present) or (
            0 < self.pointed == self.thousands
        )


@dataclass
class ColumnPlan:
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


def decide(table: Table, columns: Sequence[str]) -> ColumnPlan:
    """Decide the kind of each column.

    Parameters
    ----------
    table : Table
    columns : sequence of str
        The SQL names of those that may be features.

    Raises
    ------
    DataError
        If a column mostly holds numbers in an unusual notation, naming the pattern.
    """
    plan = ColumnPlan()
    plain = [x for x in columns if table.kind(x) == "VARCHAR" or is_number(table.kind(x))]
    profiles = _profiles(table, plain)
    refused: list[str] = []
    for x in columns:
        name, kind = table.names[int(x[1:])], table.kind(x)
        if kind == "VARCHAR":
            problem = _decide_text(table, x, name, profiles[x], plan)
            refused += [problem] if problem else []
        elif kind.startswith(_NESTED) or kind.endswith("]") or is_time_of_day(kind):
            plan.dropped[name] = f"of type {kind.lower()}"
        else:
            _decide_typed(table, x, name, profiles.get(x), plan)
    if refused:
        raise _unplain(table, refused)
    plan.columns, dropped, notes = remember(table, plan.columns)
    plan.dropped |= dropped
    plan.notes += notes
    return plan


def _profiles(table: Table, columns: Sequence[str]) -> dict[str, Profile]:
    profiles: dict[str, Profile] = {}
    for some in in_parts(columns):
        as_numbers = {x: Column(name="", kind="number") for x in some}
        selected = ", ".join(_counts(x, table.kind(x)) for x in some)
        counts = [count or 0 for count in table.read(as_numbers, selected)[0]]
        names = [field.name for field in fields(Profile)]
        for at, x in enumerate(some):
            own = counts[len(names) * at : len(names) * (at + 1)]
            profiles[x] = Profile(**dict(zip(names, own, strict=True)))
    return profiles


def _counts(x: str, kind: str) -> str:
    counts = f"count(f_{x}), count(p_{x}), count(t_{x}), count_if({too_large(f'v_{x}')}), "
    if kind == "VARCHAR":
        # CASE is worked out for the rows that need it alone, AND for all.
        odd = f"t_{x} IS NULL AND p_{x} IS NOT NULL"
        digits = f"CASE WHEN {odd} THEN {sifted(f'f_{x}')} END"
        pointed = f"t_{x} IS NOT NULL AND contains(f_{x}, '.')"
        thousand = f"regexp_full_match(f_{x}, '[+-]?[1-9][0-9]{{0,2}}(\\.[0-9]{{3}})+')"
        thousands = f"CASE WHEN {pointed} THEN {thousand} END"
        counts += f"count_if(lower(f_{x}) IN ('true', 'false')), count_if({digits}), "
        counts += f"count_if({pointed}), count_if({thousands}), "
        counts += f"count_if(regexp_matches(f_{x}, '[0-9][-/.年 ]')), "
    else:
        counts += "0, 0, 0, 0, 0, "
    return counts + f"min(t_{x}), max(t_{x})"


def _decide_typed(
    table: Table, x: str, name: str, profile: Profile | None, plan: ColumnPlan
) -> None:
    """Decide on a typed column, as Parquet has."""
    kind = table.kind(x)
    if kind == "BOOLEAN":
        plan.columns[x] = Column(name=name, kind="boolean")
    elif is_temporal(kind):
        plan.columns[x] = date_column(table, x, name)
    elif not (
        profile is not None and profile.maybe_digits and _decide_digits(table, x, profile, plan)
    ):
        plan.columns[x] = Column(name=name, kind="number" if is_number(kind) else "category")


def _decide_digits(table: Table, x: str, profile: Profile, plan: ColumnPlan) -> bool:
    """Whether a column of numbers is one of dates written as digits alone, or as Unix time."""
    name = table.names[int(x[1:])]
    layout = digits_layout(table, x)
    if layout is None:
        layout = epoch_layout(profile.least, profile.most)
        if layout is not None:
            plan.notes.append(
                f"{name}: numbers such as {profile.most:.0f} read as dates, {layout}."
            )
    if layout is None:
        return False
    plan.columns[x] = date_column(table, x, name, layout)
    return True


def _decide_text(table: Table, x: str, name: str, profile: Profile, plan: ColumnPlan) -> str | None:
    """Decide on a text column; return the problem where it has to be refused."""
    plain = (
        profile.numbers > 0 and profile.numbers + profile.infinite >= NEARLY_ALL * profile.present
    )
    if plain and profile.maybe_digits and _decide_digits(table, x, profile, plan):
        return None
    if not plain and _decide_dates(table, x, name, profile, plan):
        return None
    if profile.unplain and profile.booleans < profile.filled:
        known = len(plan.columns) + len(plan.dropped)
        problem = _decide_unplain(table, x, name, profile, plan)
        if problem or len(plan.columns) + len(plan.dropped) > known:
            return problem
    if plain:
        plan.columns[x] = Column(name=name, kind="number")
        return None
    if profile.booleans < profile.filled and 2 * profile.numbers > profile.present:
        plan.notes.append(
            f"{name}: {profile.numbers} of {profile.present} values are numbers, fewer than "
            f"{NEARLY_ALL:.0%}; kept as a category."
        )
    boolean = profile.booleans == profile.filled
    plan.columns[x] = Column(name=name, kind="boolean" if boolean else "category")
    return None


def _decide_dates(table: Table, x: str, name: str, profile: Profile, plan: ColumnPlan) -> bool:
    """Add a text column to the plan if it holds dates; return whether it does."""
    ways = layouts(table, x, NEARLY_ALL) if 2 * profile.dated >= profile.present > 0 else []
    if not ways:
        return False
    first = 0
    if "%y" in ways[0] and len(ways) == 1:
        first = century(years(table, x, ways[0])) or -1
    if first < 0:
        plan.dropped[name] = (
            f"dates written as {ways[0]}, which may lie in either century; write them as 2026-06-01"
        )
    elif len(ways) > 1:
        shown = " or ".join(way or "YYYY-MM-DD" for way in ways[:2])
        plan.dropped[name] = f"dates that can be read as {shown}; write them as 2026-06-01"
    else:
        known = Column(name=name, kind="date", format=ways[0], century=first)
        if first:
            plan.notes.append(f"{name}: years of two digits are read as {first} to {first + 99}.")
        plan.columns[x] = date_column(table, x, name, ways[0], known)
    return True


def _decide_unplain(
    table: Table, x: str, name: str, profile: Profile, plan: ColumnPlan
) -> str | None:
    """Decide on numbers in an unusual notation: read where certain, else refused or noted."""
    said = decide_notation(forms(table, x), NEARLY_ALL)
    notation = said.notation
    if notation == Notation():
        if said.problem:
            plan.notes.append(f"{name}: {said.problem}; read as decimals.")
        # Signs and digits of another script are not plain either.
        notation = notation if profile.digits else None
    elif said.units and said.problem:
        plan.dropped[name] = f"{said.problem}; write them in one"
    if notation is None:
        return _said_unplain(name, profile, said, plan)
    ((levels,),) = table.read({x: Column(name=name, kind="number")}, f"count(DISTINCT f_{x})")
    if levels <= _FEW_LEVELS and (notation.unit or notation.clock):
        plan.notes.append(f"{name}: {levels} values such as {said.example!r}; kept as a category.")
        return None
    column = Column(name=name, kind="number", notation=notation)
    ((read,),) = table.read({x: column}, f"count(t_{x})")
    if notation == Notation() and read <= profile.numbers:
        return _said_unplain(name, profile, replace(said, notation=None), plan)
    plan.notes.append(
        f"{name} {said.example!r}: {counted(read, 'cell')} read as numbers"
        f"{', in seconds' if notation.clock == 3 else ''}."
    )
    plan.columns[x] = column
    return None


def _said_unplain(name: str, profile: Profile, said: Found, plan: ColumnPlan) -> str | None:
    """Note that a column stays a category, or return why it is refused."""
    if name in plan.dropped or said.notation is not None:
        return None
    pattern = described(said.example)
    plain = profile.numbers >= NEARLY_ALL * profile.present
    if said.problem or (plain and pattern):
        values = counted(profile.digits or profile.thousands, "value")
        example = said.problem or repr(said.example)
        return f"{quoted(name)}: {values} with {pattern or 'points'} ({example})"
    if not plain and not _CODE.fullmatch(said.example):
        plan.notes.append(
            f"{name}: values such as {said.example!r} hold digits, but are not clearly numbers; "
            "kept as a category."
        )
    return None


def _unplain(table: Table, refused: list[str]) -> DataError:
    more = f" and {len(refused) - 5} more columns" if len(refused) > 5 else ""
    return DataError(
        f"{table.path}: numbers in an unusual notation: {'; '.join(refused[:5])}{more}.",
        hint="Write them as 1234.5, percentages and amounts alike, or leave the column out "
        "with --drop.",
        file=str(table.path),
        count=len(refused),
        expected="plain numbers such as 1234.5",
    )
