"""``churnml evaluate`` and ``churnml backtest``: figures, and what is wrong."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from churnml import train

AS_OF = "2026-03-01"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluated")


@pytest.fixture(autouse=True)
def _inside(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def quick(place):
    path = place / "quick.yaml"
    small = "folds: 2, repeats: 1, max_rounds: 60"
    path.write_text(f"churn: {{train_months: 2, {small}}}\nsatisfaction: {{{small}}}\n")
    return path


@pytest.fixture(scope="module")
def model(place, operator, quick):
    """A churn model that has read nothing at or after the date."""
    from churnml.config.settings import load_config

    folder = str(place / "early")
    train(operator, "churn", until=AS_OF, config=load_config(quick), track=False, out=folder)
    return folder


def test_an_operator_is_evaluated_against_baselines_and_the_truth(churnml, model, operator, place):
    ran = churnml("evaluate", model, operator, "--as-of", AS_OF, "--out", "report", "--json")
    assert ran.status == 0, ran.err
    found = ran.json
    assert set(found["baselines"]) == {"base rate", "regression", "one booster"}
    assert found["possible"]["auc_of_truth"] > found["metrics"]["auc"] > 0.55
    assert found["possible"]["auc_share"] < 1
    assert {one["column"] for one in found["slices"]} == {
        *("brand", "tier", "group tier", "payment", "region", "tenure", "age"),
    }
    assert "老年" in found["elderly"]
    assert found["profit"]["maximum"]["value"] >= found["profit"]["decided"]["value"]
    assert len(found["reliability"]) == 10
    assert not {"leak", "too_good", "no_better_than_chance"} & {
        one["code"] for one in found["diagnosis"]
    }
    assert any("Baselines learned at" in note for note in found["notes"])
    written = {path.name for path in (place / "report").iterdir()}
    assert written == {
        *("report.html", "evaluation.json", "gains.png", "reliability.png", "profit.png"),
        *("slices.png", "reasons.png"),
    }
    assert json.loads((place / "report" / "evaluation.json").read_text()) == found
    page = (place / "report" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 5
    # A summary first; each figure in the part that its numbers stand in; no blank rows.
    assert page.index('class="headline"') < page.index("<figure") < page.index("<table")
    assert page.count("<section") == 6
    assert not re.search(
        r'<th scope="row">[^<]*</th>(<td[^>]*>(<span class="k">–?</span>|–)?</td>)+</tr>', page
    )
    assert "http" not in page.replace("http-equiv", "")


def test_people_read_the_same_and_a_report_is_replaced_only_when_asked(
    churnml, model, operator, place
):
    (place / "mine").mkdir()
    (place / "mine" / "notes.txt").write_text("mine")
    command = ("evaluate", model, operator, "--as-of", AS_OF, "--out")
    assert churnml(*command, "report").status == 5
    assert churnml(*command, "mine", "--overwrite").status == 5
    assert (place / "mine" / "notes.txt").read_text() == "mine"
    before = {path.name: path.read_bytes() for path in (place / "report").iterdir()}
    ran = churnml(*command, "report", "--overwrite")
    assert ran.status == 0, ran.err
    assert {path.name: path.read_bytes() for path in (place / "report").iterdir()} == before
    for part in ("auc_share", "Reliability", "Slices", "brand = senior", "best share to contact"):
        assert part in ran.out
    assert "Nothing wrong found." in ran.out or " wrong.\n" in ran.out
    assert "60 yuan an offer taken; 30% of the leavers contacted stay" in ran.out


def test_a_table_is_evaluated_and_its_leak_named(churnml, place, quick):
    random = np.random.default_rng(0)
    left = random.random(800) < 0.3
    table = pd.DataFrame(
        {
            "id": np.arange(800),
            "plan": random.choice(["a", "b"], 800),
            "monthly": random.gamma(4, 20, 800) - 15 * left,
            "refund": np.where(left, random.random(800) + 1, 0.0),
            "left": np.where(left, "yes", "no"),
        }
    )
    table[:400].to_csv(place / "past.csv", index=False)
    table[400:].to_csv(place / "next.csv", index=False)
    names = ("--id", "id", "--target", "left", "--json")
    trained = churnml(
        "train", "churn", "past.csv", *names, "--no-track", "--out", "leaking", "--config", quick
    )
    assert trained.status == 0, trained.err
    assert any("The test says: Too good to be true: AUC" in one for one in trained.json["notes"])
    ran = churnml("evaluate", "leaking", "next.csv", *names, "--value", "monthly")
    assert ran.status == 0, ran.err
    assert [one["column"] for one in ran.json["diagnosis"] if one["code"] == "leak"] == ["refund"]
    assert {one["value"] for one in ran.json["slices"]} == {"a", "b"}
    assert ran.json["profit"]["maximum"]["value"] > 0
    assert not any("1,000 yuan" in note for note in ran.json["notes"])
    assert ran.json["seen"] == ""
    assert ran.json["baselines"]["base rate"]["auc"] == 0.5
    assert churnml("evaluate", "leaking", "next.csv", *names, "--value", "plan").status == 2


def test_rows_of_the_training_are_known_again_and_others_that_moved_are_told(churnml, place):
    names = ("--id", "id", "--target", "left", "--json")
    rows = pd.read_csv(place / "past.csv", dtype={"id": str})
    rows.sample(frac=1, random_state=0).to_csv(place / "shuffled.csv", index=False)
    ran = churnml("evaluate", "leaking", "shuffled.csv", *names)
    assert ran.status == 0, ran.err
    assert "trained on these very rows" in ran.json["seen"]
    assert ran.json["verdict"][0].endswith("on what the training has seen.")
    assert any("counts as worth 1,000 yuan" in note for note in ran.json["notes"])
    assert not any("drifted" in note for note in ran.json["notes"])

    moved = pd.read_csv(place / "next.csv", dtype={"id": str})
    moved["monthly"] *= 10
    moved.to_csv(place / "moved.csv", index=False)
    ran = churnml("evaluate", "leaking", "moved.csv", *names)
    assert any("training and these rows 1 feature drifted: monthly" in n for n in ran.json["notes"])


def test_a_backtest_of_an_operator(churnml, operator, quick, place):
    ran = churnml(
        "backtest", "churn", operator, "--months", 2, "--config", quick, "--out", "past", "--json"
    )
    assert ran.status == 0, ran.err
    first, last = ran.json["months"]
    assert (first["as_of"], last["as_of"]) == ("2026-03-01", "2026-04-01")
    assert first["trained"] == ["2025-12-01", "2026-01-01"]
    assert 0 < first["unseen_rows"] < first["rows"]
    assert [one["months"] for one in ran.json["ages"]] == [0, 1]
    assert (place / "past" / "backtest.png").read_bytes().startswith(b"\x89PNG")
    assert churnml("backtest", "hazard", operator).status == 2
    assert ran.json["conclusion"]
    refused = churnml("backtest", "churn", operator, "--months", 50, "--json")
    assert (refused.status, refused.json["error"]["kind"]) == (3, "LabelWindowError")
    assert "20 months of bills leave 14 months to test on" in refused.json["error"]["message"]


def test_a_date_before_the_data_begin_is_refused(churnml, operator, model):
    ran = churnml("evaluate", model, operator, "--as-of", "2020-01-01", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (3, "LabelWindowError")
    assert "Use an as_of from 2024-11-01 to" in ran.json["error"]["hint"]
