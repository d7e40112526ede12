"""Tiers at 2026-06-01: individual cards and corporate groups."""

from datetime import date

import numpy as np
import pytest

from churnml.base.dates import months_before
from churnml.config.settings import Config

MAY = date(2026, 5, 1)


def bills(customer, *amounts):
    """Bills of May and the months before it; None for a month without one."""
    return [
        {"customer_id": customer, "month": months_before(MAY, ago), "amount": float(amount)}
        for ago, amount in enumerate(amounts)
        if amount is not None
    ]


@pytest.mark.parametrize(
    ("arpu", "tier", "level", "missing", "above"),
    [
        (3000, "diamond", 3, None, 0),
        (2999.99, "gold", 2, 0.01, 1499.99),
        (1500, "gold", 2, 1500, 0),
        (666, "silver", 1, 834, 0),
        (665.99, "standard", 0, 0.01, 665.99),
        (0, "standard", 0, 666, 0),
    ],
)
def test_thresholds(describe, arpu, tier, level, missing, above):
    row = describe(bills=bills("c", arpu, arpu, arpu))["c"]
    assert row["tier_individual_now"] == tier
    assert row["tier_individual_now_level"] == level
    assert row["tier_individual_next_yuan"] == (missing and pytest.approx(missing))
    assert row["tier_individual_margin_yuan"] == pytest.approx(above)


def test_an_arpu_on_the_threshold_is_not_missed_by_rounding(describe):
    row = describe(bills=bills("c", 665.9, 666.1, 666.0))["c"]
    assert row["tier_individual_now"] == "silver"


def test_the_past_and_the_moves(describe):
    rows = describe(
        customers=[{}, {"customer_id": "new"}, {"customer_id": "none"}],
        # By the mean of 3 months: silver now and a month ago, gold, gold, silver, silver, standard.
        bills=[
            *bills("c", 900, 900, 900, 1800, 1800, 1800, 300, 300, 300),
            *bills("new", 900, None, None, None),
        ],
    )
    row = rows["c"]
    assert row["tier_individual_now"] == "silver"
    assert row["tier_individual_3m_level"] == 2
    assert row["tier_individual_6m_level"] == 0
    assert row["tier_individual_up_6m_count"] == 2
    assert row["tier_individual_down_6m_count"] == 1
    assert row["tier_individual_held_10m_months"] == 2
    new, none = rows["new"], rows["none"]
    assert new["tier_individual_3m_level"] is None
    assert new["tier_individual_up_6m_count"] == 0
    assert new["tier_individual_held_10m_months"] == 1
    assert none["tier_individual_now"] == "standard"
    assert none["tier_individual_now_level"] == 0
    assert none["tier_individual_held_10m_months"] is None
    assert none["tier_individual_next_yuan"] is None


def test_months_and_thresholds_are_settings(describe):
    config = Config.model_validate({"tiers": {"arpu_months": 12, "silver": 100, "gold": 200}})
    row = describe(bills=bills("c", 0, *[120] * 11, 0, 0, 0, 900), config=config)["c"]
    assert row["tier_individual_now"] == "silver"
    assert row["tier_individual_margin_yuan"] == pytest.approx(10)
    assert row["tier_individual_3m_level"] == 0


def test_thresholds_may_be_in_another_currency(describe):
    euros = {"currency": "EUR", "currency_yuan": 8, "silver": 20, "gold": 50, "diamond": 100}
    rows = describe(
        customers=[{"customer_id": "below"}, {"customer_id": "gold"}],
        bills=[*bills("below", 159.99), *bills("gold", 400)],
        config=Config.model_validate({"tiers": euros}),
    )
    assert rows["below"]["tier_individual_now"] == "standard"
    assert rows["below"]["tier_individual_next_yuan"] == pytest.approx(0.01)
    assert rows["gold"]["tier_individual_now"] == "gold"


def test_tiers_by_rank_begin_at_the_quantiles_of_the_day(describe):
    names = [f"c{number:03d}" for number in range(1, 101)]
    rows = describe(
        customers=[*({"customer_id": name} for name in names), {"customer_id": "none"}],
        bills=[one for at, name in enumerate(names, 1) for one in bills(name, at, at, at, 100)],
        config=Config.model_validate({"tiers": {"by": "quantile"}}),
    )
    spent = [row["arpu_mean_3m_yuan"] for row in rows.values()]
    cuts = np.quantile([one for one in spent if one is not None], [0.7, 0.9, 0.98])
    for at, name in enumerate(names, 1):
        row, level = rows[name], np.searchsorted(cuts, at, side="right")
        assert row["tier_individual_now"] == ["standard", "silver", "gold", "diamond"][level]
        above = at - [0, *cuts][level]
        assert row["tier_individual_margin_yuan"] == pytest.approx(above, abs=1e-6)
        if level < 3:
            assert row["tier_individual_next_yuan"] == pytest.approx(cuts[level] - at, abs=1e-6)
        # By the thresholds of today.
        assert row["tier_individual_3m_level"] == np.searchsorted(cuts, 100, side="right")
    assert {rows[name]["tier_individual_now"] for name in names} >= {"silver", "diamond"}
    assert rows["none"]["tier_individual_now"] == "standard"


