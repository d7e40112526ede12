"""Scores in a PostgreSQL table: all of a run or nothing of it, once, whatever happens."""

import json
import os
import subprocess
import sys
import time
from contextlib import closing

import pandas as pd
import psycopg
import pytest

import churnml
from churnml.base.files import CRASH_AT
from churnml.errors import OutputError, UsageError
from churnml.models import bundle
from churnml.scoring.bands import risk_bands

CONFIG = {"scoring": {"batch_rows": 200}}
SCORE = """
import sys, churnml
models = {"churn_model": sys.argv[3], "satisfaction_model": sys.argv[4]}
rest = {"overwrite": "--overwrite" in sys.argv, "config": {"scoring": {"batch_rows": 200}}}
churnml.score(sys.argv[1], "2026-06-01", id="id", out=sys.argv[2], **models, **rest)
"""
CRASHES = (
    "part-00001.parquet:journalled",
    "part-00001.parquet:copied",
    "staged in the table",
    "before the commit",
    "published",
)


@pytest.fixture(scope="module")
def database(postgres_server):
    address = postgres_server("scores")
    query(
        address,
        "CREATE ROLE scores_writer LOGIN",
        "CREATE ROLE scores_reader LOGIN",
        "CREATE SCHEMA marts",
        "GRANT ALL ON SCHEMA public, marts TO scores_writer",
    )
    return address


