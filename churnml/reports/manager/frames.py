"""What is read from the verbs' tables: rows, numbers and dates as plain Python."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from churnml.base.page import svg
from churnml.reports.manager.phrases import Phrases

if TYPE_CHECKING:
    import pandas as pd


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table."""
    return [{str(name): one for name, one in row.items()} for row in frame.to_dict("records")]


def number_of(value: Any) -> float:
    """A number; NaN where it is missing."""
    import pandas as pd

    return math.nan if pd.isna(value) else float(value)


def day_of(value: Any) -> date:
    """A date, of one or of its ISO text."""
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def light_of(value: Any, p: Phrases) -> Markup | str:
    """The light of an indicator; a dash where it has none."""
    if value in ("good", "unclear", "bad"):
        return svg.light(value, p.name("lights", value))
    return "–"
