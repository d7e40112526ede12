"""The same work gives the same bytes; what changes meanwhile is refused or has no effect."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from churnml import score
from churnml.config.settings import Config
from churnml.errors import ChurnmlError, DataError, ModelError, UsageError
from churnml.models import bundle
from churnml.registry.tracking import Data, TrainingRecord, log_training
from churnml.scoring import Manifest, staging
from churnml.scoring.feed import Account


@pytest.fixture(scope="module")
def models(churn, satisfaction, tmp_path_factory) -> dict[str, str]:
    place = tmp_path_factory.mktemp("models")
    bundle.save(churn, place / "churn")
    bundle.save(satisfaction, place / "satisfaction")
    return {f"{task}_model": str(place / task) for task in ("churn", "satisfaction")}


@pytest.fixture(scope="module")
def result(customers_csv, models, tmp_path_factory) -> Manifest:
    return score(customers_csv, out=tmp_path_factory.mktemp("scores") / "out", id="id", **models)


def scores(manifest: Manifest) -> pd.DataFrame:
    manifest.verify()
    frame = pq.read_table(manifest.folder).to_pandas()
    return frame.sort_values("customer_id", ignore_index=True)


def batches(rows: int) -> Config:
    return Config.model_validate({"scoring": {"batch_rows": rows}})


def test_scores_are_the_models_own_and_ids_come_back(result, churn, satisfaction, features):
    found = scores(result)
    assert found["customer_id"].tolist() == [f"{number:05d}" for number in range(600)]
    assert found["as_of"].isna().all()
    assert "arpu" not in found
    for model in (churn, satisfaction):
        for name, expected in bundle.predict(model, features).items():
            assert np.array_equal(found[name], expected)
    assert result.rows.total == result.rows.scored == 600
    assert result.as_of is None


def test_nobody_else_may_read_the_scores(result):
    parts = list(Path(result.folder).glob("part-*"))
    assert parts
    assert {part.stat().st_mode & 0o777 for part in parts} == {0o600}


@pytest.mark.parametrize("rows", [37, 599, 600])
def test_the_size_of_the_batches_changes_no_score(result, customers_csv, models, tmp_path, rows):
    made = score(customers_csv, out=tmp_path / "out", id="id", config=batches(rows), **models)
    assert [part.rows for part in made.parts] == [rows] * (600 // rows) + (
        [600 % rows] if 600 % rows else []
    )
    pd.testing.assert_frame_equal(scores(made), scores(result))


def test_the_same_work_again_gives_the_same_bytes(customers_csv, models, tmp_path):
    made = [
        score(customers_csv, out=tmp_path / name, id="id", config=batches(250), **models)
        for name in ("one", "two")
    ]
    assert made[0].parts == made[1].parts
    for part in made[0].parts:
        one, two = (tmp_path / name / part.name for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_stopped_by_ctrl_c_it_keeps_what_is_scored_and_goes_on(
    customers_csv, models, result, tmp_path, caplog, monkeypatch
):
    written = staging.Staging.write

    def interrupted(self, name, data, facts):
        if name == "part-00002.parquet":
            raise KeyboardInterrupt
        return written(self, name, data, facts)

    asked = {"out": tmp_path / "out", "id": "id", "config": batches(250), **models}
    monkeypatch.setattr(staging.Staging, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        score(customers_csv, **asked)
    assert "500 rows already scored are kept: run the same command again" in caplog.text
    again = []

    def noted(self, name, data, facts):
        again.append(name)
        return written(self, name, data, facts)

    monkeypatch.setattr(staging.Staging, "write", noted)
    made = score(customers_csv, **asked)
    assert again == ["part-00002.parquet"]
    pd.testing.assert_frame_equal(scores(made), scores(result))


def test_an_alias_that_moves_meanwhile_changes_nothing(
    store, churn, customers_csv, tmp_path, monkeypatch
):
    for _ in range(2):
        log_training(
            TrainingRecord(
                model=churn,
                title="toy",
                data=Data(name="toy", source="toy.csv", digest="ab", rows=600, target="left"),
            )
        )
    from churnml.scoring import run

    part = run.part_bytes

    def moving(table):
        store.client.set_registered_model_alias("churn-toy", "champion", "2")
        return part(table)

    monkeypatch.setattr(run, "part_bytes", moving)
    uri = "models:/churn-toy@champion"
    made = score(customers_csv, out=tmp_path / "out", id="id", churn_model=uri, config=batches(100))
    assert set(scores(made)["churn_model"]) == {"churn-toy/1"}
    assert made.models["churn"]["version"] == "churn-toy/1"
    again = score(customers_csv, out=tmp_path / "next", id="id", churn_model=uri)
    assert again.models["churn"]["version"] == "churn-toy/2"


def test_an_operator_s_model_is_refused_and_a_likely_one_named(churn, customers_csv, tmp_path):
    from dataclasses import replace

    operator = replace(churn, origin=replace(churn.origin, kind="operator", name="churn"))
    bundle.save(operator, tmp_path / "model")
    with pytest.raises(ModelError, match=r"reads operator tables.*models:/churn-toy@champion"):
        score(customers_csv, out=tmp_path / "out", id="id", churn_model=str(tmp_path / "model"))


@pytest.mark.parametrize("id", ["id", "customer"])
def test_an_id_column_that_is_not_there_is_the_command_s_fault(customers, models, tmp_path, id):
    customers.rename(columns={"id": "key"}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UsageError, match="no such column"):
        score(tmp_path / "t.csv", out=tmp_path / "out", id=id, **models)


def test_a_file_that_changes_meanwhile_is_refused(customers, models, tmp_path, monkeypatch):
    from churnml.scoring import run

    table = tmp_path / "t.csv"
    customers.to_csv(table, index=False)
    part = run.part_bytes

    def growing(rows):
        with table.open("a") as file:
            file.write("99999,5,1,basic,True,False,50\n")
        return part(rows)

    monkeypatch.setattr(run, "part_bytes", growing)
    with pytest.raises(DataError, match="changed while it was read"):
        score(table, out=tmp_path / "out", id="id", **models)
    assert not (tmp_path / "out").exists()


def test_library_versions_that_differ_are_told(churn, customers_csv, tmp_path):
    from dataclasses import replace

    older = replace(churn, versions=churn.versions | {"lightgbm": "4.6.0"})
    bundle.save(older, tmp_path / "model")
    made = score(customers_csv, out=tmp_path / "out", id="id", churn_model=str(tmp_path / "model"))
    assert [text for text in made.warnings if "lightgbm 4.6.0" in text]


def test_a_row_that_is_lost_is_a_fault_of_its_own():
    with pytest.raises(ChurnmlError, match="10 rows came in, but 7 were scored") as fault:
        Account(total=10, quarantined=1, ineligible=1).check(scored=7)
    assert fault.value.status == 1
    Account(total=10, quarantined=1, ineligible=1).check(scored=8)
