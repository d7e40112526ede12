"""What a bundle keeps of a test: measures of many, nobody's row."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from churnml.evaluation.summary import FEWEST, Predictions, calibration, evidence, slices
from churnml.metrics import churn_metrics, satisfaction_metrics

ROWS = 2000


def outcome(task: str) -> Predictions:
    random = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "lifecycle_brand": np.where(np.arange(ROWS) < FEWEST - 1, "mzone", "gotone"),
            "lifecycle_payment": random.choice(["prepaid", "postpaid"], ROWS),
            "lifecycle_tenure_days": random.integers(1, 4000, ROWS),
            "lifecycle_age_years": random.integers(18, 90, ROWS),
            "arpu_mean_3m_yuan": random.random(ROWS),
        }
    )
    chance = random.uniform(0, 0.4, ROWS)
    y = random.random(ROWS) < chance if task == "churn" else 100 * chance
    return Predictions(
        task=task,
        X=X,
        y=y.astype(float),
        scores=chance * (1 if task == "churn" else 90),
        customers=np.arange(ROWS),
    )


@pytest.mark.parametrize("task", ["churn", "satisfaction"])
def test_it_is_plain_data_that_json_holds(task):
    found = outcome(task)
    measure = churn_metrics if task == "churn" else satisfaction_metrics
    metrics = measure(found.y, found.scores, draws=10)
    kept = evidence(
        found,
        metrics=metrics,
        baselines={"base rate": metrics},
        importance={"arpu_mean_3m_yuan": 1.0},
        rows={"test": ROWS},
        dates={"test": ("2026-01-01",)},
        notes=(),
    )
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
    name = "auc" if task == "churn" else "mae"
    assert kept["metrics"][name][0] == metrics[name].value


def test_kinds_of_too_few_customers_are_left_out():
    told = {(one["by"], one["is"]): one for one in slices(outcome("churn"))}
    assert ("brand", "gotone") in told
    assert ("brand", "mzone") not in told
    assert {by for by, _ in told} == {"brand", "payment", "tenure", "age"}
    both = told["payment", "prepaid"]["rows"] + told["payment", "postpaid"]["rows"]
    assert both == ROWS
    assert 0.5 < told["age", "60 or older"]["metrics"]["auc"][0] < 1


@pytest.mark.parametrize("task", ["churn", "satisfaction"])
def test_groups_of_the_score_hold_all_rows_and_their_means(task):
    found = outcome(task)
    groups = calibration(found)
    assert len(groups) == 10
    assert sum(group["rows"] for group in groups) == ROWS
    assert np.mean([group["predicted"] for group in groups]) == pytest.approx(found.scores.mean())
    assert np.mean([group["observed"] for group in groups]) == pytest.approx(found.y.mean())
    assert all(group["low"] < group["observed"] < group["high"] for group in groups)


def test_an_answer_given_twice_is_no_second_witness():
    """The interval of the mean of n answers of as many customers is that of n, not of 2 n."""
    once = outcome("satisfaction")
    rows = np.arange(2 * ROWS) // 2
    twice = replace(once, y=once.y[rows], scores=once.scores[rows], customers=rows)
    for one, two in zip(calibration(once), calibration(twice), strict=True):
        widths = [group["high"] - group["low"] for group in (one, two)]
        assert widths[0] == pytest.approx(widths[1], rel=0.02)
