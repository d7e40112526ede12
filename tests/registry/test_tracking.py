"""Every training is a complete MLflow run with a registered version, or leaves none."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from matplotlib.figure import Figure

import churnml
from churnml.errors import ModelError, UsageError
from churnml.metrics import Estimate
from churnml.metrics.displays import GainsDisplay
from churnml.metrics.displays.style import page_axes
from churnml.models import bundle
from churnml.models.signature import signature
from churnml.registry.resolve import resolve
from churnml.registry.store import Store, open_store
from churnml.registry.tracking import (
    Child,
    Curve,
    Data,
    Logged,
    TrainingRecord,
    addresses,
    headline,
    log_children,
    log_training,
    refresh_card,
    save_training,
)
from churnml.registry.tracking.evaluations import attach_evaluation
from churnml.registry.versions import aliases_of, digest_of


@pytest.fixture
def training(churn: bundle.Model, customers: pd.DataFrame) -> TrainingRecord:
    scores = churn.estimator.oof_
    return TrainingRecord(
        model=churn,
        title="churn · toy · 2026-06",
        data=Data(
            name="toy", source="/data/toy.csv", digest="ab" * 32, rows=len(customers), target="left"
        ),
        params={
            "rate": 0.05,
            "source": "postgresql://me:secret@host/db",
            "long": "x" * 9000,
        },
        metrics={"auc": 0.75, "regression/auc": 0.7},
        curves={"boosting/log_loss": Curve([0.6, 0.5, 0.4], steps=[1, 10, 20])},
        tags={"operator": "demo"},
        importance={"tenure": 0.5, "费用": 0.1, "plan": 0.3, "online": 0.0},
        figures={
            "gains": lambda: (
                GainsDisplay.from_predictions(
                    customers["left"], scores, ax=page_axes("Gains")
                ).figure_
            )
        },
        tables={"metrics": {"measure": ["auc"], "model": [0.75]}},
        notes="auc 0.75\n\nWho leaves.\n\n| measure | model |\n|---|---|\n| auc | 0.75 |\n",
        started=datetime(2026, 6, 1, tzinfo=UTC),
    )


def only_run(store: Store) -> mlflow.entities.Run:
    (run,) = store.client.search_runs([experiment(store)])
    return run


def table(store: Store, run_id: str, name: str) -> pd.DataFrame:
    path = mlflow.artifacts.download_artifacts(
        run_id=run_id, artifact_path=f"tables/{name}.json", tracking_uri=store.uri
    )
    kept = json.loads(Path(path).read_text())
    return pd.DataFrame(kept["data"], columns=kept["columns"])


def experiment(store: Store) -> str:
    return store.client.get_experiment_by_name("churn").experiment_id


def test_a_run_keeps_what_a_training_says_of_itself(store, training):
    logged = log_training(training)
    run = only_run(store)
    assert logged == Logged(
        model_uri="models:/churn-toy/1", run_id=run.info.run_id, model_version="1", alias="champion"
    )
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "churn · toy · 2026-06"
    assert run.info.start_time == 1780272000000
    assert run.data.metrics == training.metrics | {"boosting/log_loss": 0.4}
    assert run.data.params["rate"] == "0.05"
    assert run.data.params["source"] == "postgresql://me:***@host/db"
    assert len(run.data.params["long"]) == 6000
    assert run.data.tags["operator"] == "demo"
    paths = {file.path for file in store.client.list_artifacts(run.info.run_id)}
    assert paths == {"README.md", "tables", "figures"}


def test_a_curve_keeps_its_steps(store, training):
    log_training(training)
    history = store.client.get_metric_history(only_run(store).info.run_id, "boosting/log_loss")
    assert [(one.step, one.value) for one in history] == [(1, 0.6), (10, 0.5), (20, 0.4)]


def test_tags_say_which_code_data_and_label(store, training):
    log_training(training)
    tags = only_run(store).data.tags
    assert re.fullmatch("[0-9a-f]{40}", tags["mlflow.source.git.commit"])
    assert tags["churnml.version"] == churnml.__version__
    assert tags["mlflow.churnml.data_digest"] == training.model.origin.digest
    assert tags["churnml.kind"] == "table"


def test_the_card_leads_to_the_figures_the_tables_and_the_model(store, training):
    log_training(training)
    run = only_run(store)
    card = run.data.tags["mlflow.note.content"]
    assert card.startswith("auc 0.75\n\nWho leaves.")
    # The UI leaves no room between the columns of a table.
    assert "| auc&emsp; | 0.75&emsp; |" in card
    base = f"#/experiments/{experiment(store)}/runs/{run.info.run_id}/artifacts"
    for place in ("figures/gains.png", "tables/metrics.json", "tables/importance.json"):
        assert f"({base}/{place})" in card
        folder, _, name = place.partition("/")
        kept = {one.path for one in store.client.list_artifacts(run.info.run_id, folder)}
        assert f"{folder}/{name}" in kept
    assert "(#/models/churn-toy)" in card


def test_the_experiment_has_a_card_and_a_view_of_the_columns_that_matter(store, training):
    log_training(training)
    found = store.client.get_experiment_by_name("churn")
    assert addresses(store) == {
        "churn": f"#/experiments/{found.experiment_id}/runs"
        "?viewStateShareKey=churnml&workflowType=machine_learning"
    }
    assert found.tags["mlflow.note.content"].startswith("Trainings of models that predict ")
    view = json.loads(found.tags["mlflow.sharedViewState.churnml"])
    columns = json.loads(view["state"])["columnOrder"]
    assert columns.index("metrics.`auc`") < columns.index("metrics.`log_loss`")
    assert found.tags["mlflow.experiment.primaryMetric.name"] == "auc"


def test_a_run_that_names_no_experiment_finds_one_beside_churnmls(store, training, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    log_training(training, store=store)
    with mlflow.start_run(experiment_id="0") as run:
        mlflow.log_metric("auc", 0.7)
    names = {one.experiment_id: one.name for one in store.client.search_experiments()}
    assert names[run.info.experiment_id] == "own runs"


def test_a_registered_model_tells_its_champion_until_somebody_tells_otherwise(store, training):
    log_training(training)
    log_training(replace(training, notes="auc 0.80"))
    told = store.client.get_registered_model("churn-toy").description
    assert "Challenger is version 2" in told or "challenger is version 2" in told
    assert "## Champion: version 1\n\nauc 0.75" in told
    assert "get-artifact?run_uuid=" in told
    store.client.set_registered_model_alias("churn-toy", "champion", "2")
    refresh_card(store, "churn-toy")
    told = store.client.get_registered_model("churn-toy").description
    assert "## Champion: version 2\n\nauc 0.80" in told
    store.client.update_registered_model("churn-toy", description="Ask Wang first.")
    log_training(training)
    assert store.client.get_registered_model("churn-toy").description == "Ask Wang first."


def test_an_experiment_s_card_that_somebody_has_rewritten_is_left(store, training):
    log_training(training)
    store.client.set_experiment_tag(experiment(store), "mlflow.note.content", "Ask Wang first.")
    log_training(training)
    found = store.client.get_experiment_by_name("churn")
    assert found.tags["mlflow.note.content"] == "Ask Wang first."


def test_children_are_runs_within_the_run_under_the_same_names(store, training):
    children = [
        Child(title="fold 1 of 2", kind="fold", curves={"boosting/log_loss": Curve([0.6, 0.5])}),
        Child(
            title="fold 2 of 2",
            kind="fold",
            metrics={"auc": 0.7},
            params={"rate": 0.1},
            seconds=2.5,
        ),
    ]
    logged = log_training(replace(training, children=children))
    inside = f"tags.`mlflow.parentRunId` = '{logged.run_id}'"
    first, second = store.client.search_runs([experiment(store)], inside)
    assert (first.info.run_name, second.info.run_name) == ("fold 1 of 2", "fold 2 of 2")
    assert first.data.metrics == {"boosting/log_loss": 0.5}
    assert second.data.metrics == {"auc": 0.7}
    assert second.data.params == {"rate": "0.1"}
    assert second.data.tags["churnml.child"] == "fold"
    assert second.info.end_time - second.info.start_time == 2500
    assert {run.info.status for run in (first, second)} == {"FINISHED"}


def test_nested_results_of_a_search_go_under_any_run(store, training):
    logged = log_training(training)
    folds = [Child(title="fold 1", kind="fold", metrics={"log_loss": 0.4})]
    trials = [
        Child(
            title="trial 1",
            kind="trial",
            params={"leaves": 8},
            metrics={"log_loss": 0.4},
            children=folds,
        ),
        Child(title="trial 2", kind="trial", params={"leaves": 16}, failed=True),
    ]
    first, second = log_children(trials, store=store, run_id=logged.run_id)
    assert store.client.get_run(second).info.status == "FAILED"
    (fold,) = store.client.search_runs(
        [experiment(store)], f"tags.`mlflow.parentRunId` = '{first}'"
    )
    assert fold.data.metrics == {"log_loss": 0.4}


def test_a_model_shows_the_numbers_of_its_run(store, training):
    logged = log_training(training)
    (output,) = store.client.get_run(logged.run_id).outputs.model_outputs
    model = store.client.get_logged_model(output.model_id)
    assert {one.key: one.value for one in model.metrics} == training.metrics
    assert {one.dataset_name for one in model.metrics} == {"toy"}


def test_the_data_are_told_by_digest_and_schema_without_a_row(store, training):
    log_training(training)
    ((given,),) = (only_run(store).inputs.dataset_inputs,)
    assert given.dataset.digest == ("ab" * 32)[:12]
    assert json.loads(given.dataset.source) == {"uri": "/data/toy.csv"}
    schema = json.loads(given.dataset.schema)
    assert {"name": "费用", "type": "double", "required": True} in schema["mlflow_colspec"]
    assert json.loads(given.dataset.profile)["rows"] == 600


def test_importance_is_a_table_with_the_largest_first(store, training):
    logged = log_training(training)
    found = table(store, logged.run_id, "importance")
    assert found["feature"].tolist() == ["tenure", "plan", "费用", "online"]
    assert found["share"].sum() == pytest.approx(1, abs=1e-5)


def test_the_model_has_its_signature_and_scores_the_same_through_mlflow(store, training, features):
    log_training(training)
    with store.current():
        loaded = mlflow.pyfunc.load_model("models:/churn-toy@champion")
    assert loaded.metadata.signature == signature(training.model)
    rows = features.head(40)
    rows.insert(0, "customer_id", [f"{number:05d}" for number in range(40)])
    shuffled = rows[rows.columns[::-1]]
    scores = loaded.predict(shuffled, params={"reasons": 2})
    assert list(scores.columns) == [
        "customer_id",
        "churn_probability",
        "churn_percentile",
        "risk_band",
        "reasons",
    ]
    expected = bundle.predict(training.model, features.head(40))["churn_probability"]
    assert scores["churn_probability"].tolist() == expected.tolist()
    assert scores["reasons"].map(len).eq(2).all()
    assert "reasons" not in loaded.predict(rows)
    with pytest.raises(mlflow.exceptions.MlflowException) as refused:
        loaded.predict(rows.drop(columns="tenure"))
    assert "00007" not in str(refused.value)


def test_requirements_are_given_and_complete(store, training):
    log_training(training)
    location = store.client.get_model_version_download_uri("churn-toy", "1")
    lines = Path(location.removeprefix("file://"), "requirements.txt").read_text().splitlines()
    names = {line.partition("==")[0] for line in lines}
    assert {"churnml", "lightgbm", "mlflow", "numpy", "pandas"} <= names
    assert all("==" in line for line in lines)


def test_the_first_version_is_champion_and_later_ones_are_challengers(store, training):
    assert [log_training(training).alias for _ in range(3)] == [
        "champion",
        "challenger",
        "challenger",
    ]
    assert aliases_of(store, "churn-toy") == {"champion": "1", "challenger": "3"}


def test_other_names_have_a_champion_of_their_own(store, training, churn):
    log_training(training)
    other = replace(churn, origin=replace(churn.origin, name="churn-other"))
    assert log_training(replace(training, model=other)).alias == "champion"


def broken() -> Figure:
    raise RuntimeError("no ink")


def test_a_training_that_fails_on_the_way_leaves_a_failed_run_and_no_version(store, training):
    with pytest.raises(RuntimeError, match="no ink"):
        log_training(replace(training, figures={"gains": broken}))
    assert only_run(store).info.status == "FAILED"
    assert store.client.search_registered_models() == []


def test_an_interrupted_one_leaves_a_killed_run(store, training):
    def interrupted() -> Figure:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        log_training(replace(training, figures={"gains": interrupted}))
    assert only_run(store).info.status == "KILLED"


def test_without_an_alias_there_is_no_version(store, training, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise ModelError("no")

    monkeypatch.setattr("churnml.registry.versions.give_alias", refuse)
    with pytest.raises(ModelError):
        log_training(training)
    assert list(store.client.search_model_versions("name = 'churn-toy'")) == []
    assert only_run(store).info.status == "FAILED"


def test_a_killed_process_s_run_is_ended_by_the_next_training(store, training):
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    log_training(training)
    host = only_run(store).data.tags["mlflow.churnml.process"].rpartition(":")[0]
    dead = store.client.create_run(
        experiment(store), tags={"mlflow.churnml.process": f"{host}:{child}"}
    ).info.run_id
    mine = store.client.create_run(
        experiment(store), tags={"churnml.process": f"{host}:{os.getpid()}"}
    ).info.run_id
    foreign = store.client.create_run(experiment(store)).info.run_id
    log_training(training)
    states = [store.client.get_run(run).info.status for run in (dead, mine, foreign)]
    assert states == ["KILLED", "RUNNING", "RUNNING"]


def test_somebody_s_open_run_and_autologging_are_left_alone(store, training, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    with mlflow.start_run() as theirs:
        logged = log_training(training)
        assert mlflow.active_run().info.run_id == theirs.info.run_id
    assert logged.run_id != theirs.info.run_id
    assert store.client.get_run(theirs.info.run_id).data.metrics == {}


@pytest.mark.parametrize("name", ["", "a/b", "a:b"])
def test_names_that_mlflow_cannot_keep_are_refused_before_anything_is_logged(store, training, name):
    model = replace(training.model, origin=replace(training.model.origin, name=name))
    with pytest.raises(UsageError, match="Model name"):
        log_training(replace(training, model=model))
    assert store.client.get_experiment_by_name("churn") is None


def test_metric_names_that_mlflow_cannot_keep_are_refused(store, training):
    with pytest.raises(UsageError, match="auc@10%"):
        log_training(replace(training, metrics={"auc@10%": 0.5}))


def test_without_tracking_a_training_is_a_bundle(training, tmp_path):
    logged = save_training(training, tmp_path / "model")
    assert logged == Logged(model_uri=str(tmp_path / "model"))
    assert resolve(logged.model_uri).model.task == "churn"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_telemetry_is_off(store):
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    from mlflow.telemetry.client import get_telemetry_client

    assert get_telemetry_client() is None


def test_the_global_store_is_as_it_was(store, training, tmp_path, monkeypatch):
    assert not mlflow.is_tracking_uri_set()
    log_training(training)
    assert not mlflow.is_tracking_uri_set()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/elsewhere.db")
    log_training(training, store=store)
    assert os.environ["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path}/elsewhere.db"
    assert mlflow.get_tracking_uri() == os.environ["MLFLOW_TRACKING_URI"]
    assert not (tmp_path / "elsewhere.db").exists()
    mlflow.set_tracking_uri(None)


def test_store_of_the_environment_comes_first(tmp_path, monkeypatch, store, training):
    other = tmp_path / "other" / "runs.db"
    other.parent.mkdir()
    Path("mlflow.db").rename(other)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{other}")
    log_training(training)
    assert not Path("mlflow.db").exists()
    assert (other.parent / "mlartifacts").is_dir()


def test_a_store_that_cannot_be_reached_is_a_model_error(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelError, match="cannot be written"):
        open_store(f"sqlite:///{tmp_path}/file/mlflow.db")
    (tmp_path / "bad.db").write_text("this is not a database, by any means")
    with pytest.raises(ModelError, match="model store"):
        open_store(f"sqlite:///{tmp_path}/bad.db")


def test_headline_leaves_out_what_was_not_measured():
    assert headline({"auc": 0.8123}, ["auc", "brier"]) == "- auc: 0.8123"


ONE = textwrap.dedent("""
    import sys
    from churnml.registry.resolve import resolve
    from churnml.registry.tracking import Data, TrainingRecord, log_training
    data = Data(name="d", source="s", digest="abc", rows=1, target="t")
    model = resolve(sys.argv[1]).model
    log_training(TrainingRecord(model=model, title="one", data=data))
