"""Read columns in SQL, with the same expressions in training and in scoring.

A column ``c3`` goes through four steps, each a projection over the one before, so that no
expression is written out twice: ``f_c3`` where it is not empty, ``v_c3`` parsed, ``p_c3``
where it does not mean a missing value, ``t_c3`` as the model takes it. What has a ``p_`` and
no ``t_`` is bad.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from churnml.datasets.flat.notation import Notation
from churnml.datasets.flat.signature import Column
from churnml.tables.source.engines.duckdb import literal

BLANKS = " \t\r\n\u00a0\u3000"
MISSING = ("na", "n/a", "#n/a", "nan", "none", "null", "nil", "?", "-", "--")
"""What means a missing value in a column of numbers or dates, but may be a category."""

LARGEST = 3.4028234e38
"""Numbers are kept in single precision."""

UNMARKED = {"%Y%m%d": 8, "%Y%m%d%H%M%S": 14}
"""Dates written as digits alone, and how many."""

NO_DAYS = ("1900-01-01", "2079-06-06", "2099-12-31", "2100-01-01", "2199-12-31")
"""Days that stand for no day, as every day before 1900 and after 2199 does."""

EPOCHS = {
    "Unix seconds": 1,
    "Unix milliseconds": 1_000,
    "Unix microseconds": 1_000_000,
    "Unix nanoseconds": 1_000_000_000,
}
"""Dates as time since 1970, and how many of it are a second."""

_EPOCH_FIRST, _EPOCH_LAST = 315_532_800_000_000, 4_102_444_800_000_000
_CONTROL = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]"
_FIRST, _LAST = "1900-01-01 00:00:00", "2199-12-31 23:59:59.999999"
_FLOATING = ("FLOAT", "DOUBLE")
_INTEGER = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)


def is_integer(kind: str) -> bool:
    """Whether a DuckDB type is of whole numbers."""
    return kind in _INTEGER


def is_number(kind: str) -> bool:
    """Whether a DuckDB type is of numbers."""
    return kind in _INTEGER or kind in _FLOATING or kind.startswith("DECIMAL")


def is_temporal(kind: str) -> bool:
    """Whether a DuckDB type is of dates."""
    return kind.startswith(("DATE", "TIMESTAMP"))


def is_time_of_day(kind: str) -> bool:
    """Whether a DuckDB type is of times without a date."""
    return kind.startswith("TIME") and not is_temporal(kind)


def prepared(
    relation: str, kinds: Mapping[str, str], columns: Mapping[str, Column], *, keep: str
) -> str:
    """SQL of some columns of a relation with all four steps.

    Parameters
    ----------
    relation : str
    kinds : mapping of str to str
        DuckDB's type by SQL name.
    columns : mapping of str to Column
        What is read, and as what.
    keep : str
        A column that stays beside them.
    """
    steps: tuple[tuple[str, Callable[[str, str, Column], str]], ...] = (
        ("f", lambda x, kind, _: _filled(x, kind)),
        ("v", _parsed),
        ("p", _present),
        ("t", lambda x, _, column: _typed(x, column)),
    )
    own = ", ".join([keep, *columns])
    relation = f"(SELECT {own} FROM {relation})"
    for step, expression in steps:
        added = ", ".join(
            f"{expression(x, kinds[x], column)} AS {step}_{x}" for x, column in columns.items()
        )
        relation = f"(SELECT *, {added} FROM {relation})"
    return relation


def bad(x: str) -> str:
    """SQL of the text of an unreadable value; else null."""
    return f"CASE WHEN p_{x} IS NOT NULL AND t_{x} IS NULL THEN CAST({x} AS VARCHAR) END"


def _filled(x: str, kind: str) -> str:
    if kind == "VARCHAR":
        return f"nullif(nullif(trim({x}, {literal(BLANKS)}), ''), '\\N')"
    return f"CASE WHEN NOT isnan({x}) THEN {x} END" if kind in _FLOATING else x


def _present(x: str, kind: str, column: Column) -> str:
    nulls = [*MISSING] if kind == "VARCHAR" and column.kind in ("number", "date") else []
    cases = _chosen(f"lower(CAST(f_{x} AS VARCHAR))", [*nulls, *column.missing])
    if column.sentinels:
        cases += _chosen(day(f"v_{x}"), column.sentinels)
    if column.infinite:
        cases.append(f"WHEN {too_large(f'v_{x}')} THEN NULL")
    return f"CASE {' '.join(cases)} ELSE f_{x} END" if cases else f"f_{x}"


def _chosen(text: str, values: Iterable[str]) -> list[str]:
    # DuckDB turns IN with many texts into a join, after which rows have no order.
    return [f"WHEN {text} = {literal(value)} THEN NULL" for value in values]


def too_large(number: str) -> str:
    """SQL of whether a parsed number is infinite, or more than the model can hold."""
    return f"(NOT isnan({number}) AND abs({number}) > {LARGEST})"


def day(moment: str) -> str:
    """SQL of the day of a parsed date, as text."""
    return f"CAST(CAST({moment} AS DATE) AS VARCHAR)"


def _parsed(x: str, kind: str, column: Column) -> str:
    if column.kind == "number":
        return _number(x, kind, column.notation)
    return _moment(x, kind, column) if column.kind == "date" else _text(x, kind, column)


def _number(x: str, kind: str, notation: Notation | None) -> str:
    if kind == "VARCHAR":
        if notation is not None:
            return notation.sql(f"f_{x}")
        # DuckDB reads 1_000 as a thousand; nobody else does.
        return f"CASE WHEN NOT contains(f_{x}, '_') THEN try_cast(f_{x} AS DOUBLE) END"
    # A number without its unit may be one in another unit.
    unknown = notation is not None and bool(notation.unit or notation.clock)
    if (kind == "BOOLEAN" or is_number(kind)) and not unknown:
        return f"CAST({x} AS DOUBLE)"
    return "CAST(NULL AS DOUBLE)"


def _moment(x: str, kind: str, column: Column) -> str:
    if is_temporal(kind):
        return f"timezone('UTC', {x})" if "ZONE" in kind else f"CAST({x} AS TIMESTAMP)"
    if kind == "VARCHAR":
        return _in_either_way(f"f_{x}", column)
    if is_number(kind) and column.format in (*UNMARKED, *EPOCHS):
        whole = f"CASE WHEN {x} = trunc({x}) THEN CAST(try_cast({x} AS BIGINT) AS VARCHAR) END"
        return _in_either_way(whole, column)
    return "CAST(NULL AS TIMESTAMP)"


def _in_either_way(text: str, column: Column) -> str:
    """Read dates in a column's format or in ISO format, as a workbook's cells give them."""
    iso = moment(text, "")
    if not column.format:
        return iso
    own = moment(text, column.format)
    return f"coalesce({_in_century(own, column.century)}, {iso})"


def _in_century(value: str, first: int) -> str:
    """SQL of a date with a two-digit year, in the column's hundred years."""
    if not first:
        return value
    shift = f"100 * CAST(floor((year({value}) - {first}) / 100) AS INTEGER)"
    return f"{value} - to_years({shift})"


