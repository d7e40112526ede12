"""The true profit of the list above that of simpler lists of the same budget, by the simulator.

What a list truly brings is read in ``truth/``, after a replay in which everybody is offered the
same thing; no model and no plan reads it.
"""

import pytest

import churnml
from tests.retention.true_profit import (
    AS_OF,
    SETTINGS,
    eligible,
    operator,
    other_lists,
    profit,
    true_gains,
)

pytestmark = pytest.mark.slow


def planned(folder, *, budget=16_000, **options):
    asked = operator(folder / "operator", **options)
    churnml.train(
        folder / "operator",
        "churn",
        until=str(AS_OF),
        config=SETTINGS,
        track=False,
        out=folder / "churn",
    )
    plan = churnml.plan_retention(
        folder / "operator",
        as_of=AS_OF,
        budget=budget,
        out=folder / "plan",
        churn_model=folder / "churn",
        config=SETTINGS,
    )
    return asked, plan


@pytest.mark.parametrize("seed", [2, 103])
def test_the_list_brings_more_than_simpler_ones(tmp_path, seed):
    asked, plan = planned(tmp_path, seed=seed, customers=16_000, months=18)
    gains = true_gains(tmp_path / "operator", asked, tmp_path)
    listed = plan.to_pandas()
    treated = listed[listed["group"] == "treat"]
    everybody = eligible(tmp_path / "operator", tmp_path / "churn", tmp_path)
    ours = profit(gains, treated)
    others = {
        name: profit(gains, one)
        for name, one in other_lists(treated, everybody, plan.facts["budget"]).items()
    }
    print(f"seed {seed}: {plan.facts['verdict']}, {ours:,.0f} yuan against {others}")
    assert all(ours > other for other in others.values())
    left_out = plan.facts["left_out"]
    assert left_out["extrapolated"] < 0.02 * plan.facts["rows"]["in"]


def test_where_offers_drive_customers_away_nobody_is_treated(tmp_path):
    _, plan = planned(tmp_path, seed=1, effect="harm", customers=8_000)
    assert plan.facts["verdict"] == "harm"
    assert plan.facts["contacts"] == 0
    assert len(plan.to_pandas()) == 0


def test_past_offers_by_risk_are_corrected_by_name(tmp_path):
    _, plan = planned(tmp_path, seed=1, assignment="by_risk", customers=8_000)
    assert not plan.facts["by_lot"]
    assert "not drawn by lot" in plan.facts["assignment"]
