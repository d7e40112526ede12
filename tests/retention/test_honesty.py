"""How often what is told of offers is right: false finds, coverage, and what cross-fitting is for.

Cheap draws of rows, not whole operators; each share is printed with its Monte-Carlo error.
"""

import math

import numpy as np
import pandas as pd
import pytest

from churnml.estimators import OfferEffect
from churnml.evaluation.offers import judge_offers
from churnml.metrics.effects import mean_effect, qini

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
    random, draws = np.random.default_rng(0), 300
    works, differs, none = 0, 0, 0
    for _ in range(draws):
        X, y, offer = draw(random)
        made = OfferEffect(**QUICK).fit(X, y, offer=offer)
        found = judge_offers(made, y, offer, np.arange(len(y)))
        works += any(one.p < 0.05 for one in found.offers)
        differs += found.differs.p_above < 0.05
        none += found.name == "none"
    # Two standard errors above 5 %.
    assert told("an offer is said to do something", works, draws) <= 0.075
    assert told("differences are found", differs, draws) <= 0.075
    assert told("the verdict is none", none, draws) >= 0.9


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


def linear_scores(random, draws, rows, columns, *, folds):
    """Doubly robust scores and predicted effects of a linear learner, many draws at once.

    There are no effects at all. With one fold a row's prediction comes of its own outcome.
    """
    X = random.normal(size=(draws, rows, columns))
    treated = random.random((draws, rows)) < 0.5
    y = (random.random((draws, rows)) < 0.2).astype(float)
    score = np.where(treated, y / 0.5, -y / 0.5)
    fold = np.arange(rows) % folds
    predicted = np.empty((draws, rows))
    for one in range(folds):
        learn = fold != one if folds > 1 else fold == 0
        inside = X[:, learn]
        gram = np.einsum("dri,drj->dij", inside, inside) + 5 * np.eye(columns)
        moment = np.einsum("dri,dr->di", inside, score[:, learn])
        weights = np.linalg.solve(gram, moment[..., None])[..., 0]
        held = fold == one
        predicted[:, held] = np.einsum("dri,di->dr", X[:, held], weights)
    return score, predicted


@pytest.mark.parametrize("folds", [2, 1])
def test_the_qini_covers_nothing_only_where_rows_were_left_out(folds):
    """The truth is 0: whatever is predicted, no ranking keeps more than a draw by lot."""
    draws = 1_000
    scores, predicted = linear_scores(np.random.default_rng(3), draws, 400, 5, folds=folds)
    hits = 0
    for score, one in zip(scores, predicted, strict=True):
        found = qini(score, -one)
        hits += found.low <= 0 <= found.high
    share = told(f"QINI covered, {folds} folds", hits, draws)
    assert (0.925 <= share <= 0.985) if folds > 1 else share < 0.8


def test_the_estimator_without_cross_fitting_is_believed_too_much():
    random, draws = np.random.default_rng(4), 60
    hits = {3: 0, 1: 0}
    for _ in range(draws):
        X, y, offer = draw(random, rows=500, offers=("data",))
        for folds in hits:
            made = OfferEffect(**QUICK | {"folds": folds}).fit(X, y, offer=offer, propensity=2 / 3)
            found = qini(made.scores_["data"], -made.oof_raw_["data"])
            hits[folds] += found.low <= 0 <= found.high
    assert told("QINI covered, cross-fitted", hits[3], draws) >= 0.85
    assert told("QINI covered, not cross-fitted", hits[1], draws) < 0.6


def test_the_mean_of_the_scores_covers_the_effect():
    random, draws, hits = np.random.default_rng(5), 1_000, 0
    for _ in range(draws):
        _, y, offer = draw(random, rows=600, offers=("data",), effect=-0.05)
        treated = np.array([one is not None for one in offer])
        score = np.where(treated, y / (2 / 3), -y / (1 / 3))
        found = mean_effect(score)
        hits += found.low <= -0.05 <= found.high
    assert 0.93 <= told("mean effect covered", hits, draws) <= 0.97
