"""Whether a model of offers may replace the champion: by what its decisions would have earned."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from churnml.config.settings import Config
from churnml.datasets.offers import OfferRows
from churnml.errors import DataError, ModelError
from churnml.estimators import OfferEffect
from churnml.evaluation.offers_contest import contest_offers
from churnml.features.declaration import Declarations
from churnml.models.model import Origin
from churnml.models.profile import describe

SETTINGS = Config.model_validate(
    {
        "retention": {"folds": 3, "max_rounds": 25, "propensity": 0.5},
        "costs": {"contact_cost": 2.0},
    }
)


def draw(seed, rows=2000, likes_young=True, offers=("data",)):
    """Offers that keep 25 of 100 of one half by age, and drive away 10 of the other."""
    random = np.random.default_rng(seed)
    age = random.integers(18, 80, rows)
    offer = np.where(random.random(rows) < 0.5, random.choice(offers, rows), None)
    young = (age < 45) == likes_young
    change = np.where(offer != None, np.where(young, -0.25, 0.1), 0.0)  # noqa: E711
    left = random.random(rows) < 0.35 + change
    spending = random.uniform(80, 120, rows)
    return OfferRows(
        X=pd.DataFrame({"age": age, "arpu_mean_3m_yuan": spending}),
        y=left.astype(float),
        offer=offer.astype(object),
        customer=np.array([f"c{one}" for one in range(rows)], object),
        month=np.array([date(2026, 1, 1), date(2026, 2, 1)], object)[random.integers(0, 2, rows)],
        cost=dict.fromkeys(offers, 30.0),
        acceptance=dict.fromkeys(offers, 0.4),
        counts={},
        features=Declarations(()),
    )


def model_of(rows):
    effect = OfferEffect(folds=3, max_rounds=25)
    effect.fit(rows.X, rows.y, offer=rows.offer, groups=rows.customer, propensity=0.5)
    return describe(effect, rows.X, origin=Origin(name="offers"), reference=np.zeros(len(rows)))


@pytest.fixture(scope="module")
def good():
    return model_of(draw(1))


@pytest.fixture(scope="module")
def wrong():
    return model_of(draw(1, likes_young=False))


@pytest.fixture(scope="module")
def later():
    return draw(2)


def by_measure(verdict):
    return {one.measure: one for one in verdict.checks}


def test_decisions_that_earn_more_win_and_those_that_lose_are_refused_in_words(good, wrong, later):
    won = contest_offers(good, wrong, later, SETTINGS)
    assert won.passed
    assert won.months == ("2026-01-01", "2026-02-01")
    found = by_measure(won)
    value = found["value"]
    assert 0 < value.gain.low < value.gain.value
    assert value.gain.value == pytest.approx(value.challenger - value.champion)
    assert found["value_against_nobody"].champion == 0
    assert found["value_against_nobody"].gain.low > 0
    assert found["value_against_all"].gain.low > 0
    assert found["qini"].gain.low > 0
    lost = contest_offers(wrong, good, later, SETTINGS)
    assert not lost.passed
    assert "value_against_nobody of all customers: loses money" in lost.reasons
    assert "value of all customers: worse" in lost.reasons
    back = by_measure(lost)["value"].gain
    assert (back.low, back.high) == pytest.approx((-value.gain.high, -value.gain.low))


def test_a_model_is_as_good_as_itself(good, later):
    checks = by_measure(contest_offers(good, good, later, SETTINGS))
    for measure in ("value", "qini"):
        gain = checks[measure].gain
        assert (gain.low, gain.value, gain.high) == (0, 0, 0)


def test_the_value_is_what_the_decisions_truly_bring(good, later):
    """Against the yuan by the probabilities that were drawn from."""
    effect = good.estimator.effect(later.X)["data"].to_numpy()
    worth = later.X["arpu_mean_3m_yuan"].to_numpy() * SETTINGS.costs.margin
    worth = worth * SETTINGS.costs.months_kept
    cost = 30 * 0.4 + 2.0
    treated = -effect * worth > cost
    truth = np.where(later.X["age"] < 45, -0.25, 0.1)
    brought = np.where(treated, -truth * worth - cost, 0.0).mean()
    gain = by_measure(contest_offers(good, good, later, SETTINGS))["value_against_nobody"].gain
    assert gain.low < brought < gain.high


def test_models_of_other_offers_and_months_without_leavers_are_no_contest(good, later):
    other = model_of(draw(3, rows=600, offers=("mug",)))
    with pytest.raises(ModelError, match="knows mug, but data were offered"):
        contest_offers(good, other, later, SETTINGS)
    few = later.rows(later.y == 0)
    with pytest.raises(DataError, match="who left after an offer: 0"):
        contest_offers(good, good, few, SETTINGS)
