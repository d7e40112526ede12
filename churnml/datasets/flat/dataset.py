"""Turn a flat table into a dataset."""

from __future__ import annotations

import pandas as pd

from churnml.datasets.dataset import Dataset
from churnml.datasets.flat.data import FlatData


def flat_dataset(table: FlatData) -> Dataset:
    """Turn a flat table into a dataset without dates."""
    no_dates = pd.Series([None] * len(table), dtype=object, name="as_of")
    return Dataset(X=table.X, y=table.y, groups=table.groups, times=no_dates)
