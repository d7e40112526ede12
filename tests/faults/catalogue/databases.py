"""E. Databases and clusters that break off: the old rows or the new ones, each once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests import postgres
from tests.faults.catalogue.bench import Bench, require
from tests.faults.catalogue.registry import case

CLUSTER = (
    "--master local[2,4] --conf spark.sql.codegen.wholeStage=false "
    "--conf spark.sql.shuffle.partitions=2 pyspark-shell"
)


@contextmanager
def server() -> Iterator[str]:
    """A throw-away PostgreSQL; gives the address of a database in it."""
    place = postgres.programs()
    require(place, "no PostgreSQL here")
    with postgres.running(place) as make:
        yield make("faults")


def asked(address: str, statement: str) -> list[tuple[object, ...]]:
    """What the server answers; nothing, where it has no rows to give."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def table_of(address: str, name: str) -> str:
    """The address of a table, as ``--out`` takes it."""
    place, _, options = address.partition("?")
    return f"{place}/public.{name}?{options}"


def standing(address: str, table: str) -> list[tuple[object, ...]]:
    return asked(address, f"SELECT * FROM {table} ORDER BY customer_id")


@case(85, "PostgreSQL: killed while it copies, a constraint broken by one row")
def cut(at: Bench) -> None:
    table, old = at.csv(at.rows), at.csv(at.rows.tail(50), "few.csv")
    config = ("--config", at.raw("scoring: {batch_rows: 150}\n", "config.yaml"))
    with server() as address:
        out = table_of(address, "scores")
        done = at.score(old, out=out)
        require(done.status == 0, done.err[-300:])
        before = standing(address, "scores")
        require(len(before) == 50, f"{len(before)} rows")
        crash = {"CHURNML_CRASH_AT": "part-00001.parquet:copied"}
        done = at.score(table, "--overwrite", *config, out=out, env=crash, killed=True)
        require(done.status == 137, f"status {done.status}")
        require(standing(address, "scores") == before, "the older rows were changed")
        asked(
            address, "ALTER TABLE scores ADD CONSTRAINT few CHECK (customer_id > '00349') NOT VALID"
        )
        done = at.score(table, "--overwrite", *config, out=out)
        require(done.status == 5, f"status {done.status}: {done.err[-300:]}")
        require(standing(address, "scores") == before, "the older rows were changed")
        asked(address, "ALTER TABLE scores DROP CONSTRAINT few")
        for _twice in range(2):
            done = at.score(table, "--overwrite", *config, out=out)
            require(done.status == 0, done.err[-300:])
            found = asked(address, "SELECT customer_id, churn_probability FROM scores")
            expected = at.shared.expected["churn_probability"].to_dict()
            require(len(found) == len(expected), f"{len(found)} rows")
            require(dict(found) == expected, "other scores")
        left = asked(address, "SELECT tablename FROM pg_tables WHERE tablename LIKE '%stage%'")
        require(left == [], f"left behind: {left}")


@case(86, "PostgreSQL: a column of another type, one more that must not be null")
def other_columns(at: Bench) -> None:
    table, old = at.csv(at.rows), at.csv(at.rows.tail(50), "few.csv")
    changes = (
        "ALTER TABLE {0} ADD batch integer NOT NULL DEFAULT 7; "
        "ALTER TABLE {0} ALTER batch DROP DEFAULT",
        "ALTER TABLE {0} ALTER churn_probability TYPE text",
    )
    with server() as address:
        for number, change in enumerate(changes):
            name = f"scores{number}"
            out = table_of(address, name)
            done = at.score(old, out=out)
            require(done.status == 0, done.err[-300:])
            asked(address, change.format(name))
            before = standing(address, name)
            done = at.score(table, "--overwrite", out=out)
            require(done.status in (3, 5), f"status {done.status}: {done.err[-300:]}")
            require(("batch", "churn_probability")[number] in done.err, done.err[-300:])
            require(standing(address, name) == before, "the older rows were changed")


@case(
    87,
    "Spark: a task whose process dies half-way is run again",
    apart="lost executors and twins need a cluster: tests/scoring/test_executors.py",
)
def retried(at: Bench) -> None:
    source = at.operator()
    for path in source.glob("*.parquet"):
        if path.stem not in ("customers", "bills"):
            path.unlink()
    config = at.raw("churn: {repeats: 1, max_rounds: 20, min_positives: 2}\n", "c.yaml")
    model = at.folder / "of_operator"
    done = at.run("train", "churn", source, "--config", config, "--no-track", "--out", model)
    require(done.status == 0, done.err[-300:])
    many = at.raw("scoring: {batch_rows: 20}\n", "d.yaml")
    argv = ["score", source, "--as-of", "2026-03-01", "--churn-model", model, "--config", many]
    require(at.run(*argv, "--out", at.folder / "here").status in (0, 6), "not scored here")
    crash = {"CHURNML_CRASH_AT": "part 1, attempt 0, batch 1", "PYSPARK_SUBMIT_ARGS": CLUSTER}
    done = at.fresh(*argv, "--engine", "spark", "--out", at.out, env=crash, limit=600)
    require(done.status in (0, 6), f"status {done.status}: {done.err[-400:]}")
    require("Python worker exited unexpectedly" in done.err, "the task did not die")
    found, expected = at.scorer.scores(at.out), at.scorer.scores(at.folder / "here")
    require(found.sort_index().equals(expected.sort_index()), "other scores")
