"""MLflow's own UI on the store that trainings go to."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from churnml.errors import ModelError
from churnml.store import open_store, store_exists, store_uri, without_secrets

HOST = "127.0.0.1"


def serve(port: int = 5000) -> NoReturn:
    """Become the MLflow UI, for this machine alone, until it is stopped.

    Parameters
    ----------
    port : int

    Raises
    ------
    ModelError
        If there is no store yet.
    """
    uri = store_uri()
    if not store_exists(uri):
        raise ModelError(
            f"{without_secrets(uri)}: no MLflow store there.",
            hint="Train a model first, go to its folder, or set MLFLOW_TRACKING_URI.",
        )
    open_store(uri)
    sys.stderr.write(f"MLflow UI on http://{HOST}:{port} (Ctrl-C stops it)\n")
    sys.stderr.flush()
    # Without jobs: they would go on after the server has been stopped.
    settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [sys.executable, "-m", "mlflow", "ui", "--host", HOST, "--port", str(port)]
    command += ["--backend-store-uri", uri, "--workers", "1"]
    os.execve(sys.executable, command, {**os.environ, **settings})
