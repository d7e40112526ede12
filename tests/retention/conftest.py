"""A small operator whose offers do what the tests say, and a churn model of it."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

import churnml

QUICK = churnml.Config.model_validate(
    {
        "churn": {
            "train_months": 1,
            "test_months": 1,
            "folds": 2,
            "repeats": 1,
            "max_rounds": 10,
            "min_positives": 2,
            "definition": "termination",
        },
        "retention": {
            "least_rows": 200,
            "max_rounds": 25,
            "folds": 3,
            "rest_days": 60,
            "segment_by": ["brand"],
            "value_months": 12,
        },
    }
)
AS_OF = date(2026, 6, 1)
BRANDS = ("gotone", "easyown", "mzone", "senior")
COSTS = {"data_pack": 20.0, "voucher": 90.0}


def months(first: date, count: int) -> list[date]:
    start = first.year * 12 + first.month - 1
    return [date((start + at) // 12, (start + at) % 12 + 1, 1) for at in range(count)]


def simulate(folder, *, effect, customers=2500, seed=0, lot=True, opted_out=()):
    """Write customers, bills and one offer to everybody between July and January.

    Parameters
    ----------
    effect : function of (brand, offer)
        Change of the monthly probability of leaving in the two months after an offer.
    """
    random = np.random.default_rng(seed)
    ids = [f"c{number:05d}" for number in range(customers)]
    brand = random.choice(BRANDS, customers)
    activated = [
        date(2024, 1, 1) + timedelta(days=int(one)) for one in random.integers(0, 400, customers)
    ]
    spending = random.gamma(4, 30, customers)
    span = months(date(2025, 7, 1), 7)
    month = random.integers(0, len(span), customers)
    offered = [
        span[at] + timedelta(days=int(one))
        for at, one in zip(month, random.integers(0, 25, customers), strict=True)
    ]
    kind = random.choice(list(COSTS), customers)
    chance = np.full(customers, 0.5) if lot else np.where(brand == "gotone", 0.9, 0.2)
    treated = random.random(customers) < chance
    change = np.array(
        [effect(b, k) if t else 0.0 for b, k, t in zip(brand, kind, treated, strict=True)]
    )
    leaves = random.random(customers) < np.clip(0.3 + change, 0, 1)
    after = [
        day + timedelta(days=int(one))
        for day, one in zip(offered, random.integers(1, 58, customers), strict=True)
    ]
    later = random.random(customers) < 0.06
    gone = [
        one if left else (date(2026, 4, 3) + timedelta(days=int(50 * luck)) if soon else None)
        for one, left, soon, luck in zip(
            after, leaves, later, random.random(customers), strict=True
        )
    ]
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(
        {
            "customer_id": ids,
            "activated_on": activated,
            "terminated_on": gone,
            "payment": random.choice(["prepaid", "postpaid"], customers),
            "valid_from": activated,
            "brand": brand,
            "birth_year": random.integers(1950, 2004, customers),
            "region": random.choice(["Xishan", "Hubin"], customers),
        }
    ).to_parquet(folder / "customers.parquet", index=False)
    bills = [
        (one, month, round(float(spends * random.uniform(0.8, 1.2)), 2))
        for one, spends, since, ended in zip(ids, spending, activated, gone, strict=True)
        for month in months(date(2025, 1, 1), 17)
        if month >= since.replace(day=1) and (ended is None or month <= ended)
    ]
    pd.DataFrame(bills, columns=["customer_id", "month", "amount"]).to_parquet(
        folder / "bills.parquet", index=False
    )
    accepted = treated & (random.random(customers) < 0.4)
    when = pd.to_datetime(offered) + pd.Timedelta(hours=10)
    pd.DataFrame(
        {
            "offer_id": [f"o{number}" for number in range(customers)],
            "customer_id": ids,
            "offered_at": when,
            "offer": kind,
            "arm": np.where(treated, "treatment", "control"),
            "cost": np.where(treated, [COSTS[one] for one in kind], 0.0),
            "accepted_at": np.where(accepted, when + pd.Timedelta(hours=2), np.datetime64("NaT")),
        }
    ).to_parquet(folder / "offers.parquet", index=False)
    pd.DataFrame(
        {"customer_id": list(opted_out), "since": [date(2026, 3, 1)] * len(opted_out)},
    ).astype({"customer_id": "str"}).to_parquet(folder / "opt_outs.parquet", index=False) if len(
        opted_out
    ) else None
    return folder


def keeps_the_young(brand, offer):
    """Data packs keep the young; whatever else is offered drives away a little."""
    return -0.27 if (brand in ("mzone", "easyown") and offer == "data_pack") else 0.03


def does_nothing(brand, offer):
    return 0.0


def drives_away(brand, offer):
    return 0.2


@pytest.fixture(scope="session")
def operator(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retention") / "operator"
    return simulate(
        folder, effect=keeps_the_young, opted_out=[f"c{n:05d}" for n in range(0, 2500, 50)]
    )


@pytest.fixture(scope="session")
def churn(operator, tmp_path_factory):
    """The folder of a churn model."""
    place = tmp_path_factory.mktemp("model") / "churn"
    churnml.train(operator, "churn", config=QUICK, track=False, out=place)
    return place


@pytest.fixture(scope="session")
def plan(operator, churn, tmp_path_factory):
    place = tmp_path_factory.mktemp("plan") / "spring"
    return churnml.plan_retention(
        operator,
        as_of=AS_OF,
        budget=8_000,
        hold_out=0.25,
        campaign="spring",
        out=place,
        churn_model=churn,
        config=QUICK,
    )
