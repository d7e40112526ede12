"""Numbers and dates as people write them: read where it is certain, else refused or noted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml.datasets.flat import Signature, open_scoring, read_training
from churnml.datasets.flat.notation import Notation
from churnml.datasets.flat.sieve import Form, decide
from churnml.errors import DataError, SchemaError

ROWS = 150
AMOUNTS = [round(1.37 * (at * 7919 % 40_000) / 3, 2) for at in range(ROWS)]
BELOW = [-one if at % 3 else one for at, one in enumerate(AMOUNTS)]


def english(number):
    return f"{number:,.2f}"


def with_marks(group, decimal):
    return lambda number: (
        english(number).replace(",", "_").replace(".", decimal).replace("_", group)
    )


def lakh(number):
    whole, decimals = f"{number:.2f}".split(".")
    while len(whole.split(",")[0]) > (3 if "," not in whole else 2):
        first, _, rest = whole.partition(",")
        at = -3 if not rest else -2
        whole = f"{first[:at]},{first[at:]}" + (f",{rest}" if rest else "")
    return f"{whole}.{decimals}"


def full_width(number):
    return str(number).translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))


WRITTEN = {
    "thousands": english,
    "lakhs": lambda number: lakh(100 * number),
    "german": with_marks(".", ","),
    "narrow blanks": with_marks("\u202f", ","),
    "hard blanks": with_marks("\u00a0", ","),
    "apostrophes": with_marks("'", "."),
    "typographic": with_marks("\u2019", "."),
    "full width": full_width,
    "a unit": lambda number: f"{number} GB",
    "percent": lambda number: f"{number}%",
    "yen": lambda number: f"¥{number:,.2f}",
    "a month": lambda number: f"{number}元/月",
    "ten thousands": lambda number: f"{number / 10_000:.6f}万" if number > 900 else str(number),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_amounts_are_read_as_they_are_meant(train, name):
    data = train({"fee": [WRITTEN[name](number) for number in AMOUNTS]})

    expected = np.multiply(AMOUNTS, 100 if name == "lakhs" else 1)
    np.testing.assert_allclose(data.X["fee"], expected, rtol=1e-9)
    (note,) = [one for one in data.notes if one.startswith("fee ")]
    assert "150 cells read as numbers" in note


@pytest.mark.parametrize(
    "written",
    [
        lambda number: f"{abs(number)}-" if number < 0 else f"{number}",
        lambda number: f"\u2212{abs(number)}" if number < 0 else f"{number}",
        lambda number: f"({abs(number):,.2f})" if number < 0 else f"{number:,.2f}",
        lambda number: f"-¥{abs(number)}" if number < 0 else f"¥{number}",
    ],
)
def test_minus_signs_of_every_kind_are_read(train, written):
    data = train({"balance": [written(number) for number in BELOW]})

    assert data.X["balance"].tolist() == BELOW


def test_durations_become_seconds(train):
    seconds = [at * 7919 % 90_000 for at in range(ROWS)]
    clock = [f"{one // 3600:02d}:{one // 60 % 60:02d}:{one % 60:02d}" for one in seconds]

    data = train({"talk": clock, "wait": [str(pd.Timedelta(one, "s")) for one in seconds]})

    assert data.X["talk"].tolist() == data.X["wait"].tolist() == seconds


def test_thousands_with_points_are_told_from_decimals(train, kinds):
    many = [f"{1 + at % 9}.{at * 37 % 1000:03d}" for at in range(ROWS)]

    german = train({"fee": [*many, "746", "12"]})
    plain = train({"fee": many})
    small = train({"fee": [*many, "0.125"]})

    assert german.X["fee"].tolist()[:2] == [1000, 2037]
    assert german.X["fee"].tolist()[-2:] == [746, 12]
    assert plain.X["fee"].tolist()[:2] == [1, 2.037]
    assert "fee: '1.000' may be thousands or decimals; read as decimals." in plain.notes
    assert small.X["fee"].tolist()[1] == 2.037
    assert not any(one.startswith("fee") for one in small.notes)
    with pytest.raises(DataError, match="may be thousands or decimals"):
        train({"fee": [*many[:40], "746", "12"]})


@pytest.mark.parametrize(
    "mixed",
    [
        lambda at: f"{at}.3 GB" if at % 2 else f"{at}12 MB",
        lambda at: f"${at}.5" if at % 2 else f"€{at}.5",
        lambda at: f"{at}.5 GB" if at % 2 else f"{at}.5",
    ],
)
def test_mixed_units_are_left_out_and_said(train, mixed):
    data = train({"usage": [mixed(at) for at in range(1, 120)]})

    assert "usage" not in data.X
    assert any("more than one unit" in one and "'usage'" in one for one in data.notes)


@pytest.mark.parametrize("text", ["{0}h{0}m", "{0}-{1}", "{0}.{0}.{0}", "<{0}", "{0}+"])
def test_what_is_no_number_is_noted(train, kinds, text):
    data = train({"what": [text.format(at % 40, at % 40 + 10) for at in range(ROWS)]})

    assert kinds(data)["what"] == "category"
    assert any("what: values such as" in one and "kept as a category" in one for one in data.notes)


def test_times_of_day_with_a_type_of_their_own_are_left_out_and_said(train):
    times = [one.time() for one in pd.date_range("2026-01-01", periods=ROWS, freq="7min")]

    data = train({"called": times}, name="t.parquet")

    assert "called" not in data.X
    assert any("'called' (of type time" in one for one in data.notes)


def test_codes_stay_categories_in_silence(train, kinds):
    data = train({"cell": [f"T{at % 40}" for at in range(ROWS)]})

    assert kinds(data)["cell"] == "category"
    assert not any(one.startswith("cell") for one in data.notes)


@pytest.mark.parametrize(("unit", "name"), [(1, "seconds"), (1_000, "milli"), (1_000_000, "micro")])
@pytest.mark.parametrize("kind", ["t.csv", "t.parquet"])
def test_unix_times_are_dates(train, unit, name, kind):
    days = pd.date_range("2024-03-01 08:00", periods=ROWS, freq="3D")
    times = ((days - pd.Timestamp(0)) // pd.Timedelta(1, "s") * unit).astype("int64")

    data = train({"since": list(times)}, name=kind)

    assert data.X["since"].tolist() == [3 * (ROWS - 1 - at) for at in range(ROWS)]
    assert any(one.startswith("since: numbers such as") and name in one for one in data.notes)


def test_unix_times_with_gaps_are_dates(train):
    times = [1.7e9 + 86_400 * at for at in range(ROWS)]

    data = train({"since": [None, *times[1:]]})

    assert data.X["since"].isna().tolist() == [True] + [False] * (ROWS - 1)
    assert data.X["since"].tolist()[-2:] == [1, 0]


@pytest.mark.parametrize("first", [1_100_000_000, 3_800_000_000, 13_800_000_000])
def test_telephone_numbers_are_no_dates(train, first):
    data = train({"phone": [first + at * 7919 * 104_729 % 90_000_000 for at in range(ROWS)]})

    assert "phone" not in data.X


def test_births_with_two_digits_lie_in_the_past(train):
    born = pd.date_range("1938-01-05", "2007-12-01", periods=ROWS).normalize()

    short = train({"born": list(born.strftime("%d-%b-%y"))})
    whole = train({"born": list(born.strftime("%Y-%m-%d"))})

    assert short.X["born"].tolist() == whole.X["born"].tolist()


def test_years_of_either_century_are_left_out(train):
    year = pd.Timestamp.today().year % 100

    data = train({"ends": [f"{at % 28 + 1:02d}.05.{year + 1 + at % 4}" for at in range(ROWS)]})

    assert "ends" not in data.X
    assert any("'ends'" in one and "either century" in one for one in data.notes)


@pytest.fixture
def score(write):
    """Train on one column, then score another that stands in its place."""

    def one(trained, scored, **options):
        rows = len(trained)
        table = pd.DataFrame(
            {
                "id": [f"c{at}" for at in range(rows)],
                "fee": trained,
                "size": [at % 7 for at in range(rows)],
                "left": [("Yes", "No", "No")[at * 7919 % 31 % 3] for at in range(rows)],
            }
        )
        data = read_training(write("train.csv", table), task="churn", id="id", target="left")
        signature = Signature.from_dict(data.signature)
        later = table.iloc[[at % rows for at in range(len(scored))]].assign(
            fee=scored, id=[f"c{at}" for at in range(len(scored))]
        )
        scorable = open_scoring(write("new.csv", later), signature, id="id", **options)
        (batch,) = scorable.batches(10_000)
        return data, batch.X["fee"].tolist(), scorable

    return one


@pytest.mark.parametrize("name", WRITTEN)
def test_what_trains_scores_the_same(score, name):
    column = [WRITTEN[name](number) for number in AMOUNTS]

    data, scored, _ = score(column, column)

    assert scored == data.X["fee"].tolist()


def test_a_notation_stays_that_of_training_whatever_the_day_brings(score):
    german = [with_marks(".", ",")(number) for number in AMOUNTS]

    _, scored, scorable = score(german, ["999", "1.234", "12,5"] * 10 + ["1,234.5"])

    assert scored == [999, 1234, 12.5] * 10
    assert scorable.quarantined == 1


def test_a_column_in_another_notation_is_refused(score):
    with pytest.raises(SchemaError, match=r"a number written as '1234\.5 GB'"):
        score([f"{number} GB" for number in AMOUNTS], [f"{number} MB" for number in AMOUNTS])
    with pytest.raises(DataError, match="cannot be scored"):
        score([f"{number} GB" for number in AMOUNTS], ["1.5 GB"] * 90 + ["1.5"] * 10)


@given(st.lists(st.floats(0, 1e9).map(lambda number: round(number, 2)), min_size=3))
def test_two_marks_are_never_mistaken(numbers):
    numbers = [*numbers, 1234.5]
    for group, decimal in ((",", "."), (".", ","), (" ", ","), ("'", ".")):
        texts = [with_marks(group, decimal)(number) for number in numbers]
        forms = [
            Form(
                text="".join("9" if one.isdigit() else one for one in text),
                zero=text[0] == "0",
                count=1,
                example=text,
            )
            for text in texts
        ]

        assert decide(forms, 0.95).notation == Notation(decimal=decimal, group=group)
