"""Drift of the features from month to month of a training, and to its test."""

from __future__ import annotations

import pandas as pd

from churnml.datasets.dataset import Dataset
from churnml.datasets.split_dates import Dates
from churnml.models.model import Model

NOTED = 0.25
"""A feature that moved by half a standard deviation between training and test is reported."""

_MOST_NAMED = 5


def drift_table(before: Model, data: Dataset, dates: Dates) -> pd.DataFrame:
    """Measure each feature's drift at each date from the tested model's training data.

    Parameters
    ----------
    before : Model
        As it was tested, with the profile of its training rows.
    data : Dataset
        All rows.
    dates : Dates

    Returns
    -------
    DataFrame
        As `churnml.models.drift.drift_by_month` gives it, with ``part``: train, test or between.
    """
    from churnml.models.drift import drift_by_month

    table = drift_by_month(before.inputs, data.X, data.times, before.origin.customers)
    parts = {str(day): "train" for day in dates.train} | {str(day): "test" for day in dates.test}
    table["part"] = table["as_of"].map(parts).fillna("between")
    return table


def drift_notes(table: pd.DataFrame, between: str = "training and test") -> list[str]:
    """Describe drift beyond the usual in a sentence.

    Parameters
    ----------
    table : DataFrame
        As `drift_table` gives it; the rows of the part ``test`` are looked at.
    between : str, optional

    Examples
    --------
    >>> moved = pd.DataFrame({"feature": ["age"], "part": ["test"], "drift": [0.6], "usual": [0.1]})
    >>> drift_notes(moved)
    ['Between training and test 1 feature drifted: age 0.60 (usual 0.10).']
    """
    drifted = table[(table["part"] == "test") & (table["drift"] > NOTED + table["usual"])]
    worst = drifted.sort_values(["drift", "feature"], ascending=[False, True])
    worst = worst.drop_duplicates("feature")
    if worst.empty:
        return []
    shown = [
        f"{row.feature} {row.drift:.2f} (usual {row.usual:.2f})"
        for row in worst.head(_MOST_NAMED).itertuples()
    ]
    more = f" and {len(worst) - _MOST_NAMED} more" if len(worst) > _MOST_NAMED else ""
    count = f"{len(worst)} feature{'s' if len(worst) > 1 else ''}"
    return [f"Between {between} {count} drifted: {', '.join(shown)}{more}."]
