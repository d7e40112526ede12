"""Declarations of features, which reasons, constraints, cards and notebooks read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from ibis.expr import types as ir

from churnml.base.drivers import Driver
from churnml.tables.contract import TABLES

if TYPE_CHECKING:
    import pandas as pd

Direction = Literal[-1, 0, 1]
AvailableTo = Literal["operator", "survey", "outcome", "snapshot"]

EXPECTED = {-1: "less", 0: "", 1: "more"}
"""How churn is expected to move when a feature grows."""

_OWN = ("unit_zh", "zero_zh", "null_zh", "definition")
"""What only features of one's own have."""

# What can never differ between two versions of one customer or group.
_LASTING = {"customer_id", "activated_on", "birth_year", "group_id", "registered_on"}

# How a feature is counted, at the end of its words.
_UNITS_ZH = re.compile(
    r"（(天|小时|秒|元|已到期为负|至多10个月|[^（）]*、[^（）]*|\d为?[^（）]*)）$"
)


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature, declared once.

    Attributes
    ----------
    name : str
        ``group_statistic_window_unit``; windows are counted back from ``as_of``, in days
        (``90d``) or in visible months (``3m``).
    unit : str
    driver : str
        The group under which reasons and reports show it.
    en, zh : str
        What it says, in English and Chinese.
    direction : {-1, 0, 1}
        How churn is expected to move when it grows; 0 where nothing is expected.
    needs : tuple of str
        ``table.column``: without one of them the feature is absent.
    kind : {"number", "category"}
    empty : int or None
        The value of a customer without any row in the tables that it reads.
    zero, null : str
        What 0 and null mean; empty where the value cannot occur.
    relative : bool
        Whether other customers' rows can change it.
    availability : {"operator", "survey", "outcome", "snapshot"}
        Who has it: every customer (``operator``), only the surveyed, only after the
        outcome; ``snapshot`` where only today's state is known.
    unit_zh, zero_zh, null_zh : str
        The unit, and what 0 and null mean, in Chinese, of a feature of one's own.
    definition : str
        How a feature of one's own is computed, as JSON; empty of churnml's own.

    Examples
    --------
    >>> Feature(name="arpu_mean_3m_yuan", unit="yuan", driver="value", en="ARPU", zh="月均消费",
    ...         needs=("bills.amount",)).tables
    ('bills',)
    """

    name: str
    unit: str
    driver: Driver
    en: str
    zh: str
    needs: tuple[str, ...]
    direction: Direction = 0
    kind: Literal["number", "category"] = "number"
    empty: int | None = None
    zero: str = ""
    null: str = ""
    relative: bool = False
    availability: AvailableTo = "operator"
    unit_zh: str = ""
    zero_zh: str = ""
    null_zh: str = ""
    definition: str = ""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it reads, in the order of ``needs``."""
        return tuple(dict.fromkeys(need.split(".")[0] for need in self.needs))

    def subject(self, lang: Literal["en", "zh"] = "en") -> str:
        """What it is about, in words, without how it is counted."""
        if lang == "zh":
            return _UNITS_ZH.sub("", self.zh)
        return re.split("[:;]", self.en)[0]

    def to_dict(self) -> dict[str, Any]:
        """The declaration as plain data, as models keep it."""
        found = asdict(self)
        return {name: value for name, value in found.items() if value or name not in _OWN}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Feature:
        """A declaration from what `to_dict` gives."""
        known = {name: facts[name] for name in cls.__dataclass_fields__ if name in facts}
        return cls(**known | {"needs": tuple(known["needs"])})


class Declarations(tuple[Feature, ...]):
    """Declared features, in the order of their columns, as a notebook shows them.

    Examples
    --------
    >>> tenure = Feature(name="tenure_days", unit="day", driver="lifecycle", en="Tenure",
    ...                  zh="在网时长", needs=("customers.activated_on",))
    >>> Declarations([tenure])
    1 feature: 1 lifecycle
    """

    __slots__ = ()

    def __repr__(self) -> str:
        drivers = Counter(feature.driver for feature in self)
        counts = ", ".join(f"{number} {driver}" for driver, number in drivers.items())
        return f"{len(self)} feature{'' if len(self) == 1 else 's'}: {counts}"

    def to_dict(self) -> dict[str, Any]:
        """Every declaration as plain data, with the tables that it reads."""
        return {"features": [one.to_dict() | {"tables": list(one.tables)} for one in self]}

    def to_pandas(self) -> pd.DataFrame:
        """One row a feature, in words; text that does not apply is empty."""
        import pandas as pd

        rows = [
            {
                "feature": one.name,
                "unit": one.unit,
                "driver": one.driver,
                "tables": ", ".join(one.tables),
                "churn": EXPECTED[one.direction],
                "meaning": one.en,
                "meaning_zh": one.zh,
                "zero": one.zero,
                "null": one.null,
            }
            for one in self
        ]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        head = ("feature", "unit", "driver", "meaning", "含义", "churn when higher")
        rows = [
            (one.name, one.unit, one.driver, one.en, one.zh, EXPECTED[one.direction])
            for one in self
        ]
        title = "".join(f"<th>{name}</th>" for name in head)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
        )
        return f"<p>{escape(repr(self))}</p><table><tr>{title}</tr>{body}</table>"


def available(features: tuple[Feature, ...], tables: Mapping[str, ir.Table]) -> tuple[Feature, ...]:
    """The features whose tables and columns exist.

    A feature that reads what may have changed since, from a table that does not say
    since when (``valid_from``), comes back with the availability ``snapshot``.
    """
    available = [
        feature
        for feature in features
        if all(_has(tables, *need.split(".")) for need in feature.needs)
    ]
    return tuple(
        replace(feature, availability="snapshot") if _reads_today(feature, tables) else feature
        for feature in available
    )


def _has(tables: Mapping[str, ir.Table], table: str, column: str) -> bool:
    return table in tables and column in tables[table].columns


def _reads_today(feature: Feature, tables: Mapping[str, ir.Table]) -> bool:
    needs = [need.split(".") for need in feature.needs]
    return any(
        table in TABLES
        and TABLES[table].rows == "state"
        and not _lasts(table, column)
        and not _has(tables, table, "valid_from")
        for table, column in needs
    )


def _lasts(table: str, column: str) -> bool:
    # A customer may change groups; a group's own id is its key.
    return column in _LASTING and (table, column) != ("customers", "group_id")
