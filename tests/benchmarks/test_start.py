"""``churnml score`` of 15,000 customers against its bare imports and its bare work."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import churnml
from churnml.models.bundle import golden_rows, load
from tests.benchmarks.by_hand import by_hand, views, write_operator
from tests.benchmarks.measuring import FULL, seconds

MODELS = Path(__file__).parents[2] / "models"
ROUNDS = 5 if FULL else 2
CUSTOMERS = 15_000
BARE = r"""
import json, sys
import duckdb, ibis, lightgbm, mlflow, numpy, pandas, pyarrow.parquet, sklearn
from pathlib import Path

given = json.loads(Path(sys.argv[1]).read_text())
client = mlflow.MlflowClient(given["store"])
for name in given["names"]:
    client.get_model_version(name, "1")
con = duckdb.connect()
con.execute(given["views"])
con.execute("CREATE TABLE moments AS SELECT DATE '2026-06-01' AS as_of")
features = con.sql(given["query"]).to_arrow_table()
pyarrow.parquet.write_table(features, given["out"], compression="zstd")
scores = {}
for name, folder in given["models"].items():
    width = given["widths"][name]
    matrix = numpy.random.default_rng(0).random((features.num_rows, width), numpy.float32)
    for file in sorted(Path(folder).glob("boosters/*.txt")):
        booster = lightgbm.Booster(model_file=file)
        scores[f"{name}{file.stem}"] = booster.predict(matrix, raw_score=True)
        booster.predict(matrix[:100], pred_contrib=True)
pyarrow.parquet.write_table(pyarrow.table(scores), given["out"], compression="zstd")
"""


def processor_seconds(command: list[str], folder: Path) -> tuple[float, str]:
    """Processor time of a process and its children, and what it printed to people."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode in (0, 6), done.stderr
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took, done.stderr


@pytest.mark.benchmark
def test_score_against_its_bare_imports_and_work(record, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    operator = write_operator(tmp_path / "operator", CUSTOMERS)
    given = {
        "store": f"sqlite:///{tmp_path / 'mlflow.db'}",
        "views": views(operator),
        "query": by_hand(),
        "out": str(tmp_path / "bare.parquet"),
        "names": [],
        "models": {},
        "widths": {},
    }
    score = [sys.executable, "-m", "churnml", "score", str(operator), "--as-of", "2026-06-01"]
    for task in ("churn", "satisfaction"):
        folder = MODELS / task / "data" / "bundle"
        model = load(folder)
        name = f"{task}-bench"
        logged = churnml.log_model(model.estimator, golden_rows(model), name=name)
        score += [f"--{task}-model", logged.model_uri]
        given["names"].append(name)
        given["models"][task] = str(folder)
        given["widths"][task] = int(model.estimator.encoder_.owners.size)
    (tmp_path / "given.json").write_text(json.dumps(given))
    ours, theirs, first = [], [], []
    for number in range(ROUNDS):
        took, said = processor_seconds([*score, "--out", f"scores{number}"], tmp_path)
        ours.append(took)
        found = re.search(r"([\d.]+) s +[\d,]+ rows scored", said)
        first.append(float(found[1]) if found else float("nan"))
        theirs.append(processor_seconds([sys.executable, "-c", BARE, "given.json"], tmp_path)[0])
    record(
        topic="The whole command: churnml score",
        what="against bare imports and work",
        size=f"{CUSTOMERS:,} customers; first batch after {min(first):.1f} s",
        **seconds(ours, theirs),
        most=2,
    )
