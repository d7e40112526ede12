"""A served model reads a table's own columns as ``score`` does: dates, texts, missing values."""

from datetime import date, datetime
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from mlflow.exceptions import MlflowException

from churnml import score
from churnml.config.settings import Config
from churnml.datasets.flat import read_training
from churnml.estimators import ChurnClassifier
from churnml.models.bundle import Origin
from churnml.models.profile import describe
from churnml.registry.export import export_model

ROWS = 600


def customers() -> pd.DataFrame:
    """A table as a file has it: text throughout."""
    random = np.random.default_rng(2)
    joined = pd.Timestamp("2025-06-01") - pd.to_timedelta(random.integers(0, 1500, ROWS), "D")
    frame = pd.DataFrame(
        {
            "id": [f"{at:05d}" for at in range(ROWS)],
            "joined": joined.strftime("%d/%m/%Y"),
            "device": random.choice(["None", "NA", "phone"], ROWS),
            "bill": random.gamma(2, 40, ROWS).round(2).astype(str),
            "paperless": random.choice(["true", "false"], ROWS),
        }
    )
    frame.loc[::20, "bill"] = "unknown"
    frame.loc[3::50, "joined"] = "?"
    risk = 0.2 + 0.5 * (frame["device"] == "None") * (joined > "2023-06-01")
    return frame.assign(left=np.where(random.random(ROWS) < risk, "Yes", "No"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    customers().to_csv(folder / "t.csv", index=False)
    data = read_training(folder / "t.csv", task="churn", target="left", id="id")
    assert any(
        note.startswith("'device': 'NA', 'None' are values here, and missing to pandas.read_csv")
        for note in data.notes
    )
    fitted = ChurnClassifier(repeats=1, max_rounds=60, n_jobs=1).fit(data.X, data.y)
    origin = Origin(name="toy", kind="table", rows=ROWS, table=data.signature)
    export_model(describe(fitted, data.X, origin=origin), folder / "model")
    return folder


@pytest.fixture(scope="module")
def model(place):
    return mlflow.pyfunc.load_model(str(place / "model"))


def scored(place: Path, out: Path, **options: object) -> list[float]:
    score(
        place / "t.csv",
        out=out,
        id="id",
        churn_model=str(place / "model"),
        config=Config(),
        **options,
    )
    return pq.read_table(out)["churn_probability"].to_pylist()


@pytest.fixture(scope="module")
def expected(place) -> list[float]:
    return scored(place, place / "out")


def as_read(how: str) -> pd.DataFrame:
    """The table as callers may have it."""
    frame = customers().replace({"joined": "?"}, None)
    days = pd.to_datetime(frame["joined"], format="%d/%m/%Y")
    match how:
        case "text":
            return customers()
        case "datetimes":
            return frame.assign(joined=days)
        case "zoned":
            return frame.assign(joined=days.dt.tz_localize("UTC"))
        case "python dates":
            listed = [None if pd.isna(day) else date(day.year, day.month, day.day) for day in days]
            return frame.assign(joined=pd.Series(listed, dtype=object))
        case "python datetimes":
            listed = [None if pd.isna(day) else datetime(*day.timetuple()[:6]) for day in days]
            return frame.assign(joined=pd.Series(listed, dtype=object))
        case "ISO text":
            return frame.assign(joined=days.dt.strftime("%Y-%m-%d"))
        case "ages":
            return frame.assign(joined=(days.max() - days).dt.days)
        case "numbers":
            return frame.assign(bill=pd.to_numeric(frame["bill"], errors="coerce"))
        case "booleans":
            return frame.assign(paperless=frame["paperless"] == "true")
        case "categories":
            return frame.astype({"device": "category", "joined": "category"})
    raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        *("text", "datetimes", "zoned", "python dates", "python datetimes", "ISO text", "ages"),
        *("numbers", "booleans", "categories"),
    ],
)
def test_however_a_caller_has_the_table_the_scores_are_those_of_the_file(how, model, expected):
    assert model.predict(as_read(how))["churn_probability"].tolist() == expected


def test_one_row_alone_has_the_score_that_it_has_among_others(model, expected):
    for at in (0, 3, 20):
        alone = model.predict(customers().iloc[[at]])
        assert alone["churn_probability"].tolist() == [expected[at]]


def test_a_day_that_is_given_counts_as_in_a_batch(place, model, expected, tmp_path):
    later = scored(place, tmp_path / "later", as_of="2026-06-01")
    assert later != expected
    answer = model.predict(customers(), params={"as_of": "2026-06-01"})
    assert answer["churn_probability"].tolist() == later
    assert set(answer["as_of"]) == {"2026-06-01"}
    assert "as_of" not in model.predict(customers())


def test_values_that_pandas_lost_are_told(place, model):
    kept = pd.read_csv(place / "t.csv", dtype={"id": str}, keep_default_na=False)
    lost = pd.read_csv(place / "t.csv", dtype={"id": str})
    with pytest.warns(UserWarning, match=r"'device': .* missing values; \['NA', 'None'\]"):
        model.predict(lost)
    assert model.predict(kept).equals(model.predict(customers()))


def test_dates_after_the_day_of_training_are_told(model):
    with pytest.warns(UserWarning, match="'joined': 1 date lies after 2025-0"):
        model.predict(customers().head(1).assign(joined="01/02/2026"))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"joined": "soon"}, "column 'joined' held dates in training"),
        ({"joined": "2/13/2025"}, "row 1: '2/13/2025'"),
        ({"joined": 1_716_249_600_000}, "'joined' held dates"),
        ({"joined": [["2025-01-01"]]}, "'joined' held dates"),
        ({"bill": "much"}, "column 'bill' held numbers in training"),
    ],
)
def test_what_cannot_be_read_is_refused_by_the_column_s_name(broken, told, model):
    with pytest.raises(MlflowException) as refused:
        model.predict(customers().head(1).assign(**broken))
    assert refused.value.get_http_status_code() == 400
    assert told in refused.value.message


def test_a_day_that_is_none_is_refused(model):
    with pytest.raises(MlflowException, match="is not a date"):
        model.predict(customers().head(1), params={"as_of": "tomorrow"})
