"""Convert a source column to the type that the contract asks for.

A column that already has the contract's type is passed on untouched, so that reading it
costs nothing. Any other is converted value by value, and what cannot be converted becomes
null and is kept as text beside the column, for `churnml.tables.validation` to report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import ibis
from ibis.expr import datatypes as dt
from ibis.expr import types as ir

from churnml.tables.contract import ColumnSpec

RAW = "raw:"
"""Prefix of the column that holds the text of a value that could not be read."""

ROW = "row:number"
"""The 1-based number of a row in its file."""

FILE = "row:file"
"""The file that a row stands in, where a table has several."""

_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")
_EXACT = float(2**53)
_ZONED = r":\d\d(\.\d+)?\s*(Z|[A-Za-z]{3,}|[+-]\d\d(:?\d\d)?)$"


@dataclass(frozen=True, kw_only=True)
class ReadingRule:
    """How the mapping says to read one column.

    Attributes
    ----------
    values : mapping of str to str
        Their code values to the contract's.
    scale : Fraction
        The contract's unit is theirs times this.
    format : str or None
        How their dates are written, in the codes of ``strptime``.
    nulls : tuple of str
        Texts that mean a missing value.
    timezone : str
        Where zoned timestamps become local ones.
    thousands : bool
        Whether numbers may be written as ``1,234.50``.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    scale: Fraction = Fraction(1)
    format: str | None = None
    nulls: tuple[str, ...] = ()
    timezone: str = "UTC"
    thousands: bool = False


@dataclass(frozen=True)
class ReadColumn:
    """A converted column, and the text of the values that could not be read.

    Attributes
    ----------
    typed : ibis Value
    failed : ibis StringValue or None
        Null where the value was read or missing; ``None`` where nothing can fail.
    """

    typed: ir.Value
    failed: ir.StringValue | None = None


# Typed by hand: mypy sees neither the decorator nor what it makes of the body.
_local = ibis.udf.scalar.builtin(
    lambda zone, moment: None,
    name="timezone",
    signature=(("string", dt.Timestamp(timezone="UTC")), "timestamp"),
)
_parse = ibis.udf.scalar.builtin(
    lambda text, layout: None,
    name="try_strptime",
    signature=(("string", "string"), "timestamp"),
)


def read_column(raw: ir.Value, column: ColumnSpec, rule: ReadingRule | None = None) -> ReadColumn:
    """Convert a source column to the contract's type.

    Parameters
    ----------
    raw : ibis Value
        The column as it stands in the source.
    column : ColumnSpec
        What the contract says of it.
    rule : ReadingRule, optional
        What the mapping says of it.

    Returns
    -------
    ReadColumn
    """
    rule = rule or ReadingRule()
    if rule.nulls and raw.type().is_string():
        for text in rule.nulls:
            raw = raw.nullif(text)
    if rule.values:
        text = _as_text(raw).typed
        raw = text.cases(*rule.values.items(), else_=text)
    read = _READERS[column.kind]
    return read(raw, rule)


def _checked(raw: ir.Value, typed: ir.Value) -> ReadColumn:
    failed = ibis.ifelse(raw.notnull() & typed.isnull(), raw.cast("string"), ibis.null("string"))
    return ReadColumn(typed, failed)


def _unreadable(raw: ir.Value, kind: str) -> ReadColumn:
    return _checked(raw, ibis.null(kind))


def _as_text(raw: ir.Value, rule: ReadingRule | None = None) -> ReadColumn:
    kind = raw.type()
    if kind.is_string():
        return ReadColumn(raw)
    if kind.is_integer() or kind.is_boolean() or kind.is_uuid():
        return ReadColumn(raw.cast("string"))
    if kind.is_decimal():
        return ReadColumn(raw.cast("string").re_replace(r"\.0+$", ""))
    if kind.is_floating():
        # An id column of whole numbers with one gap becomes floating in pandas.
        missing = raw.isnan().ifelse(ibis.null(kind), raw)
        return _checked(missing, _whole(raw).cast("string"))
    if kind.is_temporal():
        return ReadColumn(raw.cast("string"))
    return _unreadable(raw, "string")


