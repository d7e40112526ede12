"""The profit of campaigns, by hand, by the paper's formula, and against empulse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from churnml.config.settings import Costs
from churnml.errors import DataError
from churnml.metrics import bootstrap, paired_difference
from churnml.metrics.profit import Campaign, contact_gain, customer_value, profit_measures


def scored(rows=2_000, seed=0):
    random = np.random.default_rng(seed)
    p = np.round(random.beta(1, 9, rows), 3)
    return (random.random(rows) < p).astype(int), p


def paper(y, p, value, costs):
    """Verbraken et al.'s expression at every threshold of scikit-learn's ROC curve."""
    stayers, leavers, _ = roc_curve(y, p, drop_intermediate=False)
    offer, contact = costs.offer_cost / value, costs.contact_cost / value
    rate = np.mean(y)
    return max(
        value * (costs.success_rate * (1 - offer) - contact) * rate * leavers
        - value * (offer + contact) * (1 - rate) * stayers
    )


@given(
    value=st.floats(10, 5_000),
    offer=st.floats(0, 100),
    contact=st.floats(0, 20),
    rate=st.floats(0.05, 1),
    seed=st.integers(0, 5),
)
@settings(max_examples=40, deadline=None)
def test_one_value_for_all_is_the_maximum_profit_measure(value, offer, contact, rate, seed):
    y, p = scored(400, seed)
    costs = Costs(contact_cost=contact, offer_cost=offer, success_rate=rate)
    # Else what is expected of a customer does not rise with their probability of leaving.
    if rate * (value - offer) <= -offer:
        return
    found = Campaign(y, p, value, costs).maximum()
    assert found == pytest.approx(paper(y, p, value, costs), abs=1e-9)


@pytest.mark.parametrize(
    ("value", "rate", "offer", "contact"),
    [
        (200, 0.3, 10, 1),
        (1000, 0.5, 60, 2),
        (200, 0.3, 60, 2),
        (100, 0.2, 5, 15),
        (2000, 0.1, 20, 1),
    ],
)
def test_one_value_for_all_is_what_empulse_finds(value, rate, offer, contact):
    from empulse.metrics import mpc_score

    y, p = scored()
    campaign = Campaign(
        y, p, value, Costs(success_rate=rate, offer_cost=offer, contact_cost=contact)
    )
    theirs = {
        "accept_rate": rate,
        "clv": value,
        "incentive_cost": offer,
        "contact_cost": contact,
    }
    assert campaign.maximum() == pytest.approx(mpc_score(y, p, **theirs))
    assert campaign.best_share() == pytest.approx(mpc_score.optimal_rate(y, p, **theirs))


def test_each_customer_s_own_value_by_hand():
    costs = Costs(contact_cost=1, offer_cost=10, success_rate=0.5)
    y, p, value = [1, 1, 0, 0], [0.6, 0.5, 0.4, 0.1], [20, 1_000, 1_000, 20]
    # Expected of each: 0.6 * 5 - 4 - 1 = -2, 241.5, 191, -9.5; brought: 4, 494, -11, -11.
    share, profit = Campaign(y, p, value, costs).curve()
    assert share.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert (4 * profit).tolist() == [0, 494, 483, 487, 476]
    campaign = Campaign(y, p, value, costs)
    assert (4 * campaign.maximum(), campaign.best_share()) == (494, 0.25)
    assert 4 * campaign.decided() == 483


def test_knowing_what_each_is_worth_brings_more_than_the_mean_of_all():
    random = np.random.default_rng(1)
    p = random.beta(1, 9, 20_000)
    y = (random.random(20_000) < p).astype(int)
    value = random.lognormal(6, 1.5, 20_000)
    own = Campaign(y, p, value)
    # The same customers in the order of their probability alone.
    order = np.argsort(-p)
    by_probability = np.cumsum(contact_gain(y, value)[order]).max() / 20_000
    assert own.maximum() > 1.1 * by_probability


def test_true_probabilities_decide_as_well_as_hindsight_and_wrong_ones_worse():
    y, p = scored(50_000)
    told = Campaign(y, p, 1_000.0)
    assert told.decided() == pytest.approx(told.maximum(), rel=0.03)
    doubled = Campaign(y, np.minimum(3 * p, 1), 1_000.0)
    assert doubled.maximum() == pytest.approx(told.maximum(), rel=0.01)
    assert doubled.decided() < 0.8 * told.decided()


def test_nobody_is_contacted_where_it_never_pays():
    y, p = scored()
    campaign = Campaign(y, p, 10.0, Costs(offer_cost=100))
    assert (campaign.maximum(), campaign.best_share(), campaign.decided()) == (0, 0, 0)


def test_weights_are_repeated_customers():
    y, p = scored(300)
    random = np.random.default_rng(2)
    value, weight = random.lognormal(6, 1, 300), random.integers(0, 4, 300)
    again = np.repeat(np.arange(300), weight)
    one, other = Campaign(y, p, value), Campaign(y[again], p[again], value[again])
    for name in ("maximum", "best_share", "decided"):
        assert getattr(one, name)(weight) == pytest.approx(getattr(other, name)())


def test_two_models_are_compared_on_the_same_draws():
    y, p = scored(5_000)
    noisy = np.clip(p + np.random.default_rng(3).normal(0, 0.1, p.size), 0, 1)
    good, bad = profit_measures(y, p, 1_000.0), profit_measures(y, noisy, 1_000.0)
    more = paired_difference(good["profit_maximum"], bad["profit_maximum"])
    found = bootstrap({"more": more, **good}, p.size, draws=200)
    assert found["more"].low > 0
    assert found["profit_maximum"].low < found["profit_maximum"].value
    assert 0 < found["profit_best_share"].value < 0.5


def test_missing_spending_is_the_mean_and_none_known_the_default():
    costs = Costs(margin=0.5, months_kept=10, default_value=77)
    assert customer_value([10, np.nan, -5], costs).tolist() == [50, 25, 0]
    assert customer_value([np.nan], costs).tolist() == [77]


@pytest.mark.parametrize(
    ("value", "message"),
    [([1.0, -1.0], "1 customer values"), ([1.0, np.nan], "1 customer values"), ([1.0], "shape")],
)
def test_values_that_are_none_are_refused(value, message):
    with pytest.raises(DataError, match=message):
        Campaign([0, 1], [0.1, 0.2], value)
