"""A record of complaints, shown in a terminal or a notebook."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from churnml.base.text import counted
from churnml.service.complaints import wide
from churnml.service.complaints.quality import MEASURES
from churnml.service.small_cells import FEWEST

CATEGORIES: Mapping[str, str] = {
    "network": "网络",
    "tariff": "资费",
    "business_support": "业务支撑",
    "service_window": "窗口服务",
    "other": "其他",
    "unclassified": "未归类",
}
"""Each category and its Chinese name."""

CLASSES: Mapping[str, str] = {
    "user_service": "用户服务",
    "network_quality": "网络质量",
    "charging_dispute": "收费争议",
}
"""Each of the regulator's classes and its Chinese name."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ComplaintRecord:
    """What complaints tell at a date.

    Attributes
    ----------
    as_of : str
    months : tuple of str
        The whole months looked back on, by their first days.
    complaints : int or None
        Made in these months; None where hidden.
    coders : dict of str to int or None
        Of them, coded by the operator or its code (``code``), by their text (``text``), by
        neither (``none``).
    for_a_person : int or None
        Those that a person must look at.
    models : list of dict
        When each model of the texts was learned, and from how many records.
    categories, quality, open : DataFrame
        As the files of those names.
    trend : DataFrame
        How each measure of the record's quality changes a month.
    long_unsolved : dict
        ``days`` ``count`` ``oldest_days`` ``median_days`` ``since``.
    surges : DataFrame
        Topics by region against their usual.
    regulator : dict
        Complaints to the regulator (申诉) in all months together: ``complaints``
        ``per_million`` ``low`` ``high`` (per million customers).
    notes : list of str
        What is absent, and what should be known.
    folder, coded : str or None
        Where the files went.
    """

    as_of: str
    months: tuple[str, ...]
    complaints: int | None
    coders: dict[str, int | None]
    for_a_person: int | None
    models: list[dict[str, Any]]
    categories: pd.DataFrame
    quality: pd.DataFrame
    open: pd.DataFrame
    trend: pd.DataFrame
    long_unsolved: dict[str, Any]
    surges: pd.DataFrame
    regulator: dict[str, Any]
    notes: list[str]
    folder: str | None = None
    coded: str | None = None

    def to_pandas(self) -> pd.DataFrame:
        """The complaints by cell, month, category and coder."""
        return self.categories.copy()

    def to_dict(self) -> dict[str, Any]:
        """The record as plain data, for ``--json``; null where it is about few people."""
        frames = ("categories", "quality", "open", "trend", "surges")
        return {
            "as_of": self.as_of,
            "months": list(self.months),
            "complaints": self.complaints,
            "coders": dict(self.coders),
            "for_a_person": self.for_a_person,
            "models": self.models,
            **{name: plain_rows(getattr(self, name)) for name in frames},
            "long_unsolved": self.long_unsolved,
            "regulator": self.regulator,
            "fewest": FEWEST,
            "folder": self.folder,
            "coded": self.coded,
            "notes": list(self.notes),
        }

    @property
    def last_month(self) -> str:
        """The last month told, as ``2026-05``."""
        return self.months[-1][:7]

    @property
    def sentences(self) -> list[str]:
        """What a manager should know first."""
        told = [
            f"{number(self.complaints)} complaints in {len(self.months)} months before "
            f"{self.as_of}: {self._share('code')} in a category by the operator, "
            f"{self._share('text')} by their text, {self._share('none')} for a person."
        ]
        waiting = self.long_unsolved
        told.append(
            f"Long unsolved (长期未解决), {waiting['days']} days or more: "
            f"{number(waiting['count'])}"
            + (f", the oldest since {waiting['since']}." if waiting["since"] else ".")
        )
        appeals = self.regulator
        if appeals["complaints"] is not None:
            rate = interval(appeals["per_million"], appeals["low"], appeals["high"], 0)
            told.append(
                f"To the regulator (申诉): {number(appeals['complaints'])}; "
                f"per million customers {rate}."
            )
        found = self.surges[self.surges["surge"].fillna(False).astype(bool)]
        for row in found.to_dict("records"):
            where = row["region"] or "all regions"
            told.append(
                f"{row['category']} ({CATEGORIES[row['category']]}) surges in {where}: "
                f"{row['ratio']:.1f} times its usual ({row['low']:.1f} to {row['high']:.1f})."
            )
        return told

    def category_rows(self) -> list[tuple[str, ...]]:
        """The last month's complaints by category and coder, hidden ones in a line."""
        last = self.categories[
            (self.categories["by"] == "") & (self.categories["month"].map(str) == self.months[-1])
        ]
        shown = last[last["count"].notna()]
        rows: list[tuple[str, ...]] = [
            (
                f"{row['category']} {CATEGORIES[row['category']]}",
                row["coder"],
                number(row["count"]),
                interval(row["per_1000"], row["low"], row["high"], 2),
            )
            for row in shown.to_dict("records")
        ]
        if len(shown) < len(last):
            rows.append((hidden_cells(len(last) - len(shown)), "", number(None), ""))
        return rows

    def measure_rows(self) -> list[tuple[str, ...]]:
        """The last month's measures over all customers, and how they change."""
        trend = {row["measure"]: row["verdict"] for row in self.trend.to_dict("records")}
        last = self.quality[
            (self.quality["by"] == "") & (self.quality["month"].map(str) == self.months[-1])
        ]
        return [
            (
                f"{row['measure']} {_chinese(row['measure'])}",
                interval(row["value"], row["low"], row["high"], 3),
                number(row["n"]),
                trend.get(row["measure"], ""),
            )
            for row in last.to_dict("records")
        ]

    def open_rows(self) -> list[tuple[str, ...]]:
        """Open complaints over all customers, by age and by category; hidden ones in one line."""
        rows: list[tuple[str, ...]] = []
        for by in ("", "age", "age+region", "category"):
            cells = self.open[self.open["by"] == by]
            shown = cells[cells["count"].notna()]
            rows += [
                (
                    by or "all",
                    row["cell"],
                    number(row["count"]),
                    number(row["oldest_days"]),
                    number(row["median_days"]),
                )
                for row in shown.to_dict("records")
            ]
            if len(shown) < len(cells):
                few = len(cells) - len(shown)
                rows.append((by or "all", hidden_cells(few), number(None), "", ""))
        return rows

    def _share(self, coder: str) -> str:
        count = self.coders.get(coder)
        if count is None or not self.complaints:
            return f"<{FEWEST}" if count is None else number(count)
        return f"{count / self.complaints:.0%}"

    def __repr__(self) -> str:
        return f"ComplaintRecord({self.as_of}: {self.sentences[0]})"

    def _repr_html_(self) -> str:
        parts = [f"<p>{html.escape(sentence)}</p>" for sentence in self.sentences]
        parts += [
            _table(f"Complaints of {self.last_month} by category 投诉分类", CATEGORY_HEAD,
                   self.category_rows()),
            _table(f"The record's quality in {self.last_month} 投诉记录质量", MEASURE_HEAD,
                   self.measure_rows()),
            _table(f"Open at {self.as_of} 未解决投诉", OPEN_HEAD, self.open_rows()),
        ]  # fmt: skip
        parts += [f"<p>note: {html.escape(note)}</p>" for note in self.notes]
        return "".join(parts)


