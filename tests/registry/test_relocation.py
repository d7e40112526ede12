"""A project folder that is moved or copied keeps its models, and leaves the old one alone."""

import shutil

import pytest

import churnml
from churnml.errors import ModelError
from churnml.registry.relocation import relocate_store

QUICK = {"churn": {"folds": 2, "repeats": 1, "max_rounds": 10}}


@pytest.fixture
def project(tmp_path, customers, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "here"
    folder.mkdir()
    customers.to_csv(folder / "t.csv", index=False)
    _train(folder, monkeypatch)
    return folder


def _train(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return churnml.train("t.csv", "churn", id="id", target="left", name="mine", config=QUICK)


def _files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_moved_folder_keeps_its_models(project, tmp_path, monkeypatch):
    digest = churnml.load_model("models:/mine/1").digest
    moved = project.rename(tmp_path / "there")
    monkeypatch.chdir(moved)
    assert churnml.load_model("models:/mine/1").digest == digest
    _train(moved, monkeypatch)
    assert churnml.load_model("models:/mine/2").digest
    assert not project.exists()


def test_a_copy_does_not_write_into_the_old_folder(project, tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    before = _files(project)
    _train(copy, monkeypatch)
    shutil.rmtree(project / "mlartifacts")
    assert churnml.load_model("models:/mine/1").digest
    assert churnml.load_model("models:/mine/2").digest
    assert {path: time for path, time in before.items() if path.exists()} == _files(project)


def test_relocate_says_what_it_did(project, tmp_path):
    moved = project.rename(tmp_path / "there")
    done = relocate_store(moved / "mlflow.db")
    assert done.moved_from == [str(project / "mlartifacts")]
    assert done.places >= 4
    assert done.missing == 0
    assert relocate_store(moved / "mlflow.db").moved_from == []
    with pytest.raises(ModelError, match="no model store"):
        relocate_store(tmp_path / "mlflow.db")
