"""A model of what offers do, trained, kept and loaded."""

import numpy as np
import pandas as pd
import pytest

import churnml
from churnml.errors import DataError, UsageError
from tests.retention.conftest import QUICK, keeps_the_young, simulate


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    random = np.random.default_rng(0)
    rows = 5000
    age = random.integers(18, 80, rows)
    mail = random.choice(["none", "men", "women"], rows)
    left = random.random(rows) < 0.3 - 0.2 * ((mail == "men") & (age < 45))
    path = tmp_path_factory.mktemp("table") / "mails.csv"
    pd.DataFrame(
        {"id": np.arange(rows), "age": age, "mail": mail, "left": np.where(left, "yes", "no")}
    ).to_csv(path, index=False)
    return path


ASKED = {"id": "id", "target": "left", "offer": "mail", "control": "none", "config": QUICK}


def test_a_table_of_ones_own_trains_offers(table, tmp_path):
    found = churnml.train(table, "offers", **ASKED, track=False, out=tmp_path / "model")
    assert found.name == "offers-mails"
    assert {"qini", "mean_effect", "best_fifth_effect", "cross_fitted_qini"} <= set(found.metrics)
    assert found.metrics["cross_fitted_qini"].low > 0
    assert found.rows["test"] == pytest.approx(2500, abs=100)
    rule = [found.metrics[f"rule_effect{name}"] for name in ("", "_against_random")]
    assert rule[0].high < 0
    assert rule[1].high < 0
    men = found.to_dict()["offers"]["offers"][0]
    assert men["difference_low"] < men["difference"] < men["difference_high"] < 0
    assert found.to_dict()["rows"]["all"] == 5000
    model = churnml.load_model(tmp_path / "model")
    assert model.task == "offers"
    assert model.estimator.offers_ == ["men", "women"]
    assert "mail" not in model.names
    effect = model.estimator.effect(pd.DataFrame({"age": [20.0, 70.0]}))["men"]
    assert effect[0] < effect[1]
    with pytest.raises(UsageError, match="not evaluated like scores"):
        churnml.evaluate(model, table, id="id", target="left")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"offer": None}, UsageError, "needs --offer and --control"),
        ({"offer": "post"}, UsageError, "no such column"),
        ({"control": "nobody"}, DataError, "no row has the value 'nobody'"),
    ],
)
def test_columns_that_tell_no_experiment_are_refused(table, tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        churnml.train(table, "offers", **ASKED | change, track=False, out=tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_offers_are_no_options_of_other_tasks(table, tmp_path):
    with pytest.raises(UsageError, match="for the task offers"):
        churnml.train(table, "churn", **ASKED, track=False, out=tmp_path / "model")


@pytest.mark.slow
def test_an_operators_past_offers_are_registered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    source = simulate(tmp_path / "operator", effect=keeps_the_young)
    found = churnml.train(source, "offers", until="2026-05-01", config=QUICK)
    assert found.model_uri == "models:/offers/1"
    assert found.alias == "champion"
    assert found.metrics["qini"].value > 0
    again = churnml.train(source, "offers", config=QUICK)
    assert again.alias == "challenger"
    assert churnml.load_model("models:/offers@champion").task == "offers"
    # Both have learned from July to September before their refit: later offers judge them.
    promoted = churnml.promote("offers", config=QUICK)
    assert promoted.moved
    assert promoted.verdict.months == ("2025-12-01", "2026-01-01")
    measures = [one.measure for one in promoted.verdict.checks]
    assert measures == ["value", "value_against_nobody", "value_against_all", "qini"]
    assert promoted.aliases["champion"] == "2"
