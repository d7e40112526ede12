"""The query for the features as a hurried expert would write it, and an operator to run it on."""

from pathlib import Path

import duckdb

from churnml.tables import asof
from churnml.tables.contract import TABLES

HERE = Path(__file__).parent
NAMES = ("customers", "groups", "bills", "usage", "complaints", "contacts", "surveys")


def write_operator(folder: Path, customers: int, memory_limit: str | None = None) -> Path:
    """Tables of 24 months as Parquet, quickly made."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        if memory_limit is not None:
            con.execute("SET memory_limit = ?", [memory_limit])
        con.execute((HERE / "operator.sql").read_text().replace("{customers}", str(customers)))
        for name in NAMES:
            con.table(name).write_parquet(str(folder / f"{name}.parquet"))
    return folder


def typed(engine, folder: Path) -> dict:
    """The tables as Ibis has them, each with its ``known_at``."""
    tables = {}
    for file in sorted(folder.iterdir()):
        table = engine.read_parquet(file)
        tables[file.stem] = table.mutate(known_at=asof.known_at(table, TABLES[file.stem]))
    return tables


def views(folder: Path) -> str:
    """SQL of the same tables for the query by hand."""
    return "".join(
        f"CREATE VIEW {file.stem} AS SELECT *, NULL::TIMESTAMP AS known_at FROM '{file}';"
        for file in sorted(folder.iterdir())
    )


def by_hand() -> str:
    """The oracle's query, its slow parts written as a hurried expert would write them."""
    query = without_ties((HERE.parent / "oracle" / "features.sql").read_text())
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


def without_ties(query: str) -> str:
    """The operator has no table of who calls whom."""
    for start, end in (
        ("),\n\n-- ties", ")\n\nSELECT\n"),
        (",\n\n    CASE WHEN tie_ends", "\nFROM spine"),
    ):
        at = query.index(start)
        query = query[:at] + end + query[query.index(end, at) + len(end) :]
    own = ("tie_starts", "tie_ends", "tied", "strongest", "embedded")
    lines = query.splitlines(keepends=True)
    return "".join(x for x in lines if not x.startswith(tuple(f"LEFT JOIN {one} " for one in own)))


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
