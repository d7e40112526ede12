"""A table of one's own, declared in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Any

from churnml.config.settings import parse
from churnml.tables.source.extra.declaration import ExtraMapping


@dataclass(frozen=True, eq=False)
class Extra:
    """A table of one's own, and what each customer's features tell of it.

    Features are called ``table_column_aggregate_window``, as ``crm_balance_mean_3m``, and obey
    the time rule of all others: a row counts once it has happened and was known.

    Parameters
    ----------
    path_or_frame : path or frame
        A Parquet or CSV file, a folder of Parquet parts, the name of a table of the database, or
        a frame of any kind that `churnml.open_source` takes.
    key : str, or mapping of str to str
        Whose rows they are: ``customer_id``, ``group_id``, ``hall_id`` or ``region``; where the
        column is called otherwise, ``{"客户编号": "customer_id"}``.
    time : str, optional
        The column of the moment at which a row happened, of its month, or the day from which on
        it is valid; by default ``month`` or ``valid_from``, where the table has one.
    known_at : str, optional
        The column of when a row reached the warehouse; by default ``known_at``, if it is there.
    known_after : str
        Where there is no such column: how long after it happened a row is known, ``3d``, ``12h``.
    columns : mapping of str to mapping
        For each column: ``aggregate`` (last, mean, sum, count, share, trend, days_since; one or
        several), ``windows`` (``1mo``, ``30d``; none: everything seen), ``unit`` (text, or
        ``{"en": "visits", "zh": "次"}``), ``driver``, ``direction`` (-1, 0, 1: how churn is
        expected to move when it grows), ``en``, ``zh``, ``null`` and ``zero`` (what a missing
        value and 0 mean), ``empty`` (the number of a customer without rows), ``kind`` (number,
        category, boolean, date; of a CSV file a number, unless it is said). With
        ``expression`` (``(inbound + outbound) / 60``, ``wait > 600``) the name is a new one;
        ``equals`` counts the rows of one text.
    rows : {"event", "month", "state"}, optional
        What a row is, where ``time`` is neither ``month`` nor ``valid_from`` by name; needed
        where every row is of the first of a month.
    encoding, delimiter, formats, scale, values
        How a file is read, as in a mapping.

    Raises
    ------
    UsageError
        If the declaration says what none can; names the place.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"customer_id": ["1"], "month": ["2026-05-01"], "balance": [3.0]})
    >>> Extra(frame, columns={"balance": {"aggregate": ["last", "mean"], "windows": "3mo"}})
    Extra(DataFrame, by customer_id: balance)
    """

    path_or_frame: Any
    _: KW_ONLY
    columns: Mapping[str, Mapping[str, Any]]
    key: str | Mapping[str, str] = "customer_id"
    time: str | None = None
    known_at: str | None = None
    known_after: str = "0d"
    rows: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    formats: Mapping[str, str] = field(default_factory=dict)
    scale: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    mapping: ExtraMapping = field(init=False)

    def __post_init__(self) -> None:
        names = [one.name for one in fields(self) if one.init and one.name != "path_or_frame"]
        given = {name: getattr(self, name) for name in names}
        object.__setattr__(self, "mapping", parse(ExtraMapping, given, "Extra"))

    def __repr__(self) -> str:
        data = self.path_or_frame
        what = str(data) if isinstance(data, str) or hasattr(data, "__fspath__") else None
        return (
            f"Extra({what or type(data).__name__}, by {self.key}: "
            f"{', '.join(self.mapping.columns)})"
        )