@pytest.mark.parametrize(
    ("tiers", "said"),
    [
        ({"currency": "EUR"}, "currency_yuan must say"),
        ({"quantiles": (0.9, 0.7, 0.98)}, "quantiles must ascend"),
        ({"by": "quantile", "arpu_months": 2}, "1, 3, 6, 12"),
    ],
)
def test_tiers_that_cannot_be_are_refused(tiers, said):
    with pytest.raises(ValueError, match=said):
        Config.model_validate({"tiers": tiers})


GROUPS = [
    # id, handsets, sector, top taxpayer, expected
    ("large", 500, "retail", None, "A"),
    ("taxpayer", 20, "retail", True, "A"),
    ("bank", 5, "bank", False, "A"),
    ("spender", 20, None, None, "A"),
    ("middle", 499, "retail", None, "B"),
    ("hundred", 100, "retail", None, "B"),
    ("insurer", 12, "insurance", None, "B"),
    ("second", 20, "retail", None, "B"),
    ("small", 99, "retail", None, "C"),
    ("tiny", 3, "retail", None, "C"),
]


def corporate(spending, more=10):
    """Ten groups told apart by rule and ten without a member, each group with one customer."""
    groups = [
        {"group_id": name, "handsets": handsets, "sector": sector, "top_taxpayer": taxpayer}
        for name, handsets, sector, taxpayer, _tier in GROUPS
    ] + [{"group_id": f"quiet-{place}", "handsets": 20} for place in range(more)]
    customers = [
        {"customer_id": group["group_id"], "group_id": group["group_id"]} for group in groups
    ]
    paid = [bill for name, amount in spending.items() for bill in bills(name, amount)]
    return {"groups": groups, "customers": [{}, *customers[:10]], "bills": paid}


def test_groups_by_size_sector_and_spending(describe):
    rows = describe(**corporate({"spender": 900, "second": 800}))
    tiers = {name: rows[name]["tier_group_now"] for name, *_rest in GROUPS}
    assert tiers == {name: tier for name, *_rest, tier in GROUPS}
    assert rows["large"]["tier_group_now_level"] == 3
    assert rows["tiny"]["tier_group_now_level"] == 1
    assert rows["middle"]["tier_group_size_handsets"] == 499
    assert rows["bank"]["tier_group_sector"] == "bank"
    assert rows["spender"]["tier_group_sector"] is None
    assert rows["c"]["tier_group_now"] is None
    assert rows["c"]["tier_group_now_level"] is None
    # Without valid_from there is no past.
    assert "tier_group_3m_level" not in rows["c"]


def test_quotas_filled_by_spending_alone(describe):
    spending = {name: 10.0 * place for place, (name, *_rest) in enumerate(GROUPS, 1)}
    config = Config.model_validate({"tiers": {"fill_quotas": True}})
    rows = describe(**corporate(spending), config=config)
    tiers = {name: rows[name]["tier_group_now"] for name, *_rest in GROUPS}
    # 5 % and 25 % of 20 groups: one and five.
    assert [name for name in tiers if tiers[name] == "A"] == ["tiny"]
    assert [name for name in tiers if tiers[name] == "B"] == [
        "middle",
        "hundred",
        "insurer",
        "second",
        "small",
    ]


def test_spending_is_of_the_twelve_months_and_the_present_members(describe):
    tables = corporate({})
    old = [{"customer_id": "second", "month": date(2025, 5, 1), "amount": 9999.0}]
    gone = {"customer_id": "gone", "group_id": "small", "terminated_on": date(2026, 5, 20)}
    tables["customers"].append(gone)
    tables["bills"] = [*bills("spender", 1), *bills("gone", 9999), *old]
    rows = describe(**tables)
    assert rows["spender"]["tier_group_now"] == "A"
    assert rows["second"]["tier_group_now"] == "C"
    assert rows["small"]["tier_group_now"] == "C"


def test_the_past_of_a_group(describe):
    def version(day, handsets, group="g"):
        return {"group_id": group, "valid_from": day, "handsets": handsets}

    groups = [version(date(2025, 1, 1), 50), version(date(2026, 1, 15), 150)]
    groups += [version(date(2026, 4, 20), 600), version(date(2026, 6, 1), 5)]
    groups += [version(date(2026, 4, 1), 600, "young")]
    customers = [{"group_id": "g"}, {"customer_id": "young", "group_id": "young"}]
    rows = describe(customers=customers, groups=groups)
    row, young = rows["c"], rows["young"]
    assert [row[f"tier_group_{ago}_level"] for ago in ("now", "3m", "6m")] == [3, 2, 1]
    assert row["tier_group_change_6m_levels"] == 2
    assert row["tier_group_size_handsets"] == 600
    assert young["tier_group_now"] == "A"
    assert young["tier_group_3m_level"] is None
    assert young["tier_group_change_6m_levels"] is None


def test_a_tier_is_held_as_long_as_the_record_shows_no_other(describe):
    """A record of four months: whoever was silver throughout has held it, as far as is known."""
    rows = describe(
        customers=[{}, {"customer_id": "risen"}],
        bills=[*bills("c", *[700] * 4), *bills("risen", 3000, 3000, 0, 0)],
    )
    assert rows["c"]["tier_individual_held_10m_months"] == 10
    assert rows["risen"]["tier_individual_held_10m_months"] == 1
