"""An experiment whose counts were published, through the way of tables of one's own.

The table has Hillstrom's arms with exactly their counts of visits and conversions. Who visited
within an arm is not published here: the mail for women brings those who had bought women's goods,
and conversions are drawn by lot.
"""

import numpy as np
import pandas as pd
import pytest

import churnml

NONE, MEN, WOMEN = "No E-Mail", "Mens E-Mail", "Womens E-Mail"
# Rows, visits, conversions.
COUNTS = {MEN: (21_307, 3_894, 267), WOMEN: (21_387, 3_238, 189), NONE: (21_306, 2_262, 122)}
QUICK = churnml.Config.model_validate({"retention": {"max_rounds": 20, "folds": 3}})

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mails():
    random = np.random.default_rng(0)
    parts = []
    for arm, (rows, visits, conversions) in COUNTS.items():
        womens = random.random(rows) < 0.55
        wish = np.where(womens, 2.2, 1.0) if arm == WOMEN else np.ones(rows)
        visit = np.zeros(rows, int)
        visit[random.choice(rows, visits, replace=False, p=wish / wish.sum())] = 1
        conversion = np.zeros(rows, int)
        visitors = np.flatnonzero(visit)
        # Who came for the mail's sake buys no more often: conversions are the same for all.
        alike = 1 / wish[visitors]
        bought = random.choice(visitors, conversions, replace=False, p=alike / alike.sum())
        conversion[bought] = 1
        parts.append(
            pd.DataFrame(
                {
                    "segment": arm,
                    "womens": womens.astype(int),
                    "recency": random.integers(1, 13, rows),
                    "zip_code": random.choice(["Urban", "Surburban", "Rural"], rows),
                    "visit": visit,
                    "conversion": conversion,
                }
            )
        )
    return pd.concat(parts, ignore_index=True).rename_axis("id").reset_index()


def trained(table, target, folder, **options):
    path = folder / f"{target}.csv"
    table.to_csv(path, index=False)
    return churnml.train(
        path,
        "offers",
        id="id",
        target=target,
        offer="segment",
        control=NONE,
        config=QUICK,
        track=False,
        out=folder / "model",
        **options,
    )


@pytest.mark.parametrize(
    ("target", "arm", "difference", "error", "low", "high"),
    [
        ("visit", MEN, 0.076590, 0.003386, 0.069954, 0.083226),
        ("visit", WOMEN, 0.045233, 0.003234, 0.038894, 0.051572),
        ("conversion", MEN, 0.006805, 0.000921, 0.005000, 0.008610),
        ("conversion", WOMEN, 0.003111, 0.000823, 0.001499, 0.004723),
    ],
)
def test_the_effects_of_the_arms(known, target, arm, difference, error, low, high):
    told = known[target].to_dict()["offers"]["offers"]
    row = next(one for one in told if one["offer"] == arm)
    assert (row["treated"], row["control"]) == (COUNTS[arm][0], COUNTS[NONE][0])
    found = [row[f"difference{name}"] for name in ("", "_error", "_low", "_high")]
    assert found == pytest.approx([difference, error, low, high], abs=2e-6)
    # Drawn by lot: the doubly robust effect is about the same.
    assert row["effect"] == pytest.approx(difference, abs=0.5 * error)
    assert row["p"] < 0.001


@pytest.fixture(scope="module")
def known(mails, tmp_path_factory):
    return {
        target: trained(
            mails.drop(columns={"visit", "conversion"} - {target}),
            target,
            tmp_path_factory.mktemp(target),
        )
        for target in ("visit", "conversion")
    }


def test_more_visits_are_not_told_as_a_loss_without_a_word(known):
    told = known["visit"].to_dict()["offers"]
    assert told["questions"][0]["low"] > 0
    assert "--positive" in known["visit"].notes[-1]


def test_whom_the_mail_for_women_brings_is_found_and_the_rule_is_worth_it(mails, tmp_path):
    women = mails[mails["segment"] != MEN].drop(columns="conversion")
    # What is to be avoided is no visit.
    found = trained(women, "visit", tmp_path, positive="0")
    told = found.to_dict()["offers"]
    assert told["verdict"] == "different"
    assert told["questions"][1]["p"] < 0.01
    assert found.metrics["rule_effect"].high < 0
    assert found.metrics["rule_effect_against_random"].low > -0.05
    effect = churnml.load_model(tmp_path / "model").estimator.effect(women.head(500))[WOMEN]
    bought = women.head(500)["womens"] == 1
    assert effect[bought].mean() < effect[~bought].mean() - 0.02


def test_for_conversions_no_difference_is_claimed(mails, tmp_path):
    women = mails[mails["segment"] != MEN].drop(columns="visit")
    found = trained(women, "conversion", tmp_path, positive="0")
    told = found.to_dict()["offers"]
    assert told["verdict"] == "same"
    assert told["questions"][1]["p"] > 0.05
    assert found.metrics["rule_effect_against_all"].high >= 0