CATEGORY_HEAD = ("category", "coded by", "complaints", "per 1,000 customers")
MEASURE_HEAD = ("measure", "value", "of", "trend")
OPEN_HEAD = ("by", "cell", "open", "oldest, days", "median, days")


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as plain data, None for what is missing.

    >>> plain_rows(pd.DataFrame({"n": pd.array([1, None], "Int64")}))
    [{'n': 1}, {'n': None}]
    """
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return str(value)
    return value.item() if hasattr(value, "item") else value


def number(value: Any) -> str:
    """A whole number for people, or that it is about few of them.

    >>> number(1234), number(None)
    ('1,234', '<10')
    """
    return f"<{FEWEST}" if value is None or pd.isna(value) else f"{value:,.0f}"


def hidden_cells(count: int) -> str:
    """What stands for cells that are hidden, as they or their neighbours are about few people.

    >>> hidden_cells(9), hidden_cells(1)
    ('9 cells hidden 隐藏', '1 cell hidden 隐藏')
    """
    return f"{counted(count, 'cell')} hidden 隐藏"


def interval(value: Any, low: Any, high: Any, digits: int) -> str:
    """A value with its interval.

    >>> interval(0.5, 0.4, 0.6, 2)
    '0.50 (0.40 to 0.60)'
    """
    if value is None or pd.isna(value):
        return f"<{FEWEST}"
    return f"{value:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def _chinese(measure: str) -> str:
    if measure in MEASURES:
        return MEASURES[measure][2]
    return wide.MEASURES[measure][1]


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><caption>{html.escape(title)}</caption><tr>{top}</tr>{body}</table>"
