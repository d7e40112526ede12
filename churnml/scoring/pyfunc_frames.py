"""Let MLflow's wrapper of our models pass on frames of polars and Arrow, and any type of number.

MLflow checks the input of a pyfunc model against its signature before the model sees it. That
check knows pandas frames alone, refuses whole numbers where fractions are due unless all of
them are 0 or 1, and quotes customers' rows in its refusals. For the models of churnml it is
left to the models, which read the same values alike however they are kept and name the column
of those that they cannot read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Any

import numpy as np
import pandas as pd

from churnml.estimators.encoding.frames import as_frame

LOADER = "churnml.scoring.pyfunc"
"""The module through which MLflow loads our models, by which it tells them."""

_MARK = "_passes_churnml_frames"


def pass_frames() -> None:
    """Leave the check of our models' input to the models, in this process.

    Models of others are checked by MLflow as before.
    """
    from mlflow import pyfunc

    checked = pyfunc._enforce_schema
    if hasattr(checked, _MARK):
        return

    @wraps(checked)
    def enforce(data: Any, schema: Any, flavor: str | None = None) -> Any:
        return _frame(data) if flavor == LOADER else checked(data, schema, flavor)

    setattr(enforce, _MARK, True)
    pyfunc._enforce_schema = enforce


def _frame(data: Any) -> pd.DataFrame:
    """What MLflow takes for a table, and what holds columns besides."""
    if isinstance(data, Mapping):
        one_row = all(value is None or np.isscalar(value) for value in data.values())
        return as_frame(pd.DataFrame([data] if one_row else data))
    if isinstance(data, list | pd.Series | np.ndarray):
        return as_frame(pd.DataFrame(data))
    return as_frame(data)
