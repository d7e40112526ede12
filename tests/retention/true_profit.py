"""What a list truly brings, told by the simulator, beside other lists of the same budget."""

from datetime import date

import numpy as np
import pandas as pd

import churnml
from churnml.retention.eligibility import left_out, read_customers
from churnml.tables.checked import as_source, check
from churnml.tables.simulator import Replay, simulate
from churnml.tables.simulator.campaigns import OFFERS

AS_OF = date(2026, 5, 1)
CONTACT, MARGIN, MONTHS = 2.0, 0.4, 12
SETTINGS = churnml.Config.model_validate(
    {
        "churn": {
            "train_months": 1,
            "test_months": 1,
            "folds": 2,
            "repeats": 1,
            "max_rounds": 25,
            "definition": "termination",
        },
        # Nearly everybody was offered something: campaigns are this large to be learned from.
        "retention": {"rest_days": 31, "contacts_a_year": 12, "folds": 4, "max_rounds": 60},
        "costs": {"contact_cost": CONTACT},
    }
)


def operator(folder, *, seed, effect="mixed", customers=12_000, **options):
    """An operator whose campaigns are large enough to learn from."""
    asked = {"customers": customers, "months": 10, "seed": seed, "effect": effect}
    asked |= {"campaign_size": 40.0} | options
    simulate(folder, **asked)
    return asked


def true_gains(folder, asked, scratch):
    """By customer and offer, yuan: what the offer truly brings, whoever has it.

    In three replays everybody is offered the same thing; ``truth/`` tells what that changed,
    and the table of offers who accepted. A customer is worth a year of her margin.
    """
    spent = spending(folder)
    ids = pd.read_parquet(folder / "customers.parquet")["customer_id"].unique()
    told = {}
    for offer in OFFERS:
        replayed = scratch / offer
        everybody = Replay(on=AS_OF, offers=dict.fromkeys(ids, offer))
        simulate(replayed, **asked, replay=everybody)
        offers = pd.read_parquet(replayed / "offers.parquet").set_index("offer_id")
        truth = pd.read_parquet(replayed / "truth/offer_effect.parquet")
        last = truth[truth["month"] == date(2026, 6, 1)].set_index("offer_id")
        made = offers.loc[last.index]
        worth = made["customer_id"].map(spent).fillna(0).to_numpy() * MARGIN * MONTHS
        paid = made["cost"] * made["accepted_at"].notna()
        gain = -last["effect"].to_numpy() * worth - paid.to_numpy() - CONTACT
        told[offer] = pd.Series(gain, index=made["customer_id"].to_numpy())
    # Who left within the month itself had no time to be kept: only the money is gone.
    return pd.DataFrame(told).reindex(ids).fillna(-CONTACT)


def spending(folder):
    """By customer, the mean of the last three bills."""
    bills = pd.read_parquet(folder / "bills.parquet")
    last = bills[bills["month"].between(date(2026, 2, 1), date(2026, 4, 1))]
    return last.groupby("customer_id")["amount"].mean()


def eligible(folder, churn, scratch):
    """Everybody who may be contacted: ``customer_id``, ``churn_probability``, ``value``."""
    clean = check(
        as_source(folder, mapping=None, config=SETTINGS), SETTINGS, until=AS_OF
    ).accepted()
    customers = read_customers(clean.tables, AS_OF)
    reason = left_out(clean.tables, customers, AS_OF, SETTINGS.retention)[0]
    scores = churnml.score(
        folder, as_of=AS_OF, churn_model=churn, out=scratch / "scores", config=SETTINGS
    )
    free = scores.to_pandas().set_index("customer_id").loc[customers["customer_id"][reason.isna()]]
    value = spending(folder).reindex(free.index).fillna(0) * MARGIN * MONTHS
    return free[["churn_probability"]].assign(value=value).reset_index()


def profit(gains, listed):
    """The true gain of a list, yuan."""
    place = gains.index.get_indexer(listed["customer_id"])
    return float(gains.to_numpy()[place, gains.columns.get_indexer(listed["offer"])].sum())


def other_lists(listed, everybody, budget, seed=0):
    """Lists by other rankings: the offers by lot in the list's own shares, the same money.

    Parameters
    ----------
    listed : DataFrame
        The list, to be treated.
    everybody : DataFrame
        Of those who may be contacted: ``customer_id``, ``churn_probability``, ``value``.
    budget : float
    """
    random = np.random.default_rng(seed)
    cost = listed.groupby("offer")["cost"].first()
    mix = listed["offer"].value_counts(normalize=True)
    orders = {
        "churn probability": -everybody["churn_probability"],
        "value at risk": -everybody["churn_probability"] * everybody["value"],
        "random": pd.Series(random.random(len(everybody)), index=everybody.index),
    }
    found = {}
    for name, order in orders.items():
        ranked = everybody.loc[order.sort_values(kind="stable").index].reset_index(drop=True)
        offers = random.choice(mix.index.to_numpy(object), len(ranked), p=mix.to_numpy())
        money = np.cumsum(cost.loc[offers].to_numpy())
        found[name] = ranked.assign(offer=offers)[money <= budget]
    return found
