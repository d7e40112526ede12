"""Turn a flat table into a dataset."""

from __future__ import annotations

import pandas as pd

from churnml.datasets.dataset import Dataset
from churnml.datasets.flat.data import FlatData


def flat_dataset(table: FlatData) -> Dataset:
    """Turn a flat table into a dataset, without dates where no column tells them."""
    times = table.times
    if times is None:
        times = pd.Series([None] * len(table), dtype=object)
    return Dataset(X=table.X, y=table.y, groups=table.groups, times=times.rename("as_of"))
