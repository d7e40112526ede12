"""Serve MLflow's UI on the store."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from churnml.errors import ModelError, UsageError
from churnml.errors.masking import without_secrets
from churnml.registry.store import mlflow_errors, open_store, store_exists, store_uri
from churnml.registry.tracking import addresses

HOST = "127.0.0.1"
_PAUSE = 0.2
_PATIENCE = 180.0
_FAREWELL = 10.0


def serve(port: int, announce: Callable[[str], None]) -> None:
    """Run the MLflow UI on this machine only, until it is interrupted.

    Parameters
    ----------
    port : int
    announce : callable
        Told, line by line, where the UI is, once it answers.

    Raises
    ------
    ModelError
        If there is no store yet, it cannot be opened, or the UI does not start.
    UsageError
        If something listens on that port already.
    """
    uri = store_uri()
    if uri.startswith(("http://", "https://")):
        announce(f"MLflow UI on {without_secrets(uri)}: the store is a server, and has its own.")
        return
    if not store_exists(uri):
        raise ModelError(
            f"{without_secrets(uri)}: no MLflow store there.",
            hint="Train a model first, go to its folder, or set MLFLOW_TRACKING_URI.",
        )
    _require_free(port)
    store = open_store(uri)
    with mlflow_errors(uri):
        places = addresses(store)
    with _server(uri, port) as server:
        _wait_until_ready(server, port)
        for line in _describe_addresses(port, places):
            announce(line)
        try:
            # A library's thread may take the signal; a wait without end would not hear of it.
            while server.poll() is None:
                time.sleep(_PAUSE)
        except KeyboardInterrupt:
            return
    raise ModelError(f"The MLflow UI stopped unexpectedly with status {server.returncode}.")


def _describe_addresses(port: int, places: dict[str, str]) -> list[str]:
    base = f"http://{HOST}:{port}"
    lines = [f"MLflow UI on {base} (Ctrl-C stops it)"]
    width = max([len("models"), *map(len, places)])
    lines += [f"  {name:{width}}  {base}/{place}" for name, place in places.items()]
    return [*lines, f"  {'models':{width}}  {base}/#/models"]


def _require_free(port: int) -> None:
    if _free(port):
        return
    other = next((one for one in range(port + 1, min(port + 100, 65536)) if _free(one)), None)
    raise UsageError(
        f"Port {port} of {HOST} is taken.",
        hint=f"Try --port {other}." if other else "Name another with --port.",
        value=port,
    )


def _free(port: int) -> bool:
    with socket.socket() as tried:
        # As servers do: connections that have just ended do not count.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, port))
        except OSError:
            return False
    return True


@contextmanager
def _server(uri: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start the server's processes, all of which end with the block."""
    settings = {
        # Not on the command line, where every user of the machine could read a password.
        "MLFLOW_BACKEND_STORE_URI": uri,
        "MLFLOW_REGISTRY_STORE_URI": uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        # Jobs would need workers of their own; nothing here uses them.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "mlflow", "ui", "--host", HOST, "--port", str(port)]
    server = subprocess.Popen(
        [*command, "--workers", "1", "--uvicorn-opts", "--log-level warning"],
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        # A group of its own, so that its workers can be ended with it.
        start_new_session=True,
    )
    try:
        yield server
    finally:
        _end(server)


def _end(server: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, number)
        except ProcessLookupError:
            break
        try:
            server.wait(timeout=_FAREWELL)
        except subprocess.TimeoutExpired:
            continue
    server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], port: int) -> None:
    # A proxy of the environment has no business with this machine's own address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if server.poll() is not None:
            raise ModelError(f"The MLflow UI did not start (status {server.returncode}).")
        try:
            with opener.open(f"http://{HOST}:{port}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise ModelError(f"The MLflow UI did not answer within {_PATIENCE:.0f} s.")
