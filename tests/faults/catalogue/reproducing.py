"""F. The same work gives the same bytes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd

from tests.faults.catalogue.bench import CHECKOUT, Bench, files, parts, require
from tests.faults.catalogue.registry import case

THREADS = "from threadpoolctl import threadpool_limits\nlimits = threadpool_limits({})\n"


@case(89, "scored twice; with other threads, batches, orders")
def scored(at: Bench) -> None:
    table = at.csv(at.rows)
    at.same(table)
    require(parts(at.out) == at.parted(), "other bytes")
    for threads in (2, 4):
        at.same(table, before=THREADS.format(threads))
        require(parts(at.out) == at.parted(), f"other bytes with {threads} threads")
    for rows in (7, 777):
        at.same(table, "--config", at.raw(f"scoring: {{batch_rows: {rows}}}", "c.yaml"))
    few = at.csv(at.rows.head(30), "few.csv")
    one = at.raw("scoring: {batch_rows: 1}", "c.yaml")
    at.score(few, "--overwrite", "--config", one)
    at.alike(at.scorer.scores(at.out), 30)
    at.same(at.csv(at.rows.sample(frac=1, random_state=18)))


@case(90, "trained twice; with other hash seeds, threads, orders of rows")
def trained(at: Bench) -> None:
    frame = pd.read_csv(at.shared.training, dtype={"id": str})
    ways = {
        "again": (frame, {"PYTHONHASHSEED": "7"}),
        "threads": (frame, {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "99"}),
        "order": (frame.sample(frac=1, random_state=1), {}),
    }
    first = learned(at.model)
    for name, (rows, environment) in ways.items():
        table = at.place(name) / "train.csv"
        rows.to_csv(table, index=False)
        argv = at.training(table, "--no-track", "--out", at.folder / name / "model")
        run = at.fresh if "PYTHONHASHSEED" in environment else at.run
        done = run(*argv, env=environment)
        require(done.status == 0, done.err[-300:])
        require(learned(at.folder / name / "model") == first, f"{name}: another model")
        at.score(at.csv(at.rows), "--overwrite", model=at.folder / name / "model")
        found = at.scorer.scores(at.out)["churn_probability"]
        require(found.equals(at.shared.expected["churn_probability"]), f"{name}: other scores")


def learned(model: Path) -> dict[str, bytes]:
    """What was learned: the boosters, without the account of how."""
    return {name: data for name, data in files(model).items() if name.endswith(".txt")}


PYFUNC = """
import sys, mlflow.pyfunc, pandas as pd
rows = pd.read_csv(argv[1], dtype={"id": str})
scored = mlflow.pyfunc.load_model(argv[0]).predict(rows.drop(columns="id"))
scored.assign(id=rows["id"]).to_parquet("pyfunc.parquet")
from churnml.registry.resolve import resolve
from churnml import score
score(argv[1], out="by_python", id="id", churn_model=argv[0])
"""


@case(91, "command line, Python and MLflow give one score", apart="Spark's pandas_udf needs Spark")
def ways(at: Bench) -> None:
    table = at.csv(at.rows)
    exported = at.folder / "exported"
    done = at.run("export", at.model, exported)
    require(done.status == 0, done.err[-300:])
    done = at.cli(exported, table, cwd=at.folder, code=PYFUNC, env={"OMP_NUM_THREADS": "1"})
    require(done.status == 0, done.err[-400:])
    expected = at.shared.expected["churn_probability"]
    scored = pd.read_parquet(at.folder / "pyfunc.parquet").set_index("id")["churn_probability"]
    require((scored.loc[expected.index] - expected).abs().max() == 0, "MLflow's differ")
    python = at.scorer.scores(at.folder / "by_python")["churn_probability"]
    require((python.loc[expected.index] - expected).abs().max() == 0, "Python's differ")


@case(92, "a model of an earlier release, and of a later one")
def releases(at: Bench) -> None:
    stored = CHECKOUT / "models" / "churn"
    argv = ["score", at.shared.operator, "--as-of", "2026-06-01", "--out", at.out, "--json"]
    done = at.run(*argv, "--churn-model", stored)
    require(done.status in (0, 6), f"status {done.status}: {done.err[-300:]}")
    golden = "import sys\nfrom churnml.models.bundle import check_golden\n"
    golden += "from churnml.registry.resolve import resolve\ncheck_golden(resolve(argv[0]).model)\n"
    done = at.cli(stored, cwd=at.folder, code=golden)
    require(done.status == 0, f"other golden scores: {done.err[-300:]}")
    later = at.folder / "later"
    shutil.copytree(at.model, later)
    content = json.loads((later / "bundle.json").read_text("utf-8"))
    content["protocol"] = 99
    seal(later, "bundle.json", json.dumps(content).encode())
    at.refuses(at.csv(at.rows), status=4, model=later)


def seal(bundle: Path, name: str, data: bytes) -> None:
    """Change a file of a model and its checksum, as a program of another release would."""
    import hashlib

    (bundle / name).write_bytes(data)
    sums = (bundle / "SHA256SUMS").read_text("utf-8").splitlines()
    digest = hashlib.sha256(data).hexdigest()
    sums = [f"{digest}  {name}" if line.endswith(f"  {name}") else line for line in sums]
    (bundle / "SHA256SUMS").write_text("\n".join(sums) + "\n", "utf-8")


@case(93, "libraries of other versions than the model's", apart="`--strict` is no option")
def versions(at: Bench) -> None:
    other = at.folder / "other"
    shutil.copytree(at.model, other)
    content = json.loads((other / "bundle.json").read_text("utf-8"))
    require("lightgbm" in content["versions"], content["versions"])
    content["versions"]["lightgbm"] = "3.0.0"
    seal(other, "bundle.json", json.dumps(content).encode())
    done = at.score(at.csv(at.rows), "--json", model=other)
    require(done.status == 0, done.err[-300:])
    require("lightgbm" in str(done.json["warnings"]), f"not a word of it: {done.json['warnings']}")


@case(94, "other languages, time zones, encodings, newlines, -OO")
def surroundings(at: Bench) -> None:
    text = at.rows.to_csv(index=False, lineterminator="\r\n")
    table = at.raw(text)
    ways = (
        {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "TZ": "Asia/Shanghai"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "America/New_York"},
        {"PYTHONOPTIMIZE": "2", "PYTHONHASHSEED": "5"},
    )
    for environment in ways:
        done = at.fresh(*at.command(table, "--overwrite", "--json"), env=environment)
        at.alike(at.finishes(done))
        require(parts(at.out) == at.parted(), f"other bytes under {environment}")