def _as_number(raw: ir.Value, rule: ReadingRule) -> ReadColumn:
    kind = raw.type()
    if kind.is_string():
        typed = _number(_ungrouped(raw) if rule.thousands else raw)
    elif kind.is_numeric():
        typed = raw if kind.is_float64() else raw.cast("float64")
    else:
        return _unreadable(raw, "float64")
    if rule.scale != 1:
        # Times 1 and over 100, not times 0.01, which is rounded twice.
        up, down = rule.scale.numerator, rule.scale.denominator
        typed = (typed if up == 1 else typed * up) / float(down)
    return _checked(raw, typed) if kind.is_string() else ReadColumn(typed)


def _number(text: ir.StringValue) -> ir.FloatingValue:
    """Parse a number; unlike DuckDB, not ``1_000`` as a thousand."""
    return text.contains("_").ifelse(ibis.null("float64"), text.try_cast("float64"))


def _ungrouped(text: ir.StringValue) -> ir.StringValue:
    """The text without the commas of ``1,234.50``; any other is left as it is."""
    grouped = text.re_search(r"^[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$")
    return grouped.ifelse(text.replace(",", ""), text)


def _as_integer(raw: ir.Value, rule: ReadingRule) -> ReadColumn:
    kind = raw.type()
    if rule.scale == 1 and kind.is_integer() and not kind.is_uint64():
        return ReadColumn(raw if kind.is_int64() else raw.cast("int64"))
    number = _as_number(raw, rule).typed
    missing = raw.isnan().ifelse(ibis.null(kind), raw) if kind.is_floating() else raw
    return _checked(missing, _whole(number))


def _whole(number: ir.FloatingValue) -> ir.IntegerValue:
    """The number where it is a whole one that a floating number holds exactly, else null."""
    near = number.try_cast("int64")
    exact = (near.cast("float64") == number) & (number.abs() <= _EXACT)
    return exact.ifelse(near, ibis.null("int64"))


def _as_boolean(raw: ir.Value, rule: ReadingRule) -> ReadColumn:
    kind = raw.type()
    if kind.is_boolean():
        return ReadColumn(raw)
    text = _as_text(raw).typed.lower().strip()
    return _checked(raw, ibis.cases((text.isin(_TRUE), True), (text.isin(_FALSE), False)))


def _as_date(raw: ir.Value, rule: ReadingRule) -> ReadColumn:
    kind = raw.type()
    if kind.is_date():
        return ReadColumn(raw)
    if kind.is_timestamp():
        return ReadColumn(_as_timestamp(raw, rule).typed.cast("date"))
    text = _as_text(raw).typed
    if rule.format:
        return _checked(raw, _parse(text, rule.format).cast("date"))
    if not kind.is_string():
        return _unreadable(raw, "date")
    return _checked(raw, _parsed_timestamp(text, rule).cast("date"))


def _as_timestamp(raw: ir.Value, rule: ReadingRule) -> ReadColumn:
    kind = raw.type()
    if kind.is_timestamp():
        if kind.timezone is not None:
            return ReadColumn(_local(rule.timezone, raw))
        return ReadColumn(raw if kind.scale in (None, 6) else raw.cast("timestamp"))
    if kind.is_date():
        return ReadColumn(raw.cast("timestamp"))
    text = _as_text(raw).typed
    if rule.format:
        return _checked(raw, _parse(text, rule.format))
    if not kind.is_string():
        return _unreadable(raw, "timestamp")
    return _checked(raw, _parsed_timestamp(text, rule))


def _parsed_timestamp(text: ir.StringValue, rule: ReadingRule) -> ir.TimestampValue:
    """Parse a text as a local timestamp, honouring its time zone, which DuckDB alone would drop."""
    zoned = _local(rule.timezone, text.try_cast(dt.Timestamp(timezone="UTC")))
    return text.re_search(_ZONED).ifelse(zoned, text.try_cast("timestamp"))


_READERS = {
    "text": _as_text,
    "number": _as_number,
    "integer": _as_integer,
    "boolean": _as_boolean,
    "date": _as_date,
    "month": _as_date,
    "timestamp": _as_timestamp,
}
