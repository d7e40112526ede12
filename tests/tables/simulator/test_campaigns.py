"""What offers do in a simulated operator, who is offered them, and a plan that is played."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from churnml.errors import UsageError
from churnml.tables.simulator import Replay, simulate

ASKED = {"customers": 1500, "months": 8, "seed": 4, "last_month": date(2026, 5, 1)}


def read(folder, name):
    return pd.read_parquet(folder / f"{name}.parquet")


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    folder = tmp_path_factory.mktemp("usual")
    simulate(folder, **ASKED)
    return folder


@pytest.mark.parametrize(
    ("effect", "low", "high"), [("none", 0, 0), ("same", -0.6, -0.6), ("harm", 0.6, 1.5)]
)
def test_effects_of_a_kind(tmp_path, effect, low, high):
    simulate(tmp_path, **ASKED | {"customers": 300, "months": 3}, effect=effect)
    reactions = read(tmp_path, "truth/reaction")["reaction"]
    assert reactions.between(low, high).all()
    effects = read(tmp_path, "truth/offer_effect")["effect"]
    assert (np.sign(effects) == np.sign(low)).mean() > 0.9 if len(effects) and low else True


def test_mixed_effects_differ_by_offer_and_customer(tmp_path):
    simulate(tmp_path, **ASKED | {"months": 3}, effect="mixed")
    wide = read(tmp_path, "truth/reaction").pivot(
        index="customer_id", columns="offer", values="reaction"
    )
    assert set(wide.columns) == {"fee_rebate", "data_pack", "handset_voucher"}
    assert 0.5 < (wide > 0).mean(axis=None) < 0.85
    assert wide.corr().to_numpy()[0, 1] < 0.9


def test_by_default_every_customer_reacts_in_one_way(usual):
    wide = read(usual, "truth/reaction").pivot(
        index="customer_id", columns="offer", values="reaction"
    )
    assert (wide.nunique(axis=1) == 1).all()


def test_larger_campaigns_and_those_by_risk(tmp_path, usual):
    simulate(tmp_path, **ASKED, campaign_size=10.0, assignment="by_risk")
    few, many = (len(read(one, "offers")) for one in (usual, tmp_path))
    assert many > 3 * few
    offers = read(tmp_path, "offers")
    offers["month"] = offers["offered_at"].dt.to_period("M").dt.to_timestamp().dt.date
    truth = read(tmp_path, "truth/hazard")
    rows = offers.merge(truth, on=["customer_id", "month"])
    risk = rows.groupby("arm")["churn_probability"].mean()
    assert risk["treatment"] > 1.3 * risk["control"]


def test_every_earlier_treatment_tires(tmp_path, usual):
    asked = ASKED | {"customers": 1000}
    simulate(tmp_path, **asked, effect="none", campaign_size=40.0, fatigue=1.5)
    offers, truth = read(tmp_path, "offers"), read(tmp_path, "truth/hazard")
    treated = offers[offers["arm"] == "treatment"]
    before = treated.loc[treated["offered_at"] < "2026-04-01", "customer_id"].unique()
    rows = truth[truth["month"] == date(2026, 5, 1)]
    risk = rows.groupby(rows["customer_id"].isin(before))["churn_probability"].mean()
    assert risk[True] > 1.3 * risk[False]


def test_where_most_are_harmed_some_are_helped(tmp_path):
    simulate(tmp_path, **ASKED | {"months": 4}, effect="mixed", campaign_size=40.0)
    effects = read(tmp_path, "truth/offer_effect")["effect"]
    assert (effects > 0).mean() > 0.5
    assert effects.mean() < 0.01
    assert effects.quantile(0.1) < -0.01


def test_who_likes_an_offer_takes_it_more_often(tmp_path):
    simulate(tmp_path, **ASKED | {"months": 6}, effect="mixed", campaign_size=40.0)
    offers = read(tmp_path, "offers")
    rows = offers[offers["arm"] == "treatment"].merge(
        read(tmp_path, "truth/reaction"), on=["customer_id", "offer"]
    )
    taken = rows["accepted_at"].notna().groupby(rows["reaction"] < 0).mean()
    assert taken[True] > taken[False] + 0.15


def test_opt_outs_are_few_and_recent(usual):
    opt_outs = read(usual, "opt_outs")
    assert 15 < len(opt_outs) < 75
    assert min(opt_outs["since"]) >= date(2026, 4, 1)
    assert opt_outs["customer_id"].is_unique


def test_a_plan_is_played_and_nothing_before_it_changes(tmp_path, usual):
    customers = read(usual, "customers")
    settled = pd.to_datetime(customers["activated_on"]) < "2026-02-01"
    there = customers.loc[settled & customers["terminated_on"].isna(), "customer_id"].unique()
    treated, held = there[:200], frozenset(there[200:260])
    on = date(2026, 3, 1)
    replay = Replay(on=on, offers=dict.fromkeys(treated, "data_pack"), held_out=held)
    simulate(tmp_path, **ASKED, replay=replay)
    for name, column in (("bills", "month"), ("usage", "month"), ("offers", "offered_at")):
        before = [
            one[one[column] < type(one[column].iloc[0])(2026, 3, 1)].reset_index(drop=True)
            for one in (read(usual, name), read(tmp_path, name))
        ]
        pd.testing.assert_frame_equal(*before)
    offers = read(tmp_path, "offers")
    month = offers[offers["offered_at"].dt.to_period("M") == "2026-03"]
    assert set(treated) <= set(month["customer_id"])
    made = month[month["customer_id"].isin(treated)]
    assert set(made["offer"]) == {"data_pack"}
    assert set(made["arm"]) == {"treatment"}
    assert not held & set(month["customer_id"])
    effects = read(tmp_path, "truth/offer_effect")
    assert effects["offer_id"].isin(made["offer_id"]).sum() > 150


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"effect": "big"}, "effect is 'big'. Give one of own, none"),
        ({"assignment": "wish"}, "assignment is 'wish'"),
        ({"campaign_size": -1}, "campaign_size is -1"),
        ({"replay": Replay(on=date(2020, 1, 1), offers={})}, "not the first day of a simulated"),
        ({"replay": Replay(on=date(2026, 3, 1), offers={"a": "gold"})}, "none of fee_rebate"),
    ],
)
def test_what_cannot_be_simulated_is_refused(tmp_path, wrong, message):
    with pytest.raises(UsageError, match=message):
        simulate(tmp_path, **ASKED | wrong)
