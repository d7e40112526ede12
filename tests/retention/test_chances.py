"""Who accepts, who is invited at all, and who must be left alone."""

from datetime import date, datetime

import ibis
import numpy as np
import pandas as pd
import pytest

from churnml.config.settings import Config
from churnml.datasets.offers import OfferRows
from churnml.estimators import OfferEffect
from churnml.features.declaration import Declarations
from churnml.reports.words import all_words
from churnml.retention.chances import learn_acceptance, learn_invitation
from churnml.retention.eligibility import REASONS, left_out

ROWS = 1500


def draw(accepts):
    """Customers of 20 to 80, invited in one month; what they accept depends on their age."""
    random = np.random.default_rng(0)
    age = random.integers(20, 50, ROWS)
    offer = random.choice(["data", "rebate", None], ROWS)
    others = pd.DataFrame({"age": random.integers(20, 80, ROWS)})
    others["customer_id"] = [f"o{one}" for one in range(ROWS)]
    others["as_of"] = date(2026, 1, 1)
    made = pd.notna(offer)
    accepted = made & (random.random(ROWS) < accepts(age))
    share = {one: float(accepted[offer == one].mean()) for one in ("data", "rebate")}
    return OfferRows(
        X=pd.DataFrame({"age": age}),
        y=(random.random(ROWS) < 0.2).astype(float),
        offer=offer.astype(object),
        customer=np.array([f"c{one}" for one in range(ROWS)], object),
        month=np.full(ROWS, date(2026, 1, 1), object),
        cost=dict.fromkeys(share, 20.0),
        acceptance=share,
        counts={},
        features=Declarations(()),
        accepted=accepted.astype(float),
        others=others,
    )


@pytest.fixture(scope="module")
def rows():
    return draw(lambda age: np.where(age < 35, 0.7, 0.1))


@pytest.fixture(scope="module")
def judge(rows):
    fitted = OfferEffect(folds=3, max_rounds=5)
    return fitted.fit(rows.X, rows.y, offer=rows.offer, groups=rows.customer, propensity=0.5)


def test_who_accepts_is_told_by_customer_and_brought_to_the_share(rows, judge):
    matrix = judge.encoded(rows.X)
    found = learn_acceptance(rows, matrix, judge.offers_, folds=3, seed=0)
    young = rows.X["age"].to_numpy() < 35
    assert found.past[young].mean() > 0.6
    assert found.past[~young].mean() < 0.2
    for at, name in enumerate(judge.offers_):
        made = rows.offer == name
        assert found.past[made, at].mean() == pytest.approx(rows.acceptance[name], abs=0.02)
    told = found.predict(judge.encoded(pd.DataFrame({"age": [22, 48]})))
    assert told[0].min() > 0.5 > 0.25 > told[1].max()


def test_where_nothing_tells_who_accepts_everybody_does_as_often(judge):
    alike = draw(lambda age: np.full(len(age), 0.4))
    matrix = judge.encoded(alike.X)
    found = learn_acceptance(alike, matrix, judge.offers_, folds=3, seed=0)
    assert found.predict(matrix[:2]).tolist() == [list(alike.acceptance.values())] * 2


def test_who_is_like_nobody_invited_is_told(rows, judge):
    found = learn_invitation(rows, judge, folds=3, seed=0)
    unlike = found.unlike(judge.encoded(pd.DataFrame({"age": [25, 40, 65, 75]})))
    assert unlike.tolist() == [False, False, True, True]


def test_visits_and_calls_of_the_last_days_keep_customers_off_the_list():
    day = date(2026, 6, 1)
    contacts = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d"],
            "channel": ["hall", "hotline", "app", "hotline"],
            "started_at": [
                datetime(2026, 5, 30), datetime(2026, 5, 29), datetime(2026, 5, 31),
                datetime(2026, 5, 28),
            ],
        }
    )  # fmt: skip
    customers = pd.DataFrame({"customer_id": list("abcde"), "birth_year": [2010] + [1980] * 4})
    reason, notes = left_out(
        {"contacts": ibis.memtable(contacts)}, customers, day, Config().retention
    )
    assert reason.tolist()[:2] == ["served_lately"] * 2
    assert reason[2:].isna().all()
    assert not [note for note in notes if note.startswith("contacts")]


def test_every_reason_has_words_for_readers():
    assert set(all_words()["left_out"]) == set(REASONS)