@pytest.fixture(scope="module")
def models(churn, satisfaction, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name, model in (("churn", churn), ("satisfaction", satisfaction)):
        bundle.save(model, folder / name)
    return {f"{name}_model": folder / name for name in ("churn", "satisfaction")}


@pytest.fixture
def place(database, tmp_path, monkeypatch):
    """An address of a table that is not there yet, and a working folder of its own."""
    monkeypatch.chdir(tmp_path)
    query(database, "DROP TABLE IF EXISTS churn_scores", "DROP TABLE IF EXISTS churn_runs")
    return at(database, "public.churn_scores")


def at(database, table, role="scores_writer"):
    return database.replace("//crm@", f"//{role}@").replace("?", f"/{table}?")


def query(address, *statements):
    """Run statements as the owner; the rows of the last."""
    with closing(psycopg.connect(address, autocommit=True)) as con:
        for statement in statements:
            cursor = con.execute(statement)
        return cursor.fetchall() if cursor.description else []


def score(table, out, models, **options):
    settings = {"as_of": "2026-06-01", "id": "id", "config": CONFIG} | options
    return churnml.score(table, out=out, **models, **settings)


def tables(address):
    listed = query(address, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {name for (name,) in listed}


def test_rows_are_those_of_a_folder_to_the_bit_with_their_account(
    database, place, models, customers_csv, tmp_path
):
    folder = score(customers_csv, tmp_path / "scores", models)
    manifest = score(customers_csv, place, models)
    expected, found = folder.to_pandas(), manifest.to_pandas()
    nested = [name for name in expected if name.endswith("reasons")]
    assert len(found) == 600
    assert list(found) == list(expected)
    flat = expected.columns.difference(nested)
    pd.testing.assert_frame_equal(found[flat], expected[flat], check_exact=True, check_dtype=False)
    for name in nested:
        assert found[name].tolist() == [list(map(dict, one)) for one in expected[name]]
    ((run, target, day, versions, rows, sha, account),) = query(
        database, "SELECT run, target, as_of, models, rows, sha256, manifest FROM churn_runs"
    )
    assert (target, str(day), rows) == ("public.churn_scores", "2026-06-01", 600)
    assert versions == ", ".join(one["version"] for one in manifest.models.values())
    assert len(run) == 32
    assert len(sha) == 64
    assert account == json.loads(manifest.to_bytes())
    assert [one.sha256 for one in manifest.parts] == [one.sha256 for one in folder.parts]
    for one, other in zip(risk_bands(manifest), risk_bands(folder), strict=True):
        assert (one.name, one.customers, one.driver) == (other.name, other.customers, other.driver)
        assert one.churn_probability == pytest.approx(other.churn_probability, rel=1e-12)
        assert one.satisfaction == pytest.approx(other.satisfaction, rel=1e-12)
    assert manifest.folder == "postgresql:///scores/public.churn_scores"
    assert tables(database) == {"churn_scores", "churn_runs"}
    assert [path.name for path in tmp_path.iterdir()] == ["scores"]
    with pytest.raises(OutputError, match="a table of a database; a folder of scores is expected"):
        churnml.contact_list(manifest, out="list.csv")


def test_the_same_run_again_writes_nothing_and_another_asks(
    database, place, models, customers_csv, customers, tmp_path
):
    first = score(customers_csv, place, models)
    written = query(database, "SELECT xmin, ctid, * FROM churn_scores ORDER BY customer_id")
    assert score(customers_csv, place, models).to_dict() == first.to_dict()
    assert query(database, "SELECT xmin, ctid, * FROM churn_scores ORDER BY customer_id") == written
    fewer = tmp_path / "fewer.csv"
    customers.head(500).to_csv(fewer, index=False)
    with pytest.raises(OutputError, match=r"holds other scores .* at 2026-06-01 .*--overwrite"):
        score(fewer, place, models)
    # Other dates and other models stand beside them.
    score(fewer, place, models, as_of="2026-07-01")
    score(fewer, place, {"churn_model": models["churn_model"]})
    assert query(database, "SELECT count(*) FROM churn_scores") == [(1_600,)]
    # Customers who are no longer there must not stay.
    score(fewer, place, models, overwrite=True)
    assert query(database, "SELECT count(*) FROM churn_scores") == [(1_500,)]
    assert query(database, "SELECT count(*), sum(rows)::int FROM churn_runs") == [(3, 1_500)]


def test_what_is_in_the_table_and_is_not_ours_is_left_alone(database, place, models, customers_csv):
    query(database, "CREATE TABLE IF NOT EXISTS customers (customer_id text)")
    query(database, "GRANT ALL ON customers TO scores_writer")
    with pytest.raises(OutputError, match=r"public\.customers has no column as_of") as refused:
        score(customers_csv, at(database, "customers"), models)
    assert "ALTER TABLE public.customers ADD COLUMN" in str(refused.value)
    assert query(database, "SELECT count(*) FROM customers") == [(0,)]
    score(customers_csv, place, models)
    query(database, "DELETE FROM churn_runs")
    with pytest.raises(OutputError, match="that no row of churn_runs accounts for"):
        score(customers_csv, place, models, overwrite=True)
    assert query(database, "SELECT count(*) FROM churn_scores") == [(600,)]
    query(database, "DROP TABLE customers")


@pytest.mark.parametrize(
    "crash",
    [
        pytest.param(one, marks=() if one == "before the commit" else pytest.mark.slow)
        for one in CRASHES
    ],
)
def test_killed_at_any_step_and_run_again_every_row_is_there_once(
    database, place, models, customers_csv, tmp_path, crash
):
    command = [sys.executable, "-c", SCORE, customers_csv, place, *models.values()]

    def run(crash):
        environment = os.environ | {CRASH_AT: crash}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode

    assert run(crash) == 137
    standing = query(database, "SELECT to_regclass('churn_scores') IS NOT NULL")[0][0]
    rows = query(database, "SELECT count(*) FROM churn_scores")[0][0] if standing else 0
    assert rows == (600 if crash == "published" else 0)
    assert run("") == 0
    counted = "SELECT count(*), count(DISTINCT customer_id) FROM churn_scores"
    assert query(database, counted) == [(600, 600)]
    assert query(database, "SELECT count(*) FROM churn_runs") == [(1,)]
    assert tables(database) == {"churn_scores", "churn_runs"}
    assert list(tmp_path.iterdir()) == []


def test_a_reader_sees_the_old_scores_or_the_new_and_one_writer_works_at_a_time(
    database, place, models, customers_csv, customers, tmp_path
):
    score(customers_csv, place, models)
    fewer = tmp_path / "fewer.csv"
    customers.head(500).to_csv(fewer, index=False)
    command = [sys.executable, "-c", SCORE, fewer, place, *models.values(), "--overwrite"]
    writer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    seen, refused = [], []
    with closing(psycopg.connect(database, autocommit=True)) as con:
        while writer.poll() is None:
            seen.append(con.execute("SELECT count(*) FROM churn_scores").fetchone()[0])
            if (
                not refused
                and con.execute("SELECT FROM pg_locks WHERE locktype = 'advisory'").fetchall()
            ):
                with pytest.raises(OutputError, match="is writing it"):
                    score(customers_csv, place, models)
                refused.append(True)
            time.sleep(0.01)
        seen.append(con.execute("SELECT count(*) FROM churn_scores").fetchone()[0])
    assert writer.returncode == 0
    assert sorted(set(seen)) == [500, 600]
    assert seen == sorted(seen, reverse=True)
    assert refused


def test_a_connection_cut_while_rows_are_scored_is_made_anew(
    database, place, models, customers_csv, monkeypatch
):
    from churnml.scoring import run

    def cut(*options):
        query(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'churnml'",
        )
        return score_rows(*options)

    score_rows = run.score_rows
    monkeypatch.setattr(run, "score_rows", cut)
    assert score(customers_csv, place, models).rows.scored == 600
    assert query(database, "SELECT count(*) FROM churn_scores") == [(600,)]


def test_a_server_that_refuses_keeps_what_has_been_scored(
    database, place, models, customers_csv, tmp_path
):
    query(database, "ALTER ROLE scores_writer SET statement_timeout = '1ms'")
    try:
        with pytest.raises(OutputError, match=r"statement timeout.*What stood in the table"):
            score(customers_csv, place, models)
    finally:
        query(database, "ALTER ROLE scores_writer RESET statement_timeout")
    assert score(customers_csv, place, models).rows.scored == 600
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("table", "role", "problem"),
    [
        (
            "public.scores",
            "scores_reader",
            "may not create tables .* public.*GRANT CREATE",
        ),
        ("nowhere.scores", "scores_writer", "there is no schema nowhere"),
        ("public.scores", "nobody", 'role "nobody" does not exist'),
    ],
)
def test_what_the_server_does_not_allow_is_said_before_any_work(
    database, models, customers_csv, tmp_path, monkeypatch, table, role, problem
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match=problem):
        score(customers_csv, at(database, table, role), models)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("out", "problem"),
    [
        ("postgresql://crm@db1/crm", "names no table"),
        ("postgresql://crm@db1/crm/a.b.c", "not a table's name"),
        ("postgresql://crm@db1/crm/" + "x" * 64, "at most 63 bytes"),
    ],
)
def test_an_address_without_a_table_is_refused(models, customers_csv, out, problem):
    with pytest.raises(UsageError, match=problem):
        score(customers_csv, out, models)


def test_a_password_in_the_address_is_taken_with_a_warning(
    database, place, models, customers_csv, caplog
):
    score(customers_csv, place.replace("scores_writer@", "scores_writer:Sesame@"), models)
    assert "PGPASSFILE" in caplog.text
    assert "Sesame" not in caplog.text


def test_customers_of_an_operator_go_into_another_schema_and_their_old_stages_are_named(
    database, place, models, customers_csv, caplog
):
    out = at(database, "marts.scores")
    stage = "marts.churnml_stage_dead"
    query(
        database,
        f"CREATE UNLOGGED TABLE {stage} (customer_id text)",
        f"ALTER TABLE {stage} OWNER TO scores_writer",
        f"COMMENT ON TABLE {stage} IS 'marts.scores 1700000000'",
    )
    score(customers_csv, out, models)
    assert "marts.churnml_stage_dead was left by a run that was killed" in caplog.text
    score(customers_csv, out, models, as_of="2026-07-01", overwrite=True)
    assert query(database, f"SELECT to_regclass('{stage}')") == [(None,)]
    assert query(database, "SELECT count(*) FROM marts.scores") == [(1_200,)]
