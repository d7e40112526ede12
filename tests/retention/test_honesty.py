"""How often what is told of offers is right: false finds, harm, a draw by risk, and coverage.

Cheap draws of rows, not whole operators; each share is printed with its Monte-Carlo error.
"""

import math

import numpy as np
import pandas as pd
import pytest

from churnml.estimators import OfferEffect
from churnml.evaluation.offers import judge_offers
from churnml.metrics.effects import mean_effect, qini, rank_within

pytestmark = pytest.mark.slow
QUICK = {"max_rounds": 8, "folds": 3, "num_leaves": 4}


def draw(random, rows=900, offers=("data", "rebate"), effect=0.0, by_risk=False):
    """Rows of customers of whom a third each is offered something or nothing."""
    X = pd.DataFrame({"age": random.random(rows), "bill": random.random(rows)})
    chance = 0.1 + 0.3 * X["bill"].to_numpy()
    share = 0.2 + 0.6 * X["bill"].to_numpy() if by_risk else np.full(rows, 2 / 3)
    treated = random.random(rows) < share
    offer = np.where(treated, random.choice(np.array(offers, object), rows), None)
    y = random.random(rows) < np.clip(chance + effect * treated, 0, 1)
    return X, y.astype(float), offer


def told(name, hits, draws):
    error = math.sqrt(hits / draws * (1 - hits / draws) / draws)
    print(f"{name}: {hits / draws:.3f}, Monte-Carlo error {error:.3f}, {draws} draws")
    return hits / draws


def test_where_offers_do_nothing_each_question_is_rarely_answered_with_yes():
    random, draws = np.random.default_rng(0), 500
    works, differs, covered = 0, 0, 0
    for _ in range(draws):
        X, y, offer = draw(random)
        made = OfferEffect(**QUICK).fit(X, y, offer=offer)
        found = judge_offers(made, y, offer, np.arange(len(y)))
        asked = found.questions()
        works += asked[0]["p"] < 0.05
        differs += asked[1]["p"] < 0.05
        covered += found.differs.low <= 0 <= found.differs.high
    # Two Monte-Carlo errors above 5 %.
    assert told("offers are said to do something", works, draws) <= 0.07
    assert told("differences are found", differs, draws) <= 0.07
    # Two Monte-Carlo errors around 92.5 and 98 %.
    assert 0.905 <= told("the QINI's interval holds 0", covered, draws) <= 0.99


def test_the_interval_of_the_qini_holds_what_the_ranking_is_worth():
    random, draws, covered = np.random.default_rng(12), 200, 0
    for _ in range(draws):
        X, y, offer = draw(random)
        liked = ((X["age"] > 0.5) & (X["bill"] > 0.4)).to_numpy()
        treated = np.array([one is not None for one in offer])
        y = np.where(treated & liked & (random.random(len(y)) < 0.8), 0.0, y)
        made = OfferEffect(**QUICK).fit(X, y, offer=offer)
        found = judge_offers(made, y, offer, np.arange(len(y)))
        said = made.oof_effect_.min(axis=1).to_numpy()
        true = -0.8 * liked * (0.1 + 0.3 * X["bill"].to_numpy())
        worth = qini(true, rank_within(-said, made.fold_)).value
        covered += found.differs.low <= worth <= found.differs.high
    # Two Monte-Carlo errors around 92.5 and 98 %.
    assert 0.888 <= told("the QINI of what is true is held", covered, draws) <= 1.0


def test_who_accepts_helps_to_tell_who_is_kept():
    random = np.random.default_rng(6)
    found = {True: 0.0, False: 0.0}
    for _ in range(6):
        X, y, offer = draw(random, rows=3_000, offers=("data",))
        treated = np.array([one is not None for one in offer])
        # Neither the young nor the spenders, but who is both.
        likes = ((X["age"] < 0.5) & (X["bill"] > 0.5)).to_numpy()
        y = np.where(treated & likes, y * (random.random(len(y)) < 0.6), y)
        accepted = treated & (random.random(len(y)) < np.where(likes, 0.6, 0.1))
        for known in found:
            more = {"accepted": accepted.astype(float)} if known else {}
            made = OfferEffect(**QUICK | {"max_rounds": 20}).fit(X, y, offer=offer, **more)
            found[known] += float(made.shrinkage_.slope[0] / made.shrinkage_.slope_error[0]) / 6
    print(f"standard errors from 0: {found[True]:.2f} where it is known, else {found[False]:.2f}")
    assert found[True] > found[False]


def test_where_offers_harm_it_is_said():
    random = np.random.default_rng(1)
    names = []
    for _ in range(20):
        X, y, offer = draw(random, effect=0.15)
        made = OfferEffect(**QUICK).fit(X, y, offer=offer)
        names.append(judge_offers(made, y, offer, np.arange(len(y))).name)
    assert names.count("harm") >= 19


def test_what_was_assigned_by_risk_is_named_and_corrected():
    random, draws = np.random.default_rng(2), 60
    named, covered, plain = 0, 0, 0
    for _ in range(draws):
        X, y, offer = draw(random, rows=2_000, offers=("data",), by_risk=True)
        made = OfferEffect(**QUICK | {"max_rounds": 25}).fit(X, y, offer=offer)
        found = judge_offers(made, y, offer, np.arange(len(y)))
        named += not found.assignment.by_lot
        covered += abs(found.average.value) <= 3 * found.average.error
        plain += found.offers[0].difference.low > 0
    assert told("named", named, draws) >= 0.95
    assert told("the difference as counted says harm", plain, draws) >= 0.5
    assert told("nothing is within three errors of the corrected effect", covered, draws) >= 0.9


def test_the_mean_of_the_scores_covers_the_effect():
    random, draws, hits = np.random.default_rng(5), 1_000, 0
    for _ in range(draws):
        _, y, offer = draw(random, rows=600, offers=("data",), effect=-0.05)
        treated = np.array([one is not None for one in offer])
        score = np.where(treated, y / (2 / 3), -y / (1 / 3))
        found = mean_effect(score)
        hits += found.low <= -0.05 <= found.high
    assert 0.93 <= told("mean effect covered", hits, draws) <= 0.97
