"""A PostgreSQL store works as the SQLite one does, also when eight come at once."""

import os
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from churnml.errors import ModelError
from churnml.models import bundle
from churnml.registry.resolve import resolve, resolve_champions
from churnml.registry.store import Store, database_file, open_store, wait_at_most
from churnml.registry.tracking import Child, Curve, Data, TrainingRecord, log_training
from churnml.registry.versions import aliases_of

DATA = Data(name="toy", source="/data/toy.csv", digest="ab" * 32, rows=600, target="left")


@pytest.fixture(scope="module")
def postgres_uri(postgres_server) -> str:
    """A database in which MLflow's tables have been made once."""
    uri = postgres_server("shared")
    open_store(uri)
    return uri


@pytest.fixture
def postgres(postgres_uri, tmp_path, monkeypatch) -> Store:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", postgres_uri)
    return open_store()


def training(model: bundle.Model) -> TrainingRecord:
    return TrainingRecord(
        model=model,
        title="churn · toy",
        data=DATA,
        params={"rate": 0.05, "source": "postgresql://me:secret@host/db"},
        metrics={"auc": 0.75, "interval/auc_low": 0.7},
        curves={"boosting/log_loss": Curve([0.6, 0.5, 0.45])},
        importance={"tenure": 0.5, "费用": 0.1},
        tables={"metrics": {"measure": ["auc"], "model": [0.75]}},
        children=[
            Child(title="fold 1 of 1", kind="fold", curves={"boosting/log_loss": Curve([0.6, 0.5])})
        ],
        notes="auc 0.75\n\nWho leaves. 谁会流失",
    )


def told(store: Store, run_id: str) -> dict:
    """What a store gives back of a run, without what no two runs share."""
    run = store.client.get_run(run_id)
    ours = {k: v for k, v in run.data.tags.items() if k.startswith("label.")}
    history = store.client.get_metric_history(run_id, "boosting/log_loss")
    files = {one.path for one in store.client.list_artifacts(run_id)}
    (data,) = run.inputs.dataset_inputs
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "metrics": run.data.metrics,
        "params": run.data.params,
        "labels": ours,
        "curve": [(one.step, one.value) for one in history],
        "files": files,
        "data": (data.dataset.name, data.dataset.digest, data.dataset.schema),
        "models": len(run.outputs.model_outputs),
    }


def test_postgres_keeps_what_sqlite_keeps(store, postgres, churn):
    first = log_training(training(churn), store=postgres)
    second = log_training(training(churn), store=postgres)
    assert (first.alias, second.alias) == ("champion", "challenger")
    assert aliases_of(postgres, "churn-toy") == {"champion": "1", "challenger": "2"}
    bundle.check_golden(resolve("models:/churn-toy@challenger").model, exact=True)
    (child,) = postgres.client.search_runs(
        [postgres.client.get_experiment_by_name("churn").experiment_id],
        f"tags.`mlflow.parentRunId` = '{first.run_id}'",
    )
    assert child.info.run_name == "fold 1 of 1"

    with store.current():
        other = log_training(training(churn), store=store)
    assert told(postgres, first.run_id) == told(store, other.run_id)


def test_what_postgres_does_not_have_is_answered_with_what_it_has(postgres):
    with pytest.raises(ModelError, match="no such model"):
        resolve("models:/nobody@champion")
    with pytest.raises(ModelError, match="churn@champion"):
        resolve_champions()


def test_a_database_that_cannot_be_reached_is_told_without_its_password(monkeypatch):
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_MAX_RETRIES", "1")
    with pytest.raises(ModelError) as refused:
        open_store("postgresql://me:secret@127.0.0.1:1/runs")
    assert "me:***@" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def two_seconds(monkeypatch) -> Iterator[None]:
    for name in ("MLFLOW_HTTP_REQUEST_TIMEOUT", "PGCONNECT_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    wait_at_most(2)
    yield
    wait_at_most(30)


@pytest.mark.parametrize("address", ["http://127.0.0.1:{}", "postgresql://me@127.0.0.1:{}/runs"])
def test_a_store_that_says_nothing_is_given_up(address, silent, two_seconds):
    started = time.monotonic()
    with pytest.raises(ModelError, match="MLFLOW_TRACKING_URI"):
        open_store(address.format(silent))
    assert time.monotonic() - started < 15


def test_the_users_own_patience_stays(monkeypatch):
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "77")
    wait_at_most(30)
    assert os.environ["PGCONNECT_TIMEOUT"] == "77"


