"""Features of an operator's own tables, from their declarations.

What is summed is whole, so that the order of the rows and the engine are of no account: a
value is split into its whole part and its fraction in millionths of a millionth.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import months_before
from churnml.features.declaration import Feature
from churnml.features.view import KEYS, JoinedTable, View
from churnml.tables import asof
from churnml.tables.source.extra.declaration import Aggregate, ExtraColumn
from churnml.tables.source.extra.expressions import evaluate
from churnml.tables.source.extra.table import ExtraTable

_FRACTION = 1e12
_LARGEST = 1e15
_MONTH_DAYS = 30
_LOOKS_BACK = 13

_EN: Mapping[Aggregate, str] = {
    "last": "{what}, last value",
    "mean": "{what}, mean",
    "sum": "{what}, in total",
    "count": "{what}, times",
    "share": "{what}, share",
    "trend": "{what}, change per {step}",
    "days_since": "{what}, days since the last",
}
_ZH: Mapping[Aggregate, str] = {
    "last": "{span}最近一次{what}",
    "mean": "{span}平均{what}",
    "sum": "{span}累计{what}",
    "count": "{span}{what}次数",
    "share": "{span}{what}占比",
    "trend": "{span}{what}{step}变化",
    "days_since": "{span}距最近一次{what}天数",
}


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """One feature of a column: an aggregate over a window."""

    column: str
    aggregate: Aggregate
    window: str

    @property
    def months(self) -> int:
        """The months of the window; 0 where it is in days, or all that was seen."""
        return int(self.window[:-2]) if self.window.endswith("mo") else 0

    @property
    def days(self) -> int:
        """The days of the window; 0 where it is in months, or all that was seen."""
        return int(self.window[:-1]) if self.window.endswith("d") else 0

    def name(self, table: str) -> str:
        """The name of the feature."""
        window = self.window.replace("mo", "m")
        return "_".join(part for part in (table, self.column, self.aggregate, window) if part)


@dataclass(frozen=True, eq=False)
class OwnBuilder:
    """Builds the features of one table of the operator's own.

    Parameters
    ----------
    table : ExtraTable
    """

    table: ExtraTable

    @cached_property
    def _told(self) -> tuple[_Asked, ...]:
        return tuple(
            _Asked(column=name, aggregate=aggregate, window=window)
            for name, one in self.table.columns.items()
            for aggregate in one.aggregate
            for window in one.windows or ("",)
        )

    @cached_property
    def FEATURES(self) -> tuple[Feature, ...]:
        """The features that the table declares."""
        return tuple(self._feature(told) for told in self._told)

    def _feature(self, told: _Asked) -> Feature:
        table, one = self.table, self.table.columns[told.column]
        kind = table.kinds[told.column]
        category = kind == "category" and told.aggregate == "last"
        needs = [f"{table.name}.{name}" for name in table.inputs[told.column]]
        needs += [] if table.key == "customer_id" else [f"customers.{table.key}"]
        en, zh = self._words(told, one)
        empty = one.empty
        if empty is None and told.aggregate == "count":
            empty = 0
        return Feature(
            name=told.name(table.name),
            unit=_unit(told, one, table.rows),
            driver=one.driver,
            direction=0 if category else one.direction,
            en=en,
            zh=zh,
            needs=tuple(needs),
            kind="category" if category else "number",
            empty=None if category else empty,
            zero=one.zero.en or one.zero.zh,
            null=one.null.en or one.null.zh,
            unit_zh=_unit_zh(told, one, table.rows),
            zero_zh=one.zero.zh or one.zero.en,
            null_zh=one.null.zh or one.null.en,
            availability=one.availability,
            definition=self._definition(told, one),
        )

    def _definition(self, told: _Asked, one: ExtraColumn) -> str:
        """What the values depend on, so that a model can tell whether it learned the same."""
        table = self.table
        facts = {
            "table": table.name,
            "key": table.key,
            "rows": table.rows,
            "known": "known_at"
            if "known_at" in table.entry.columns.values()
            else table.entry.known_after,
            "value": one.expression or told.column,
            "kind": table.kinds[told.column],
            "equals": one.equals,
            "aggregate": told.aggregate,
            "window": told.window,
            "unit": one.unit.en or one.unit.zh,
            "empty": one.empty,
        }
        return json.dumps(facts, ensure_ascii=False, sort_keys=True)

    def _words(self, told: _Asked, one: ExtraColumn) -> tuple[str, str]:
        table = self.table
        monthly = table.rows == "month"
        en_span = zh_span = ""
        if told.months:
            en_span = "in the last month" if told.months == 1 else f"in {told.months} months"
            zh_span = f"近{told.months}个月"
        if told.days:
            en_span, zh_span = f"in {told.days} days", f"近{told.days}天"
        en, zh = one.en or told.column, one.zh or one.en or told.column
        said = _EN[told.aggregate].format(what=en, step="month" if monthly else "30 days")
        step = "月均" if monthly else "每30天"
        return (
            f"{said} {en_span}".strip(),
            _ZH[told.aggregate].format(what=zh, span=zh_span, step=step),
        )

    def parts(self, view: View) -> dict[str, JoinedTable]:
        """The aggregated rows, joined to the customers by the table's key."""
        windowed = [told for told in self._told if told.window]
        whole = [told for told in self._told if not told.window]
        found = {}
        if self.table.rows == "month":
            if windowed:
                rows = self._last_months(view, max(told.months for told in windowed))
                found["windows"] = (rows, windowed)
            if whole:
                found["all"] = (self._visible(view), whole)
        else:
            found["all"] = (self._visible(view), [*windowed, *whole])
        return {
            f"{self.table.name}:{name}": self._joined(rows, told)
            for name, (rows, told) in found.items()
        }

    def columns(self, row: ir.Table, view: View) -> dict[str, ir.Value]:
        """No further features."""
        return {}

    @property
    def _keys(self) -> tuple[str, str]:
        return self.table.key, "as_of"

    def _rows(self, view: View) -> ir.Table:
        table = view.tables[self.table.name]
        there = {name for names in self.table.inputs.values() for name in names}
        names = [self.table.key, self.table.spec.event, *sorted(there & set(table.columns))]
        return table.select(*dict.fromkeys(names), "known_at")

    def _visible(self, view: View) -> ir.Table:
        rows = asof.visible(self._rows(view), self.table.spec, view.moments.select("as_of"))
        return self._wanted(view, rows)

    def _last_months(self, view: View, months: int) -> ir.Table:
        calendar = asof.calendar(self._latest(view), months)
        rows = asof.last_months(self._rows(view), self.table.spec, calendar)
        return self._wanted(view, rows)

    def _wanted(self, view: View, rows: ir.Table) -> ir.Table:
        return view.wanted(rows) if self.table.key == "customer_id" else rows

    def _latest(self, view: View) -> dict[date, date]:
        """The month in which the windows end, for each ``as_of``.

        The latest that is visible for at least half of those who have a row of the year before:
        of all eligible customers, a table of a few would never have one.
        """
        key = self.table.key
        ends = {day: months_before(day, 1) for day in view.dates}
        rows = view.tables[self.table.name].select(key, "month", "known_at")
        calendar = asof.calendar(ends, _LOOKS_BACK)
        rows = asof.last_months(rows, self.table.spec, calendar).select(key, "as_of", "month")
        if key == "customer_id":
            rows = rows.semi_join(asof.eligible(view.customers), list(KEYS))
        rows = rows.distinct()
        seen = rows.group_by("as_of").agg(seen=_[key].nunique())
        counts = rows.group_by("as_of", "month").agg(there=_.count()).join(seen, "as_of")
        latest: dict[date, date] = {}
        for row in counts.to_pyarrow().to_pylist():
            if 2 * row["there"] >= row["seen"]:
                day, month = _day(row["as_of"]), _day(row["month"])
                latest[day] = max(month, latest.get(day, month))
        return latest

    def _joined(self, rows: ir.Table, told: list[_Asked]) -> JoinedTable:
        monthly = self.table.rows == "month"
        rows = rows.mutate(**self._places(rows, monthly=monthly))
        values = {f"value_{name}": self._value(rows, name) for name in self.table.columns}
        ago = ["ago"] if "ago" in rows.columns else []
        rows = rows.select(*self._keys, "known_at", "_when", "_back", *ago, **values)
        ranked = {
            f"first_{name}": self._is_last(rows, f"value_{name}")
            for name in {one.column for one in told if one.aggregate == "last"}
            if not ago
        }
        rows = rows.mutate(**ranked)
        columns = {one.name(self.table.name): self._aggregate(rows, one) for one in told}
        table = rows.group_by(*self._keys).agg(**columns)
        return JoinedTable(table, {name: table[name] for name in columns}, on=self._keys)

    def _places(self, rows: ir.Table, *, monthly: bool) -> dict[str, ir.Value]:
        """When each row happened, a month with its end, and how long before the date."""
        if monthly:
            back = asof.month_index(rows.as_of) - asof.month_index(rows.month)
            return {"_when": (rows.month + ibis.interval(months=1)).cast("date"), "_back": back}
        day = rows[self.table.spec.event].cast("date")
        back = rows.as_of.delta(day, unit="day")
        return {"_when": rows[self.table.spec.event].cast("timestamp"), "_back": back}

    def _value(self, rows: ir.Table, name: str) -> ir.Value:
        one = self.table.columns[name]
        value = rows[name] if one.expression is None else evaluate(one.expression, rows)
        if one.equals is not None:
            return value == one.equals
        if self.table.kinds[name] in ("category", "date"):
            return value
        if value.type().is_boolean():
            return value
        number = value.cast("float64")
        # Not a number is larger than any, and so is null here.
        return ibis.ifelse(number.abs() <= _LARGEST, number, ibis.null("float64"))

    def _is_last(self, rows: ir.Table, value: str) -> ir.BooleanValue:
        there = rows[value].notnull()
        order = [rows["_when"].desc(), rows.known_at.desc(), rows[value].desc()]
        window = ibis.window(group_by=[*(rows[key] for key in self._keys), there], order_by=order)
        return there & (ibis.row_number().over(window) == 0)

    def _inside(self, rows: ir.Table, told: _Asked) -> ir.BooleanValue:
        if "ago" in rows.columns:
            return rows.ago < told.months
        if told.days:
            return rows["_when"] >= (rows.as_of - ibis.interval(days=told.days)).cast("timestamp")
        if told.months:
            begin = (rows.as_of - ibis.interval(months=told.months)).cast("timestamp")
            return rows["_when"] >= begin
        return ibis.literal(True)

    def _aggregate(self, rows: ir.Table, told: _Asked) -> ir.Scalar:
        value, inside = rows[f"value_{told.column}"], self._inside(rows, told)
        known = inside & value.notnull()
        true = known & value if value.type().is_boolean() else known
        if told.aggregate == "count":
            return rows.count(where=true)
        if told.aggregate == "days_since":
            if self.table.kinds[told.column] == "date":
                return rows.as_of.max().delta(value.max(where=known), unit="day")
            last = rows["_when"].max(where=true)
            return rows.as_of.max().delta(last.cast("date"), unit="day")
        if told.aggregate == "last":
            return self._last(rows, told, value, known)
        if told.aggregate == "share":
            if not value.type().is_boolean():
                true = known & (value != 0)
            return rows.count(where=true) / rows.count(where=known).nullif(0)
        number = value.cast("int64").cast("float64") if value.type().is_boolean() else value
        if told.aggregate == "trend":
            return _slope(rows, number, known, 1 if self.table.rows == "month" else _MONTH_DAYS)
        total = _sum(number, known)
        if told.aggregate == "sum":
            return total
        return total / rows.count(where=known).nullif(0)

    def _last(
        self, rows: ir.Table, told: _Asked, value: ir.Value, known: ir.BooleanValue
    ) -> ir.Scalar:
        plain = value.cast("int64") if value.type().is_boolean() else value
        if "ago" in rows.columns:
            # One value a month: the latest month that has one.
            months = range(told.months)
            return ibis.coalesce(*(plain.max(where=known & (rows.ago == k)) for k in months))
        return plain.max(where=known & rows[f"first_{told.column}"])


