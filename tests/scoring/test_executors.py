"""Executors that are killed, fail half-way or have twins: no row is lost or doubled."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pyspark
import pytest

import churnml
from churnml.estimators import ChurnClassifier
from churnml.features import build_features, declared
from churnml.models import bundle
from churnml.models.bundle import Origin
from churnml.models.profile import describe

AS_OF = "2026-06-01"
CONFIG = {"scoring": {"batch_rows": 10}}
CLUSTER = {
    "spark.driver.host": "127.0.0.1",
    "spark.executor.memory": "700m",
    "spark.eventLog.enabled": "true",
    "spark.eventLog.compress": "false",
    "spark.executorEnv.CHURNML_CRASH_AT": "'part 1, attempt 0, batch 2'",
    "spark.speculation": "true",
    "spark.speculation.multiplier": "1",
    "spark.speculation.quantile": "0.01",
    "spark.speculation.interval": "100ms",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("java") is None, reason="no Java here"),
]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """An operator with its two required tables, a model, and DuckDB's scores."""
    place = tmp_path_factory.mktemp("work")
    churnml.simulate(place / "operator", customers=400, months=14, seed=2)
    for path in (place / "operator").glob("*.parquet"):
        if path.stem not in ("customers", "bills"):
            path.unlink()
    X = build_features(place / "operator", AS_OF).to_pandas()
    X = X.drop(columns=["customer_id", "as_of"])
    estimator = ChurnClassifier(max_rounds=10, folds=2, repeats=1, linear_start=False)
    fitted = estimator.fit(X, np.random.default_rng(0).random(len(X)) < 0.3)
    model = describe(fitted, X, features=declared(), origin=Origin(name="churn"))
    bundle.save(model, place / "model")
    options = {"churn_model": place / "model", "config": CONFIG}
    churnml.score(place / "operator", AS_OF, out=place / "expected", **options)
    return place


def rows(place):
    return pq.read_table(str(place)).sort_by("customer_id")


def environment(master, settings):
    said = " ".join(f"--conf {name}={value}" for name, value in settings.items())
    master = f"--master {master} {said} pyspark-shell"
    return os.environ | {"PYSPARK_SUBMIT_ARGS": master, "PYSPARK_PYTHON": sys.executable}


@pytest.fixture
def cluster(tmp_path):
    """A master and two workers, on host names of their own: no host gets a twin of its task."""
    home = Path(pyspark.__file__).parent
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    address, role = f"spark://127.0.0.1:{port}", "org.apache.spark.deploy"
    master = [f"{role}.master.Master", "--host", "127.0.0.1", "--port", str(port)]
    options = ["--cores", "1", "--memory", "1g", "--work-dir", tmp_path / "work", address]
    commands = [
        master,
        *([f"{role}.worker.Worker", "--host", f"127.0.0.{n}", *options] for n in (2, 3)),
    ]
    running = []
    for command in commands:
        full = [home / "bin" / "spark-class", *command[:1], "--webui-port", "0", *command[1:]]
        env = os.environ | {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
        running.append(subprocess.Popen(full, env=env, stdout=-3, stderr=-3))
        time.sleep(5 if command is master else 0)
    yield address, [worker.pid for worker in running[1:]]
    for process in reversed(running):
        process.terminate()
        process.wait(timeout=60)


def test_no_row_is_lost_or_doubled_whatever_breaks(work, cluster, tmp_path):
    address, workers = cluster
    log = tmp_path / "events"
    log.mkdir()
    script = Path(__file__).with_name("on_executors.py")
    ran = subprocess.run(
        [sys.executable, script, work / "operator", work / "model", tmp_path, *map(str, workers)],
        env=environment(address, CLUSTER | {"spark.eventLog.dir": f"file://{log}"}),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    made = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    assert [one["name"] for one in made] == ["crashed", "killed", "halted"]
    expected = rows(work / "expected")
    for one in made:
        assert rows(tmp_path / one["name"]).equals(expected), one["name"]
        assert one["rows"]["scored"] == expected.num_rows
        assert len(one["parts"]) > 2
    assert len({one["engine"]["row_hashes"] for one in made}) == 1
    # All three did happen.
    told = Counter()
    for path in (path for path in log.rglob("*") if path.is_file() and path.name[0] != "."):
        # Lines hold what splitlines() takes for ends of lines; the last is empty or cut off.
        for line in path.read_text().split("\n")[:-1]:
            event = json.loads(line)
            started = event["Event"] == "SparkListenerTaskStart"
            told["lost"] += event["Event"] == "SparkListenerExecutorRemoved"
            told["twin"] += started and event["Task Info"]["Speculative"]
            reason = event.get("Task End Reason", {})
            told[reason.get("Reason", "")] += 1
            told["crash"] += "Python worker exited unexpectedly" in str(reason)
    # A twin that is faster hides how a task ended.
    assert told["crash"] > 0, told
    assert told["lost"] > 0, (told, ran.stderr[-6000:])
    assert told["twin"] > 0, told


def test_a_killed_driver_s_work_is_taken_up(work, tmp_path):
    crash = "part-00001.parquet:journalled"
    settings = {"spark.sql.codegen.wholeStage": "false", "spark.sql.shuffle.partitions": "2"}
    env = environment("local[2]", settings)
    (tmp_path / "c.yaml").write_text(json.dumps(CONFIG))
    command = [sys.executable, "-m", "churnml", "score", work / "operator", "--as-of", AS_OF]
    command += ["--out", tmp_path / "out", "--churn-model", work / "model", "--engine", "spark"]
    command += ["--config", tmp_path / "c.yaml", "--json"]
    killed = subprocess.run(
        command, env=env | {"CHURNML_CRASH_AT": crash}, capture_output=True, text=True, check=False
    )
    assert killed.returncode == 137, killed.stderr[-2000:]
    assert not (tmp_path / "out").exists()
    again = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr[-2000:]
    assert "building features" not in again.stderr
    assert rows(tmp_path / "out").equals(rows(work / "expected"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.yaml", "out"]
