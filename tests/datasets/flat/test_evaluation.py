"""A table whose outcome is known, read as it is scored."""

import json

import numpy as np
import pandas as pd
import pytest

from churnml.datasets.flat import Signature, read_evaluation, read_training
from churnml.errors import DataError, UsageError

ROWS = 150


def frame():
    random = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "id": [f"{at:05d}" for at in range(ROWS)],
            "charge": random.gamma(2, 40, ROWS).round(2).astype(str),
            "plan": random.choice(["basic", "plus"], ROWS),
            "state": random.choice(["gone", "here", "new"], ROWS),
            "score": random.integers(1, 11, ROWS).astype(str),
        }
    )


@pytest.fixture
def churn(write):
    options = {"target": "state", "positive": "gone", "drop": ["score"]}
    data = read_training(write("train.csv", frame()), task="churn", id="id", **options)
    return Signature.from_dict(data.signature), data


def test_reads_the_training_table_alike(write, churn):
    signature, trained = churn

    data = read_evaluation(write("t.csv", frame()), signature, id="id")

    pd.testing.assert_frame_equal(data.X, trained.X)
    assert data.y.tolist() == trained.y.tolist()
    assert data.ids.tolist() == data.groups.tolist() == trained.ids.tolist()
    assert data.notes == trained.notes


def test_scores_are_on_the_scale_of_training(write):
    options = {"task": "satisfaction", "target": "score", "scale": "1:10", "drop": ["state"]}
    trained = read_training(write("train.csv", frame()), id="id", **options)

    data = read_evaluation(write("t.csv", frame()), Signature.from_dict(trained.signature))

    assert data.y.tolist() == trained.y.tolist()
    assert data.ids.tolist()[0] == "2"


@pytest.mark.parametrize(
    ("scale", "best", "worst"),
    [("5:1", "1", "5"), ("happy=100,so so=50,angry=0", "happy", "angry")],
)
def test_the_meaning_of_a_scale_is_carried(write, scale, best, worst):
    values = ["1", "5", "2"] if scale == "5:1" else ["happy", "angry", "so so"]
    table = frame().assign(score=np.random.default_rng(5).choice(values, ROWS))
    trained = read_training(
        write("train.csv", table),
        task="satisfaction",
        target="score",
        id="id",
        scale=scale,
        drop=["state"],
    )
    signature = Signature.from_dict(json.loads(json.dumps(trained.signature)))

    data = read_evaluation(write("t.csv", table), signature, id="id")

    assert data.y.tolist() == trained.y.tolist()
    assert set(data.y[(table["score"] == best).to_numpy()]) == {100.0}
    assert set(data.y[(table["score"] == worst).to_numpy()]) == {0.0}


def test_the_target_may_have_another_name_and_ids_may_repeat_in_groups(write, churn):
    table = pd.concat([frame(), frame()]).rename(columns={"state": "status"})

    data = read_evaluation(write("t.csv", table), churn[0], id="id", target="status", group="id")

    assert len(data) == 2 * ROWS
    assert data.groups.nunique() == ROWS


def test_rows_that_cannot_be_measured_are_told(write, churn):
    table = frame()
    table.loc[3, "charge"] = "x"
    table.loc[4, "state"] = None

    data = read_evaluation(write("t.csv", table), churn[0], id="id")

    assert len(data) == ROWS - 2
    assert data.notes[1:] == [
        "Set aside: 1 row, charge: a finite number expected (line 5: 'x').",
        "Left out: 1 row without a target.",
    ]


def test_other_values_of_the_target_are_refused(write, churn):
    with pytest.raises(DataError, match=r"'state': 4 values.*in training 'state' was 'gone'"):
        read_evaluation(
            write("t.csv", pd.concat([frame(), frame().assign(state="?")])).with_name("t.csv"),
            churn[0],
        )


def test_a_target_that_is_not_there_is_a_mistake_of_the_command(write, churn):
    with pytest.raises(UsageError, match="--target 'state'"):
        read_evaluation(write("t.csv", frame().drop(columns="state")), churn[0], id="id")