def _day(value: Any) -> date:
    return value.date() if hasattr(value, "date") else value


def _unit(told: _Asked, one: ExtraColumn, rows: str) -> str:
    if told.aggregate in ("count", "share", "days_since"):
        return {"count": "times", "share": "share", "days_since": "days"}[told.aggregate]
    unit = one.unit.en or one.unit.zh
    if told.aggregate == "trend" and unit:
        return f"{unit} per month" if rows == "month" else f"{unit} per 30 days"
    return unit


def _unit_zh(told: _Asked, one: ExtraColumn, rows: str) -> str:
    """The unit in Chinese, where it is said otherwise than in English."""
    unit = one.unit.zh
    if told.aggregate in ("count", "share", "days_since") or unit in ("", one.unit.en):
        return ""
    if told.aggregate == "trend":
        return f"{unit}/月" if rows == "month" else f"{unit}/30天"
    return unit


def _sum(value: ir.FloatingValue, where: ir.BooleanValue, times: Any = 1) -> ir.FloatingScalar:
    """The sum of values, each times a whole number, in whole parts."""
    whole = value.floor().cast("int64")
    rest = ((value - whole) * _FRACTION + 0.5).floor().cast("int64")
    wholes = (whole * times).sum(where=where).cast("float64")
    return wholes + (rest * times).sum(where=where).cast("float64") / _FRACTION


def _slope(
    rows: ir.Table, value: ir.FloatingValue, where: ir.BooleanValue, step: int
) -> ir.FloatingScalar:
    """Least-squares change per ``step`` of what ``_back`` counts; null with one moment only."""
    back = rows["_back"].cast("int64")
    number = rows.count(where=where).cast("float64")
    backs = back.sum(where=where).cast("float64")
    squares = (back * back).sum(where=where).cast("float64")
    lean = _sum(value, where, times=back)
    spread = number * squares - backs * backs
    # Time counts backwards, hence the sign.
    return (backs * _sum(value, where) - number * lean) / spread.nullif(0.0) * float(step)
