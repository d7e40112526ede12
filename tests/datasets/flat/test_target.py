"""What the target column says, and when it must be asked for."""

import numpy as np
import pandas as pd
import pytest

from churnml.datasets.flat import Signature
from churnml.datasets.flat.target import (
    churn_target,
    known_target,
    note_positive,
    note_scale,
    parse_scale,
    satisfaction_target,
)
from churnml.errors import DataError, UsageError


def churn(*values, positive=None):
    return churn_target(pd.Series(list(values), dtype=object), name="Churn", positive=positive)


@pytest.mark.parametrize(
    ("left", "stayed"),
    [
        ("Yes", "No"),
        ("yes", "NO "),
        ("Y", "N"),
        ("True", "False"),
        ("1", "0"),
        ("1.0", "0.0"),
        ("1", "-1"),
        ("是", "否"),
        ("流失", "未流失"),
        ("离网", "在网"),
        ("Churned", "Stayed"),
    ],
)
def test_known_pairs_need_no_positive(left, stayed):
    found = churn(stayed, left, None, stayed)

    assert found.y.tolist()[:2] == [0, 1]
    assert np.isnan(found.y[2])
    assert found.missing == 1
    assert (found.positive, found.negative) == (left, (stayed.strip(),))


def test_one_value_may_be_written_in_several_ways():
    assert churn("Yes", " yes", "No", "NO").y.tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("nothing", [None, "", " ", "\\N", "NA", "nan", "NULL"])
def test_rows_without_a_target_are_counted(nothing):
    assert churn("Yes", "No", nothing).missing == 1


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["A", "B"], "which of 'A', 'B' means that the customer left"),
        (["1", "2"], "which of '1', '2'"),
        (["Joined", "Stayed", "Churned"], "3 values, 'Joined', 'Stayed', 'Churned'"),
        (["Yes", "Yes"], "all rows have 'Yes'"),
        ([None, ""], "no row has a value"),
        ([str(n) for n in range(30)], "and 20 more"),
    ],
)
def test_other_values_are_listed(values, says):
    with pytest.raises(DataError) as caught:
        churn(*values)

    assert says in str(caught.value)


def test_positive_names_the_one_among_many():
    found = churn("Joined", "Stayed", "Churned", positive="churned")

    assert found.y.tolist() == [0, 0, 1]
    assert found.negative == ("Joined", "Stayed")


def test_a_positive_that_no_row_has_is_a_mistake_of_the_command():
    with pytest.raises(UsageError, match="Did you mean 'Churned'"):
        churn("Stayed", "Churned", positive="Churn")


def test_all_rows_positive_are_refused():
    with pytest.raises(DataError, match="all rows have 'A'"):
        churn("A", "A", positive="A")


def test_a_scale_becomes_0_to_100():
    scores = pd.Series(["1", "10", "5.5", None, "11", "0"], dtype=object)

    found = satisfaction_target(scores, name="score", scale=(1.0, 10.0))

    assert found.y[:3].tolist() == [0, 100, 50]
    assert np.isnan(found.y[3:]).all()
    assert (found.missing, found.outside) == (1, 2)


def test_a_scale_on_which_1_is_best_is_turned():
    scores = pd.Series(["1", "5", "2", "6"], dtype=object)

    found = satisfaction_target(scores, name="grade", scale=parse_scale("5:1"))

    assert found.y[:3].tolist() == [100, 0, 75]
    assert (np.isnan(found.y[3]), found.outside) == (True, 1)


def test_words_have_the_scores_that_they_are_given():
    words = parse_scale("Very satisfied=100, fair=50，bad＝0")
    values = pd.Series(["very satisfied", " Fair", "bad", None], dtype=object)

    found = satisfaction_target(values, name="answer", scale=words)

    assert found.y[:3].tolist() == [100, 50, 0]
    assert found.missing == 1
    assert note_scale(words) == ["best = very satisfied (100), worst = bad (0)."]


def test_a_word_without_a_score_is_refused():
    with pytest.raises(DataError, match="1 value has no score in the scale, such as 'poor'"):
        satisfaction_target(
            pd.Series(["good", "poor"]), name="answer", scale=parse_scale("good=100,bad=0")
        )


def test_without_a_scale_it_is_asked_for_with_what_the_scores_are():
    with pytest.raises(UsageError, match=r"from 1 to 5.*--scale 1:5"):
        satisfaction_target(pd.Series(["1", "5"]), name="score", scale=None)


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="1 value is not a number, such as 'good'"):
        satisfaction_target(pd.Series(["1", "good"]), name="score", scale=(1.0, 5.0))


def test_scores_that_are_all_the_same_are_refused():
    with pytest.raises(DataError, match="all scores are the same"):
        satisfaction_target(pd.Series(["3", "3"]), name="score", scale=(1.0, 5.0))


