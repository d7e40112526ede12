"""The plan: who is on the list, what it holds, how it is written, and when nobody is treated."""

import json
import stat

import numpy as np
import pandas as pd
import pytest

import churnml
from churnml.errors import DataError, ModelError, OutputError, UsageError
from churnml.retention.result import SCHEMA
from tests.retention.conftest import (
    AS_OF,
    QUICK,
    does_nothing,
    drives_away,
    keeps_the_young,
    simulate,
)


def again(operator, churn, out, **options):
    asked = {
        "as_of": AS_OF,
        "budget": 8_000,
        "hold_out": 0.25,
        "campaign": "spring",
        "churn_model": churn,
        "config": QUICK,
    }
    return churnml.plan_retention(operator, out=out, **asked | options)


def test_the_columns_and_groups_of_the_list(plan):
    listed = plan.to_pandas()
    assert list(listed.columns) == SCHEMA.names
    assert list(listed.columns) == [
        "customer_id", "household", "group", "offer", "effect", "effect_low", "effect_high",
        "churn_probability", "value", "gain", "cost", "segment", "general_offer", "reasons",
        "campaign", "model",
    ]  # fmt: skip
    assert set(listed["group"]) == {"treat", "hold_out"}
    assert listed["customer_id"].is_unique
    assert listed["customer_id"].is_monotonic_increasing
    assert listed["general_offer"].all()
    assert set(listed["campaign"]) == {"spring"}
    assert listed["offer"].isin(["data_pack", "voucher"]).all()


def test_those_whom_an_offer_keeps_are_on_the_list(plan, operator):
    assert plan.facts["verdict"] == "different"
    listed = plan.to_pandas()
    brands = pd.read_parquet(operator / "customers.parquet").set_index("customer_id")["brand"]
    liked = brands.loc[listed["customer_id"]].isin(["mzone", "easyown"]).to_numpy()
    assert (liked & (listed["offer"] == "data_pack")).mean() > 0.9
    assert (listed["gain"] > 0).all()
    assert ((listed["effect_low"] <= listed["effect"]) & (listed["effect"] < 0)).all()


def test_the_limits_are_kept_and_told(plan):
    facts, listed = plan.facts, plan.to_pandas()
    treated = listed[listed["group"] == "treat"]
    assert treated["cost"].sum() == pytest.approx(facts["spent"])
    assert facts["spent"] <= facts["budget"] == 8_000
    assert len(treated) == facts["contacts"] == facts["rows"]["treat"]
    assert treated["gain"].sum() == pytest.approx(facts["expected_gain"]["optimistic"])
    assert facts["expected_gain"]["optimistic"] <= facts["bound"] + 1e-6
    gain = facts["expected_gain"]
    assert gain["honest_low"] <= gain["honest"] <= gain["honest_high"]
    assert facts["price_of_a_yuan"] > 0
    assert "budget" in facts["binding"]
    assert "would be seen with 80 %" in facts["hold_out"]["says"]


def test_everybody_is_accounted_for(plan, operator):
    facts = plan.facts
    rows = facts["rows"]
    assert rows["in"] == rows["treat"] + rows["hold_out"] + rows["left_out"]
    assert sum(facts["left_out"].values()) == rows["left_out"]
    customers = pd.read_parquet(operator / "customers.parquet")
    assert rows["in"] == customers["terminated_on"].isna().sum()
    opted_out = set(pd.read_parquet(operator / "opt_outs.parquet")["customer_id"])
    assert facts["left_out"]["opted_out"] > 20
    assert not opted_out & set(plan.to_pandas()["customer_id"])


def test_a_quarter_is_held_out_and_is_like_the_others(plan):
    listed = plan.to_pandas()
    held = listed["group"] == "hold_out"
    assert 0.18 < held.mean() < 0.32
    means = listed.groupby("group")["gain"].mean()
    assert means["hold_out"] == pytest.approx(means["treat"], rel=0.15)


def test_the_list_is_for_its_owner_alone(plan):
    for part in plan.facts["parts"]:
        mode = stat.S_IMODE((plan_folder(plan) / part["name"]).stat().st_mode)
        assert mode == 0o600


def plan_folder(plan):
    from pathlib import Path

    return Path(plan.folder)


def test_what_is_shown(plan):
    assert json.loads((plan_folder(plan) / "_manifest.json").read_text())["verdict"] == "different"
    assert "Top fifth" in repr(plan)
    assert "<table>" in plan._repr_html_()
    cells = plan.facts["fairness"]
    assert {one["by"] for one in cells} >= {"brand", "age", "region"}
    assert cells[0]["cell"] == "senior"
    assert {one["segment"] for one in plan.facts["segments"]} == {
        "gotone",
        "easyown",
        "mzone",
        "senior",
    }
    assert len(plan.facts["questions"]) == 3


