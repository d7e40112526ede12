"""Scoring by ``mapInArrow`` against ``mlflow.pyfunc.spark_udf`` of the same model, on one Spark."""

from datetime import date
from functools import partial
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from pyspark.sql.functions import struct

import churnml
from churnml.config import Config
from churnml.features import build_features
from churnml.registry.resolve import as_resolved
from churnml.scoring.executor import score_batches
from churnml.scoring.on_spark import shipment, spark_fields
from churnml.scoring.plan import Work, make_recipe
from tests.benchmarks.measuring import FULL, processor_time, rates

ROWS = 500_000 if FULL else 50_000
ROUNDS = 3 if FULL else 2
AS_OF = "2026-06-01"
CHURN = Path(__file__).parents[2] / "models" / "churn"


def write_rows(folder: Path) -> Path:
    """Features of as many customers as wanted, those of a few over and over."""
    churnml.simulate(folder / "operator", customers=2_000, months=13, seed=1)
    few = build_features(folder / "operator", AS_OF).to_pandas()
    rows = few.iloc[np.arange(ROWS) % len(few)].reset_index(drop=True)
    rows = rows.assign(customer_id=[f"C{number:09d}" for number in range(ROWS)])
    rows.to_parquet(folder / "features.parquet")
    return folder / "features.parquet"


@pytest.mark.benchmark
def test_scores_on_spark_against_spark_udf(spark_session, record, tmp_path):
    rows = spark_session.read.parquet(str(write_rows(tmp_path)))
    recipe = make_recipe({"churn": as_resolved(CHURN)}, date.fromisoformat(AS_OF), 0, Config())
    work = Work(source="rows", fingerprint="", recipe=recipe, config=Config())
    shipped = spark_session.sparkContext.broadcast(shipment(work))
    udf = mlflow.pyfunc.spark_udf(spark_session, str(CHURN))

    def ours() -> None:
        scored = rows.mapInArrow(partial(score_batches, shipped), spark_fields(recipe))
        scored.write.mode("overwrite").parquet(str(tmp_path / "ours"))

    def theirs() -> None:
        scored = rows.select("customer_id", udf(struct(*rows.columns)).alias("s"))
        scored = scored.select("customer_id", "s.*")
        scored.write.mode("overwrite").parquet(str(tmp_path / "theirs"))

    taken = [[processor_time(way) for way in (ours, theirs)] for _ in range(ROUNDS + 1)]
    mine, other = zip(*taken[1:], strict=True)  # The first starts the workers.
    record(
        topic="Scores on Spark: the shipped churn model",
        what="mapInArrow, against spark_udf",
        size=f"{ROWS:,} rows",
        **rates(ROWS, mine, other),
    )
    found, expected = (
        pd.read_parquet(tmp_path / name).set_index("customer_id").sort_index()
        for name in ("ours", "theirs")
    )
    assert found["churn_probability"].equals(expected["churn_probability"])
