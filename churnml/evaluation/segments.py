"""What an operator's customers are cut by and worth: brand, tier, region, tenure, age; yuan."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.config.settings import Costs
from churnml.datasets.dataset import Dataset
from churnml.evaluation.bands import age_band, tenure_band
from churnml.metrics.profit import customer_value
from churnml.tables import asof
from churnml.tables.contract import TABLES
from churnml.tables.source import Source

_FEATURES = {
    "brand": "lifecycle_brand",
    "tier": "tier_individual_now",
    "group tier": "tier_group_now",
    "payment": "lifecycle_payment",
}
_BANDS = {
    "tenure": ("lifecycle_tenure_days", tenure_band),
    "age": ("lifecycle_age_years", age_band),
}
_SPENDING = "arpu_mean_3m_yuan"
_MOST_VALUES = 12
_MOST_COLUMNS = 6


def operator_cuts(source: Source, data: Dataset) -> pd.DataFrame:
    """Each row's brand, tiers, payment, region, tenure band and age band, as far as known."""
    found = {
        name: data.X[feature].astype(object)
        for name, feature in _FEATURES.items()
        if feature in data.X
    }
    if "group tier" in found:
        found["group tier"] = found["group tier"].where(found["group tier"].notna(), "no group")
    if "region" in source.tables["customers"].columns:
        found["region"] = _regions(source, data)
    for name, (feature, band) in _BANDS.items():
        if feature in data.X:
            found[name] = band(data.X[feature].to_numpy(np.float64, na_value=np.nan))
    return pd.DataFrame({name: column.to_numpy(object) for name, column in found.items()})


def _regions(source: Source, data: Dataset) -> pd.Series:
    spine = ibis.memtable(
        pd.DataFrame({"customer_id": data.groups, "as_of": data.times}),
        schema={"customer_id": "string", "as_of": "date"},
    )
    rows = asof.in_force(source.tables["customers"], TABLES["customers"], spine)
    known = rows.select("customer_id", "as_of", "region").to_pyarrow().to_pandas()
    keys = pd.DataFrame({"customer_id": data.groups, "as_of": data.times})
    return keys.merge(known, "left", ["customer_id", "as_of"], validate="1:1")["region"]


def operator_value(X: pd.DataFrame, costs: Costs) -> NDArray[np.float64]:
    """What keeping each customer is worth, from the ARPU of three months."""
    spending = (
        X[_SPENDING].to_numpy(np.float64, na_value=np.nan)
        if _SPENDING in X
        else np.full(len(X), np.nan)
    )
    return customer_value(spending, costs)


def table_cuts(X: pd.DataFrame) -> pd.DataFrame | None:
    """The text columns of a table of one's own that have few values, the first six."""
    few = [
        name
        for name in X.columns
        if not pd.api.types.is_numeric_dtype(X[name]) and 2 <= X[name].nunique() <= _MOST_VALUES
    ][:_MOST_COLUMNS]
    return X[few].reset_index(drop=True) if few else None
