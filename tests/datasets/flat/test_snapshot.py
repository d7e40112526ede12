"""Dates become ages: from which day they are counted, in training and ever after."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from churnml.datasets.flat import Scorable, Signature, open_scoring, read_evaluation, read_training
from churnml.datasets.flat.snapshot import snapshot_name
from churnml.errors import UsageError

DAY = date(2025, 6, 1)
LATER = date(2026, 6, 1)


def table(day: date, rows: int = 1200, seed: int = 0, **columns: object) -> pd.DataFrame:
    """Customers of whom the newest joined on a day, the others up to 2,000 days before."""
    random = np.random.default_rng(seed)
    ages = np.concatenate([[0], random.integers(0, 2000, rows - 1)])
    return pd.DataFrame(
        {
            "id": [f"{seed}-{at}" for at in range(rows)],
            "joined": [(day - timedelta(days=int(age))).isoformat() for age in ages],
            "contract_ends": [
                (day + timedelta(days=int(one))).isoformat()
                for one in random.integers(-300, 700, rows)
            ],
            "size": random.normal(size=rows),
            "left": np.where(random.random(rows) < 0.3, "Yes", "No"),
        }
        | columns
    )


@pytest.fixture
def signature(write) -> Signature:
    data = read_training(write("train.csv", table(DAY)), task="churn", target="left", id="id")
    assert "Dates are counted from 2025-06-01, the latest of 'joined'." in data.notes
    return Signature.from_dict(data.signature)


def ages(scorable: Scorable) -> pd.DataFrame:
    (batch,) = scorable.batches(1 << 40)
    return batch.X.set_axis(batch.ids.to_pylist())


def days(**latest: str) -> dict[str, date]:
    return {name: date.fromisoformat(day) for name, day in latest.items()}


@pytest.mark.parametrize(
    ("latest", "told"),
    [
        (days(joined="2025-06-01"), "joined"),
        (days(joined="2025-06-01", contract_ends="2027-05-01"), "joined"),
        (days(joined="2025-06-01", bound_to="2027-05-01", device_paid="2027-05-20"), "device_paid"),
        (days(joined="2025-06-01", contract_ends="2027-05-01", warranty="2027-05-20"), "joined"),
        (days(joined="2025-06-01", paid="2025-06-20"), "paid"),
        (days(joined="2025-06-01", birth="2007-03-01"), "joined"),
        (days(joined="2025-06-01", 客户="2007-03-01"), "joined"),
        (days(joined="2025-06-01", 合约到期="2025-06-03"), "joined"),
        (days(joined="2025-06-01", valid="2099-12-31"), "joined"),
        (days(endorsed="2025-06-01", joined="2025-05-20"), "endorsed"),
        (days(contractEndDate="2027-01-01"), None),
        ({}, None),
    ],
)
def test_the_column_that_tells_the_day_is_no_end_and_no_birth(latest, told):
    assert snapshot_name(latest, today=date(2026, 1, 1)) == told


def test_a_day_that_is_given_counts_whatever_the_table_s_size(signature, write):
    whole = table(LATER)
    every = ages(open_scoring(write("t.csv", whole), signature, id="id", as_of=LATER))
    alone = ages(open_scoring(write("one.csv", whole[7:8]), signature, id="id", as_of=LATER))
    assert alone.equals(every.iloc[7:8])
    expected = [(LATER - date.fromisoformat(one)).days for one in whole["joined"]]
    assert every["joined"].tolist() == expected
    assert every["contract_ends"].min() < 0


def test_a_large_later_table_tells_its_own_day(signature, write):
    scorable = open_scoring(write("t.csv", table(LATER)), signature, id="id")
    assert scorable.ages.to_dict() == {
        "counted_from": "2026-06-01",
        "by": "table",
        "column": "joined",
        "trained": "2025-06-01",
    }
    given = open_scoring(write("t.csv", table(LATER)), signature, id="id", as_of=LATER)
    assert ages(scorable).equals(ages(given))
    assert scorable.beyond(1200).sentences == ()


@pytest.mark.parametrize("frame", [table(LATER, 999), table(DAY - timedelta(days=400), 1500)])
def test_a_small_or_an_earlier_table_is_counted_as_in_training(frame, signature, write):
    scorable = open_scoring(write("t.csv", frame), signature, id="id")
    assert (scorable.ages.by, scorable.ages.counted_from) == ("training", "2025-06-01")
    expected = [(DAY - date.fromisoformat(one)).days for one in frame["joined"]]
    assert ages(scorable)["joined"].tolist() == expected


def test_dates_beyond_the_day_are_told_and_more_than_chance_would_have_trip_a_gate(
    signature, write
):
    found = open_scoring(write("t.csv", table(LATER, 900)), signature, id="id").beyond(1200)
    assert found.many[0].startswith("joined: ")
    assert "lie after 2025-06-01, the day of training" in found.many[0]
    assert "contract_ends" not in " ".join(found.sentences)

    few = table(DAY, 900)
    few.loc[3, "joined"] = "2025-06-04"
    found = open_scoring(write("few.csv", few), signature, id="id").beyond(1200)
    assert found.many == ()
    assert found.few[0].startswith("joined: 1 of 900 dates")

    one = few.iloc[3:4].assign(joined="2025-08-01")
    assert open_scoring(write("one.csv", one), signature, id="id").beyond(1200).many


def test_a_stray_date_in_the_future_does_not_tell_the_day(signature, write):
    frame = table(LATER)
    frame.loc[5, "joined"] = "2062-01-01"
    scorable = open_scoring(write("t.csv", frame), signature, id="id")
    assert scorable.ages.counted_from == "2026-06-01"
    assert scorable.beyond(1200).many
    trained = read_training(write("stray.csv", frame), task="churn", target="left", id="id")
    assert Signature.from_dict(trained.signature).snapshot.day == LATER


def test_a_constant_column_may_tell_the_day_and_be_no_feature(write):
    frame = table(DAY - timedelta(days=3)).assign(extracted="01/06/2025 14:30")
    options = {"task": "churn", "target": "left", "id": "id"}
    data = read_training(write("train.csv", frame.assign(extracted="2025-06-01")), **options)
    signature = Signature.from_dict(data.signature)
    assert "extracted" not in signature.names
    assert signature.snapshot.name == "extracted"
    later = table(LATER - timedelta(days=3)).assign(extracted="2026-06-01")
    assert open_scoring(write("t.csv", later), signature, id="id").ages.counted_from == "2026-06-01"
    # Without the column there is the training's day, and a gate.
    without = open_scoring(write("w.csv", later.drop(columns="extracted")), signature, id="id")
    assert without.ages.by == "training"
    assert without.beyond(1200).many


def test_where_no_date_tells_the_day_none_can_be_given(write):
    frame = table(DAY).drop(columns="joined")
    data = read_training(write("train.csv", frame), task="churn", target="left", id="id")
    assert any("No date tells when the table was extracted" in note for note in data.notes)
    signature = Signature.from_dict(data.signature)
    assert signature.snapshot is None
    path = write("t.csv", frame)
    assert open_scoring(path, signature, id="id").ages is None
    with pytest.raises(UsageError, match="'contract_ends' none tells when"):
        open_scoring(path, signature, id="id", as_of=LATER)


def test_an_evaluation_counts_as_a_scoring_does(signature, write):
    path = write("t.csv", table(LATER))
    found = read_evaluation(path, signature, id="id")
    assert found.X.equals(ages(open_scoring(path, signature, id="id")).reset_index(drop=True))
    assert any(note.startswith("Dates are counted from 2026-06-01") for note in found.notes)
    given = read_evaluation(path, signature, id="id", as_of=date(2026, 7, 1))
    assert (given.X["joined"] - found.X["joined"] == 30).all()


def test_models_of_before_tell_the_day_by_their_references(signature, write):
    old = signature.to_dict()
    del old["snapshot"]
    ends = table(DAY)["contract_ends"].max()
    for column in old["columns"]:
        column.pop("ahead", None)
        if column["name"] == "contract_ends":
            column["reference"] = ends
    known = Signature.from_dict(old)
    assert known.snapshot.name == "joined"
    path = write("t.csv", table(LATER))
    found = ages(open_scoring(path, known, id="id"))
    new = ages(open_scoring(path, signature, id="id"))
    assert found["joined"].equals(new["joined"])
    assert (found["contract_ends"] - new["contract_ends"]).nunique() == 1
    assert open_scoring(path, known, id="id").beyond(1200).sentences == ()


CASES = Path(__file__).parents[4] / "shared/cases/12-later-snapshot"


@pytest.mark.skipif(not CASES.exists(), reason="the cases are not here")
def test_tenures_of_a_table_drawn_a_year_later_are_the_true_ones():
    data = read_training(CASES / "june.csv", task="churn", target="churn", id="cust_id")
    signature = Signature.from_dict(data.signature)
    found = ages(open_scoring(CASES / "next_june.csv", signature, id="cust_id"))
    truth = pd.read_csv(CASES / "truth_next_june.csv", index_col="cust_id")["tenure"]
    assert found["joined"].tolist() == truth.loc[found.index].tolist()
