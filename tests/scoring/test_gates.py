"""Gates: what does not stop a scoring and must not pass unnoticed."""

import numpy as np
import pandas as pd
import pytest

from churnml.estimators import ChurnClassifier
from churnml.models.profile import describe
from churnml.registry.resolve import Resolved
from churnml.scoring.facts import sum_tallies
from churnml.scoring.gates import tripped, unseen_shares
from churnml.scoring.shards import ScoringRecipe, tally


def judge(churn, rows, limit=0.05):
    models = {"churn": Resolved(churn, "m", "churn/1")}
    total = sum_tallies(
        [tally(ScoringRecipe(models=models, as_of=None, reasons=0, bands=(50, 80, 95)), rows)]
    )
    return tripped(total, len(rows), models, limit)


def test_rows_like_those_of_training_trip_nothing(churn, features):
    assert judge(churn, features) == []


def test_a_few_unseen_values_pass_and_too_many_do_not(churn, features):
    rows = features.copy()
    rows.loc[:29, "plan"] = "ultra"
    assert judge(churn, rows) == []
    rows.loc[30, "plan"] = "ultra"
    (gate,) = judge(churn, rows)
    assert gate == (
        "plan: 31 of 600 rows (5.2%) hold values that training had not; at most 5.0% expected."
    )


@pytest.mark.parametrize("spoil", [str.upper, lambda text: f"{text} ", lambda text: "7"])
def test_a_column_that_matches_nothing_is_told_apart(churn, features, spoil):
    rows = features.assign(plan=features["plan"].map(spoil))
    (gate,) = judge(churn, rows, limit=1.0)
    assert "plan: none of the 3 known values was seen in 600 rows" in gate


def test_a_column_that_is_empty_now(churn, features):
    (gate,) = judge(churn, features.assign(tenure=None))
    assert gate == "tenure: empty in all 600 rows; in training in 0.0% of them."


def test_a_column_that_was_often_missing_may_be_so_again(churn, features):
    few = features.head(19).assign(tenure=None)
    assert judge(churn, few) == []


def test_no_rows_trip_nothing(churn, features):
    assert judge(churn, features.head(0)) == []


def test_counts_of_batches_sum_tallies(churn, features):
    recipe = ScoringRecipe(
        models={"churn": Resolved(churn, "m", "churn/1")}, as_of=None, reasons=0, bands=(50, 80, 95)
    )
    rows = features.assign(plan=["ultra"] * 60 + features["plan"].tolist()[60:])
    pieces = [tally(recipe, rows.iloc[at : at + 7]) for at in range(0, 600, 7)]
    assert sum_tallies(pieces) == sum_tallies([tally(recipe, rows)])
    assert unseen_shares(sum_tallies(pieces), 600) == {"plan": 0.1}


def test_a_column_of_many_rare_values_may_have_as_many_new_ones_as_held_out_customers_had():
    """Two halves of one table, a tenth of whose customers own a phone that nobody else has."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "phone": np.where(
                random.random(4_000) < 0.1, [f"rare {at}" for at in range(4_000)], "common"
            ),
            "use": random.normal(size=4_000),
        }
    )
    left = (random.random(4_000) < 1 / (1 + np.exp(1 - rows["use"]))).astype(float)
    trained, scored = rows[:2_000], rows[2_000:]
    estimator = ChurnClassifier(repeats=1, folds=2, max_rounds=10, n_jobs=1)
    model = describe(estimator.fit(trained, left[:2_000]), trained, reference=estimator.oof_)
    (phone,) = (column for column in model.inputs if column.name == "phone")
    assert phone.unseen == pytest.approx(0.1, abs=0.02)
    assert judge(model, scored) == []
    changed = scored.assign(phone=scored["phone"].where(random.random(2_000) > 0.2, "brand new"))
    (gate,) = judge(model, changed)
    assert "being usual" in gate