def test_a_locked_store_is_waited_for_and_then_given_up(store, two_seconds):
    with closing(sqlite3.connect(database_file(store.uri), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ModelError, match="locked for 2 s"):
            open_store(store.uri)
        other.rollback()
    assert open_store(store.uri).uri == store.uri


def test_a_store_that_is_let_go_of_in_time_is_opened(store):
    holder = textwrap.dedent("""
        import sqlite3, sys, time
        other = sqlite3.connect(sys.argv[1], isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        print("locked", flush=True)
        time.sleep(1)
    """)
    command = [sys.executable, "-c", holder, str(database_file(store.uri))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"locked\n"
        open_store(store.uri)
        assert process.wait() == 0


def test_a_model_in_a_folder_needs_no_store(churn, silent, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent}")
    bundle.save(churn, tmp_path / "model")
    started = time.monotonic()
    assert resolve(tmp_path / "model").model.task == "churn"
    assert time.monotonic() - started < 5


def test_files_go_where_those_who_share_a_database_can_reach_them(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_DEFAULT_ARTIFACT_ROOT", "s3://shared/runs")
    assert store.artifacts == "s3://shared/runs"


EIGHT = textwrap.dedent("""
    import os, sys, traceback
    import lightgbm, mlflow, sklearn.pipeline
    from churnml import scoring
    from churnml.registry.resolve import resolve
    from churnml.registry.tracking import Data, TrainingRecord, log_training

    children = []
    for number in range(8):
        child = os.fork()
        if child == 0:
            try:
                model = resolve(sys.argv[1]).model
                data = Data(name="d", source="s", digest="abc", rows=1, target="t")
                log_training(
                    TrainingRecord(
                        model=model,
                        title=f"number {number}",
                        data=data,
                        metrics={"auc": 0.5},
                    )
                )
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(child)
    sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
""")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_eight_trainings_at_once_on_a_fresh_store_all_succeed(kind, churn, tmp_path, request):
    if kind == "sqlite":
        uri = f"sqlite:///{tmp_path / 'fresh.db'}"
    else:
        uri = request.getfixturevalue("postgres_server")("eight")
    bundle.save(churn, tmp_path / "model")
    environment = os.environ | {"MLFLOW_TRACKING_URI": uri, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", EIGHT, str(tmp_path / "model")]
    ran = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    store = open_store(uri)
    (experiment,) = [e for e in store.client.search_experiments() if e.name == "churn"]
    runs = store.client.search_runs([experiment.experiment_id])
    assert [run.info.status for run in runs] == ["FINISHED"] * 8
    versions = {v.version for v in store.client.search_model_versions("name = 'churn-toy'")}
    assert {int(version) for version in versions} == set(range(1, 9))
    assert aliases_of(store, "churn-toy") == {"champion": "1", "challenger": "8"}


def test_of_three_who_promote_on_postgres_at_once_one_does_and_the_others_are_told(postgres):
    from churnml.registry import versions as registry
    from churnml.registry.promotion.aliases import add_event
    from churnml.registry.promotion.history import Event, events

    name = "churn-race"
    registry.ensure_name(postgres, name, "churn")
    for _ in range(4):
        postgres.client.create_model_version(name, source="/nowhere")
    postgres.client.set_registered_model_alias(name, "champion", "1")

    def promote(version: str) -> str:
        event, aliases = (
            Event(what="promoted", version=version, over="1"),
            {"champion": version, "previous": "1"},
        )
        try:
            add_event(open_store(), name, event, seen={"champion": "1"}, aliases=aliases)
        except ModelError as error:
            return error.message
        return version

    with ThreadPoolExecutor(3) as people:
        said = sorted(people.map(promote, ["2", "3", "4"]))
    (winner,) = [one for one in said if one in ("2", "3", "4")]
    assert sum(f"champion: is version {winner} now" in one for one in said) == 2
    assert registry.aliases_of(postgres, name) == {"champion": winner, "previous": "1"}
    assert [(event.number, event.version) for event in events(postgres, name)] == [(1, winner)]
