"""A whole operator in PostgreSQL: the same numbers as from files, one snapshot, plain messages."""

import time

import ibis
import pandas as pd
import pyarrow.parquet as pq
import pytest

import churnml
from churnml.errors import DataError
from churnml.features.writing import save_features
from churnml.tables.simulator import simulate

AS_OF = "2026-06-01"


@pytest.fixture(scope="module")
def duck(tmp_path_factory):
    folder = tmp_path_factory.mktemp("duck")
    simulate(folder, customers=400, months=16, seed=1)
    return folder


@pytest.fixture(scope="module")
def address(postgres_server, duck):
    """The operator in a database, with roles that may do less."""
    address = postgres_server("crm")
    con = ibis.connect(address)
    for name, binding in churnml.open_source(duck).bindings.items():
        con.create_table(name, binding.rows.typed.to_pyarrow())
    for statement in (
        "CREATE ROLE reader LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
        "CREATE ROLE hardened LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO hardened",
        "REVOKE TEMPORARY ON DATABASE crm FROM public",
        "GRANT TEMPORARY ON DATABASE crm TO reader",
        "CREATE ROLE hasty LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO hasty",
        "GRANT TEMPORARY ON DATABASE crm TO hasty",
        "ALTER ROLE hasty SET statement_timeout = '20ms'",
        "CREATE ROLE stranger LOGIN",
        # It sees that the table is there, and may not read it.
        "CREATE ROLE blindfold LOGIN",
        "GRANT SELECT ON customers TO blindfold",
        "GRANT INSERT ON bills TO blindfold",
    ):
        con.raw_sql(statement).close()
    con.disconnect()
    return address


def as_role(address, role):
    return address.replace("//crm@", f"//{role}@")


def test_features_are_those_of_files_for_a_role_that_may_only_read(address, duck, tmp_path):
    save_features(duck, as_of=AS_OF, out=tmp_path / "a.parquet")
    out = tmp_path / "b.parquet"
    save_features(as_role(address, "reader"), as_of=AS_OF, out=out)
    one, other = pq.read_table(tmp_path / "a.parquet"), pq.read_table(out)
    assert one.to_pydict() == other.to_pydict()
    assert one.schema.names == other.schema.names
    assert one.schema.types == other.schema.types
    # The file says what it is: it may be replaced where that is asked for.
    save_features(as_role(address, "reader"), as_of=AS_OF, out=out, overwrite=True)


@pytest.mark.parametrize(
    "task",
    [
        "churn",
        pytest.param("satisfaction", marks=pytest.mark.slow),
        pytest.param("hazard", marks=pytest.mark.slow),
    ],
)
def test_training_data_are_those_of_files(address, duck, task):
    days = ["2025-12-01", "2026-01-01"]
    one = churnml.build_dataset(churnml.open_source(duck), task, as_of=days)
    other = churnml.build_dataset(churnml.open_source(address), task, as_of=days)
    assert one.X.equals(other.X)
    assert one.y.equals(other.y)
    assert one.groups.equals(other.groups)


def test_a_source_is_of_one_moment_and_its_key_of_its_rows(address):
    before = churnml.open_source(address)
    key, rows = before.fingerprint(), before.tables["bills"].count().to_pyarrow().as_py()
    con = ibis.connect(address)
    con.raw_sql("CREATE TABLE kept AS SELECT * FROM bills WHERE month = '2026-05-01'").close()
    con.raw_sql("DELETE FROM bills WHERE month = '2026-05-01'").close()
    try:
        assert before.tables["bills"].count().to_pyarrow().as_py() == rows
        assert before.fingerprint() == key
        after = churnml.open_source(address)
        assert after.tables["bills"].count().to_pyarrow().as_py() < rows
        assert after.fingerprint() != key
    finally:
        con.raw_sql("INSERT INTO bills SELECT * FROM kept").close()
        con.raw_sql("DROP TABLE kept").close()
        con.disconnect()
    # The same rows in another order are the same.
    assert churnml.open_source(address).fingerprint() == key


@pytest.mark.parametrize(
    ("role", "problem", "hint"),
    [
        ("hardened", "permission denied to create temporary tables", "GRANT TEMPORARY ON"),
        ("stranger", "no table of the contract here", "none that this user may read"),
        ("blindfold", "permission denied for table bills", "GRANT SELECT"),
        ("hasty", "canceling statement due to statement timeout", "statement_timeout"),
    ],
)
def test_what_the_server_refuses_is_a_sentence(address, tmp_path, role, problem, hint):
    out = tmp_path / "f.parquet"
    with pytest.raises(DataError, match=problem) as refused:
        save_features(as_role(address, role), as_of=AS_OF, out=out)
    assert hint in str(refused.value)
    assert not out.exists()


def test_a_connection_that_is_cut_is_a_sentence(address):
    source = churnml.open_source(address)
    con = ibis.connect(address)
    con.raw_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = 'crm' AND pid <> pg_backend_pid()"
    ).close()
    con.disconnect()
    with pytest.raises(DataError, match=r"postgresql:///crm: .+ run the same command again"):
        source.tables["bills"].count().to_pyarrow()


def test_rows_beside_a_database_are_part_of_its_fingerprint(address, tmp_path):
    rows = pd.DataFrame({"customer_id": ["1", "2"], "month": ["2026-01-01"] * 2, "x": [1.0, 2.0]})
    rows["month"] = pd.to_datetime(rows["month"]).dt.date

    def found(frame):
        extra = {"own": churnml.Extra(frame, columns={"x": {"aggregate": "mean"}})}
        with churnml.open_source(address, extra=extra) as source:
            return source.fingerprint()

    whole = found(rows)
    assert found(rows.iloc[::-1]) == whole
    assert found(rows.assign(x=[1.0, 3.0])) != whole
    file = tmp_path / "own.parquet"
    rows.to_parquet(file)
    stored = found(file)
    rows.assign(x=[1.0, 3.0]).to_parquet(file)
    assert found(file) != stored


@pytest.mark.slow
def test_a_model_trained_and_used_in_the_database_gives_the_same_scores(
    postgres_server, tmp_path, capsys
):
    folder = tmp_path / "operator"
    simulate(folder, customers=2_000, months=18, seed=2)
    address = postgres_server("whole")
    con = ibis.connect(address)
    for name, binding in churnml.open_source(folder).bindings.items():
        con.create_table(name, binding.rows.typed.to_pyarrow())
    con.disconnect()
    quick = {"folds": 2, "repeats": 1, "max_rounds": 30, "train_months": 3, "min_positives": 20}
    config = churnml.Config.model_validate({"churn": quick})
    seconds, boosters, parts = {}, [], []
    for at, where in enumerate((str(folder), address)):
        model = tmp_path / f"model{at}"
        churnml.train(where, "churn", config=config, track=False, out=model)
        boosters.append([path.read_bytes() for path in sorted((model / "boosters").iterdir())])
        began = time.perf_counter()
        save_features(where, as_of=AS_OF, out=tmp_path / f"f{at}.parquet")
        seconds[where] = time.perf_counter() - began
        out, first = tmp_path / f"s{at}", tmp_path / "model0"
        scores = churnml.score(where, AS_OF, out=out, churn_model=first)
        parts.append([one.sha256 for one in scores.parts])
    assert boosters[0] == boosters[1]
    assert parts[0] == parts[1]
    with capsys.disabled():
        ratio = seconds[address] / seconds[str(folder)]
        print(f"\nfeatures of 2,000 customers, PostgreSQL against files: {ratio:.1f} times")
