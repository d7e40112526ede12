"""The day from which a table's dates are counted as ages.

Training names one column whose latest date gives that day, and keeps it. Scoring counts from
the day that it is given, or from that column's latest date in a large and later table, or
from the training's own day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from churnml.base.text import quoted
from churnml.datasets.flat.dates import latest_date
from churnml.datasets.flat.signature import Column, Signature
from churnml.datasets.flat.table import Table
from churnml.errors import UsageError

LARGE = 1_000
"""Rows from which a table's latest date tells when it was drawn; in fewer it is chance."""

_MONTH = timedelta(days=31)
_CONTRACT = timedelta(days=3653)
"""Contracts end within ten years; what lies further apart is a birth, or never ends."""

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NO_MOMENT = re.compile(
    "birth|dob|born|expir|enddate|ends?|ending|until|due|next|maturity|renewal|warranty"
)
_NO_MOMENT_CHINESE = re.compile("出生|生日|到期|截止|结束|失效|终止|期满|有效期")


@dataclass(frozen=True, kw_only=True)
class Ages:
    """The day from which a table's dates are counted, and why.

    Attributes
    ----------
    counted_from : str
    by : {"as_of", "table", "training", "row"}
        Because it was given, because it is the table's latest date, or as in training; or
        each row's dates are counted from its own.
    column : str
        The column whose latest date gives the day of training.
    trained : str
        The day of training.
    """

    counted_from: str
    by: Literal["as_of", "table", "training", "row"]
    column: str
    trained: str

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def describe(self) -> str:
        """Describe the day in a sentence."""
        if self.by == "row":
            return f"Dates are counted from each row's own, {quoted(self.column)}."
        why = {
            "as_of": "as was asked",
            "table": f"the latest of {quoted(self.column)}",
            "training": "as in training",
        }[self.by]
        trained = "" if self.by == "training" else f"; training counted from {self.trained}"
        return f"Dates are counted from {self.counted_from}, {why}{trained}."


def snapshot_name(latest: Mapping[str, date], today: date | None = None) -> str | None:
    """The column whose latest date gives the day a table was extracted.

    The one with the latest date of all, but for those that lie after the others by more than
    a month: ends of contracts and the like, which are also known by their names, as births
    are. A birth lies so far before the others that it says nothing of them.

    Parameters
    ----------
    latest : mapping of str to date
        The latest date of each column, by its name.
    today : date, optional
        What lies after it has not happened.

    Returns
    -------
    str or None
        ``None`` where there are only births and ends.

    Examples
    --------
    >>> days = {"joined": date(2025, 6, 1), "paid": date(2025, 6, 3), "promo": date(2027, 1, 1)}
    >>> snapshot_name(days)
    'paid'
    >>> snapshot_name({"contract_ends": date(2027, 1, 1)}) is None
    True
    """
    days = {name: day for name, day in latest.items() if not _says_otherwise(name)}
    today = today or date.today()
    for name, day in sorted(days.items(), key=lambda one: (one[1], one[0]), reverse=True):
        others = [other for key, other in days.items() if key != name]
        ahead = day - max(others) if others else timedelta()
        if ahead <= _MONTH or (ahead > _CONTRACT and day <= today):
            return name
    return None


def _says_otherwise(name: str) -> bool:
    words = (word.lower() for word in _WORDS.findall(name))
    return bool(
        any(_NO_MOMENT.fullmatch(word) or word.startswith("expir") for word in words)
        or _NO_MOMENT_CHINESE.search(name)
    )


def anchored(columns: Mapping[str, Column]) -> tuple[dict[str, Column], Column | None]:
    """Count all date columns from one day; return them with the column that gives it.

    Where no column gives it, each is counted from its own latest date.
    """
    dates = {x: one for x, one in columns.items() if one.kind == "date"}
    name = snapshot_name({one.name: one.day for one in dates.values()})
    snapshot = next((one for one in dates.values() if one.name == name), None)
    if snapshot is None:
        return dict(columns), None
    anchored_dates = {
        x: replace(one, reference=snapshot.reference, ahead=one.day > snapshot.day)
        for x, one in dates.items()
    }
    return {**columns, **anchored_dates}, snapshot


def anchored_at(columns: Mapping[str, Column], time: Column) -> dict[str, Column]:
    """Count all date columns from the latest date that a row stands for."""
    return {
        x: replace(one, reference=time.reference) if one.kind == "date" else one
        for x, one in columns.items()
    }


def with_snapshot(signature: Signature) -> Signature:
    """Upgrade the signature of a model made before one column gave the day of training.

    Its dates are counted from the latest one of each column, which gives the day as well.
    """
    by_name = {one.name: one for one in signature.columns}
    _columns, snapshot = anchored(by_name)
    if snapshot is None:
        return signature
    columns = tuple(
        replace(one, ahead=one.day > snapshot.day) if one.kind == "date" else one
        for one in signature.columns
    )
    return replace(signature, columns=columns, snapshot=snapshot)


def counted_from(signature: Signature, day: date) -> Signature:
    """The signature with dates counted from another day.

    Raises
    ------
    UsageError
        If the model cannot tell how far the day is from its training.
    """
    if not any(one.kind == "date" for one in signature.columns):
        return signature
    if signature.snapshot is None:
        raise _no_moment(signature)
    later = day - signature.snapshot.day
    columns = tuple(
        replace(one, reference=(one.day + later).isoformat()) if one.kind == "date" else one
        for one in signature.columns
    )
    return replace(signature, columns=columns)


def ages_of(table: Table, signature: Signature, as_of: date | None = None) -> Ages | None:
    """Decide from which day a table's dates are counted; ``None`` if the model reads no dates.

    Raises
    ------
    UsageError
        If a day is given to a model that cannot tell how far it is from its training.
    """
    snapshot = signature.snapshot
    if not any(one.kind == "date" for one in signature.columns):
        return None
    if snapshot is None:
        if as_of is not None:
            raise _no_moment(signature)
        return None
    if as_of is not None:
        return Ages(
            counted_from=as_of.isoformat(),
            by="as_of",
            column=snapshot.name,
            trained=snapshot.reference,
        )
    if signature.time in table.names:
        return Ages(counted_from="", by="row", column=snapshot.name, trained=snapshot.reference)
    latest = _latest(table, snapshot)
    if latest is not None and latest > snapshot.day:
        return Ages(
            counted_from=latest.isoformat(),
            by="table",
            column=snapshot.name,
            trained=snapshot.reference,
        )
    return Ages(
        counted_from=snapshot.reference,
        by="training",
        column=snapshot.name,
        trained=snapshot.reference,
    )


def _latest(table: Table, snapshot: Column) -> date | None:
    """The latest date of the snapshot column, if the table is large enough."""
    if snapshot.name not in table.names:
        return None
    ((rows,),) = table.query("count(*)")
    x = table.column(snapshot.name, "")
    return latest_date(table, {x: snapshot}) if rows >= LARGE else None


def _no_moment(signature: Signature) -> UsageError:
    dates = [quoted(one.name) for one in signature.columns if one.kind == "date"]
    return UsageError(
        f"as_of: of {', '.join(dates)} none tells when the model's training table was "
        "extracted, so its dates cannot be counted from another day.",
        hint="Leave as_of out: dates are then counted as in training.",
    )