""")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "versions", "champion"),
    [
        ("run:started", 1, "1"),
        ("model:stored", 1, "1"),
        ("version:registered", 2, "2"),
        ("alias:given", 2, "1"),
    ],
)
def test_killed_at_any_step_a_training_leaves_nothing_that_the_next_one_does_not_mend(
    store, training, tmp_path, point, versions, champion
):
    save_training(training, tmp_path / "model")
    command = [sys.executable, "-c", ONE, str(tmp_path / "model")]
    environment = os.environ | {"CHURNML_CRASH_AT": point}
    killed = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert killed.returncode == 137, killed.stderr
    (run,) = store.client.search_runs([experiment(store)])
    assert run.info.status == "RUNNING"
    # What can be resolved at all is a whole model.
    for version in range(1, versions):
        bundle.check_golden(resolve(f"models:/churn-toy/{version}").model, exact=True)
    log_training(training)
    runs = store.client.search_runs([experiment(store)])
    assert sorted(run.info.status for run in runs) == ["FINISHED", "KILLED"]
    assert aliases_of(store, "churn-toy")["champion"] == champion
    assert len(list(store.client.search_model_versions("name = 'churn-toy'"))) == versions


def test_lists_show_no_default_and_the_model_page_its_history(store, training):
    log_training(training)
    # MLflow's own first experiment takes the runs that name none.
    assert {one.name for one in store.client.search_experiments()} == {"churn", "own runs"}
    card = store.client.get_registered_model("churn-toy").description
    assert "## History" in card
    assert "| registered&emsp; | 1" in card


def test_pages_show_no_digests_and_old_stores_are_read(store, training):
    logged = log_training(training)
    name, number = training.model.origin.name, logged.model_version
    version = store.client.get_model_version(name, number)
    model = store.client.get_registered_model(name)
    experiments = store.client.search_experiments()
    run = only_run(store)
    for tags in (version.tags, model.tags, run.data.tags, *(one.tags for one in experiments)):
        # MLflow's pages leave out what begins with mlflow.
        shown = {key: value for key, value in tags.items() if not key.startswith("mlflow.")}
        assert not [value for value in shown.values() if re.fullmatch("[0-9a-f]{12,}", value)]
    assert not [value for value in run.data.params.values() if re.fullmatch("[0-9a-f]{64}", value)]
    digest = digest_of(store, name, number)
    assert re.fullmatch("[0-9a-f]{64}", digest)
    store.client.delete_model_version_tag(name, number, "mlflow.churnml.digest")
    assert digest_of(store, name, number) == ""
    store.client.set_model_version_tag(name, number, "churnml.digest", digest)
    assert digest_of(store, name, number) == digest


def test_an_evaluation_is_linked_from_the_version(store, training):
    logged = log_training(training)
    name, number = training.model.origin.name, logged.model_version
    for page, auc in (("<p>first</p>", 0.7), ("<p>second</p>", 0.8)):
        attach_evaluation(
            f"{name}/{number}",
            title="operator 2026-04-01",
            metrics={"auc": Estimate(auc, auc - 0.05, auc + 0.05)},
            page=page,
            task="churn",
            seen=False,
        )
    before = training.notes.split("\n\n")[0]
    card = store.client.get_model_version(name, number).description
    assert card.startswith(before)
    told = [line for line in card.splitlines() if line.startswith("- [operator 2026-04-01]")]
    assert len(told) == 1
    assert told[0].endswith("auc 0.800 (0.750 to 0.850)")
    (path,) = re.findall(r"/artifacts/(evaluations/[^)]+)\)", told[0])
    kept = mlflow.artifacts.load_text(f"runs:/{logged.run_id}/{path}")
    assert kept == "<p>second</p>"
    champion = store.client.get_registered_model(name).description
    assert told[0] in champion