def moment(text: str, layout: str) -> str:
    """SQL of a text in one layout as a date and time of any century; null for anything else."""
    if not layout:
        iso = f"regexp_matches({text}, '^[0-9]{{4}}[-/]')"
        return f"CASE WHEN {iso} THEN try_cast({text} AS TIMESTAMP) END"
    if layout in EPOCHS:
        micros = f"round(try_cast({text} AS DOUBLE) * {1_000_000 / EPOCHS[layout]})"
        within = f"{micros} BETWEEN {_EPOCH_FIRST} AND {_EPOCH_LAST}"
        return f"CASE WHEN {within} THEN make_timestamp(CAST({micros} AS BIGINT)) END"
    own = f"try_strptime({text}, {literal(layout)})"
    if layout in UNMARKED:
        # Without marks between, fewer digits can be read in several ways.
        return f"CASE WHEN length({text}) = {UNMARKED[layout]} THEN {own} END"
    return own


def _text(x: str, kind: str, column: Column) -> str:
    """A value as text, the same for 3 and 3.0."""
    if column.kind == "boolean" and kind == "VARCHAR":
        truth = f"CASE lower(f_{x}) WHEN 'true' THEN 'True' WHEN 'false' THEN 'False' ELSE {x} END"
        return f"CASE WHEN f_{x} IS NOT NULL THEN {truth} END"
    if kind == "VARCHAR":
        return f"CASE WHEN f_{x} IS NOT NULL THEN {x} END"
    if kind == "BOOLEAN":
        return f"CASE {x} WHEN true THEN 'True' WHEN false THEN 'False' END"
    if kind in _FLOATING or kind.startswith("DECIMAL"):
        return (
            f"CASE WHEN f_{x} = trunc(f_{x}) AND abs(f_{x}) < 1e18 "
            f"THEN CAST(try_cast(f_{x} AS BIGINT) AS VARCHAR) ELSE CAST(f_{x} AS VARCHAR) END"
        )
    return f"CAST({x} AS VARCHAR)"


def _typed(x: str, column: Column) -> str:
    value = f"v_{x}"
    if column.kind == "number":
        return f"CASE WHEN isfinite({value}) AND abs({value}) <= {LARGEST} THEN {value} END"
    if column.kind == "date":
        age = f"date_diff('day', CAST({value} AS DATE), DATE '{column.reference}')"
        between = f"{value} BETWEEN TIMESTAMP '{_FIRST}' AND TIMESTAMP '{_LAST}'"
        none = [f"WHEN p_{x} IS NULL THEN NULL", *_chosen(day(value), NO_DAYS)]
        cases = [*none, f"WHEN {between} THEN CAST({age} AS DOUBLE)"]
        return f"CASE {' '.join(cases)} END"
    return f"CASE WHEN NOT regexp_matches({value}, '{_CONTROL}') THEN {value} END"
