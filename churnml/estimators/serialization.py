"""What every saved estimator holds beside its own: parameters and column names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from churnml.estimators.boosting.fit import seed_of


def plain_params(estimator: BaseEstimator) -> dict[str, Any]:
    """The parameters as JSON holds them; the number of threads stays at home."""
    params = dict(estimator.get_params(deep=False))
    params["random_state"] = seed_of(params["random_state"])
    params["n_jobs"] = None
    return {name: _plain(value) for name, value in params.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def restore_columns(estimator: BaseEstimator, state: Mapping[str, Any]) -> None:
    """Give an estimator the column names of its state."""
    names = list(state["columns"])
    estimator.columns_in_ = names
    estimator.n_features_in_ = len(names)
    if state["named"]:
        estimator.feature_names_in_ = np.array(names, dtype=object)
