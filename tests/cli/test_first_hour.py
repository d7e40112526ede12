"""A newcomer's first commands are answered with what to type next."""

import numpy as np
import pandas as pd
import pytest

from churnml.registry.store import open_store
from churnml.registry.versions import aliases_of


@pytest.fixture
def small(tmp_path):
    """Two tables of one customer, billed until December 2025."""
    folder = tmp_path / "operator"
    folder.mkdir()
    (folder / "customers.csv").write_text(
        "customer_id,activated_on,terminated_on,payment\n001,2020-01-01,,prepaid\n"
    )
    bills = [f"001,2025-{month:02d}-01,3\n" for month in range(1, 13)]
    (folder / "bills.csv").write_text("customer_id,month,amount\n" + "".join(bills))
    return folder


def test_the_name_alone_shows_the_way(churnml):
    ran = churnml()
    assert ran.status == 0
    assert "churnml [OPTIONS] COMMAND" in ran.out
    assert ran.err == ""


@pytest.mark.parametrize("command", [["score", "--out", "o"], ["features", "--out", "f.parquet"]])
def test_a_missing_date_names_the_latest(churnml, small, command):
    ran = churnml(command[0], small, *command[1:])
    assert ran.status == 2
    assert "Bills end with 2025-12: the latest date is --as-of 2026-01-01." in ran.err


@pytest.mark.parametrize("place", ["nowhere", "empty"])
def test_a_missing_date_of_no_tables_says_only_that(churnml, tmp_path, place):
    (tmp_path / "empty").mkdir()
    ran = churnml("features", tmp_path / place, "--out", "f.parquet")
    assert ran.status == 2
    assert "Missing option '--as-of'. Try churnml features --help." in ran.err


def test_files_of_other_names_point_to_a_mapping(churnml, tmp_path):
    (tmp_path / "kunden.csv").write_text("a,b\n1,2\n")
    ran = churnml("validate", tmp_path)
    assert ran.status == 3
    assert "kunden.csv. Files and columns of other names need --mapping" in ran.err


def test_a_model_of_outcome_columns_leads_only_where_that_is_accepted(churnml, store, tmp_path):
    random = np.random.default_rng(0)
    left = random.random(900) < 0.3
    rows = pd.DataFrame(
        {
            "id": [f"c{number}" for number in range(900)],
            "tenure": random.integers(1, 60, 900),
            # Written when they left: nobody has it while they stay.
            "farewell": np.where(left, random.normal(5, 1, 900), random.normal(1, 1, 900)),
            "left": np.where(left, "yes", "no"),
        }
    )
    rows.to_csv(tmp_path / "t.csv", index=False)
    config = tmp_path / "short.yaml"
    config.write_text("churn: {folds: 2, repeats: 1, max_rounds: 20}\n")
    columns = ("--id", "id", "--target", "left", "--name", "told")
    given = ("train", "churn", tmp_path / "t.csv", *columns, "--config", config, "--json")
    first = churnml(*given)
    assert first.status == 0
    assert [one["column"] for one in first.json["suspects"]] == ["farewell"]
    assert first.json["alias"] == "challenger"
    assert "never as champion, for it learned from 'farewell'" in first.json["notes"][-1]
    assert aliases_of(open_store(), "told") == {"challenger": "1"}
    accepted = churnml(*given, "--accept-suspects")
    assert accepted.json["alias"] == "champion"
    clean = churnml(*given, "--drop", "farewell")
    assert clean.json["alias"] == "challenger"
    assert not any("never as champion" in note for note in clean.json["notes"])
