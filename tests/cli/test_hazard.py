"""The hazard through the command line: trained, registered, and scored beside the others."""

import duckdb
import numpy as np
import pytest

from churnml import train
from churnml.base.tasks import TASKS
from churnml.registry.resolve import resolve

AS_OF = "2026-06-01"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("hazard")


@pytest.fixture(autouse=True)
def _inside(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def short(place):
    path = place / "short.yaml"
    path.write_text(
        "churn: {train_months: 2, repeats: 1, folds: 2, max_rounds: 20}\n"
        "hazard: {train_months: 4, folds: 2, max_rounds: 40}\n"
    )
    return path


@pytest.fixture(scope="module")
def trained(place, operator, short):
    """Both trained once: the churn model into a folder, the hazard into the store."""
    from churnml.config.settings import load_config

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        settings = load_config(short)
        train(operator, "churn", config=settings, track=False, out="churn")
        return train(operator, "hazard", config=settings)


def test_every_horizon_is_tested_ahead_of_what_was_learned(trained):
    assert trained.model_uri == "models:/hazard/1"
    assert trained.alias == "champion"
    for name in ("auc", "log_loss", "calibration_slope", "calibration_error"):
        assert {f"{name}_{months}mo" for months in (1, 2, 3, 6)} <= set(trained.metrics)
    base = trained.baselines["base rate"]
    for months in (2, 3, 6):
        assert trained.metrics[f"auc_{months}mo"].value > 0.6
        name = f"log_loss_{months}mo"
        assert trained.metrics[name].value < base[name].value
        assert trained.metrics[f"calibration_error_{months}mo"].value < 0.04
    assert trained.dates["train"][-1] < trained.dates["test"][0]
    assert trained.dates["test"] == ["2025-11-01", "2025-12-01"]
    assert trained.dates["all"][-1] == "2026-05-01"


def test_what_is_registered_says_what_it_was_made_from(trained):
    model = resolve(trained.model_uri).model
    assert model.task == "hazard"
    assert model.origin.label["silence_months"] == 2
    assert model.origin.window[1] == AS_OF


def test_scores_have_the_chances_at_the_end_and_only_when_asked(churnml, trained, operator, short):
    common = ("score", operator, "--as-of", AS_OF, "--churn-model", "churn", "--config", short)
    assert churnml(*common, "--out", "plain").status == 0
    ran = churnml(*common, "--out", "more", "--hazard-model", trained.model_uri, "--json")
    assert ran.status == 0, ran.err
    assert ran.json["models"]["hazard"]["version"] == "hazard/1"
    plain = duckdb.sql("from 'plain/*.parquet' order by customer_id")
    more = duckdb.sql("from 'more/*.parquet' order by customer_id")
    assert more.columns == [*plain.columns, *TASKS["hazard"].scores]
    assert more.select(*plain.columns).fetchall() == plain.fetchall()
    curves = more.select(*TASKS["hazard"].scores).df().to_numpy()
    assert ((curves > 0) & (curves < 1)).all()
    assert (np.diff(curves, axis=1) >= 0).all()
    chance = more.select("churn_probability").df()["churn_probability"]
    assert np.corrcoef(curves[:, 1], chance)[0, 1] > 0.5


def test_a_hazard_of_a_table_and_a_wrong_model_are_refused(churnml, trained, operator, short):
    table = churnml("train", "hazard", "a.csv", "--id", "id", "--target", "left")
    assert table.status == 2
    assert "operator tables" in table.err
    wrong = ("--hazard-model", "churn", "--churn-model", "churn", "--config", short)
    ran = churnml("score", operator, "--as-of", AS_OF, "--out", "no", *wrong)
    assert ran.status == 4
    assert "a hazard model was asked for" in ran.err
    flat = churnml("score", "a.csv", "--id", "id", "--out", "no", *wrong)
    assert flat.status == 2


def test_too_short_a_history_is_refused(churnml, operator, short):
    ran = churnml("train", "hazard", operator, "--until", "2025-06-01", "--config", short)
    assert ran.status == 3
    assert "no month to train on" in ran.err


def test_a_hazard_is_evaluated_at_each_horizon_beside_baselines_of_two_months(
    churnml, trained, operator
):
    ran = churnml("evaluate", trained.model_uri, operator, "--as-of", "2025-11-01", "--json")
    assert ran.status == 0, ran.err
    assert set(ran.json["baselines"]) == {"base rate", "regression", "one booster"}
    assert ran.json["baselines"]["base rate"]["auc"] == 0.5
    assert {f"auc_{months}mo" for months in (1, 2, 3, 6)} <= set(ran.json["metrics"])
    assert ran.json["metrics"]["auc"] == ran.json["metrics"]["auc_2mo"]
    learned = "Baselines learned at 2025-08-01, 2025-09-01, whose labels had ended."
    assert learned in ran.json["notes"]
    assert ran.json["seen"]
