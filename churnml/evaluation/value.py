"""The value of retaining a customer, from spending features."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.config.settings import Costs
from churnml.metrics.profit import customer_value

SPENDING = "arpu_mean_3m_yuan"


def operator_value(X: pd.DataFrame, costs: Costs) -> NDArray[np.float64]:
    """The value of retaining each customer, from the ARPU of three months."""
    spending = (
        X[SPENDING].to_numpy(np.float64, na_value=np.nan)
        if SPENDING in X
        else np.full(len(X), np.nan)
    )
    return customer_value(spending, costs)
