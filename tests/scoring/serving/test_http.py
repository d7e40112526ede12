"""A real server, started as a person would start it, answers over HTTP."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pandas as pd
import pytest

from churnml.models.bundle import Model, predict
from churnml.registry.store import open_store
from churnml.registry.tracking import Data, TrainingRecord, log_training
from churnml.scoring.percentile import percentile
from churnml.scoring.reasons import reasons

_SECONDS = 120


@pytest.fixture(scope="module")
def address(
    churn: Model, _empty_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """``mlflow models serve`` of a registered champion, until the tests of this file are over."""
    place = tmp_path_factory.mktemp("served")
    shutil.copy(_empty_store, place / "mlflow.db")
    uri = f"sqlite:///{place / 'mlflow.db'}"
    log_training(
        TrainingRecord(
            model=churn,
            title="toy",
            data=Data(name="toy", source="toy.csv", digest="ab", rows=600, target="left"),
        ),
        store=open_store(uri),
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bin = Path(sys.executable).parent
    # MLflow starts uvicorn by its bare name.
    environment = os.environ | {
        "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    command = [bin / "mlflow", "models", "serve", "-m", "models:/churn-toy@champion"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    with (place / "log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=place, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(f"http://127.0.0.1:{port}/ping", server, place / "log")
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def _wait(ping: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    patience = time.monotonic() + _SECONDS
    while time.monotonic() < patience:
        if server.poll() is not None:
            break
        try:
            with urlopen(ping, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text()[-3000:]}")


def ask(address: str, **body: object) -> tuple[int, dict]:
    request = Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture
def frame(features: pd.DataFrame) -> pd.DataFrame:
    """Customers with whole numbers, fractions, missing values and an unseen category."""
    rows = features.head(12).assign(customer_id=[f"{number:05d}" for number in range(12)])
    rows.loc[rows.index[1], "plan"] = "never seen"
    return rows


def test_records_and_split_form_score_to_the_bit(address, churn, frame):
    probability = predict(churn, frame)["churn_probability"]
    expected = {
        "customer_id": frame["customer_id"].tolist(),
        "churn_probability": probability.tolist(),
        "churn_percentile": percentile(probability, churn.reference).tolist(),
    }
    shuffled = frame[frame.columns[::-1]].assign(zodiac="ox")
    for orient in ("records", "split"):
        body = {
            f"dataframe_{orient}": json.loads(shuffled.to_json(orient=orient, double_precision=15))
        }
        status, answer = ask(address, **body)
        assert status == 200
        found = pd.DataFrame(answer["predictions"])
        assert set(found.columns) == {*expected, "risk_band"}
        assert {name: found[name].tolist() for name in expected} == expected


def test_reasons_on_request(address, churn, frame):
    body = {"dataframe_records": json.loads(frame.to_json(orient="records"))}
    status, answer = ask(address, **body, params={"reasons": 3})
    assert status == 200
    expected = reasons(churn, frame, 3).to_pylist()
    assert [row["reasons"] for row in answer["predictions"]] == expected


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tenure": "a long time"}, "column 'tenure' held numbers"),
        ({"tenure": [1, 2]}, "column 'tenure'"),
        ({"plan": {"name": "basic"}}, "column 'plan'"),
        ({"费用": None, "tenure": 1e99}, "column 'tenure'"),
    ],
)
def test_wrong_values_get_a_400_that_names_the_column_and_no_customer(address, frame, change, told):
    records = json.loads(frame.to_json(orient="records"))
    records[3] |= change
    status, answer = ask(address, dataframe_records=records)
    assert status == 400
    assert told in answer["message"]
    assert "00003" not in answer["message"]
    assert "stack_trace" not in answer


def test_missing_columns_and_wrong_numbers_of_reasons_get_a_400(address, frame):
    records = json.loads(frame.drop(columns=["tenure", "费用"]).to_json(orient="records"))
    status, answer = ask(address, dataframe_records=records)
    assert (status, answer["message"].partition(". ")[0]) == (
        400,
        "2 columns are missing: 'tenure', '费用'",
    )
    records = json.loads(frame.to_json(orient="records"))
    for count in (-1, "three", 1.5):
        status, answer = ask(address, dataframe_records=records, params={"reasons": count})
        assert status == 400
        assert "reasons" in answer["message"]
