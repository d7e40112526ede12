"""Models that cannot be trusted, and command lines that cannot be followed."""

import json
import shutil
from pathlib import Path

import mlflow
import pytest
from sklearn.linear_model import LogisticRegression

from churnml.models import bundle
from churnml.registry.store import open_store
from churnml.registry.versions import aliases_of


@pytest.fixture
def model(churn, tmp_path) -> Path:
    bundle.save(churn, tmp_path / "model")
    return tmp_path / "model"


def score(cli, table: Path, tmp_path: Path, model: object, *more: object):
    out = tmp_path / "out"
    return cli(
        "score", table, "--id", "id", "--out", out, "--churn-model", model, *more, cwd=tmp_path
    )


def refused(done, tmp_path: Path, status: int, *words: str) -> None:
    assert done.status == status, (done.status, done.err)
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err, done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["boosters/0000.txt", "bundle.json", "SHA256SUMS"])
def test_a_changed_byte_in_a_model(cli, customers_csv, model, tmp_path, name):
    data = bytearray((model / name).read_bytes())
    data[len(data) // 2] ^= 1
    (model / name).write_bytes(bytes(data))
    refused(score(cli, customers_csv, tmp_path, model), tmp_path, 4, "was not loaded")


def test_a_missing_and_a_surplus_file(cli, customers_csv, model, tmp_path):
    (model / "extra.pkl").write_bytes(b"\x80\x04.")
    refused(score(cli, customers_csv, tmp_path, model), tmp_path, 4, "extra.pkl")
    (model / "extra.pkl").unlink()
    (model / "boosters/0001.txt").unlink()
    refused(score(cli, customers_csv, tmp_path, model), tmp_path, 4, "0001.txt")


def test_a_pickled_model_of_mlflow_is_never_unpickled(cli, customers_csv, tmp_path):
    trap = tmp_path / "trap"
    fitted = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    mlflow.sklearn.save_model(
        fitted, str(trap), serialization_format="cloudpickle", pip_requirements=["scikit-learn"]
    )
    refused(score(cli, customers_csv, tmp_path, trap), tmp_path, 4, "not a model of churnml")


def test_a_model_that_does_not_exist(cli, customers_csv, tmp_path):
    done = score(cli, customers_csv, tmp_path, "models:/churn@champion", "--json")
    refused(done, tmp_path, 4, "no model store")
    assert done.json["error"]["status"] == 4
    refused(score(cli, customers_csv, tmp_path, tmp_path / "absent"), tmp_path, 4, "absent")
    assert not (tmp_path / "mlflow.db").exists()


def test_a_model_of_the_other_task(cli, customers_csv, satisfaction, tmp_path):
    bundle.save(satisfaction, tmp_path / "model")
    refused(score(cli, customers_csv, tmp_path, tmp_path / "model"), tmp_path, 4, "satisfaction")


@pytest.mark.parametrize(
    "options",
    [
        ["--reasons", "-1"],
        ["--no-such-option"],
        ["--as-of", "2026-13-01"],
        ["--config", "absent.yaml"],
    ],
)
def test_options_that_cannot_be_followed(cli, customers_csv, model, tmp_path, options):
    done = score(cli, customers_csv, tmp_path, model, *options, "--json")
    refused(done, tmp_path, 2)
    assert json.loads(done.out)["error"]["status"] == 2


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("scoring: {batch_row: 5}", "batch_row"),
        ("scoring: {batch_rows: 0}", "batch_rows"),
        ("scoring: {reasons: 1}\nscoring: {reasons: 2}", "scoring"),
        ("scoring: !!python/object:os.system {}", "yaml"),
        ("scoring: [1, 2", "yaml"),
    ],
)
def test_settings_that_cannot_be_followed(cli, customers_csv, model, tmp_path, text, word):
    (tmp_path / "c.yaml").write_text(text)
    done = score(cli, customers_csv, tmp_path, model, "--config", tmp_path / "c.yaml")
    refused(done, tmp_path, 2, word)


LOG = """
from churnml.registry.resolve import resolve
from churnml.registry.tracking import Data, TrainingRecord, log_training
data = Data(name="d", source="s", digest="abc", rows=1, target="t")
model = resolve(argv[0]).model
logged = log_training(TrainingRecord(model=model, title="one of eight", data=data))
print(logged.model_version, logged.alias)
"""


def test_eight_trainings_at_once_on_a_fresh_store_all_succeed(cli, model, tmp_path):
    running = [cli.start(model, code=LOG, cwd=tmp_path) for _ in range(8)]
    done = [one.result() for one in running]
    assert [one.status for one in done] == [0] * 8, [one.err for one in done if one.status]
    said = [one.out.split() for one in done]
    assert sorted(int(version) for version, _ in said) == list(range(1, 9))
    assert sorted(alias for _, alias in said) == ["challenger"] * 7 + ["champion"]
    store = open_store(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = store.client.get_experiment_by_name("churn").experiment_id
    runs = store.client.search_runs([experiment])
    assert [run.info.status for run in runs] == ["FINISHED"] * 8
    assert aliases_of(store, "churn-toy")["champion"] == "1"


def test_a_training_that_fails_leaves_no_run_and_no_version(cli, customers, tmp_path):
    table = tmp_path / "one_class.csv"
    customers.assign(left="yes").to_csv(table, index=False)
    argv = ["train", "churn", table, "--id", "id", "--target", "left"]
    done = cli(*argv, cwd=tmp_path)
    assert done.status == 3, done.err
    assert not (tmp_path / "mlflow.db").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["one_class.csv"]


def test_a_store_whose_files_were_moved(cli, customers_csv, tmp_path):
    argv = ["train", "churn", customers_csv, "--id", "id", "--target", "left", "--drop", "score"]
    assert cli(*argv, cwd=tmp_path).status == 0
    uri = "models:/churn-toy@champion"
    assert score(cli, customers_csv, tmp_path, uri).status == 0
    shutil.rmtree(tmp_path / "out")
    shutil.move(tmp_path / "mlartifacts", tmp_path / "elsewhere")
    refused(score(cli, customers_csv, tmp_path, uri), tmp_path, 4, "paths are absolute")
