"""A URI leads to one checked model, or to a message that says which models there are."""

import resource
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from churnml.errors import BundleError, ModelError, OutputError, UsageError
from churnml.models import bundle
from churnml.registry.resolve import load_folder, resolve, resolve_champions
from churnml.registry.store import Store
from churnml.registry.tracking import Data, TrainingRecord, log_training, save_mlflow_model

DATA = Data(name="toy", source="toy.csv", digest="ab" * 32, rows=600, target="left")


def named(model: bundle.Model, name: str) -> TrainingRecord:
    return TrainingRecord(
        model=replace(model, origin=replace(model.origin, name=name)), title=name, data=DATA
    )


@pytest.fixture
def logged(store: Store, churn: bundle.Model):
    first = log_training(named(churn, "churn"))
    second = log_training(named(churn, "churn"))
    return store, first, second


def test_every_form_of_a_uri_leads_to_its_version(logged, churn, features):
    store, first, second = logged
    model_id = store.client.get_run(second.run_id).outputs.model_outputs[0].model_id
    expected = {
        "models:/churn@champion": "churn/1",
        "models:/churn@challenger": "churn/2",
        "models:/churn/2": "churn/2",
        f"models:/{model_id}": f"churn/{model_id}",
    }
    for uri, version in expected.items():
        resolved = resolve(uri)
        assert (resolved.uri, resolved.version) == (uri, version)
        assert bundle.predict(resolved.model, features).keys() == {"churn_probability"}
    for uri in (f"runs:/{first.run_id}/model", f"runs:/{first.run_id}"):
        assert resolve(uri).model.digest == resolve("models:/churn/1").model.digest


def test_folders_of_a_bundle_and_of_an_mlflow_model(churn, tmp_path):
    bundle.save(churn, tmp_path / "plain")
    save_mlflow_model(churn, tmp_path / "mlflow")
    plain, packed = resolve(tmp_path / "plain"), resolve(tmp_path / "mlflow")
    assert plain.model.digest == packed.model.digest
    assert plain.version == f"churn-toy/{plain.model.digest[:8]}"
    assert resolve(f"file://{tmp_path}/plain").version == plain.version


def test_a_run_that_does_not_exist_is_told_in_whole_sentences(logged):
    with pytest.raises(ModelError, match=r"not found\. Check MLFLOW_TRACKING_URI"):
        resolve("runs:/x")


def test_what_does_not_exist_is_answered_with_what_does(logged):
    for uri in ("models:/churn/7", "models:/churn@previous", "models:/other@champion"):
        with pytest.raises(ModelError, match=r"no such model.*churn \(1, 2; @challenger, @champ"):
            resolve(uri)


def test_a_bare_name_of_a_registered_model_is_answered_with_its_uri(logged):
    with pytest.raises(ModelError, match=r"churn: no such model folder\. Did you mean the regist"):
        resolve("churn")
    logged[0].client.delete_registered_model_alias("churn", "champion")
    with pytest.raises(ModelError, match=r"models:/churn/2\?"):
        resolve("churn")
    with pytest.raises(ModelError, match="Give a folder"):
        resolve("chrun")


def test_a_copy_that_finds_no_room_is_an_output_error(logged):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"TMPDIR: .* \(file too large\)"):
            resolve("models:/churn@champion")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_without_a_temporary_folder_the_message_says_so(logged, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/proc/none")
    with pytest.raises(OutputError, match="TMPDIR: no temporary folder can be made"):
        resolve("models:/churn@champion")


def test_an_empty_registry_says_so(store):
    with pytest.raises(ModelError, match="The registry is empty"):
        resolve("models:/churn@champion")


def test_without_a_store_none_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for ask in (lambda: resolve("models:/churn@champion"), resolve_champions):
        with pytest.raises(ModelError, match=r"mlflow\.db"):
            ask()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["models:/", "models:/a/b/c", "models:/churn@", "runs:/"])
def test_what_is_no_uri_is_a_usage_error(store, uri):
    with pytest.raises(UsageError, match="not a model URI"):
        resolve(uri)


def test_a_folder_that_is_none_or_holds_no_model(tmp_path):
    with pytest.raises(ModelError, match="no such model folder"):
        resolve(tmp_path / "absent")
    with pytest.raises(BundleError, match=r"neither bundle\.json nor MLmodel"):
        resolve(tmp_path)


def test_champions_as_far_as_they_exist(logged, satisfaction):
    assert {task: one.version for task, one in resolve_champions().items()} == {"churn": "churn/1"}
    log_training(named(satisfaction, "satisfaction"))
    assert list(resolve_champions()) == ["churn", "satisfaction"]


def test_no_champion_at_all(store):
    with pytest.raises(ModelError, match="neither models:/churn@champion nor models:/satis"):
        resolve_champions()


def test_a_changed_byte_in_the_store_is_found(logged):
    location = logged[0].client.get_model_version_download_uri("churn", "1")
    booster = Path(location.removeprefix("file://")) / "data/bundle/boosters/0000.txt"
    booster.write_bytes(booster.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(BundleError, match="was changed"):
        resolve("models:/churn@champion")
    assert resolve("models:/churn/2").version == "churn/2"


def test_a_store_whose_files_were_moved_says_so(logged):
    shutil.move("mlartifacts", "elsewhere")
    with pytest.raises(ModelError, match="paths are absolute"):
        resolve("models:/churn@champion")


def edit(folder: Path, **changes: object) -> None:
    yaml = YAML(typ="safe")
    content = yaml.load(folder / "MLmodel")
    content["flavors"]["python_function"] |= changes
    yaml.dump(content, folder / "MLmodel")


@pytest.mark.parametrize(
    "changes",
    [
        {"loader_module": "os"},
        {"loader_module": "mlflow.sklearn"},
        {"code": "code"},
        {"data": "../../elsewhere"},
        {"data": "/etc"},
    ],
)
def test_an_mlflow_model_that_wants_other_code_or_files_is_refused(churn, tmp_path, changes):
    folder = tmp_path / "model"
    save_mlflow_model(churn, folder)
    assert load_folder(folder).task == "churn"
    edit(folder, **changes)
    with pytest.raises(BundleError, match=r"not a model of churnml|lie outside"):
        load_folder(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "flavors: {}", "!!python/object:os.system {}"])
def test_a_broken_mlmodel_is_refused(tmp_path, text):
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(BundleError, match="cannot be read"):
        load_folder(tmp_path)
