"""The features against a query written by hand, in one process, in turns."""

import duckdb
import ibis
import pandas as pd
import pytest

from churnml.features import build_features
from tests.benchmarks.by_hand import by_hand, typed, views, write_operator
from tests.benchmarks.measuring import FULL, in_turns, run_script, seconds, spread
from tests.benchmarks.with_pandas import features_with_pandas

CUSTOMERS = 200_000 if FULL else 50_000
ROUNDS = 5 if FULL else 3
MEMORY = "2GB"
TOPIC = f"Features of 24 months, DuckDB limited to {MEMORY}"

TO_PARQUET = """
import json, re, sys, time
from pathlib import Path
import ibis
from churnml.features import write_features
from tests.benchmarks.by_hand import typed

folder, out, memory = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
engine = ibis.duckdb.connect(memory_limit=memory, temp_directory=str(Path(out).parent))
engine.raw_sql("SET preserve_insertion_order = false")
start = time.process_time()
rows = write_features(typed(engine, folder), "2026-06-01", out)
took = time.process_time() - start
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1e6
print(json.dumps({"rows": rows, "seconds": took, "peak_gb": peak}))
"""


@pytest.fixture(scope="module")
def operator(tmp_path_factory):
    return write_operator(tmp_path_factory.mktemp("operator"), CUSTOMERS)


def connections(operator, as_of):
    limits = {"memory_limit": MEMORY, "temp_directory": str(operator.parent / "spilled")}
    hand = duckdb.connect(config=limits)
    hand.execute(views(operator))
    hand.execute("CREATE TABLE moments AS SELECT unnest(?)::DATE AS as_of", [as_of])
    return hand, typed(ibis.duckdb.connect(**limits), operator)


@pytest.mark.benchmark
@pytest.mark.parametrize("as_of", [["2026-06-01"], ["2026-04-01", "2026-05-01", "2026-06-01"]])
def test_features_against_a_query_by_hand(operator, record, as_of):
    hand, tables = connections(operator, as_of)
    query = by_hand()
    ours, theirs = in_turns(
        lambda: build_features(tables, as_of).to_pyarrow(),
        lambda: hand.sql(query).to_arrow_table(),
        rounds=ROUNDS,
    )
    record(
        topic=TOPIC,
        what=f"114 features at {len(as_of)} dates" if as_of[1:] else "114 features at one date",
        size=f"{CUSTOMERS:,} customers",
        **seconds(ours, theirs),
        most=1.3,
    )
    assert build_features(tables, as_of).count().execute() == len(hand.sql(query).to_arrow_table())


@pytest.mark.benchmark
def test_features_against_pandas(operator, record):
    _, tables = connections(operator, ["2026-06-01"])
    few = features_with_pandas(operator, "2026-06-01")
    ours, theirs = in_turns(
        lambda: build_features(tables, "2026-06-01").to_pyarrow(),
        lambda: features_with_pandas(operator, "2026-06-01"),
        rounds=ROUNDS,
    )
    record(
        topic=TOPIC,
        what=f"114 features, against {few.shape[1]} of them with pandas",
        size=f"{CUSTOMERS:,} customers",
        **seconds(ours, theirs),
    )
    every = build_features(tables, "2026-06-01").to_pandas().set_index("customer_id")
    found, expected = every[few.columns].align(few, join="outer")
    pd.testing.assert_frame_equal(
        found.astype(float), expected.astype(float), atol=1e-3, check_names=False
    )


@pytest.mark.benchmark
def test_twelve_dates_against_one(operator, record):
    _, tables = connections(operator, ["2026-06-01"])
    dates = [f"2025-{month:02d}-01" for month in range(7, 13)]
    dates += [f"2026-{month:02d}-01" for month in range(1, 7)]
    ours, one = in_turns(
        lambda: build_features(tables, dates).to_pyarrow(),
        lambda: build_features(tables, dates[-1]).to_pyarrow(),
        rounds=ROUNDS if FULL else 1,
    )
    record(
        topic=TOPIC,
        what="twelve dates, against one",
        size=f"{CUSTOMERS:,} customers",
        **seconds(ours, one),
        most=6,
    )


@pytest.mark.benchmark
def test_the_cost_of_a_customer_is_flat(operator, record, tmp_path):
    small, large = CUSTOMERS, 2_000_000 if FULL else 200_000
    write_operator(tmp_path / "large", large, memory_limit="8GB")
    found = {
        count: run_script(TO_PARQUET, folder, tmp_path / f"{count}.parquet", MEMORY)
        for count, folder in ((small, operator), (large, tmp_path / "large"))
    }
    per_million = {n: 1e6 * one["seconds"] / one["rows"] for n, one in found.items()}
    record(
        topic=TOPIC,
        what=f"a customer of {large:,}, against one of {small:,}",
        size=f"peak {found[large]['peak_gb']:.1f} GB",
        ours=per_million[large],
        bare=per_million[small],
        unit="s/million",
        **spread([per_million[large] / per_million[small]]),
        most=1.3,
    )
