"""A flat table as training data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from churnml.datasets.leakage import Suspect


@dataclass(frozen=True, kw_only=True)
class FlatData:
    """A table's rows with their labels.

    Attributes
    ----------
    X : DataFrame, shape (n, k)
        Numbers as ``float64`` (dates as ages in days), categories as text; NaN where
        missing.
    y : Series, shape (n,)
        Churn: 0 or 1, 1 for those who left. Satisfaction: 0 to 100.
    ids : Series of text, shape (n,)
        Character for character; row numbers where the table has no id.
    groups : Series of text, shape (n,)
        Rows of one group are never parted; the ids where no group was named.
    signature : dict
        How the columns are read, for `churnml.models.bundle.Origin`.
    notes : list of str
        What the user should know.
    rows : int
        Rows of the file; those that are not in ``X`` are told in the notes.
    fingerprint : str
        SHA-256 of the file.
    suspects : list of Suspect
        Columns that look like outcomes; the notes tell of them too.
    times : Series of date, shape (n,), or None
        The date that each row stands for, where a column tells it.
    """

    X: pd.DataFrame
    y: pd.Series
    ids: pd.Series
    groups: pd.Series
    signature: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    rows: int = 0
    fingerprint: str = ""
    suspects: list[Suspect] = field(default_factory=list)
    times: pd.Series | None = None

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        return (
            f"FlatData({len(self)} of {self.rows} rows, {self.X.shape[1]} columns, "
            f"target {self.y.name!r})"
        )
