"""The model of 1,000,000,000 customers, from processor time per customer and core."""

import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import churnml
from churnml.features import build_features
from churnml.features.on_spark import write_parts
from churnml.features.writing import save_features
from churnml.models.model import predict
from churnml.scoring.reasons import reasons
from tests.benchmarks.billion import Cluster, Rates, cost_of
from tests.benchmarks.measuring import processor_time

AS_OF = "2026-06-01"
ROWS = 50_000
SIZES = (1_000, 6_000)
MODELS = Path(__file__).parents[2] / "models"
READ_MONTHS = {"bills": 12, "usage": 12}


def test_the_model_multiplies_what_was_measured():
    rates = Rates(
        features_cpu=0.00036,
        scores_cpu=0.000036,
        reasons_cpu=0.00018,
        table_bytes={"bills": (12, 24), "usage": (12, 22)},
        features_bytes=223,
        scores_bytes=92,
    )
    said = dict(cost_of(rates, cluster=Cluster(cores=100, busy=0.5, network=1e10, shuffled=1)))
    assert said["tables in: bills"] == "288 GB"
    assert said["shuffle"] == "552 GB, 0.0 h on the network"
    assert said["features"] == "100 core-hours, 2.0 h"
    assert said["scores, without reasons"] == "10 core-hours, 0.2 h"
    assert said["scores, with reasons"] == "50 core-hours, 1.0 h"
    assert said["all, with reasons"] == "3.0 h"


@pytest.mark.benchmark
def test_a_billion_customers_on_paper(spark_session, tmp_path):
    # Twice each, so that what is fixed, and what is compiled, falls away.
    costs, sizes = [], {}
    for customers in SIZES:
        folder = tmp_path / f"operator{customers}"
        churnml.simulate(folder, customers=customers, months=13, seed=1)
        source = churnml.open_source(folder, engine="spark")

        def build(source=source, customers=customers):
            table = build_features(source.tables, AS_OF)
            write_parts(table, tmp_path / f"features{customers}-{time.monotonic_ns()}", parts=2)

        build()
        costs.append(processor_time(build))
    features_cpu = max(costs[1] - costs[0], 0.0) / (SIZES[1] - SIZES[0])
    for name in ("bills", "usage", "contacts", "complaints"):
        file = folder / f"{name}.parquet"
        rows = pq.read_metadata(file).num_rows
        share = READ_MONTHS.get(name, 13) / 13
        sizes[name] = (rows * share / SIZES[1], file.stat().st_size / rows)
    save_features(folder, as_of=AS_OF, out=tmp_path / "f.parquet")
    made = pq.read_metadata(tmp_path / "f.parquet").num_rows
    kept = (tmp_path / "f.parquet").stat().st_size / made
    X = build_features(folder, AS_OF).to_pandas()
    models = [churnml.load_model(str(MODELS / task)) for task in ("churn", "satisfaction")]
    X = X.iloc[np.arange(ROWS) % len(X)].reset_index(drop=True)
    plain = explained = 0.0
    for model in models:
        model.estimator.set_params(n_jobs=1)
        predict(model, X.head(1000))
        reasons(model, X.head(1000), 3)
        plain += processor_time(lambda model=model: predict(model, X)) / ROWS
        explained += processor_time(lambda model=model: reasons(model, X, 3)) / ROWS
    scored = churnml.score(
        folder,
        AS_OF,
        out=tmp_path / "s",
        churn_model=MODELS / "churn",
        satisfaction_model=MODELS / "satisfaction",
    )
    bytes_each = sum(part.bytes for part in scored.parts) / scored.rows.scored
    rates = Rates(
        features_cpu=features_cpu,
        scores_cpu=plain,
        reasons_cpu=plain + explained,
        table_bytes=sizes,
        features_bytes=kept,
        scores_bytes=bytes_each,
    )
    print("\n1,000,000,000 customers on Spark, on paper")
    for what, much in cost_of(rates):
        print(f"  {what:<28} {much}")
    assert features_cpu > 0
    assert explained > plain > 0
