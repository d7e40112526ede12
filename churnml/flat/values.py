"""One column's values, read in SQL: the same expressions in training and in scoring."""

from __future__ import annotations

from dataclasses import dataclass

from churnml.flat.signature import Column
from churnml.source.engine import literal

BLANKS = " \t\r\n\u00a0\u3000"
MISSING = ("na", "n/a", "#n/a", "nan", "none", "null", "nil", "?", "-", "--")
"""What means a missing value in a column of numbers or dates, but may be a category."""

LARGEST = 3.4028234e38
"""Numbers are kept in single precision."""

_CONTROL = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]"
_NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT")
_NUMERIC += ("UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE")
_TEMPORAL = ("DATE", "TIMESTAMP")
_TIMES = "1900-01-01", "2199-12-31"


@dataclass(frozen=True)
class Reading:
    """SQL of a column's values.

    Attributes
    ----------
    typed : str
        DOUBLE or VARCHAR; null where missing or bad.
    bad : str
        The text of a value that cannot be read; else null.
    """

    typed: str
    bad: str


def is_number(kind: str) -> bool:
    """Whether a DuckDB type is of numbers."""
    return kind in _NUMERIC or kind.startswith("DECIMAL")


def is_integer(kind: str) -> bool:
    """Whether a DuckDB type is of whole numbers."""
    return kind in _NUMERIC and kind not in ("FLOAT", "DOUBLE")


def is_temporal(kind: str) -> bool:
    """Whether a DuckDB type is of dates."""
    return kind.startswith(_TEMPORAL)


def filled(x: str, kind: str) -> str:
    """SQL of a value, null where it is missing: empty, blanks alone, or ``\\N``."""
    if kind == "VARCHAR":
        return f"nullif(nullif(trim({x}, {_text(BLANKS)}), ''), '\\N')"
    return f"CASE WHEN NOT isnan({x}) THEN {x} END" if kind in ("FLOAT", "DOUBLE") else x


def present(x: str, kind: str, missing: tuple[str, ...] = ()) -> str:
    """SQL of a value of a number or date column, null where it is missing."""
    value = filled(x, kind)
    if kind != "VARCHAR":
        return value
    texts = ", ".join(_text(text) for text in (*MISSING, *(one.lower() for one in missing)))
    return f"CASE WHEN lower({value}) NOT IN ({texts}) THEN {value} END"


def number(x: str, kind: str, missing: tuple[str, ...] = ()) -> str:
    """SQL of a plain finite number, null for anything else."""
    if kind == "VARCHAR":
        value = present(x, kind, missing)
        # DuckDB reads 1_000 as a thousand; nobody else does.
        return f"{_finite(f'try_cast({value} AS DOUBLE)')[:-4]} AND NOT contains({x}, '_') END"
    if kind == "BOOLEAN" or is_number(kind):
        return _finite(f"CAST({x} AS DOUBLE)")
    return "CAST(NULL AS DOUBLE)"


def _finite(number: str) -> str:
    return f"CASE WHEN isfinite({number}) AND abs({number}) <= {LARGEST} THEN {number} END"


def moment(x: str, kind: str, layout: str, missing: tuple[str, ...] = ()) -> str:
    """SQL of a local date and time between 1900 and 2199, null for anything else."""
    if is_temporal(kind):
        found = f"timezone('UTC', {x})" if "ZONE" in kind else f"CAST({x} AS TIMESTAMP)"
    elif kind == "VARCHAR" or is_integer(kind):
        found = _parsed(f"CAST({present(x, kind, missing)} AS VARCHAR)", layout)
    else:
        return "CAST(NULL AS TIMESTAMP)"
    first, last = _TIMES
    return (
        f"CASE WHEN {found} BETWEEN TIMESTAMP '{first}' AND TIMESTAMP '{last} 23:59:59.999999' "
        f"THEN {found} END"
    )


def _parsed(text: str, layout: str) -> str:
    iso = f"CASE WHEN regexp_matches({text}, '^[0-9]{{4}}[-/]') THEN try_cast({text} AS TIMESTAMP) END"
    if not layout:
        return iso
    own = f"try_strptime({text}, {literal(layout)})"
    if layout == "%Y%m%d":
        # Without a mark between, seven digits can be read in two ways.
        own = f"CASE WHEN length({text}) = 8 THEN {own} END"
    return f"coalesce({own}, {iso})"


def text(x: str, kind: str) -> str:
    """SQL of a value as text, the same for 3 and 3.0; null where missing."""
    if kind == "VARCHAR":
        return f"CASE WHEN {filled(x, kind)} IS NOT NULL THEN {x} END"
    if kind == "BOOLEAN":
        return f"CASE {x} WHEN true THEN 'True' WHEN false THEN 'False' END"
    if kind in ("FLOAT", "DOUBLE") or kind.startswith("DECIMAL"):
        whole = f"{x} = trunc({x}) AND abs({x}) < 1e18"
        value = filled(x, kind)
        return (
            f"CASE WHEN {value} IS NULL THEN NULL WHEN {whole} THEN "
            f"CAST(CAST({x} AS BIGINT) AS VARCHAR) ELSE CAST({x} AS VARCHAR) END"
        )
    return f"CAST({x} AS VARCHAR)"


def read(x: str, kind: str, column: Column) -> Reading:
    """A column's values as the model takes them.

    Parameters
    ----------
    x : str
        The column's SQL name.
    kind : str
        DuckDB's type of it.
    column : Column
        What it was in training.
    """
    if column.kind == "number":
        typed = number(x, kind, column.missing)
    elif column.kind == "date":
        when = moment(x, kind, column.format, column.missing)
        typed = f"CAST(date_diff('day', CAST({when} AS DATE), DATE '{column.reference}') AS DOUBLE)"
    else:
        return _read_category(x, kind, column)
    value = present(x, kind, column.missing)
    return Reading(typed, f"CASE WHEN {value} IS NOT NULL AND {typed} IS NULL THEN {_raw(x)} END")


def _read_category(x: str, kind: str, column: Column) -> Reading:
    value = text(x, kind)
    control = f"regexp_matches({value}, '{_CONTROL}')" if kind == "VARCHAR" else "false"
    typed = value
    if column.kind == "boolean" and kind == "VARCHAR":
        typed = (
            f"CASE lower({filled(x, kind)}) WHEN 'true' THEN 'True' "
            f"WHEN 'false' THEN 'False' ELSE {value} END"
        )
    return Reading(
        f"CASE WHEN NOT {control} THEN {typed} END", f"CASE WHEN {control} THEN {_raw(x)} END"
    )


def _raw(x: str) -> str:
    return f"CAST({x} AS VARCHAR)"


def _text(value: str) -> str:
    return literal(value)
