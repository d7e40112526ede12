"""200,000 customers: the features against a query written by hand, in one process, in turns."""

import statistics
import time
from pathlib import Path

import duckdb
import ibis
import numpy as np
import pytest

from churnml.features import build_features
from churnml.tables import asof
from churnml.tables.contract import TABLES

HERE = Path(__file__).parent
CUSTOMERS = 200_000
ROUNDS = 7


def by_hand() -> str:
    """The oracle's query, its slow parts written as a hurried expert would write them."""
    query = (HERE.parent / "oracle" / "features.sql").read_text()
    start, end = query.index("monthly_tier AS ("), query.index("pasts AS (")
    query = query[:start] + history() + query[end:]
    amounts = "".join(f"max(amount) FILTER (ago = {k}) AS a{k}, " for k in range(12))
    for old, new in (
        ("LEFT JOIN held USING (customer_id, as_of)\n", ""),
        ("held.held AS", "individual.held AS"),
        ("max(amount) FILTER (ago = 0) AS arpu", f"{amounts} max(amount) FILTER (ago = 0) AS arpu"),
        ("b.month >= m.as_of - INTERVAL 27 MONTH", "b.month >= m.as_of - INTERVAL 20 MONTH"),
        ("u.month >= m.as_of - INTERVAL 27 MONTH", "u.month >= m.as_of - INTERVAL 14 MONTH"),
        (
            "month FROM seen_bills)",
            "month FROM seen_bills WHERE month >= as_of - INTERVAL 3 MONTH)",
        ),
        (
            "month FROM seen_usage)",
            "month FROM seen_usage WHERE month >= as_of - INTERVAL 3 MONTH)",
        ),
    ):
        assert query.count(old) == 1, old
        query = query.replace(old, new)
    return query


def history() -> str:
    def mean(k: int) -> str:
        total = " + ".join(f"coalesce(a{j}, 0)" for j in range(k, k + 3))
        number = " + ".join(f"(a{j} IS NOT NULL)::INT" for j in range(k, k + 3))
        return f"({total}) / nullif({number}, 0) AS m{k}"

    level = (
        "CASE WHEN m{0} >= 3000 THEN 3 WHEN m{0} >= 1500 THEN 2 WHEN m{0} >= 666 THEN 1 "
        "WHEN m{0} IS NOT NULL THEN 0 END AS l{0}"
    )
    up = " + ".join(f"coalesce((l{k} > l{k + 1})::INT, 0)" for k in range(6))
    return (
        (HERE / "tiers_by_hand.sql")
        .read_text()
        .format(
            means=", ".join(mean(k) for k in range(10)),
            levels=", ".join(level.format(k) for k in range(10)),
            ups=up,
            downs=up.replace(">", "<"),
            held=" ".join(f"WHEN l{k} IS DISTINCT FROM l0 THEN {k}" for k in range(1, 10)),
        )
    )


@pytest.fixture(scope="module")
def operator(tmp_path_factory):
    """Tables of 24 months as Parquet, quickly made."""
    folder = tmp_path_factory.mktemp("operator")
    with duckdb.connect() as con:
        con.execute((HERE / "operator.sql").read_text().replace("{customers}", str(CUSTOMERS)))
        for name in ("customers", "groups", "bills", "usage", "complaints", "contacts", "surveys"):
            con.table(name).write_parquet(str(folder / f"{name}.parquet"))
    return folder


@pytest.mark.benchmark
@pytest.mark.parametrize("as_of", [["2026-06-01"], ["2026-04-01", "2026-05-01", "2026-06-01"]])
def test_features_against_a_query_by_hand(operator, as_of):
    hand, query = duckdb.connect(), by_hand()
    engine = ibis.duckdb.connect()
    tables = {}
    for file in sorted(operator.iterdir()):
        hand.execute(
            f"CREATE VIEW {file.stem} AS SELECT *, NULL::TIMESTAMP AS known_at FROM '{file}'"
        )
        table = engine.read_parquet(file)
        tables[file.stem] = table.mutate(known_at=asof.known_at(table, TABLES[file.stem]))
    hand.execute("CREATE TABLE moments AS SELECT unnest(?)::DATE AS as_of", [as_of])
    runs = {
        "by hand": lambda: hand.sql(query).to_arrow_table(),
        "features": lambda: build_features(tables, as_of).to_pyarrow(),
    }
    taken = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = time.perf_counter()
            found = run()
            taken[name].append(time.perf_counter() - start)
            assert found.num_columns == 116
    medians = {name: statistics.median(times) for name, times in taken.items()}
    ratios = np.divide(taken["features"], taken["by hand"])
    print(
        f"\n{len(as_of)} dates, {found.num_rows:,} rows: by hand {medians['by hand']:.2f} s, "
        f"features {medians['features']:.2f} s, ratio {statistics.median(ratios):.2f} "
        f"[{ratios.min():.2f} to {ratios.max():.2f}]"
    )
