"""A month's work in one call: as the single commands would, kept where it was done before."""

import json

import pytest

import churnml
from churnml.errors import DataError, ModelError, OutputError

QUICK = {
    "churn": {"train_months": 2, "folds": 2, "repeats": 1, "max_rounds": 20},
    "monitor": {"months": 2},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A working folder with an operator and a champion."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        churnml.simulate("operator", customers=400, months=14, seed=5)
        churnml.train("operator", "churn", config=QUICK)
        yield folder


@pytest.fixture(scope="module")
def done(place):
    return churnml.run("operator", out="june", lang="zh", config=QUICK)


@pytest.mark.slow
def test_the_latest_usable_date_is_taken(done):
    assert done.as_of == "2026-06-01"


@pytest.mark.slow
def test_each_file_is_as_its_own_command_writes_it(done, place, tmp_path):
    alone = churnml.score("operator", done.as_of, out=tmp_path / "scores", config=QUICK)
    made = churnml.scoring.Manifest.read(place / "june" / "scores")
    assert [one.sha256 for one in made.parts] == [one.sha256 for one in alone.parts]
    for name in ("list.csv", "list.xlsx"):
        churnml.contact_list(tmp_path / "scores", out=tmp_path / name, lang="zh", config=QUICK)
        assert (place / "june" / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.slow
def test_a_step_done_from_the_same_is_kept(done, place):
    before = {path: path.stat().st_mtime_ns for path in (place / "june").glob("list.*")}
    again = churnml.run("operator", out="june", lang="zh", config=QUICK)
    assert {one.name: one.status for one in again.steps}["list.csv"] == "kept"
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert again.status == done.status


@pytest.mark.slow
def test_a_step_that_was_broken_off_is_done_again(done, place, tmp_path):
    churnml.run("operator", out=tmp_path / "out", config=QUICK)
    state = json.loads((tmp_path / "out" / "_run.json").read_bytes())
    state["list.csv"] = {"key": state["list.csv"]["key"]}
    (tmp_path / "out" / "_run.json").write_text(json.dumps(state))
    whole = (tmp_path / "out" / "list.csv").read_bytes()
    again = churnml.run("operator", out=tmp_path / "out", config=QUICK)
    assert {one.name: one.status for one in again.steps}["list.csv"] == "done"
    assert (tmp_path / "out" / "list.csv").read_bytes() == whole


@pytest.mark.slow
def test_another_months_work_needs_overwrite(done, place):
    for _ in range(2):
        other = churnml.run("operator", "2026-05-01", out="june", lang="zh", config=QUICK)
    assert other.status == OutputError.status
    assert [one.status for one in other.steps if one.name.startswith("list")] == ["not done"] * 2
    assert churnml.scoring.Manifest.read(place / "june" / "scores").as_of == done.as_of


def test_the_status_is_of_the_first_step_that_failed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    churnml.simulate("operator", customers=60, months=6, seed=5)
    failed = churnml.run("operator", out="out")
    assert failed.status == ModelError.status
    assert [one.status for one in failed.steps[:3]] == ["done", "failed", "not done"]
    bills = tmp_path / "empty"
    bills.mkdir()
    (bills / "customers.csv").write_text("customer_id,activated_on,terminated_on,payment\n")
    (bills / "bills.csv").write_text("customer_id,month,amount\n")
    with pytest.raises(DataError, match="no month"):
        churnml.run(bills, out="none")


@pytest.mark.slow
def test_champions_are_not_taken_to_another_operator_unasked(place, tmp_path, monkeypatch):
    import pandas as pd

    monkeypatch.chdir(place)
    other = tmp_path / "other"
    other.mkdir()
    for path in (place / "operator").glob("*.parquet"):
        frame = pd.read_parquet(path)
        for name in ("region", "hall_id"):
            if name in frame:
                frame[name] = frame[name].map(lambda one: f"x{one}", na_action="ignore")
        frame.to_parquet(other / path.name)
    with pytest.raises(ModelError, match="knows the regions or halls of only 0%"):
        churnml.score(other, "2026-06-01", out=tmp_path / "a")
    for asked in (
        lambda: churnml.monitor(other, as_of="2026-06-01"),
        lambda: churnml.service_quality(other, "2026-06-01"),
        lambda: churnml.report(other, "2026-06-01", out=tmp_path / "r.html"),
        lambda: churnml.plan_retention(other, as_of="2026-06-01", budget=1, out=tmp_path / "p"),
    ):
        with pytest.raises(ModelError, match="knows the regions or halls of only 0%"):
            asked()
    named = churnml.score(other, "2026-06-01", out=tmp_path / "b", churn_model="models:/churn/1")
    anyway = churnml.score(other, "2026-06-01", out=tmp_path / "c", any_source=True)
    assert [one.sha256 for one in named.parts] == [one.sha256 for one in anyway.parts]


@pytest.mark.slow
def test_a_mapping_that_names_another_operator_is_told(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("north", "south"):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\n")
    tables = place / "operator"
    churnml.train(tables, "churn", config=QUICK, mapping="north.yaml")
    assert churnml.load_model("models:/churn/1").origin.operator == "north"
    churnml.score(tables, "2026-06-01", out="a", mapping="north.yaml")
    with pytest.raises(ModelError, match="learned from north, and these are tables of south"):
        churnml.score(tables, "2026-06-01", out="b", mapping="south.yaml")
