"""What churnml fits for itself is not logged by the user's ``mlflow.autolog()``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_autologging() -> Iterator[None]:
    """Fit scikit-learn's estimators without an MLflow run for each of them.

    The user's settings are those of before afterwards. MLflow is not imported: where nobody
    has imported it, nothing is logged.
    """
    mlflow = sys.modules.get("mlflow.utils.autologging_utils")
    # MLflow's own switch would turn logging back on inside a block that turned it off.
    if mlflow is None or mlflow._AUTOLOGGING_GLOBALLY_DISABLED:
        yield
        return
    with mlflow.disable_autologging():
        yield
