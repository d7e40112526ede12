"""The module through which MLflow loads a model: frames in, the contract's columns out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from churnml.bundle import load
from churnml.config import Scoring
from churnml.errors import UsageError
from churnml.model import Model, predict
from churnml.scoring.rank import percentile, risk_band
from churnml.scoring.reasons import reasons


class Scorer:
    """A model as MLflow calls it.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, data: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Scores of some rows.

        Parameters
        ----------
        data : DataFrame, shape (n, k)
            The model's columns by name; ``customer_id``, where given, comes back.
        params : mapping, optional
            ``reasons``: how many reasons each row gets, 0 by default.

        Returns
        -------
        DataFrame, shape (n, m)
            The contract's columns that this model can fill; the index of ``data``.
        """
        scores: dict[str, Any] = {}
        if "customer_id" in data.columns and "customer_id" not in self.model.names:
            scores["customer_id"] = data["customer_id"].to_numpy()
        scores |= predict(self.model, data)
        if self.model.task == "churn":
            ranks = percentile(scores["churn_probability"], self.model.reference)
            scores["churn_percentile"] = ranks
            scores["risk_band"] = risk_band(ranks, Scoring().band_percentiles)
        count = int((params or {}).get("reasons", 0))
        if count < 0:
            raise UsageError(f"reasons: at least 0 expected, got {count}.")
        if count:
            scores["reasons"] = reasons(self.model, data, count).to_pylist()
        return pd.DataFrame(scores, index=data.index)


def _load_pyfunc(data_path: str) -> Scorer:
    """What MLflow calls with the folder of the bundle."""
    return Scorer(load(Path(data_path)))
