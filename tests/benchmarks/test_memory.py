"""Memory and time of large tables: scored in batches, and learned from."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from churnml.datasets.flat import read_training
from tests.benchmarks.boosters import bag_of, leavers, rows_of, saved
from tests.benchmarks.measuring import FULL, run_script, spread

COLUMNS = 80
SCORED = (1_000_000, 10_000_000) if FULL else (100_000, 300_000)
LEARNED = 5_000_000 if FULL else 100_000

SCORE = r"""
import json, re, sys, time
from pathlib import Path
import churnml

table, model, out = sys.argv[1:]
start = time.process_time()
churnml.score(table, id="customer_id", churn_model=model, out=out, reasons=0)
took = time.process_time() - start
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1e6
print(json.dumps({"seconds": took, "peak_gb": peak}))
"""

FIT = r"""
import json, re, sys, time
from pathlib import Path
import lightgbm
from tests.benchmarks.boosters import leavers, rows_of

spent, depth = 0.0, 0


def timed(call):
    def inside(*args, **kwargs):
        global spent, depth
        depth, start = depth + 1, time.process_time()
        try:
            return call(*args, **kwargs)
        finally:
            depth -= 1
            spent += 0 if depth else time.process_time() - start
    return inside


rows, bare = int(sys.argv[1]), sys.argv[2] == "bare"
for kind, names in ((lightgbm.Booster, ("update", "predict", "eval", "_Booster__inner_predict")),
                    (lightgbm.Dataset, ("construct",))):
    for name in names:
        if hasattr(kind, name):
            setattr(kind, name, timed(getattr(kind, name)))
frame = rows_of(rows, 80)
y = leavers(frame)
start = time.process_time()
if bare:
    data = lightgbm.Dataset(frame.to_numpy(), y, free_raw_data=False)
    lightgbm.engine.train({"num_leaves": 8, "verbose": -1, "num_threads": 1}, data, 50)
else:
    from churnml.estimators import ChurnClassifier
    # One way to start, as a table of millions has; the whole of it is then boosting.
    ChurnClassifier(
        n_jobs=1, max_rounds=50, repeats=1, linear_start=False, num_leaves=(8,), min_leaf=100
    ).fit(frame, y)
took = time.process_time() - start
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1e6
print(json.dumps({"seconds": took, "lightgbm": spent, "peak_gb": peak}))
"""


@pytest.mark.benchmark
def test_memory_of_scoring_a_flat_table_does_not_grow_with_it(record, tmp_path):
    few = rows_of(5_000, COLUMNS)
    table = few.assign(customer_id=np.arange(len(few)).astype(str), left=leavers(few))
    table.to_parquet(tmp_path / "few.parquet")
    learned = read_training(tmp_path / "few.parquet", task="churn", target="left", id="customer_id")
    saved(bag_of(None, columns=COLUMNS), learned.X, learned.signature, tmp_path / "model")
    found = {}
    drawn = ", ".join(f"(random() * 4 - 2)::FLOAT AS {name}" for name in few.columns)
    for rows in SCORED:
        path = tmp_path / f"{rows}.parquet"
        with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(tmp_path)}) as con:
            con.execute(
                f"COPY (SELECT i::VARCHAR AS customer_id, {drawn} FROM range({rows}) t(i)) "
                f"TO '{path}' (FORMAT parquet)"
            )
        found[rows] = run_script(SCORE, path, tmp_path / "model", tmp_path / f"out{rows}")
        path.unlink()
    small, large = (found[rows] for rows in SCORED)
    record(
        topic=f"Scoring a flat table of {COLUMNS} columns",
        what=f"peak memory of {SCORED[1]:,} rows, against {SCORED[0]:,}",
        size=f"{SCORED[1] / large['seconds']:,.0f} rows/s",
        ours=large["peak_gb"],
        bare=small["peak_gb"],
        unit="GB",
        **spread([large["peak_gb"] / small["peak_gb"]]),
        most=1.1 if FULL else None,
    )
    assert large["peak_gb"] < 1.5


@pytest.mark.benchmark
def test_training_against_the_lightgbm_calls_it_makes(record):
    ours, bare = run_script(FIT, LEARNED, "churnml"), run_script(FIT, LEARNED, "bare")
    shape = {"topic": f"Training on {COLUMNS} columns", "size": f"{LEARNED:,} rows"}
    record(
        **shape,
        what="time, against its LightGBM calls",
        ours=ours["seconds"],
        bare=ours["lightgbm"],
        unit="s",
        **spread([ours["seconds"] / ours["lightgbm"]]),
        most=1.3,
    )
    record(
        **shape,
        what="peak memory, against one LightGBM training",
        ours=ours["peak_gb"],
        bare=bare["peak_gb"],
        unit="GB",
        **spread([ours["peak_gb"] / bare["peak_gb"]]),
        most=1.3,
    )
