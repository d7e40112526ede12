"""What a column is, decided on the whole column."""

import numpy as np
import pandas as pd
import pytest

from churnml.errors import DataError


def spread(values, rows=100):
    """The values over and over, as many as rows."""
    return [values[at % len(values)] for at in range(rows)]


def numbers(rows=100):
    return [f"{at * 7 % 89}.5" for at in range(rows)]


def test_numbers_are_read_whatever_way_they_are_plainly_written(train):
    data = train({"fee": ["+5", "-.5", "1e3", " 7 ", "\t8", "2.", "　9", "0.1"]})

    assert data.X["fee"].tolist() == [5, -0.5, 1000, 7, 8, 2, 9, 0.1]


def test_blanks_and_words_for_nothing_are_missing_in_numbers(train, kinds):
    nothing = ["", " ", "\\N", "NA", "nan", "None", "null", "?", "-", "#N/A", "　"]

    data = train({"fee": numbers() + nothing})

    assert kinds(data)["fee"] == "number"
    assert data.X["fee"].isna().sum() == len(nothing)
    assert not any("fee" in note for note in data.notes)


def test_words_for_nothing_are_categories_where_the_others_are(train, kinds):
    data = train({"plan": spread(["NA", "None", "null", "nan", "basic", "", "\\N", "  "])})

    assert kinds(data)["plan"] == "category"
    assert set(data.X["plan"].dropna()) == {"NA", "None", "null", "nan", "basic"}
    assert data.X["plan"].isna().sum() == 36


def test_a_few_mistakes_become_missing_and_are_counted(train, kinds):
    data = train({"fee": [*numbers(97), "abc", "1_000", "inf"]})

    assert kinds(data)["fee"] == "number"
    assert data.X["fee"].isna().tolist()[-3:] == [True] * 3
    assert "fee: 1 number is infinite or too large; taken as missing." in data.notes
    assert (
        "fee: 2 values are not a finite number (such as '1_000'); taken as missing." in data.notes
    )


def test_numbers_beyond_single_precision_are_mistakes(train):
    data = train({"fee": [*numbers(98), "1e39", "1e400"]})

    assert np.isfinite(data.X["fee"].dropna()).all()
    assert data.X["fee"].isna().sum() == 2


def test_a_text_that_stands_often_in_a_number_column_means_missing(train):
    data = train({"fee": numbers(300) + ["unknown"] * 12})

    (column,) = [one for one in data.signature["columns"] if one["name"] == "fee"]
    assert (column["kind"], column["missing"]) == ("number", ("unknown",))
    assert "fee: 'unknown' stands for a missing value." in data.notes


def test_fewer_numbers_than_nearly_all_are_a_category_and_it_is_said(train, kinds):
    data = train({"fee": spread([str(n) for n in range(9)] + ["none at all"])})

    assert kinds(data)["fee"] == "category"
    assert any(note.startswith("fee: 90 of 100 values are numbers") for note in data.notes)


def test_text_keeps_its_blanks_and_its_case(train):
    data = train({"plan": spread(["Gold", "gold", "Gold "])})

    assert set(data.X["plan"]) == {"Gold", "gold", "Gold "}


@pytest.mark.parametrize(
    ("written", "layout"),
    [
        ("%Y-%m-%d", ""),
        ("%Y/%m/%d", ""),
        ("%Y-%m-%d %H:%M:%S", ""),
        ("%Y-%m-%dT%H:%M:%SZ", ""),
        ("%Y.%m.%d", "%Y.%m.%d"),
        ("%Y年%m月%d日", "%Y年%m月%d日"),
        ("%Y%m%d", "%Y%m%d"),
        ("%Y%m%d%H%M%S", "%Y%m%d%H%M%S"),
        ("%d/%m/%Y", "%d/%m/%Y"),
        ("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M"),
        ("%d-%m-%y", "%d-%m-%y"),
        ("%d-%b-%y", "%d-%b-%y"),
    ],
)
def test_dates_become_days_before_the_latest(train, written, layout):
    days = pd.date_range("2026-01-03", periods=60, freq="D")

    data = train({"since": list(days.strftime(written))})

    (column,) = [one for one in data.signature["columns"] if one["name"] == "since"]
    assert column["kind"] == "date"
    assert column.get("format", "") == layout
    assert column["reference"] == "2026-03-03"
    assert data.X["since"].tolist() == [float(59 - at) for at in range(60)]


def test_dates_that_can_be_read_in_two_ways_are_left_out(train, kinds):
    data = train({"since": spread(["01/02/2026", "03/04/2026", "05/06/2025"])})

    assert "since" not in kinds(data)
    assert any("%d/%m/%Y or %m/%d/%Y" in note for note in data.notes)


def test_months_and_names_of_months_are_dates(train, kinds):
    data = train(
        {
            "month": spread(["2026-01", "2026-02", "2025-12"]),
            "named": spread(["5 May 2026", "7 May 2026", "9 Jun 2026"]),
        }
    )

    assert kinds(data)["month"] == kinds(data)["named"] == "date"


def test_impossible_dates_are_mistakes(train):
    days = [f"2026-{month:02d}-{day:02d}" for month in range(1, 6) for day in range(1, 25)]

    data = train({"since": [*days, "2026-02-30", "0000-00-00", "9999-12-31", "2300-01-01"]})

    assert data.X["since"].isna().sum() == 4
    assert any("since: 2 values are not a date" in note for note in data.notes)
    assert (
        "since: 2300-01-01 (1 value), 9999-12-31 (1 value) stand for a missing date." in data.notes
    )


def test_numbers_that_might_be_dates_are_numbers_unless_all_are(train, kinds):
    data = train({"volume": [str(20_260_000 + at * 37 % 50) for at in range(100)]})

    assert kinds(data)["volume"] == "number"


def test_booleans_are_the_same_category_however_written(train, kinds):
    data = train({"online": spread(["true", "FALSE", "True", ""])})

    assert kinds(data)["online"] == "boolean"
    assert set(data.X["online"].dropna()) == {"True", "False"}


def test_numbers_that_are_not_certain_are_refused(train):
    for written, pattern in (("1,{}", "thousands separators"), ("({})", "numbers in brackets")):
        with pytest.raises(DataError) as caught:
            train({"fee": [written.format(at) for at in range(100, 200)]})

        assert f"'fee': 100 values with {pattern}" in str(caught.value)
        assert "--drop" in str(caught.value)


def test_a_few_percentages_are_names_of_categories(train, kinds):
    data = train({"discount": spread(["10%", "20%", "50%"])})

    assert kinds(data)["discount"] == "category"
    assert "discount: 3 values such as '10%'; kept as a category." in data.notes


def test_parquet_keeps_the_types_that_it_has(train, kinds):
    data = train(
        {
            "count": [at % 11 for at in range(60)],
            "online": [at % 3 == 0 for at in range(60)],
            "since": list(pd.date_range("2026-01-01", periods=60)),
            "month": [20_260_101 + at % 28 for at in range(60)],
            "calls": [[at] for at in range(60)],
        },
        name="t.parquet",
    )

    assert kinds(data) == {
        "count": "number",
        "online": "boolean",
        "since": "date",
        "month": "date",
        "size": "number",
    }
    assert set(data.X["online"]) == {"True", "False"}
    assert any("'calls'" in note for note in data.notes)
