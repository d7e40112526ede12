"""When an alarm is raised, on hand-made months."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from churnml.base.dates import add_months
from churnml.config.monitoring import MonitorSettings
from churnml.models.histograms import Histograms, InputHistogram, ScoreHistogram
from churnml.monitoring.alarms import MonthSeen, raise_alarms
from churnml.monitoring.columns import benjamini_hochberg
from churnml.monitoring.outcomes import Realised

SETTINGS = MonitorSettings()
FIRST = date(2025, 1, 1)


def column(drift: float = 0.0, importance: float = 0.1, **more) -> InputHistogram:
    facts = {
        "bins": (((0,), 1000),),
        "shares": (1.0, 0.0),
        "psi": drift,
        "usual": 0.0,
        "chance": 1e-9 if drift else 1.0,
        "tables": ("bills",),
    }
    return InputHistogram(drift=drift, importance=importance, **facts | more)


def month(place: int, fared: Realised | None = None, scores: float = 0.0, **inputs) -> MonthSeen:
    day = add_months(FIRST, place)
    histogram = ScoreHistogram(
        edges=(0.5,),
        bins=(((0,), 5000), ((1,), 5000)),
        means=(0.1, 0.2),
        mean=0.15,
        psi=scores,
        shares=(0.5, 0.5),
    )
    found = Histograms(
        task="churn",
        version="churn/1",
        digest="d",
        learned_until="2024-12-01",
        customers=100_000,
        inputs={"spend": column(), "age": column(), **inputs},
        scores=histogram,
        tested_auc=[0.75, 0.74, 0.76],
    )
    known = add_months(day, 2)
    return MonthSeen(as_of=day, known_from=known, histograms=found, realised=fared)


def realised(auc: float = 0.75, rate: float = 0.03) -> Realised:
    return Realised(
        auc=auc,
        low=auc - 0.02,
        high=auc + 0.02,
        rate=rate,
        predicted=0.03,
        rows=10_000,
        left=300,
        treated=0,
        slope=1.0,
        error=0.01,
        surprise=(rate - 0.03) * 10_000 / 17,
    )


def raised(*months: MonthSeen) -> list[list[tuple[str, str]]]:
    found = raise_alarms(months, SETTINGS)
    return [[(one.measure, one.level) for one in found[seen.as_of]] for seen in months]


def test_one_month_is_no_alarm_and_two_of_three_with_the_last_are():
    off = {"spend": column(2.0)}
    act, watch = [("inputs.bills", "act")], [("inputs.bills", "watch")]
    # So far that it is watched at once; it is acted on where it stays.
    assert raised(month(0), month(1, **off), month(2)) == [[], watch, []]
    assert raised(month(0, **off), month(1), month(2, **off)) == [watch, [], act]
    assert raised(month(0, **off), month(1, **off), month(2)) == [watch, act, []]
    assert raised(month(0, **off), month(1), month(2), month(3, **off))[-1] == watch


def test_a_smaller_move_must_last_to_be_told_of_at_all():
    off = {"spend": column(0.5)}
    assert raised(month(0), month(1, **off)) == [[], []]
    assert raised(month(0, **off), month(1, **off))[-1] == [("inputs.bills", "watch")]
    assert raised(month(0, **off), month(1), month(2), month(3, **off))[-1] == []


def test_what_grows_with_the_record_is_watched_and_what_jumps_is_acted_on():
    slow = [month(place, spend=column(0.05 * place)) for place in range(24)]
    levels = {level for found in raised(*slow) for _measure, level in found}
    assert levels == {"watch"}
    jumped = [month(place, spend=column(1.2 if place > 4 else 0.1)) for place in range(9)]
    assert raised(*jumped)[5] == [("inputs.bills", "watch")]
    assert raised(*jumped)[6:] == [[("inputs.bills", "act")]] * 3


def test_a_column_that_the_model_does_not_read_is_no_news():
    unread = {"spend": column(5.0, importance=0.0)}
    assert raised(month(0, **unread), month(1, **unread)) == [[], []]
    little = {"spend": column(5.0, importance=0.001)}
    assert raised(month(0, **little), month(1, **little))[-1] == [("inputs.bills", "watch")]


def test_drift_within_the_usual_and_drift_by_chance_are_none():
    usual = {"spend": column(0.9, usual=0.8)}
    chance = {"age": column(0.9, chance=0.2)}
    assert raised(month(0, **usual, **chance), month(1, **usual, **chance))[-1] == []


def test_the_same_month_a_year_before_off_alone_is_the_season():
    off = {"spend": column(2.0)}
    year = [month(place) for place in range(14)]
    year[1], year[13], year[12] = month(1, **off), month(13, **off), month(12, **off)
    assert raised(*year)[13] == []
    # A fault that lasted a whole winter is no season.
    year[0] = month(0, **off)
    year[2] = month(2, **off)
    assert raised(*year)[13] == [("inputs.bills", "act")]


def test_missing_values_are_told_as_such_in_both_languages():
    gone = {"spend": column(6.0, lost=0.97, was_lost=0.02)}
    found = raise_alarms([month(0, **gone), month(1, **gone)], SETTINGS)
    (alarm,) = found[add_months(FIRST, 1)]
    assert "spend (missing in 97%, was 2%)" in alarm.what_to_do("en")
    assert "缺失率由 2% 变为 97%" in alarm.what_to_do("zh")
    assert "bills" in alarm.what_to_do("zh")


def test_scores_that_lie_elsewhere():
    assert raised(month(0, scores=0.3), month(1, scores=0.3))[-1] == [("scores", "watch")]
    assert raised(month(0, scores=2.0), month(1, scores=2.0))[-1] == [("scores", "act")]


def test_outcomes_raise_an_alarm_only_from_the_day_they_are_known():
    months = [month(place, realised(0.60)) for place in range(5)]
    # The outcomes of the first two months are known from the fourth on.
    assert raised(*months) == [[], [], [], [("auc", "act")], [("auc", "act")]]


def test_leavers_other_than_predicted():
    third = [month(place, realised(rate=0.04)) for place in range(5)]
    assert raised(*third)[-1] == [("rate", "watch")]
    twice = [month(place, realised(rate=0.07)) for place in range(5)]
    assert raised(*twice)[-1] == [("rate", "act")]
    healthy = [month(place, realised(0.73, rate=0.033)) for place in range(5)]
    assert raised(*healthy)[-1] == []


def test_a_month_of_which_no_model_may_speak_has_no_alarm():
    silent = replace(month(1), histograms=None)
    assert raised(month(0), silent) == [[], []]


@pytest.mark.parametrize("seed", range(5))
def test_with_equal_weights_the_finds_are_scipys(seed):
    chance = np.random.default_rng(seed).beta(0.3, 1.0, 60)
    expected = false_discovery_control(chance) <= 0.05
    assert benjamini_hochberg(chance, np.ones(60), 0.05).tolist() == expected.tolist()
