"""``churnml labels``, and what ``train`` tells of columns that look like outcomes."""

import numpy as np
import pandas as pd
import pytest

from churnml.tables.simulator import simulate


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels") / "operator"
    simulate(folder, customers=120, months=14, seed=2)
    return folder


def test_the_table_of_definitions(churnml, small, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    done = churnml("labels", small)

    assert done.status == 0
    assert "* is what training uses" in done.out
    assert done.out.count("60d") == 18


def test_the_same_as_json(churnml, small):
    done = churnml("labels", small, "--as-of", "2025-11-01", "--json")

    rows = done.json["labels"]
    assert len(rows) == 54
    assert {row["as_of"] for row in rows} == {"2025-11-01"}
    assert all(row["rate"] is None or 0 <= row["rate"] <= 1 for row in rows)


def test_the_headings_have_a_legend(churnml, small):
    done = churnml("labels", small)

    assert "unpaid: of those who end their service" in done.out
    assert "+2: it ends 2 months after the horizon" in done.out
    assert "3mo +2" in done.out


@pytest.mark.parametrize(
    ("day", "says"), [("2031-01-01", "2026-05-01"), ("2020-01-01", "from 2025-04-01 to")]
)
def test_a_date_that_the_data_do_not_cover_is_refused(churnml, small, day, says):
    done = churnml("labels", small, "--as-of", day, "--json")

    assert (done.status, done.json["error"]["kind"]) == (3, "LabelWindowError")
    assert says in done.json["error"]["hint"]


def test_features_and_scores_before_the_first_bill_are_refused(churnml, small, tmp_path):
    done = churnml(
        "features", small, "--as-of", "2025-04-20", "--out", tmp_path / "f.parquet", "--json"
    )

    assert done.status == 3
    assert "Use --as-of 2025-05-01 or later" in done.json["error"]["hint"]


@pytest.fixture
def table(tmp_path):
    random = np.random.default_rng(0)
    left = random.random(400) < 0.4
    frame = pd.DataFrame({"tenure": random.integers(1, 60, 400), "CLTV": random.random(400)})
    frame["forecast"] = (left + random.normal(0, 0.4, 400)).round(3)
    frame["reason"] = np.where(random.random(400) < 0.5, "price", "network")
    frame["left"] = np.where(left, "Yes", "No")
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    return path


def train(churnml, table, *options):
    return churnml("train", "churn", table, "--target", "left", "--no-track", "--json", *options)


def test_training_warns_of_what_looks_like_an_outcome(churnml, table, tmp_path):
    done = train(churnml, table, "--out", tmp_path / "m")

    assert done.status == 0
    kinds = {one["column"]: one["kind"] for one in done.json["suspects"]}
    assert kinds == {"CLTV": "name", "forecast": "decides"}
    assert any("--drop 'forecast'" in note for note in done.json["notes"])


def test_training_on_what_is_declared_an_outcome_is_refused(churnml, table, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("availability: {columns: {reas*: outcome}}\n")
    done = train(churnml, table, "--out", tmp_path / "m", "--config", config)

    assert done.status == 3
    assert "'reason' is declared outcome" in done.json["error"]["message"]
    assert not (tmp_path / "m").exists()
