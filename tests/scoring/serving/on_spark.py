"""Scores of a Parquet file by ``mlflow.pyfunc.spark_udf``; prints them as JSON.

Run as ``python on_spark.py MODEL FRAME``, because a process has one Spark session.
"""

import os
import sys

import mlflow
from pyspark.sql import SparkSession
from pyspark.sql.functions import struct

REASONS = "array<struct<feature: string, driver: string, value: string, contribution: double>>"


def main(model: str, path: str) -> None:
    """Score the file, and print a JSON object a row."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    rows = spark.read.parquet(path)
    score = mlflow.pyfunc.spark_udf(spark, model)
    explain = mlflow.pyfunc.spark_udf(
        spark, model, params={"reasons": 2}, result_type=f"struct<reasons: {REASONS}>"
    )
    every = struct(*rows.columns)
    scored = rows.select("customer_id", score(every).alias("s"), explain(every).alias("e"))
    for line in scored.select("customer_id", "s.*", "e.*").toJSON().collect():
        print(line)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
