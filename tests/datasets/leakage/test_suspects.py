"""Columns that look like outcomes: each kind on frames made by hand, and what must stay."""

import time

import numpy as np
import pandas as pd
import pytest

from churnml.datasets.flat import read_training
from churnml.datasets.leakage import find_suspects
from churnml.datasets.leakage.names import says_id, says_outcome
from churnml.datasets.leakage.questionnaire import answers
from churnml.errors import DataError
from churnml.metrics import auc

ROWS = 3_000


@pytest.fixture(scope="module")
def random():
    return np.random.default_rng(7)


@pytest.fixture(scope="module")
def honest(random):
    """Columns as operators have them, some of which say much of who leaves."""
    tenure = random.integers(1, 72, ROWS).astype(float)
    plan = random.choice(["monthly", "yearly", "longer"], ROWS, p=[0.5, 0.3, 0.2])
    fee = random.gamma(4, 15, ROWS).round(2)
    device = pd.Series(random.choice(["a", "b"], ROWS)).where(random.random(ROWS) < 0.4)
    X = pd.DataFrame({"tenure": tenure, "plan": plan, "fee": fee, "device": device})
    X["city"] = random.choice([f"city {at}" for at in range(300)], ROWS)
    X["total"] = (tenure * fee).round(2)
    return X


@pytest.fixture(scope="module")
def left(random, honest):
    log_odds = 0.6 - 0.06 * honest["tenure"] + 1.2 * (honest["plan"] == "monthly")
    return (random.random(ROWS) < 1 / (1 + np.exp(-log_odds))).astype(float).to_numpy()


@pytest.fixture(scope="module")
def score(random, honest):
    points = 7 + honest["tenure"] / 30 + random.normal(0, 2, ROWS)
    return ((points.round().clip(1, 10) - 1) / 9 * 100).to_numpy()


def kinds(X, y, task="churn", **options):
    return {one.column: one.kind for one in find_suspects(X, y, task=task, **options)}


def test_honest_columns_are_left_alone(honest, left, score):
    assert kinds(honest, left) == {}
    assert kinds(honest, score, "satisfaction") == {}


def test_one_column_that_nearly_decides(honest, left, random):
    X = honest.assign(forecast=left + random.normal(0, 0.5, ROWS))
    (one,) = find_suspects(X, left, task="churn")

    assert (one.column, one.kind) == ("forecast", "decides")
    assert one.strength == pytest.approx(0.92, abs=0.02)
    assert f"AUC {one.strength:.2f}" in one.evidence
    assert "--drop 'forecast'" in str(one)


def test_a_weaker_one_that_beats_all_others_together(honest, left, random):
    weak = left + random.normal(0, 0.68, ROWS)
    assert 0.8 < auc(left, weak) < 0.9

    assert kinds(honest.drop(columns=["plan", "tenure"]).assign(weak=weak), left) == {
        "weak": "decides"
    }


def test_a_strong_one_that_others_match_may_be_honest(left, random):
    strength = left + random.normal(0, 0.68, ROWS)
    X = pd.DataFrame({"one": strength, "other": strength + random.normal(0, 0.01, ROWS)})

    assert 0.8 < auc(left, strength) < 0.9
    assert kinds(X, left) == {}


@pytest.mark.parametrize("who", [0.0, 1.0])
@pytest.mark.parametrize("empty", [np.nan, 0.0, "-"])
def test_a_column_filled_for_one_class_alone(honest, left, random, who, empty):
    filled = (left == who) & (random.random(ROWS) < 0.4)
    values = random.integers(1, 9, ROWS).astype(float)
    column = pd.Series(values).where(filled, empty)
    if isinstance(empty, str):
        column = column.astype(str)
    (one,) = find_suspects(honest.assign(refund=column), left, task="churn")

    assert (one.column, one.kind) == ("refund", "one class")
    assert "100.0% of them " + ("leavers'" if who else "stayers'") in one.evidence


def test_a_column_filled_mostly_for_one_class_is_no_outcome(honest, left, random):
    filled = random.random(ROWS) < np.where(left == 1, 0.3, 0.03)

    assert kinds(honest.assign(refund=pd.Series(np.ones(ROWS)).where(filled)), left) == {}


@pytest.mark.parametrize(
    "transform",
    [
        lambda y: y,
        lambda y: 10 - y / 10,
        np.exp,
        lambda y: pd.Series(y).map({v: f"level {at}" for at, v in enumerate(sorted(set(y)))}),
    ],
)
def test_a_copy_of_a_score_in_any_dress(honest, score, transform):
    one = honest.assign(copy=np.asarray(transform(score / 25), dtype=object))
    one["copy"] = one["copy"].infer_objects()

    assert set(kinds(one, score, "satisfaction")) == {"copy"}


def test_a_copy_of_who_left_with_a_mistake_in_it(honest, left):
    copy = np.where(left == 1, "gone", "here").astype(object)
    copy[0] = "gone" if left[0] == 0 else "here"

    assert set(kinds(honest.assign(state=copy), left)) == {"state"}


def test_answers_of_the_same_survey(honest, score, random):
    asked = random.random(ROWS) < 0.4
    X = honest.assign(trouble=np.where(asked, 1.0, 2.0))
    for at in (*range(1, 6), 98):
        X[f"where {at}"] = np.where(asked & (random.random(ROWS) < 0.5), at, -1.0)
    said = X["where 98"] == 98
    X["namely"] = pd.Series([f"text {at % 40}" for at in range(ROWS)]).where(said)

    assert answers(X) == list(X)[list(X).index("trouble") :]
    assert set(kinds(X, score, "satisfaction").values()) == {"survey"}


