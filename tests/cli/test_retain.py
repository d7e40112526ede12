"""``churnml retain`` and ``churnml measure``: statuses, JSON, and a kill on the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.retention.conftest import keeps_the_young, simulate

SETTINGS = """
churn: {train_months: 1, test_months: 1, folds: 2, repeats: 1, max_rounds: 10, min_positives: 2,
        definition: termination}
retention: {least_rows: 200, max_rounds: 25, folds: 3, rest_days: 60, segment_by: [brand]}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A working folder with an operator, settings and a champion."""
    from tests.cli.conftest import main

    folder = tmp_path_factory.mktemp("retain")
    simulate(folder / "operator", effect=keeps_the_young)
    (folder / "short.yaml").write_text(SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with pytest.raises(SystemExit) as left:
            main(["train", "churn", "operator", "--config", "short.yaml"])
        assert not left.value.code
        yield folder


def retain(*more):
    return (
        "retain", "operator", "--as-of", "2026-06-01", "--budget", "6000", "--config",
        "short.yaml", *more,
    )  # fmt: skip


def test_retain_and_measure_with_their_statuses(churnml, place):
    ran = churnml(*retain("--out", "plan", "--hold-out", "0.2", "--json"))
    assert ran.status == 0, ran.err
    found = ran.json
    assert {
        "verdict", "budget", "spent", "contacts", "price_of_a_yuan", "bound", "expected_gain",
        "hold_out", "left_out",
    } <= set(found)  # fmt: skip
    assert found["verdict"] == "different"
    assert found["spent"] <= 6000
    again = churnml(*retain("--out", "plan", "--hold-out", "0.2"))
    assert again.status == 5
    shown = churnml(*retain("--out", "plan", "--hold-out", "0.2", "--overwrite"))
    assert shown.status == 0
    assert "verdict: The offers work for some customers" in shown.out
    early = churnml("measure", "plan", "operator", "--json")
    assert early.status == 3
    assert "known from 2026-08-01" in early.json["error"]["message"]
    assert churnml("measure", "operator", "operator").status == 3


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--budget", "-5"), 2),
        (("--hold-out", "10"), 2),
        (("--churn-model", "models:/churn/77"), 4),
        (("--as-of", "2030-01-01"), 3),
        (("--as-of", "soon"), 2),
    ],
)
def test_what_is_refused_writes_nothing(churnml, place, arguments, status):
    ran = churnml(*retain("--out", "refused", *arguments))
    assert ran.status == status
    assert ran.err.count("churnml: ") == 1
    assert "Traceback" not in ran.err
    assert not [
        path for path in place.iterdir() if "refused" in path.name and "lock" not in path.name
    ]


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("features.parquet:journalled", marks=pytest.mark.slow),
        "part-00000.parquet:journalled",
        pytest.param("sealed", marks=pytest.mark.slow),
    ],
)
def test_a_killed_run_is_resumed_and_gives_the_same_bytes(churnml, place, point):
    out = f"killed-{point.split(':')[0]}"
    command = [sys.executable, "-m", "churnml", *retain("--out", out)]
    environment = os.environ | {"CHURNML_CRASH_AT": point}
    assert (
        subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 137
    )
    assert not Path(out).exists()
    assert_resumed(churnml, out)


@pytest.mark.slow
def test_kill_9_while_it_works_and_the_same_bytes_afterwards(churnml, place):
    command = [sys.executable, "-m", "churnml", *retain("--out", "struck")]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 300
    while not list(place.rglob("features.parquet")) and time.monotonic() < until:
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert not Path("struck").exists()
    assert_resumed(churnml, "struck")


def assert_resumed(churnml, out):
    """The second run ends what the first one began, with the bytes of a whole run."""
    assert churnml(*retain("--out", out)).status == 0
    whole = churnml(*retain("--out", "whole", "--overwrite"))
    assert whole.status == 0
    parts = [sorted(Path(one).glob("part-*")) for one in (out, "whole")]
    assert [path.read_bytes() for path in parts[0]] == [path.read_bytes() for path in parts[1]]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in parts[0])
