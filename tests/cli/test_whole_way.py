"""From operator tables to scored customers, as typed."""

import json

import duckdb
import pytest

AS_OF = "2026-06-01"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A working folder whose MLflow store the tests of this module share."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(autouse=True)
def _inside(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def trained(place, operator, settings):
    """Both models, trained once by the command line."""
    import subprocess
    import sys

    found = {}
    for task in ("churn", "satisfaction"):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "churnml", "train", task, operator),
                *("--json", "--config", settings),
            ],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found[task] = json.loads(done.stdout)
    return found


def test_validate_finds_no_breach_and_every_row(churnml, operator):
    ran = churnml("validate", operator, "--json")
    assert ran.status == 0
    assert ran.json["breaches"] == []
    for table in ran.json["tables"]:
        assert table["rows"] == table["good"] + table["aside"] > 0


def test_features_are_written_once_and_never_over_something(churnml, operator, place):
    ran = churnml("features", operator, "--as-of", AS_OF, "--out", "f.parquet", "--json")
    assert ran.status == 0
    rows = duckdb.sql(f"from '{place / 'f.parquet'}'")
    assert rows.columns[:2] == ["customer_id", "as_of"]
    assert len(rows.columns) == 2 + ran.json["features"]
    assert rows.count("*").fetchall()[0][0] == ran.json["rows"]
    before = (place / "f.parquet").read_bytes()
    again = churnml("features", operator, "--as-of", AS_OF, "--out", "f.parquet")
    assert again.status == 5
    assert "--overwrite" in again.err
    assert (place / "f.parquet").read_bytes() == before
    assert (
        churnml("features", operator, "--as-of", AS_OF, "--out", "f.parquet", "--overwrite").status
        == 0
    )
    assert (place / "f.parquet").read_bytes() == before


def test_training_says_what_it_registered_and_how_good_it_is(trained):
    for task, one in trained.items():
        assert one["model_uri"] == f"models:/{task}/1"
        assert one["model_version"] == "1"
        assert one["alias"] == "champion"
        assert one["run_id"]
        assert one["rows"]["train"] < one["rows"]["all"]
    auc = {name: trained["churn"]["metrics"][f"auc{name}"] for name in ("_low", "", "_high")}
    assert auc["_low"] < auc[""] < auc["_high"]
    assert auc[""] > 0.6
    assert set(trained["churn"]["baselines"]) == {"base rate", "regression", "one booster"}


def test_the_label_windows_of_training_end_before_the_first_test_date(trained):
    for one in trained.values():
        last, first = one["dates"]["train"][-1], one["dates"]["test"][0]
        months = [int(day[:4]) * 12 + int(day[5:7]) for day in (last, first)]
        assert months[0] + 2 <= months[1]


def test_score_accounts_for_every_customer_in_the_contract_s_columns(
    churnml, trained, operator, place, settings
):
    ran = churnml(
        "score", operator, "--as-of", AS_OF, "--out", "scores", "--json", "--config", settings
    )
    assert ran.status == 0, ran.err
    rows = ran.json["rows"]
    assert rows["in"] == rows["scored"] + rows["quarantined"] + rows["ineligible"]
    assert len(ran.json["parts"]) > 1
    assert json.loads((place / "scores" / "_manifest.json").read_text()) == ran.json
    scores = duckdb.sql(f"from '{place}/scores/*.parquet'")
    assert scores.columns == [
        "customer_id",
        "as_of",
        "churn_probability",
        "churn_percentile",
        "risk_band",
        "satisfaction",
        "satisfaction_low",
        "satisfaction_high",
        "dissatisfied_probability",
        "individual_tier",
        "group_tier",
        "arpu",
        "reasons",
        "satisfaction_reasons",
        "churn_model",
        "satisfaction_model",
    ]
    odd = scores.filter(
        "not (churn_probability between 0 and 1 and churn_percentile between 0 and 100 "
        "and satisfaction between 0 and 100 and satisfaction_low <= satisfaction "
        "and satisfaction <= satisfaction_high and dissatisfied_probability between 0 and 1 "
        "and len(reasons) = 3 and len(satisfaction_reasons) = 3 and churn_model = 'churn/1')"
    )
    assert odd.count("*").fetchall()[0][0] == 0
    distinct = scores.aggregate("count(distinct customer_id)")
    assert distinct.fetchall()[0][0] == scores.count("*").fetchall()[0][0] == rows["scored"]


def test_a_complete_result_is_never_replaced_unasked(churnml, trained, operator, place, settings):
    command = ("score", operator, "--as-of", AS_OF, "--out", "kept", "--config", settings)
    assert churnml(*command).status == 0
    before = {path.name: path.read_bytes() for path in (place / "kept").iterdir()}
    refused = churnml(*command)
    assert refused.status == 5
    assert "--overwrite" in refused.err
    assert {path.name: path.read_bytes() for path in (place / "kept").iterdir()} == before
    assert churnml(*command, "--overwrite", "--reasons", 1).status == 0
    changed = {path.name: path.read_bytes() for path in (place / "kept").iterdir()}
    assert changed.keys() == before.keys()
    assert changed != before


def test_evaluate_measures_by_the_model_s_own_label(churnml, trained, operator):
    ran = churnml("evaluate", "models:/churn@champion", operator, "--as-of", "2026-04-01", "--json")
    assert ran.status == 0
    assert ran.json["metrics"]["auc"] > 0.6
    assert "trained on this date" in ran.json["seen"]
    early = churnml("evaluate", "models:/churn/1", operator, "--as-of", "2026-06-01")
    assert early.status == 3
    assert "to 2026-04-01." in early.err


def test_scoring_long_after_the_last_bill_is_refused(churnml, trained, operator):
    ran = churnml("score", operator, "--as-of", "2026-08-01", "--out", "late", "--json")
    assert ran.status == 3
    assert ran.json["error"]["table"] == "bills"


def test_nothing_at_or_after_until_is_read(churnml, operator, settings, place):
    ran = churnml(
        "train", "churn", operator, "--until", "2026-03-01", "--no-track", "--out", "early",
        "--json", "--config", settings,
    )  # fmt: skip
    assert ran.status == 0, ran.err
    # Usage and bills of February reach the warehouse in March: January is the last month.
    assert ran.json["dates"]["all"][-1] == "2025-12-01"
    assert ran.json["run_id"] is None
    scored = churnml(
        "score", operator, "--as-of", "2026-03-01", "--out", "early-scores", "--json",
        "--churn-model", "early",
    )  # fmt: skip
    assert scored.status == 0, scored.err
    assert list(scored.json["models"]) == ["churn"]


def test_an_exported_model_scores_as_the_registered_one(churnml, trained, operator, place):
    assert churnml("export", "models:/churn@champion", "exported").status == 0
    for name, uri in (("a", "models:/churn/1"), ("b", "exported")):
        ran = churnml(
            "score", operator, "--as-of", AS_OF, "--out", f"by-{name}", "--churn-model", uri
        )
        assert ran.status == 0, ran.err
    both = [
        duckdb.sql(
            f"select customer_id, churn_probability from '{place}/by-{name}/*.parquet' order by 1"
        ).fetchall()
        for name in ("a", "b")
    ]
    assert both[0] == both[1]
