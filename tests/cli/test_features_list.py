"""``churnml features --list``: what every feature means, in the terminal and for programs."""

import pandas as pd
import pytest
from rich.cells import cell_len

import churnml
from churnml.features import declared


def test_every_feature_is_told_within_80_columns(churnml, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    ran = churnml("features", "--list")
    lines = ran.out.splitlines()
    assert ran.status == 0
    assert max(map(cell_len, lines)) <= 80
    total = next(place for place, line in enumerate(lines) if "features: " in line)
    names = [line for line in lines[:total] if not line.startswith(" ")]
    assert names == [one.name for one in declared()]
    text = " ".join(ran.out.split())
    for one in declared():
        start = text.index(f"{one.name} ")
        told = text[start : start + 500]
        assert one.en in told, one.name
        assert one.null in told, one.name
        assert f"driver: {one.driver}" in told, one.name
        assert all(table in told for table in one.tables), one.name
        assert "".join(one.zh.split()) in "".join(told.split()), one.name


def test_programs_get_the_declarations_whole(churnml):
    found = churnml("features", "--list", "--json").json["features"]
    assert [one["name"] for one in found] == [one.name for one in declared()]
    delay = next(one for one in found if one["name"] == "billing_delay_mean_6m_days")
    assert (delay["unit"], delay["driver"], delay["direction"]) == ("days", "value", 1)
    assert delay["tables"] == ["bills"]
    assert delay["zh"] == "近6个月平均缴费天数"
    assert delay["null"]


def test_of_an_operator_only_what_its_tables_have_and_its_own(tmp_path, churnml):
    customers = pd.DataFrame(
        {
            "customer_id": ["a"],
            "activated_on": ["2024-01-01"],
            "terminated_on": [None],
            "payment": ["prepaid"],
        }
    )
    customers.to_csv(tmp_path / "customers.csv", index=False)
    (tmp_path / "bills.csv").write_text("customer_id,month,amount\na,2025-01-01,30\n")
    (tmp_path / "crm.csv").write_text("customer_id,month,balance\na,2025-01-01,7.5\n")
    (tmp_path / "source.yaml").write_text(
        "extra: {crm: {columns: {balance: {aggregate: mean, windows: 3mo, unit: yuan,\n"
        "  en: Account balance, zh: 账户余额}}}}\n"
    )
    ran = churnml("features", tmp_path, "--list")
    assert ran.status == 0, ran.err
    assert "crm_balance_mean_3m" in ran.out
    assert "Account balance, mean in 3 months" in ran.out
    assert "近3个月平均账户余额" in ran.out
    assert "arpu_mean_3m_yuan" in ran.out
    assert "usage_voice_mean_1m_minutes" not in ran.out
    # Without valid_from the way of paying is today's.
    payment = ran.out[ran.out.index("lifecycle_payment") :].splitlines()[3]
    assert "today's state only" in payment


def test_the_verb_gives_what_the_command_prints():
    found = churnml.list_features()
    assert found == declared()
    frame = found.to_pandas().set_index("feature")
    assert len(frame) == len(found)
    assert frame.loc["arpu_slope_6m_yuan", "churn"] == "less"
    assert frame.loc["ties_left_6m_count", "tables"] == "ties, customers"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--list", "--out", "f.parquet"], "--out: --list prints"),
        (["--list", "--as-of", "2026-01-01"], "--as-of: --list prints"),
        (["--list", "--mapping", "m.yaml"], "none are given"),
        ([], "Missing argument 'SOURCE'"),
        (["nowhere"], "Missing option '--as-of'"),
        (["nowhere", "--as-of", "2026-01-01"], "Missing option '--out'"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, told, churnml):
    ran = churnml("features", *arguments)
    assert ran.status == 2
    assert told in ran.err