def test_the_same_work_gives_the_same_bytes_whatever_the_order_of_rows(
    plan, operator, churn, tmp_path
):
    shuffled = tmp_path / "operator"
    shuffled.mkdir()
    for path in operator.glob("*.parquet"):
        table = pd.read_parquet(path)
        table.sample(frac=1, random_state=1).to_parquet(shuffled / path.name, index=False)
    other = again(shuffled, churn, tmp_path / "plan")
    assert [one["sha256"] for one in other.facts["parts"]] == [
        one["sha256"] for one in plan.facts["parts"]
    ]


def test_a_complete_result_stays_unless_it_may_be_replaced(plan, operator, churn):
    before = (plan_folder(plan) / "_manifest.json").read_bytes()
    with pytest.raises(OutputError, match="complete result"):
        again(operator, churn, plan.folder)
    assert (plan_folder(plan) / "_manifest.json").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": -1}, "--budget -1"),
        ({"contacts": -1}, "--contacts -1"),
        ({"hold_out": 10}, r"10 % is 0\.1"),
        ({"seed": -1}, "--seed -1"),
        ({"explore": True, "hold_out": 0.0}, "would teach nothing"),
    ],
)
def test_options_out_of_their_range_are_refused(operator, churn, tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        again(operator, churn, tmp_path / "plan", **options)
    assert list(tmp_path.iterdir()) == []


def test_without_past_offers_or_a_model_nothing_is_written(operator, churn, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(ModelError, match="no model"):
        again(operator, None, tmp_path / "plan")
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("customers", "bills"):
        (bare / f"{name}.parquet").write_bytes((operator / f"{name}.parquet").read_bytes())
    with pytest.raises(DataError, match="offers: the source has no such table"):
        again(bare, churn, tmp_path / "plan")
    assert [path.name for path in tmp_path.iterdir()] == ["bare"]


def test_where_all_opted_out_nothing_is_written(operator, churn, tmp_path):
    place = tmp_path / "operator"
    place.mkdir()
    for path in operator.glob("*.parquet"):
        (place / path.name).write_bytes(path.read_bytes())
    ids = pd.read_parquet(place / "customers.parquet")["customer_id"]
    pd.DataFrame({"customer_id": ids, "since": [AS_OF.replace(month=1)] * len(ids)}).to_parquet(
        place / "opt_outs.parquet", index=False
    )
    with pytest.raises(DataError, match="nobody may be contacted"):
        again(place, churn, tmp_path / "plan")
    assert not (tmp_path / "plan").exists()


@pytest.mark.parametrize(("effect", "verdict"), [(does_nothing, "none"), (drives_away, "harm")])
def test_without_evidence_or_with_harm_nobody_is_treated(effect, verdict, churn, tmp_path):
    place = simulate(tmp_path / "operator", effect=effect, customers=1200, seed=4)
    found = again(place, churn, tmp_path / "plan")
    assert found.facts["verdict"] == verdict
    assert found.facts["contacts"] == found.facts["spent"] == 0
    assert len(found.to_pandas()) == 0
    assert list(found.to_pandas().columns) == SCHEMA.names
    explored = again(place, churn, tmp_path / "explored", explore=True)
    assert (explored.facts["contacts"] > 0) == (verdict == "none")
    if verdict == "none":
        listed = explored.to_pandas()
        assert {"treat", "hold_out"} == set(listed["group"])
        at_risk = listed["churn_probability"] * listed["value"]
        assert np.isfinite(at_risk).all()


@pytest.mark.slow
def test_past_offers_not_drawn_by_lot_are_named(churn, tmp_path):
    place = simulate(tmp_path / "operator", effect=keeps_the_young, lot=False)
    found = again(place, churn, tmp_path / "plan")
    assert "not drawn by lot" in found.facts["assignment"]
    assert not found.facts["by_lot"]


@pytest.mark.slow
def test_contacts_and_expected_spending(operator, churn, tmp_path):
    few = again(operator, churn, tmp_path / "few", contacts=20, expected=True)
    assert few.facts["contacts"] == 20
    assert "contacts" in few.facts["binding"]
    mean = few.facts["costs"]
    cost = mean["offers"]["data_pack"] * mean["acceptance"]["data_pack"] + mean["contact"]
    assert few.to_pandas()["cost"].min() == pytest.approx(cost)


@pytest.mark.slow
def test_segments_have_their_limits(operator, churn, tmp_path):
    content = QUICK.model_dump(exclude_unset=True)
    content["retention"]["segments"] = {"mzone": {"most": 12}}
    found = again(operator, churn, tmp_path / "plan", config=churnml.Config.model_validate(content))
    listed = found.to_pandas()
    inside = (listed["segment"] == "mzone") & (listed["group"] == "treat")
    assert inside.sum() == 12
    assert "segment mzone" in found.facts["binding"]
