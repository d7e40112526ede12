"""Card, evaluation and gate look at the same segments of customers."""

from dataclasses import replace

import numpy as np
import pandas as pd

from churnml.config.settings import Config
from churnml.evaluation import churn_slices
from churnml.evaluation.contest import contest
from churnml.evaluation.segments import SEGMENTS, segments
from churnml.evaluation.summary import Predictions, slices

CONFIG = Config.model_validate({"promotion": {"draws": 60}})


def customers(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "lifecycle_brand": random.choice(["senior", "mzone", None], rows),
            "tier_individual_now": random.choice(["silver", "standard"], rows),
            "tier_group_now": random.choice(["A", None], rows),
            "lifecycle_payment": random.choice(["prepaid", "postpaid"], rows),
            "lifecycle_tenure_days": random.integers(1, 4000, rows),
            "lifecycle_age_years": random.choice([22.0, 71.0, np.nan], rows),
        }
    )


def test_every_customer_is_in_one_value_of_every_segment():
    X = customers(500)
    found = segments(X, ["Xishan", None] * 250)
    assert list(found) == [one.name for one in SEGMENTS]
    assert not found.isna().any(axis=None)
    assert set(found["group tier"]) == {"A", "no group"}
    assert set(found["region"]) == {"Xishan", "not recorded"}
    assert set(found["age"]) == {"under 25", "60 or older", "not recorded"}


def test_what_is_not_known_of_anybody_is_no_segment():
    X = customers(10).drop(columns=["tier_group_now", "lifecycle_age_years"])
    assert list(segments(X)) == ["brand", "tier", "payment", "tenure"]


def test_card_evaluation_and_gate_name_the_same_customers(good, unseen):
    rows = len(unseen)
    kinds = customers(rows)
    X = unseen.X.drop(columns=["lifecycle_brand", "tier_individual_now"]).join(kinds)
    regions = np.random.default_rng(1).choice(["Xishan", "Dongwan"], rows)
    data = replace(unseen, X=X, regions=pd.Series(regions))
    y, p = unseen.y.to_numpy(), np.linspace(0.1, 0.9, rows)
    card = slices(
        Predictions(task="churn", X=X, y=y, scores=p, customers=np.arange(rows), regions=regions)
    )
    evaluation = churn_slices(segments(X, regions), y, p, draws=2)
    gate = contest(good, good, data, CONFIG).checks
    named = {f"{one['by']} {one['is']}" for one in card}
    assert {one.split(" ")[0] for one in named} >= {"brand", "payment", "region", "tenure", "age"}
    assert named == {f"{one.column} {one.value}" for one in evaluation}
    assert named == {check.where for check in gate} - {"all customers"}


def test_worse_for_one_region_is_refused(unfair, middling, unseen):
    regions = np.where(unseen.X["lifecycle_brand"] == "senior", "Xishan", "Dongwan")
    verdict = contest(unfair, middling, replace(unseen, regions=pd.Series(regions)), CONFIG)
    failed = {(check.where, check.measure) for check in verdict.checks if not check.passed}
    assert ("region Xishan", "auc") in failed
    assert "region Dongwan" not in {where for where, _measure in failed}
