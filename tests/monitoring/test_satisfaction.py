"""When an alarm of the satisfaction model is raised, on hand-made months."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from churnml.base.dates import add_months
from churnml.config.monitoring import MonitorSettings
from churnml.models.histograms import Histograms, InputHistogram
from churnml.monitoring.alarms import Alarm
from churnml.monitoring.answers import Answered, answered
from churnml.monitoring.satisfaction import SatisfactionMonth, satisfaction_alarms, without_told

SETTINGS = MonitorSettings()
FIRST = date(2025, 1, 1)


def given(off: float = 0.0, error: float = 12.0) -> Answered:
    return Answered(
        answers=400,
        mean=75 + off,
        predicted=75.0,
        off=off,
        low=off - 2,
        high=off + 2,
        error=error,
        error_low=error - 1,
        error_high=error + 1,
        rank=0.3,
    )


def month(place: int, fared: Answered | None = None, drift: float = 0.0) -> SatisfactionMonth:
    column = InputHistogram(
        bins=(((0,), 1000),),
        shares=(1.0, 0.0),
        drift=drift,
        psi=drift,
        usual=0.0,
        chance=1e-9 if drift else 1.0,
        importance=0.5,
        tables=("surveys",),
    )
    found = Histograms(
        task="satisfaction",
        version="satisfaction/1",
        digest="s",
        learned_until="2024-12-01",
        customers=10_000,
        inputs={"last_score": column},
        scores=None,
        tested_mae=[12.0, 11.5, 12.5],
    )
    day = add_months(FIRST, place)
    return SatisfactionMonth(
        as_of=day,
        rows=1000,
        origin="scored",
        model="satisfaction/1",
        histograms=found,
        answered=fared,
        known_from=add_months(day, 2),
    )


def raised(*months: SatisfactionMonth) -> list[list[tuple[str, str]]]:
    found = satisfaction_alarms(months, SETTINGS)
    return [[(one.measure, one.level) for one in found[seen.as_of]] for seen in months]


def test_answers_other_than_predicted_are_told_once_they_are_known():
    watch, act = [("satisfaction_level", "watch")], [("satisfaction_level", "act")]
    # The answers of the first two months are known from the fourth on.
    assert raised(*[month(at, given(-6.0)) for at in range(5)]) == [[], [], [], watch, watch]
    assert raised(*[month(at, given(12.0)) for at in range(5)])[-1] == act
    assert raised(*[month(at, given(-4.0)) for at in range(5)])[-1] == []


def test_an_error_beyond_that_of_the_test_is_acted_on():
    worse = [month(at, given(error=16.0)) for at in range(5)]
    assert raised(*worse)[-1] == [("satisfaction_error", "act")]
    assert raised(*[month(at, given(error=13.5)) for at in range(5)])[-1] == []


def test_inputs_that_only_this_model_leans_on():
    assert raised(month(0, drift=2.0), month(1, drift=2.0))[-1] == [
        ("satisfaction_inputs.surveys", "act")
    ]
    # Who answers is not like everybody: a smaller move is no news.
    assert raised(month(0, drift=0.5), month(1, drift=0.5))[-1] == []


@pytest.mark.parametrize(("level", "left"), [("act", 0), ("watch", 1)])
def test_a_table_that_the_churn_models_alarm_names_is_not_named_twice(level, left):
    own = [Alarm(measure="satisfaction_inputs.bills", level="act", kind="inputs")]
    told = [Alarm(measure="inputs.bills", level=level, kind="inputs")]
    assert len(without_told(own, told)) == left
    assert len(without_told(own, [])) == 1


def test_scores_are_held_against_answers_by_hand():
    ids = np.array([f"c{at}" for at in range(20)], dtype=object)
    scores = np.linspace(50, 90, 20)
    rows = pd.DataFrame({"customer_id": ids[:12], "score": scores[:12] + [3.0, -1.0] * 6})
    found = answered(ids, scores, rows)
    assert found.answers == 12
    assert found.off == pytest.approx(1.0)
    assert found.error == pytest.approx(2.0)
    # The deviations are ±2: their standard error is 2 √(12/11) / √12.
    assert found.high - found.off == pytest.approx(1.96 * 2 / np.sqrt(11), rel=1e-3)
    assert answered(ids, scores, rows.head(9)) is None
