"""The module through which MLflow loads a model: frames in, the contract's columns out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from churnml.bundle import load
from churnml.config import Scoring
from churnml.errors import ChurnmlError, UsageError
from churnml.model import Model, predict
from churnml.scoring.rank import percentile, risk_band
from churnml.scoring.reasons import reasons
from churnml.signature import KEYS


class Scorer:
    """A model as MLflow calls it.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, data: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Scores of some rows, the same to the bit as in batch scoring.

        Parameters
        ----------
        data : DataFrame, shape (n, k)
            The model's columns by name, in any order; others are passed over.
            ``customer_id`` and ``as_of``, where given, come back.
        params : mapping, optional
            ``reasons``: how many reasons each row gets, 0 by default.

        Returns
        -------
        DataFrame, shape (n, m)
            The contract's columns that this model can fill; the index of ``data``.

        Raises
        ------
        Refused
            Status 400 where it is served: columns missing, text where numbers are due,
            infinite numbers, fewer than 0 reasons. The message names the column.
        """
        try:
            return self._scores(data, int((params or {}).get("reasons", 0)))
        except (ChurnmlError, TypeError) as error:
            from churnml.scoring.refusal import Refused

            raise Refused(str(error)) from error

    def _scores(self, data: pd.DataFrame, count: int) -> pd.DataFrame:
        if count < 0:
            raise UsageError(f"reasons: at least 0 expected, got {count}.")
        keys = [name for name in KEYS if name in data and name not in self.model.names]
        scores: dict[str, Any] = {name: data[name].to_numpy() for name in keys}
        data = data.drop(columns=keys)
        scores |= predict(self.model, data)
        if self.model.task == "churn":
            ranks = percentile(scores["churn_probability"], self.model.reference)
            scores["churn_percentile"] = ranks
            scores["risk_band"] = risk_band(ranks, Scoring().band_percentiles)
        if count:
            scores["reasons"] = reasons(self.model, data, count).to_pylist()
        return pd.DataFrame(scores, index=data.index)


def _load_pyfunc(data_path: str) -> Scorer:
    """What MLflow calls with the folder of the bundle."""
    model = load(Path(data_path))
    if _in_spark_task():
        # Spark runs a task on every core already.
        model.estimator.set_params(n_jobs=1)
    return Scorer(model)


def _in_spark_task() -> bool:
    if "pyspark" not in sys.modules:
        return False
    from pyspark import TaskContext

    return TaskContext.get() is not None
