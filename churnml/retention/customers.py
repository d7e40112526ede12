"""The customers of a plan: what each offer would do for each of them, and what that is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from churnml.config.settings import Config
from churnml.models.model import predict
from churnml.registry.resolve import Resolved
from churnml.retention.learning import (
    Effects,
    Learned,
    monthly_margin,
    stay_values,
    window_months,
)
from churnml.retention.value import monthly_chances

Floats = NDArray[np.float64]

TIERS = {"individual_tier": "tier_individual_now", "group_tier": "tier_group_now"}
AGE = "lifecycle_age_years"


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Everybody eligible, in the order of their ids; arrays of n rows.

    Attributes
    ----------
    ids : array of text
    chance : array
        Probability of leaving without an offer.
    value : array
        Yuan, of a customer who stays.
    effects : Effects
    acceptance : array, shape (n, offers)
        Probability of accepting each offer.
    gain : array, shape (n, offers)
    extrapolated : array of bool
    told : DataFrame
        Tiers and age, by which plans are told.
    """

    ids: NDArray[np.object_]
    chance: Floats
    value: Floats
    effects: Effects
    acceptance: Floats
    gain: Floats
    extrapolated: NDArray[np.bool_]
    told: pd.DataFrame


def batches(path: Path, rows: int) -> Iterator[pd.DataFrame]:
    """The features of a file, so many rows at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=rows):
            yield batch.to_pandas()


def value_customers(
    path: Path, learned: Learned, churn: Resolved, hazard: Resolved | None, config: Config
) -> Candidates:
    """Score everybody of a file of features, batch by batch.

    Parameters
    ----------
    path : Path
        Of features at the date of the plan.
    learned : Learned
    churn : Resolved
    hazard : Resolved or None
        Tells when customers leave; without it every month of the churn model's window is
        taken to be alike.
    config : Config
    """
    parts = [_value(X, learned, churn, hazard, config) for X in batches(path, 50_000)]
    if not parts:
        parts = [_value(_empty(path), learned, churn, hazard, config)]

    def joined(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.concatenate([getattr(one, name) for one in parts])

    effects = {
        name: np.concatenate([getattr(one.effects, name) for one in parts])
        for name in ("effect", "low", "high")
    }
    return Candidates(
        ids=np.concatenate([one.ids for one in parts]),
        chance=joined("chance"),
        value=joined("value"),
        effects=Effects(**effects),
        acceptance=joined("acceptance"),
        gain=joined("gain"),
        extrapolated=np.concatenate([one.extrapolated for one in parts]),
        told=pd.concat([one.told for one in parts], ignore_index=True),
    )


def _empty(path: Path) -> pd.DataFrame:
    with pq.ParquetFile(path) as file:
        return file.schema_arrow.empty_table().to_pandas()


def _value(
    X: pd.DataFrame, learned: Learned, churn: Resolved, hazard: Resolved | None, config: Config
) -> Candidates:
    if len(X):
        chance = predict(churn.model, X)["churn_probability"]
        effects = learned.effects(X, chance)
    else:
        chance, none = np.zeros(0), np.zeros((0, len(learned.offers)))
        effects = Effects(none, none, none)
    months = window_months(str(churn.model.origin.label.get("horizon", "2mo")))
    within = monthly_chances(chance, months)
    if hazard is not None and len(X):
        within = hazard.model.estimator.predict_within(X)
    value = stay_values(monthly_margin(X, config), within, config)
    matrix = learned.encoded(X) if len(X) else np.zeros((0, 1), np.float32)
    acceptance = learned.acceptance.predict(matrix) if len(X) else np.zeros_like(effects.effect)
    told = {name: X[column] for name, column in TIERS.items() if column in X}
    told |= {"age": X[AGE]} if AGE in X else {}
    return Candidates(
        ids=X["customer_id"].to_numpy(object),
        chance=chance,
        value=value,
        effects=effects,
        acceptance=acceptance,
        gain=learned.gains(effects, value, acceptance),
        extrapolated=learned.extrapolated(X, matrix) if len(X) else np.zeros(0, bool),
        told=pd.DataFrame(told, index=X.index),
    )