def test_choices_are_known_by_empty_marks_too():
    asked = pd.DataFrame({f"q{at}": [at, None, at, None] for at in range(1, 5)}, dtype=float)

    assert answers(asked) == list(asked)


def test_yes_and_no_beside_each_other_is_no_questionnaire(random):
    X = pd.DataFrame({f"service {at}": random.integers(0, 2, 100) * 1.0 for at in range(9)})
    standardised = pd.DataFrame({f"z{at}": [-0.1 * at, 4.5 * at] * 50 for at in range(1, 9)})

    assert answers(X) == answers(standardised) == []


def test_an_answer_on_the_scale_of_the_target(honest, score, random):
    raw = score / 100 * 9 + 1
    clear = (raw + random.normal(0, 3, ROWS)).round().clip(1, 10)

    assert kinds(honest.assign(clarity=clear), score, "satisfaction", scale=(1.0, 10.0)) == {
        "clarity": "survey"
    }


@pytest.mark.parametrize(
    "name",
    ["Churn Score", "churn_reason", "CLTV", "ChurnCategory", "C_FP", "cost_tn", "离网原因",
     "流失标签", "termination date", "exit_reason", "Customer Lifetime Value", "win-back offer"],
)  # fmt: skip
def test_names_of_what_comes_after(name):
    assert says_outcome(name, "churn")


@pytest.mark.parametrize(
    "name",
    ["TotalCharges", "Contract", "Satisfaction Score", "terminating minutes", "penaltytoswitch",
     "numdayscontractequipmentplanexpiring", "Number of Referrals", "是否关怀用户", "exit speed"],
)  # fmt: skip
def test_names_of_what_is_there_before(name):
    assert not says_outcome(name, "churn")


def test_another_satisfaction_is_an_outcome_of_satisfaction_alone():
    assert says_outcome("网络满意度", "satisfaction")
    assert says_outcome("NPS", "satisfaction")
    assert not says_outcome("NPS", "churn")


def test_a_name_is_told_with_what_the_column_reaches(honest, left, random):
    (one,) = find_suspects(honest.assign(CLTV=random.random(ROWS)), left, task="churn")

    assert (one.column, one.kind) == ("CLTV", "name")
    assert "lifetime value" in one.evidence
    assert "AUC 0.5" in one.evidence


def test_customers_with_several_rows_are_asked_for(honest, left):
    every = pd.concat([honest.assign(who=np.arange(ROWS) * 7.0)] * 3, ignore_index=True)
    y = np.tile(left, 3)
    every[["tenure", "fee", "total"]] += np.random.default_rng(0).random((3 * ROWS, 3))
    (one,) = find_suspects(every, y, task="churn")

    assert (one.column, one.kind) == ("who", "id")
    assert "3000 values in 9000 rows" in one.evidence
    assert "--group 'who'" in str(one)
    assert kinds(every.drop(columns="who"), y, groups=every["who"]) == {}


def test_a_customer_whose_outcome_changes_may_repeat(honest, random):
    every = pd.concat([honest.assign(who=np.arange(ROWS) * 7.0)] * 3, ignore_index=True)

    assert kinds(every, (random.random(3 * ROWS) < 0.3).astype(float)) == {}


def test_a_column_named_like_an_id(honest, left, random):
    number = random.choice(900_000, ROWS, replace=False) + 100_000.0

    assert kinds(honest.assign(account_no=number), left) == {"account_no": "id"}
    assert kinds(honest.assign(income=number), left) == {}
    assert says_id("用户id")


def test_what_is_declared_to_be_everybodys_is_trusted(honest, left, random):
    X = honest.assign(forecast=left + random.normal(0, 0.3, ROWS))

    assert kinds(X, left, trusted=["forecast"]) == {}


def test_few_rows_prove_nothing():
    y = np.arange(60) % 2 * 1.0

    assert kinds(pd.DataFrame({"a": y + 0.1, "b": np.arange(60.0)}), y) == {}


def write(tmp_path, X, y):
    path = tmp_path / "t.csv"
    X.assign(left=np.where(y == 1, "Yes", "No")).to_csv(path, index=False)
    return path


def test_training_tells_of_them_and_goes_on(tmp_path, honest, left, random):
    path = write(tmp_path, honest.assign(forecast=left + random.normal(0, 0.5, ROWS)), left)

    data = read_training(path, task="churn", target="left")

    assert "forecast" in data.X
    (one,) = data.suspects
    assert str(one) in data.notes


def test_a_refused_table_names_all_of_them_at_once(tmp_path, honest, left, random):
    X = honest.assign(status=np.where(left == 1, "gone", "here"))
    path = write(tmp_path, X.assign(forecast=left + random.normal(0, 0.5, ROWS)), left)

    with pytest.raises(DataError) as error:
        read_training(path, task="churn", target="left")

    assert "'status' tells the target" in error.value.message
    assert "'forecast' looks like an outcome" in error.value.message
    assert "--drop 'status', and what looks like an outcome with --drop 'forecast'" in (
        error.value.hint
    )
    assert {one["column"] for one in error.value.details["suspects"]} == {"status", "forecast"}


@pytest.mark.slow
def test_a_wide_table_takes_seconds():
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.normal(size=(100_000, 80))).add_prefix("n")
    for at in range(20):
        X[f"c{at}"] = random.choice([f"level {one}" for one in range(30)], len(X))
    y = (random.random(len(X)) < 0.1).astype(float)
    started = time.perf_counter()

    assert find_suspects(X, y, task="churn") == []
    assert time.perf_counter() - started < 20
