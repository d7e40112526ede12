"""A table's good rows get scores, whatever the order of its columns; every row is accounted for."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import churnml
from churnml.config.settings import Config
from churnml.datasets.flat import FlatData, read_training
from churnml.errors import DataError, GateError, ModelError, OutputError, SchemaError, UsageError
from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.models import bundle
from churnml.models.bundle import Origin
from churnml.models.profile import describe
from churnml.scoring import Manifest, check_gates

ROWS = 500
QUICK = {"max_rounds": 20, "folds": 2, "repeats": 1, "linear_start": False}
SETTINGS = Config.model_validate({"scoring": {"batch_rows": 200}})


def customers(rows: int = ROWS) -> pd.DataFrame:
    """A table with awkward names and ids that are not numbers."""
    random = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "客户 id": [f"{at:06d}" for at in range(rows)],
            '月费, "元"': random.gamma(2, 40, rows).round(2),
            "4\\5G": random.choice(["4G", "5G"], rows),
            "入网": pd.date_range("2020-01-01", periods=rows).strftime("%Y-%m-%d"),
        }
    )
    risk = 1 / (1 + np.exp(2 - frame['月费, "元"'] / 40))
    frame["left"] = np.where(random.random(rows) < risk, "Yes", "No")
    frame["score"] = np.clip(random.normal(6, 2, rows) + risk, 1, 10).round().astype(int)
    return frame


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("table")


@pytest.fixture(scope="module")
def models(place: Path) -> dict[str, str]:
    """A churn and a satisfaction model of the table."""
    path = place / "train.csv"
    customers().to_csv(path, index=False)
    common = {"id": "客户 id"}
    churn = read_training(path, task="churn", target="left", drop=["score"], **common)
    other = read_training(
        path, task="satisfaction", target="score", scale="1:10", drop=["left"], **common
    )
    return {
        "churn_model": _saved(place / "churn", ChurnClassifier(**QUICK), churn),
        "satisfaction_model": _saved(place / "other", SatisfactionRegressor(**QUICK), other),
    }


def _saved(folder: Path, estimator: object, data: FlatData) -> str:
    fitted = estimator.fit(data.X, data.y)
    origin = Origin(name=folder.name, kind="table", rows=len(data), table=data.signature)
    bundle.save(describe(fitted, data.X, origin=origin), folder)
    return str(folder)


@pytest.fixture
def score(tmp_path, models):
    """Score a table with the churn model, or as the options say."""

    def one(table: pd.DataFrame, out: str = "out", **options: object) -> Manifest:
        path = tmp_path / "t.csv"
        table.to_csv(path, index=False)
        chosen = {"churn_model": models["churn_model"], "config": SETTINGS, "id": "客户 id"}
        return churnml.score(path, out=tmp_path / out, **(chosen | options))

    return one


def read(manifest: Manifest) -> pd.DataFrame:
    tables = [pq.read_table(Path(manifest.folder) / part.name) for part in manifest.parts]
    return pd.concat([one.to_pandas() for one in tables], ignore_index=True)


def test_every_row_is_scored_in_the_files_order(score, models):
    manifest = score(customers())

    scores = read(manifest)
    model = bundle.load(models["churn_model"])
    assert scores["customer_id"].tolist() == customers()["客户 id"].tolist()
    assert [part.rows for part in manifest.parts] == [200, 200, 100]
    assert scores["as_of"].isna().all()
    assert scores["churn_probability"].between(0, 1).all()
    assert scores["churn_model"].str.startswith(model.origin.name).all()
    assert (manifest.rows.total, manifest.rows.scored) == (ROWS, ROWS)
    assert (manifest.as_of, manifest.gates) == (None, [])


def test_both_models_score_at_once(score, models):
    scores = read(score(customers(), **models))

    assert {"churn_probability", "satisfaction", "satisfaction_low"} <= set(scores)
    assert not {"individual_tier", "arpu"} & set(scores)


def test_order_of_columns_and_extras_do_not_matter(score):
    table = customers()
    expected = read(score(table))

    manifest = score(table[sorted(table, reverse=True)].assign(extra=1), "other")

    pd.testing.assert_frame_equal(read(manifest), expected)
    assert manifest.ignored == ["extra"]


def test_bad_rows_are_set_aside_and_counted(score):
    table = customers().astype(str)
    expected = read(score(table))
    table.loc[7, '月费, "元"'] = "1,234.5"
    table.loc[9, "客户 id"] = ""

    manifest = score(table, "other")

    pd.testing.assert_frame_equal(read(manifest), expected.drop([7, 9]).reset_index(drop=True))
    assert (manifest.rows.scored, manifest.rows.quarantined) == (ROWS - 2, 2)
    assert [(one["column"], one["code"], one["rows"]) for one in manifest.quarantined] == [
        ("客户 id", "C16", 1),
        ('月费, "元"', "C03", 1),
    ]
    assert manifest.quarantined[1]["table"] == "t.csv"
    assert "line 9: '1,234.5', thousands separators" in manifest.quarantined[1]["reason"]
    assert "as of" not in repr(manifest)
    assert "set aside    t.csv.客户 id: 1 row, an id expected, found none (line 11) [C16]" in repr(
        manifest
    )


def test_a_header_alone_is_a_valid_empty_result(score):
    manifest = score(customers().head(0))

    assert manifest.rows.total == 0
    assert manifest.warnings[0] == "t.csv: no row; the result is empty."
    assert list(read(manifest).columns)[:3] == ["customer_id", "as_of", "churn_probability"]


def test_values_in_another_case_trip_a_gate_and_are_published(score):
    table = customers()
    table["4\\5G"] = table["4\\5G"].str.lower()

    manifest = score(table)

    with pytest.raises(GateError, match="none of the 2 known values"):
        check_gates(manifest)
    assert manifest.rows.scored == ROWS


def test_refusals_leave_the_old_result(score, tmp_path):
    score(customers())
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    for table, error in (
        (customers().drop(columns="4\\5G"), SchemaError),
        (customers().assign(**{'月费, "元"': "x"}), SchemaError),
        (pd.concat([customers(), customers().head(1)]), DataError),
    ):
        with pytest.raises(error):
            score(table, overwrite=True)
    with pytest.raises(UsageError):
        score(customers(), overwrite=True, id="id")
    with pytest.raises(OutputError):
        score(customers().head(10))

    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_the_same_work_gives_the_same_parts(score):
    one, other = score(customers()), score(customers(), "other")

    assert [part.sha256 for part in one.parts] == [part.sha256 for part in other.parts]


def test_another_id_is_other_work(score):
    table = customers().assign(phone=[f"1380{at:06d}" for at in range(ROWS)])
    score(table)

    with pytest.raises(OutputError):
        score(table, id="phone")
    scores = read(score(table, id="phone", overwrite=True))
    assert scores["customer_id"].tolist() == table["phone"].tolist()


def test_a_model_of_operator_tables_is_refused(score, tmp_path, churn):
    operator = tmp_path / "operator"
    estimator = churn.estimator
    frame = pd.DataFrame({column.name: [] for column in churn.inputs})
    bundle.save(describe(estimator, frame, origin=Origin(name="churn")), operator)

    with pytest.raises(ModelError, match="reads operator tables"):
        score(customers(), churn_model=str(operator))


def test_rows_like_those_of_training_drift_nowhere(score):
    manifest = score(customers().head(120))

    assert (manifest.drift, manifest.gates) == ({}, [])


@pytest.mark.parametrize("spoil", [lambda fee: fee * 100, lambda fee: fee * 0 + 40])
def test_a_column_in_another_unit_or_frozen_trips_a_gate(score, spoil):
    table = customers()
    table['月费, "元"'] = spoil(table['月费, "元"'])

    manifest = score(table)

    (gate,) = manifest.gates
    assert gate.startswith('月费, "元": 500 rows differ from those of training by drift ')
    assert list(manifest.drift) == ['月费, "元"']
    assert manifest.drift['月费, "元"'] > 0.9
    with pytest.raises(GateError, match="scored and published") as error:
        check_gates(manifest)
    assert error.value.status == 6


def test_the_limit_of_drift_is_a_setting(score):
    table = customers()
    table['月费, "元"'] *= 100
    lax = Config.model_validate({"scoring": {"batch_rows": 200, "drift_limit": 50}})

    manifest = score(table, config=lax)

    assert manifest.gates == []
    assert manifest.drift['月费, "元"'] > 0.9


def test_drift_and_scores_do_not_depend_on_the_batches(score, tmp_path):
    table = customers()
    table['月费, "元"'] += 25
    found = {}
    for rows in (7, 500):
        settings = Config.model_validate({"scoring": {"batch_rows": rows}})
        manifest = score(table, out=f"out{rows}", config=settings, reasons=0)
        scores = pq.read_table(tmp_path / f"out{rows}", filters=None).to_pandas()
        found[rows] = (manifest.drift, scores["churn_probability"].tolist())

    assert found[7] == found[500]
    assert found[7][0]


def test_a_given_day_stands_in_the_scores_and_moves_the_ages(score, tmp_path):
    plain, given = score(customers(300)), score(customers(300), "given", as_of="2022-05-14")
    assert (plain.as_of, given.as_of) == (None, "2022-05-14")
    assert (plain.ages["by"], given.ages["by"]) == ("training", "as_of")
    assert given.ages["counted_from"] == "2022-05-14"
    assert "300 in" in repr(given)
    assert "Dates are counted from 2022-05-14, as was asked" in repr(given)
    assert set(pq.read_table(tmp_path / "given")["as_of"].to_pylist()) == {date(2022, 5, 14)}
    assert "arpu" not in pq.read_table(tmp_path / "given").column_names
    assert Manifest.read(tmp_path / "given") == given


def test_many_dates_after_the_day_of_training_trip_a_gate(score):
    later = customers().assign(入网=pd.date_range("2021-05-01", periods=ROWS).astype(str))
    found = score(later)
    assert any(gate.startswith("入网: ") and "--as-of" in gate for gate in found.gates)
    with pytest.raises(GateError):
        check_gates(found)
