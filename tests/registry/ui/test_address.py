"""``churnml ui`` serves the store that trainings went to, on this machine alone."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from churnml.registry.tracking import Data, TrainingRecord, log_training

DATA = Data(name="toy", source="/data/toy.csv", digest="ab" * 32, rows=600, target="left")


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


def command(port: int) -> list[str]:
    return [sys.executable, "-m", "churnml", "ui", "--port", str(port)]


@pytest.fixture
def inside(store, churn, tmp_path):
    """A working folder with a trained model, as a process sees it."""
    log_training(TrainingRecord(model=churn, title="churn · toy", data=DATA, metrics={"auc": 0.75}))
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    return {"cwd": tmp_path / "work", "env": environment}


def get(url: str, host: str | None = None):
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def processes(port: int) -> list[str]:
    found = subprocess.run(["pgrep", "-f", f"port {port}"], capture_output=True, text=True)
    return found.stdout.split()


def test_the_ui_of_the_store_until_ctrl_c(inside):
    port = free_port()
    ui = subprocess.Popen(
        command(port), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **inside
    )
    try:
        base = f"http://127.0.0.1:{port}"
        assert ui.stdout.readline() == f"MLflow UI on {base} (Ctrl-C stops it)\n"
        places = dict(ui.stdout.readline().split() for _ in range(2))
        assert places["churn"].startswith(f"{base}/#/experiments/")
        assert "viewStateShareKey=churnml" in places["churn"]
        assert places["models"] == f"{base}/#/models"
        found = get(f"{base}/ajax-api/2.0/mlflow/registered-models/search")
        assert [one["name"] for one in json.loads(found)["registered_models"]] == ["churn-toy"]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            get(f"{base}/ajax-api/2.0/mlflow/experiments/search", host="evil.example")
        second = subprocess.run(command(port), capture_output=True, text=True, **inside)
        assert second.returncode == 2
        assert f"Port {port} of 127.0.0.1 is taken. Try --port" in second.stderr
    finally:
        ui.send_signal(signal.SIGINT)
    ui.communicate(timeout=60)
    assert ui.returncode == 0
    assert processes(port) == []


def test_without_a_store_it_says_what_to_do_and_makes_none(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    done = subprocess.run(
        command(free_port()), cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 4
    assert "no MLflow store there. Train a model first" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_a_server_has_a_ui_of_its_own(tmp_path):
    environment = os.environ | {"MLFLOW_TRACKING_URI": "https://me:secret@mlflow.example"}
    done = subprocess.run(
        command(free_port()), cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.startswith("MLflow UI on https://me:***@mlflow.example:")
