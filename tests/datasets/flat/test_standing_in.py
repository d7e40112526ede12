"""What stood for a missing value in training does so later; every file that trains also scores."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from churnml.datasets.flat import Signature, open_scoring, read_evaluation, read_training
from churnml.errors import DataError, UsageError

ROWS = 60
DAYS = pd.date_range("2023-01-01", periods=400)


def frame(**columns):
    rows = len(next(iter(columns.values())))
    filler = {
        "id": [f"c{at}" for at in range(rows)],
        "size": [float(at % 7) for at in range(rows)],
        "left": ["Yes" if at % 5 < 2 else "No" for at in range(rows)],
    }
    return pd.DataFrame(columns | filler)


def round_trip(write, name, table, later=None):
    data = read_training(write(name, table), task="churn", id="id", target="left")
    signature = Signature.from_dict(data.signature)
    path = write(name, table if later is None else later)
    return data, open_scoring(path, signature, id="id")


def values(scorable):
    return pd.concat([one.X for one in scorable.batches(1_000)], ignore_index=True)


RATIOS = [float(at % 50) + at / 100 for at in range(300)]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
@pytest.mark.parametrize("often", [1, 60])
def test_infinite_numbers_are_missing_in_training_and_scoring(write, name, often):
    ratio = [*RATIOS, *[float("inf")] * often, *[float("-inf")] * often]

    data, scorable = round_trip(write, name, frame(ratio=ratio))

    assert f"ratio: {2 * often} numbers are infinite or too large; taken as missing." in data.notes
    assert data.X["ratio"].isna().sum() == 2 * often
    assert scorable.quarantined == 0
    assert values(scorable)["ratio"].equals(data.X["ratio"])
    assert scorable.taken == (f"ratio: {2 * often} values are taken as missing, as in training.",)


@pytest.mark.parametrize(
    "day", ["9999-12-31", "2999-12-31", "1900-01-01", "0001-01-01", "2099-12-31", "1970-01-01"]
)
@pytest.mark.parametrize("often", [3, 900])
def test_days_that_mean_no_day_are_missing_in_training_and_scoring(write, day, often):
    ends = [*DAYS.strftime("%Y-%m-%d"), *[day] * often]

    data, scorable = round_trip(write, "t.csv", frame(ends=ends))

    (column,) = [one for one in data.signature["columns"] if one["name"] == "ends"]
    assert (column["kind"], column["sentinels"]) == ("date", (day,))
    assert column["reference"] == f"{DAYS[-1]:%Y-%m-%d}"
    assert f"ends: {day} ({often} values) stands for a missing date." in data.notes
    assert data.X["ends"].isna().sum() == often
    assert scorable.quarantined == 0
    assert scorable.taken == (f"ends: {often} values are taken as missing, as in training.",)


def test_dates_of_a_type_of_their_own_too(write):
    ends = [*DAYS.to_pydatetime(), *[datetime(9999, 12, 31)] * 50]

    data, scorable = round_trip(write, "t.parquet", frame(ends=[one.date() for one in ends]))

    assert data.X["ends"].isna().sum() == 50
    assert scorable.quarantined == 0


def test_dates_of_digits_alone_too(write):
    ends = [*DAYS.strftime("%Y%m%d"), *["99991231"] * 50]

    data, scorable = round_trip(write, "t.csv", frame(ends=ends))

    assert "ends: 9999-12-31 (50 values) stands for a missing date." in data.notes
    assert scorable.quarantined == 0


def test_a_birthday_is_no_sentinel(write):
    births = pd.date_range("1970-01-01", periods=300, freq="7D").strftime("%Y-%m-%d")

    data, _ = round_trip(write, "t.csv", frame(birth=list(births)))

    assert not data.X["birth"].isna().any()


@pytest.mark.parametrize(
    ("column", "value"), [("ratio", "inf"), ("ends", "9999-12-31"), ("ends", "1900-01-01")]
)
def test_what_is_new_in_scoring_sets_its_row_aside(write, column, value):
    table = frame(ratio=[str(one) for one in RATIOS], ends=list(DAYS[:300].strftime("%Y-%m-%d")))
    few, many = table.copy(), table.copy()
    few.loc[:4, column] = value
    many.loc[:40, column] = value

    _, scorable = round_trip(write, "t.csv", table, few)

    assert (scorable.quarantined, scorable.aside[0].column) == (5, column)
    with pytest.raises(DataError, match=r"41 of 300 rows cannot be scored"):
        round_trip(write, "t.csv", table, many)


def test_an_evaluation_counts_them_too(write):
    table = frame(ratio=[*RATIOS, *[float("inf")] * 20])
    data = read_training(write("t.csv", table), task="churn", id="id", target="left")

    found = read_evaluation(write("t.csv", table), Signature.from_dict(data.signature), id="id")

    assert len(found) == len(table)
    assert "ratio: 20 values are taken as missing, as in training." in found.notes


def test_a_column_of_very_many_mistakes_is_left_out(write):
    fee = [*map(str, range(4_000)), *(f"see note {chr(65 + at // 26)}{at}" for at in range(150))]

    data, scorable = round_trip(write, "t.csv", frame(fee=fee))

    (note,) = [one for one in data.notes if one.startswith("Left out")]
    assert "'fee' (150 values are not a finite number, 150 different ones such as 'see" in note
    assert scorable.quarantined == 0


numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, width=64).map(repr),
    st.integers(-(10**6), 10**6).map(str),
)
days = st.dates(date(1, 1, 1), date(9999, 12, 31)).map(date.isoformat)
recent = st.dates(date(2020, 1, 1), date(2026, 1, 1)).map(date.isoformat)
odd = st.one_of(
    st.sampled_from(["", " ", "NA", "None", "\\N", "?", "0000-00-00", "9999-12-31", "1900-01-01"]),
    st.sampled_from(["inf", "-Infinity", "1e400", "1_000", "1,5", "12%", "20260230", "99991231"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)


@st.composite
def column(draw):
    """Mostly values of one sort, with some that are not."""
    usual = draw(st.sampled_from([numbers, recent, days, st.sampled_from(["a", "b", "c\x1bd"])]))
    few = draw(st.lists(odd, max_size=12))
    rest = draw(st.lists(usual, min_size=4, max_size=12))
    fill = [rest[at % len(rest)] for at in range(ROWS - len(few))]
    return [*few, *fill]


@given(columns=st.lists(column(), min_size=1, max_size=3), typed=st.booleans())
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_file_that_trains_also_scores(write, columns, typed):
    table = frame(**{f"x{at}": one for at, one in enumerate(columns)})
    if typed:
        as_number = pd.to_numeric(table["x0"], errors="coerce").astype("float64")
        table["x0"] = np.where(table.index % 9 == 0, np.inf, as_number)
    name = "t.parquet" if typed else "t.csv"
    try:
        data = read_training(write(name, table), task="churn", id="id", target="left")
    except (DataError, UsageError):
        return

    scorable = open_scoring(write(name, table), Signature.from_dict(data.signature), id="id")

    found = values(scorable)
    assert scorable.quarantined == scorable.table.rejected
    pd.testing.assert_frame_equal(found, data.X)