@pytest.mark.parametrize(
    "wrong",
    [
        "10",
        "1:1",
        "good=101,bad=0",
        "good=1,good=0",
        "=1",
        "good=5",
        "a:b",
        "1-10",
        "nan:10",
        "1:inf",
        "",
    ],
)
def test_a_scale_has_two_ends(wrong):
    with pytest.raises(UsageError, match=r"1:10|good=100,bad=0"):
        parse_scale(wrong)


@pytest.mark.parametrize(
    "name",
    [
        *("retained", "Active", "is_active", "isActive", "renewed", "stayed", "customer_retention"),
        *("activeFlag", "not_churned", "留存", "是否续费", "在网状态", "未流失"),
    ],
)
@pytest.mark.parametrize("values", [("1", "0"), ("Yes", "No"), ("True", "False"), ("是", "否")])
def test_a_column_of_who_stayed_asks_for_positive(name, values):
    with pytest.raises(UsageError) as caught:
        churn_target(pd.Series(values), name=name, positive=None)

    assert f"{name}' says who stayed; which value means that the customer left" in str(caught.value)
    assert f"--positive {values[1]}" in str(caught.value)
    assert churn_target(pd.Series(values), name=name, positive=values[1]).y.tolist() == [0, 1]


@pytest.mark.parametrize(
    "name", ["Churn", "inactive", "not_active", "non-renewal", "Exited", "未续费", "是否流失", "y"]
)
def test_other_columns_need_no_positive(name):
    assert churn_target(pd.Series(["1", "0"]), name=name, positive=None).y.tolist() == [1, 0]


def test_values_that_are_certain_need_no_positive_whatever_the_name():
    found = churn_target(pd.Series(["Churned", "Active"]), name="active", positive=None)

    assert found.y.tolist() == [1, 0]


def test_the_value_taken_for_left_is_told():
    assert note_positive(churn("Yes", "No", "No", None)) == ["left = Yes (33.3 % of rows)."]


def later(values, *, name="kept", target="kept", left="No", stayed=("Yes",), positive=None):
    signature = Signature(columns=(), target=target, positive=left, negative=stayed)
    return known_target(pd.Series(values), name=name, signature=signature, positive=positive)


KEPT = {"target": "kept", "left": "No", "stayed": ("Yes",)}
CHURN = {"target": "Churn", "left": "Yes", "stayed": ("No",)}
STATE = {"target": "state", "left": "gone", "stayed": ("here", "new")}
RETAINED = {"target": "retained", "left": "0", "stayed": ("1",)}
CODES = {"target": "churn", "left": "2", "stayed": ("1",)}
AB = {"target": "plan", "left": "A", "stayed": ("B",)}


@pytest.mark.parametrize(
    ("trained", "name", "values", "y"),
    [
        (KEPT, "kept", ["Yes", "No"], [0, 1]),
        (KEPT, "kept", ["1", "0"], [0, 1]),
        (KEPT, "Kept", ["true", "false"], [0, 1]),
        (KEPT, "churned", ["Yes", "No"], [1, 0]),
        (KEPT, "kept", ["Churned", "Stayed"], [1, 0]),
        (CHURN, "Churn", ["1", "0"], [1, 0]),
        (CHURN, "Churn", ["True", "False"], [1, 0]),
        (CHURN, "流失", ["是", "否"], [1, 0]),
        (CHURN, "y", ["1", "0"], [1, 0]),
        (CHURN, "Churn", ["0", "0"], [0, 0]),
        (RETAINED, "retained", ["Yes", "No"], [0, 1]),
        (RETAINED, "retained", ["1.0", "0.0"], [0, 1]),
        (RETAINED, "churn", ["1", "0"], [1, 0]),
        (STATE, "status", ["gone", "new"], [1, 0]),
        (STATE, "churned", ["1", "0"], [1, 0]),
        (CODES, "churn", ["Yes", "No"], [1, 0]),
    ],
)
def test_the_meaning_of_other_words_is_carried_where_it_is_certain(trained, name, values, y):
    assert later(values, name=name, **trained).y.tolist() == y


@pytest.mark.parametrize(
    ("trained", "name", "values"),
    [
        (STATE, "state", ["1", "0"]),
        (STATE, "state", ["gone", "here", "?"]),
        (KEPT, "y", ["1", "0"]),
        (CHURN, "is_active", ["1", "0"]),
        (RETAINED, "renewed", ["1", "0"]),
        (CODES, "churn", ["1", "0"]),
        (AB, "plan", ["Yes", "No"]),
        (CHURN, "Churn", ["A", "B"]),
    ],
)
def test_words_whose_meaning_is_not_certain_are_refused(trained, name, values):
    with pytest.raises(DataError, match=r"in training .* was .* for those who left.*--positive"):
        later(values, name=name, **trained)
    left = values[1]
    assert later(values, name=name, positive=left, **trained).y.tolist()[:2] == [0, 1]


def test_rows_without_a_word_are_missing_later_too():
    found = later(["gone", "here", None], **STATE)

    assert found.y[:2].tolist() == [1, 0]
    assert found.missing == 1
