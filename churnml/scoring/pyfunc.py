"""MLflow's loader module: frames in, the contract's columns out."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from churnml.base.dates import parse_date
from churnml.base.tasks import TASKS
from churnml.datasets.flat import Signature, counted_from, mistaken, read_frame
from churnml.errors import ChurnmlError, UsageError
from churnml.estimators.encoding.frames import as_frame
from churnml.models.bundle import load
from churnml.models.model import Model, predict
from churnml.models.signature import KEYS
from churnml.scoring.percentile import percentile, risk_band
from churnml.scoring.pyfunc_frames import pass_frames
from churnml.scoring.reasons import reasons


class Scorer:
    """A model in the form in which MLflow calls it.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Score rows, bit for bit as in batch scoring.

        Parameters
        ----------
        data : DataFrame, shape (n, k)
            The model's columns by name, in any order; others are passed over. Frames of
            polars and Arrow are read like those of pandas. ``customer_id`` and ``as_of``,
            where given, come back.
        params : mapping, optional
            ``reasons``: how many reasons each row gets, 0 by default. ``as_of``, of a flat
            table: the day from which its dates are counted, by default that of training.

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
            _refuse_evaluation(self.model)
            given = params or {}
            as_of = given.get("as_of") or None
            return self._scores(as_frame(data), int(given.get("reasons", 0)), as_of)
        except (ChurnmlError, TypeError) as error:
            from churnml.scoring.serving_error import Refused

            raise Refused(str(error)) from error

    def _scores(self, data: pd.DataFrame, count: int, as_of: str | None) -> pd.DataFrame:
        if count < 0:
            raise UsageError(f"reasons: at least 0 expected, got {count}.")
        keys = [name for name in KEYS if name in data and name not in self.model.names]
        scores: dict[str, Any] = {name: data[name].to_numpy() for name in keys}
        data = self._read(data.drop(columns=keys), as_of)
        if as_of is not None:
            scores["as_of"] = np.full(len(data), parse_date(as_of).isoformat(), dtype=object)
        scores |= predict(self.model, data)
        if TASKS[self.model.task].bands:
            ranks = percentile(scores["churn_probability"], self.model.reference)
            scores["churn_percentile"] = ranks
            scores["risk_band"] = risk_band(ranks, self.model.bands)
        if count:
            scores["reasons"] = reasons(self.model, data, count).to_pylist()
        return pd.DataFrame(scores, index=data.index)

    def _read(self, data: pd.DataFrame, as_of: str | None) -> pd.DataFrame:
        """Read a flat table's columns as in batch scoring; pass operator features through."""
        if "columns" not in self.model.origin.table:
            return data
        signature = Signature.from_dict(self.model.origin.table)
        if as_of is not None:
            signature = counted_from(signature, parse_date(as_of))
        read = read_frame(data, signature)
        self._tell_mistaken(read)
        return read

    def _tell_mistaken(self, data: pd.DataFrame) -> None:
        """Warn of missing values that pandas may have made of values of a category."""
        for name, levels in self.model.estimator.categories_.items():
            values = mistaken(levels)
            if values and name in data and data[name].isna().any():
                warnings.warn(
                    f"{name!r}: {int(data[name].isna().sum()):,} missing values; {values} are "
                    "values of this column, and missing to pandas.read_csv, unless "
                    "keep_default_na=False.",
                    stacklevel=2,
                )


def _load_pyfunc(data_path: str) -> Scorer:
    """Load a model from a bundle's folder; called by MLflow."""
    pass_frames()
    model = load(Path(data_path))
    if _in_spark_task():
        # Spark runs a task on every core already.
        model.estimator.set_params(n_jobs=1)
    return Scorer(model)


def _refuse_evaluation(model: Model) -> None:
    """Refuse MLflow's evaluators, which take one column of labels for what a model predicts.

    Raises
    ------
    UsageError
        Names what measures the model, and how MLflow's report is made of it.
    """
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if str(frame.f_globals.get("__name__")).startswith("mlflow.models.evaluation"):
            score = TASKS[model.task].score
            scores = TASKS[model.task].measured_as == "satisfaction"
            value, kind = ("", "regressor") if scores else (" > 0.5", "classifier")
            raise UsageError(
                "mlflow.models.evaluate takes one column of labels for what a model predicts; this "
                f"one gives {score} and more.",
                hint="churnml.evaluate(model, data, target=...) measures it, with intervals. For "
                f"MLflow's own report: data['predicted'] = model.predict(data)['{score}']{value}, "
                "then mlflow.models.evaluate(data=data[['predicted', target]], "
                f"predictions='predicted', targets=target, model_type='{kind}').",
            )


def _in_spark_task() -> bool:
    if "pyspark" not in sys.modules:
        return False
    from pyspark import TaskContext

    return TaskContext.get() is not None
