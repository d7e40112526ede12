"""Spark scores what pandas scores, to the bit."""

import json
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest


@pytest.mark.slow
def test_spark_udf_scores_and_explains_to_the_bit(folders, features, tmp_path):
    frame = features.head(30).assign(customer_id=[f"{number:05d}" for number in range(30)])
    frame.to_parquet(tmp_path / "rows.parquet")
    script = Path(__file__).with_name("on_spark.py")
    ran = subprocess.run(
        [sys.executable, script, folders["churn"], tmp_path / "rows.parquet"],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    loaded = mlflow.pyfunc.load_model(str(folders["churn"]))
    expected = loaded.predict(frame, params={"reasons": 2}).to_dict("records")
    for row in expected:
        # Spark's JSON leaves out what is null.
        row["reasons"] = [
            {name: value for name, value in reason.items() if value is not None}
            for reason in row["reasons"]
        ]
    assert sorted(found, key=lambda row: row["customer_id"]) == expected
