"""Lights, alarms, menus, tiers and the regression within halls, on numbers made by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from churnml.base.dates import months_before
from churnml.config.quality import INDICATORS
from churnml.config.settings import Config, Tiers
from churnml.service.quality.groups import tier_rules
from churnml.service.quality.hotline import keys_pressed, menu_order
from churnml.service.quality.indicators import alarm, indicators, light, trends
from churnml.service.quality.within_halls import within_halls

MAY = date(2026, 5, 1)


def values(rows):
    columns = ["indicator", "by", "cell", "month", "value", "low", "high", "n"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("low", "high", "target", "direction", "expected"),
    [
        (0.02, 0.09, 0.1, -1, "good"),
        (0.02, 0.11, 0.1, -1, "unclear"),
        (0.11, 0.14, 0.1, -1, "bad"),
        (80, 84, 79.1, 1, "good"),
        (75, 79, 79.1, 1, "bad"),
        (75, 84, 79.1, 1, "unclear"),
        (75, 84, None, 1, None),
        (np.nan, np.nan, 79.1, 1, None),
    ],
)
def test_a_light_is_of_the_interval(low, high, target, direction, expected):
    assert light(low, high, target, direction) == expected


@pytest.mark.parametrize(
    ("lights", "expected"),
    [
        ("bad bad", True),
        ("bad good bad", True),
        ("bad bad good", False),
        ("bad good good bad", False),
        ("good bad", False),
        ("bad", False),
    ],
)
def test_an_alarm_takes_two_of_three_months_and_the_last(lights, expected):
    colours = lights.split()[::-1]
    by_month = {months_before(MAY, ago): colour for ago, colour in enumerate(colours)}
    assert alarm(by_month, MAY) is expected


def test_rows_bear_target_light_and_alarm():
    rows = [
        ("hall_wait_over_10min", "", "", months_before(MAY, ago), 0.2, 0.18, 0.22, 1500)
        for ago in (1, 0)
    ]
    frame = indicators(values(rows), INDICATORS)
    assert frame["light"].tolist() == ["bad", "bad"]
    assert frame["alarm"].tolist() == [False, True]
    assert frame["stage"].tolist() == ["hall", "hall"]


def test_few_answers_are_hidden_and_so_is_what_would_tell_them():
    rows = [
        ("hall_satisfaction", "", "", MAY, 80.0, 78.0, 82.0, 95),
        ("hall_satisfaction", "hall_id", "A", MAY, 81.0, 78.0, 84.0, 50),
        ("hall_satisfaction", "hall_id", "B", MAY, 80.0, 76.0, 84.0, 40),
        ("hall_satisfaction", "hall_id", "C", MAY, 60.0, 30.0, 90.0, 5),
    ]
    frame = indicators(values(rows), INDICATORS)
    hidden = frame.set_index("cell")["value"].isna()
    assert hidden.to_dict() == {"": False, "A": False, "B": True, "C": True}
    told = frame.loc[frame["value"].isna(), ["low", "high", "n", "light"]]
    assert told.isna().all().all()
    assert not frame["alarm"].any()


def test_a_hall_cannot_be_had_from_its_region():
    rows = [("hotline_resolved", "", "", MAY, 0.8, 0.7, 0.9, 200)]
    counts = {"N": {"N1": 60, "N2": 40}, "S": {"S1": 50, "S2": 44, "S3": 6}}
    for region, halls in counts.items():
        rows.append(("hotline_resolved", "region", region, MAY, 0.8, 0.7, 0.9, sum(halls.values())))
        rows += [
            ("hotline_resolved", "hall_id", h, MAY, 0.8, 0.7, 0.9, n) for h, n in halls.items()
        ]
    nested = {("hall_id", "region"): {one: tuple(halls) for one, halls in counts.items()}}
    frame = indicators(values(rows), INDICATORS, nested=nested).set_index("cell")
    assert frame.index[frame["value"].isna()].tolist() == ["S2", "S3"]


def test_a_trend_that_is_clear_and_one_that_is_not():
    months = [months_before(MAY, ago) for ago in range(11, -1, -1)]
    random = np.random.default_rng(0)
    rising = 70 + 0.8 * np.arange(12) + random.normal(0, 1, 12)
    level = 75 + random.normal(0, 1, 12)
    rows = [
        (name, "", "", month, value, value - 2, value + 2, 400)
        for name, series in (("hall_satisfaction", rising), ("hotline_satisfaction", level))
        for month, value in zip(months, series, strict=True)
    ]
    first, second = trends(indicators(values(rows), INDICATORS))
    assert first.rises
    assert first.low < 0.8 < first.high
    assert second.rises is None


def test_the_menu_with_the_fewest_keys():
    shares = {"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1}
    assert menu_order(shares) == ["a", "b", "c", "d"]
    assert keys_pressed(shares, "abcd") == pytest.approx(2.0)
    assert keys_pressed(shares, "dcba") == pytest.approx(3.0)
    random = np.random.default_rng(0)
    at_random = [keys_pressed(shares, list(random.permutation(list("abcd")))) for _ in range(2000)]
    assert np.mean(at_random) == pytest.approx(2.5, abs=0.03)


def test_rare_items_go_under_more():
    assert menu_order({"a": 0.6, "b": 0.395, "c": 0.005}, least=0.01) == ["a", "b", "more"]


def test_tiers_by_the_first_rule_that_fits():
    rows = [
        ("G01", 600, "retail", 0.0, False, "A", "handsets"),
        ("G02", 600, "bank", 9e9, True, "A", "handsets"),
        ("G03", 20, "retail", 0.0, True, "A", "top_taxpayer"),
        ("G04", 20, "bank", 0.0, False, "A", "sector"),
        ("G05", 120, "retail", 0.0, False, "B", "handsets"),
        ("G06", 20, "insurance", 0.0, False, "B", "sector"),
        ("G07", 20, "retail", 5e5, False, "B", "spending"),
        ("G08", 20, "retail", 0.0, False, "C", "rest"),
    ]
    columns = ["group_id", "handsets", "sector", "spent", "top_taxpayer", "tier", "rule"]
    groups = pd.DataFrame(rows, columns=columns)
    found = tier_rules(groups.drop(columns=["tier", "rule"]), Tiers())
    assert found[["tier", "rule"]].equals(groups[["tier", "rule"]].astype(found["tier"].dtype))


def test_quotas_filled_by_spending_alone():
    groups = pd.DataFrame(
        {
            "group_id": [f"G{at:02d}" for at in range(20)],
            "handsets": 900,
            "sector": "bank",
            "spent": np.arange(20.0),
        }
    )
    found = tier_rules(groups, Tiers(fill_quotas=True))
    assert found["tier"].value_counts().to_dict() == {"A": 1, "B": 5, "C": 14}
    assert set(found["rule"]) == {"spending", "rest"}


def test_within_halls_only_what_varies_within_them_counts():
    random = np.random.default_rng(1)
    halls, months = np.divmod(np.arange(20 * 12), 12)
    crowded = halls / 20 + random.random(240)
    outcome = 80 - halls + 3 * months - 6 * crowded + random.normal(0, 1, 240)
    slope = within_halls(halls, months, outcome, crowded, np.full(240, 60.0))
    assert slope.low < -6 < slope.high
    assert slope.p < 1e-6
    dummies = np.column_stack([np.eye(20)[halls], np.eye(12)[months][:, 1:], crowded])
    assert slope.value == pytest.approx(np.linalg.lstsq(dummies, outcome)[0][-1])


def test_few_halls_have_no_interval_and_no_p_value():
    random = np.random.default_rng(2)
    halls, months = np.divmod(np.arange(9 * 12), 12)
    slope = within_halls(halls, months, random.random(108), random.random(108), np.full(108, 60.0))
    assert np.isfinite(slope.value)
    assert np.isnan([slope.low, slope.high, slope.p]).all()


@pytest.mark.slow
@pytest.mark.parametrize("number", [10, 12, 20, 40])
def test_the_interval_within_halls_covers_nothing_where_there_is_nothing(number):
    random, covered = np.random.default_rng(3), 0
    halls, months = np.divmod(np.arange(number * 12), 12)
    for _draw in range(400):
        # What happens in one hall lasts: neighbouring months are alike, waits as well as answers.
        lasting = random.normal(0, 4, (2, number, 15))
        driver, outcome = (
            one[:, 3:] + one[:, 2:-1] + one[:, 1:-2] for one in (lasting[0] / 4, lasting[1])
        )
        answers = random.normal(0, 20 / np.sqrt(60), number * 12)
        slope = within_halls(
            halls, months, outcome.ravel() + answers, driver.ravel(), np.full(number * 12, 60.0)
        )
        covered += slope.low <= 0 <= slope.high
    assert 0.91 <= covered / 400 <= 0.985


def test_a_target_can_be_changed_alone_and_an_unknown_indicator_is_refused():
    change = {"quality": {"indicators": {"hall_wait_over_10min": {"target": 0.2}}}}
    (only,) = Config.model_validate(change).quality.indicators.values()
    assert (only.target, only.zh) == (0.2, INDICATORS["hall_wait_over_10min"].zh)
    whole = INDICATORS["hall_wait_over_10min"].model_dump()
    with pytest.raises(ValueError, match="no such indicator: hall_waits"):
        Config.model_validate({"quality": {"indicators": {"hall_waits": whole}}})


def test_every_indicator_has_both_languages_and_a_definition():
    for name, one in INDICATORS.items():
        assert one.en.isascii(), name
        assert any("一" <= letter <= "鿿" for letter in one.zh), name
        assert len(one.definition) > 20, name
        assert one.target is None or one.norm, name
