"""What ``mlflow.pyfunc`` answers is what batch scoring would; or it names the column."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import mlflow
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LinearRegression

from churnml import score
from churnml.base.tasks import TASKS
from churnml.config.settings import Config
from churnml.errors import BundleError
from churnml.models.bundle import PROTOCOL, predict
from churnml.registry.tracking.mlflow_model import save_mlflow_model


@pytest.fixture(scope="module")
def loaded(folders):
    return {task: mlflow.pyfunc.load_model(str(folder)) for task, folder in folders.items()}


@pytest.fixture(scope="module")
def rows(features) -> pd.DataFrame:
    """Rows whose numbers are whole, so that they can be kept in any type."""
    return features.head(40).assign(费用=features["费用"].head(40).fillna(30).round())


def test_scores_and_reasons_are_those_of_batch_scoring_to_the_bit(
    folders, loaded, customers_csv, features, tmp_path
):
    models = {f"{task}_model": str(folder) for task, folder in folders.items()}
    out = tmp_path / "out"
    score(customers_csv, out=out, id="id", **models, reasons=2, config=Config())
    batch = pq.read_table(out).to_pylist()
    frame = features.assign(customer_id=[f"{number:05d}" for number in range(len(features))])
    for task, model in loaded.items():
        answers = model.predict(frame, params={"reasons": 2}).set_index("customer_id")
        assert len(batch) == len(answers) == 600
        # Where both are scored, the reasons are churn's.
        names = [*TASKS[task].scores, *(["reasons"] if task == "churn" else [])]
        for row in batch:
            answer = answers.loc[row["customer_id"]]
            assert {name: answer[name] for name in names} == {name: row[name] for name in names}


def as_kept(how: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The same values, kept otherwise."""
    numbers, text = ["tenure", "费用"], "plan"
    match how:
        case "int64" | "Int64" | "float32" | "int16" | "object":
            return rows.astype(dict.fromkeys(numbers, how))
        case "category":
            return rows.astype({text: "category"})
        case "object text":
            return rows.astype({text: object})
        case "reordered":
            return rows[rows.columns[::-1]]
        case "extra":
            return rows.assign(zodiac="ox", left=True)
        case "indexed":
            return rows.set_axis(np.arange(len(rows))[::-1] * 7, axis=0)
    raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        "int64",
        "Int64",
        "int16",
        "float32",
        "object",
        "category",
        "object text",
        "reordered",
        "extra",
        "indexed",
    ],
)
def test_however_a_frame_keeps_its_values_the_scores_are_the_same(how, loaded, churn, rows):
    frame = as_kept(how, rows)
    answers = loaded["churn"].predict(frame)
    assert list(answers.columns) == list(TASKS["churn"].scores)
    assert answers.index.equals(frame.index)
    expected = predict(churn, rows)["churn_probability"]
    assert answers["churn_probability"].tolist() == expected.tolist()


@pytest.mark.parametrize("months", [[0, 1], [0, 2], [1], [2]])
def test_whole_numbers_are_numbers_whichever_they_are(months, loaded, churn, rows):
    frame = rows.head(len(months)).assign(tenure=np.array(months, dtype="int64"))
    expected = predict(churn, frame.astype({"tenure": float}))["churn_probability"]
    assert loaded["churn"].predict(frame)["churn_probability"].tolist() == expected.tolist()


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA])
def test_missing_values_and_unseen_categories_are_as_in_batch_scoring(nothing, loaded, churn, rows):
    frame = rows.astype({"tenure": object, "plan": object})
    frame.loc[frame.index[:3], ["tenure", "plan"]] = nothing
    frame.loc[frame.index[3], "plan"] = "never seen"
    expected = predict(churn, frame)["churn_probability"]
    assert loaded["churn"].predict(frame)["churn_probability"].tolist() == expected.tolist()


def test_one_row_alone_or_none_at_all(loaded, rows):
    together = loaded["satisfaction"].predict(rows)
    alone = loaded["satisfaction"].predict(rows.iloc[[5]])
    assert alone.iloc[0].to_dict() == together.iloc[5].to_dict()
    nobody = loaded["satisfaction"].predict(rows.iloc[:0], params={"reasons": 3})
    assert nobody.shape == (0, 5)


def test_customer_and_date_come_back_where_they_were_given(loaded, rows):
    frame = rows.assign(customer_id="00042", as_of="2026-06-01")
    answers = loaded["churn"].predict(frame)
    assert list(answers.columns) == ["customer_id", "as_of", *TASKS["churn"].scores]
    assert set(answers["customer_id"]) == {"00042"}
    assert set(answers["as_of"]) == {"2026-06-01"}


def test_reasons_on_request_the_largest_first(loaded, churn, rows):
    assert "reasons" not in loaded["churn"].predict(rows)
    two = loaded["churn"].predict(rows, params={"reasons": 2})["reasons"]
    every = loaded["churn"].predict(rows, params={"reasons": 99})["reasons"]
    contributions = churn.estimator.explain(rows)
    for at, found in enumerate(every):
        sizes = [abs(reason["contribution"]) for reason in found]
        assert sizes == sorted(sizes, reverse=True)
        assert {reason["feature"] for reason in found} == set(churn.names)
        assert found[:2] == two.iloc[at]
        first = found[0]
        assert first["contribution"] == contributions[first["feature"]].iloc[at]


def refusal(model, frame, **params) -> str:
    with pytest.raises(MlflowException) as refused:
        model.predict(frame, params=params)
    assert refused.value.get_http_status_code() == 400
    return refused.value.message


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda rows: rows.drop(columns="费用"), "'费用'"),
        (lambda rows: rows.rename(columns={"tenure": "tenures"}), "'tenure'"),
        (lambda rows: rows.assign(tenure="long"), "'tenure' held numbers"),
        (lambda rows: rows.assign(tenure=[*range(39), "long"]), "row 40: 'long'"),
        (lambda rows: rows.assign(tenure=np.inf), "'tenure'"),
        (lambda rows: rows.assign(tenure=pd.Timestamp("2026-01-01")), "'tenure' holds datetime"),
        (lambda rows: rows.assign(plan=[["basic"]] * 40), "'plan'"),
    ],
)
def test_wrong_input_is_refused_by_the_column_s_name_and_without_a_customer(
    broken, told, loaded, rows
):
    frame = broken(rows).assign(customer_id="SECRET-0042")
    message = refusal(loaded["churn"], frame)
    assert told in message
    assert "SECRET" not in message


def test_wrong_numbers_of_reasons_are_refused(loaded, rows):
    assert "reasons: at least 0" in refusal(loaded["churn"], rows, reasons=-1)
    assert "reasons" in refusal(loaded["churn"], rows, reasons="three")


def test_the_answers_that_spark_expects_are_always_there(loaded, rows):
    for task, model in loaded.items():
        promised = model.metadata.signature.outputs.input_names()
        assert promised == list(TASKS[task].scores)
        assert promised == list(model.predict(rows).columns)


def spoil_byte(bundle: Path) -> None:
    booster = bundle / "boosters/0000.txt"
    booster.write_bytes(booster.read_bytes().replace(b"0", b"1", 1))


def spoil_cut(bundle: Path) -> None:
    booster = bundle / "boosters/0001.txt"
    booster.write_bytes(booster.read_bytes()[:-200])


def spoil_missing(bundle: Path) -> None:
    (bundle / "boosters/0000.txt").unlink()


def spoil_protocol(bundle: Path) -> None:
    """Another protocol, with checksums that fit."""
    content = json.loads((bundle / "bundle.json").read_text())
    (bundle / "bundle.json").write_text(json.dumps(content | {"protocol": PROTOCOL + 1}))
    sums = (bundle / "SHA256SUMS").read_text().splitlines()
    fresh = hashlib.sha256((bundle / "bundle.json").read_bytes()).hexdigest()
    told = [f"{fresh}  bundle.json" if line.endswith("  bundle.json") else line for line in sums]
    (bundle / "SHA256SUMS").write_text("\n".join(told) + "\n")


@pytest.mark.parametrize("spoil", [spoil_byte, spoil_cut, spoil_missing, spoil_protocol])
def test_a_damaged_model_is_refused_before_lightgbm_sees_it(spoil, folders, tmp_path):
    folder = shutil.copytree(folders["churn"], tmp_path / "model")
    mlflow.pyfunc.load_model(str(folder))
    spoil(folder / "data" / "bundle")
    # LightGBM itself would end the process on a cut text, or never return.
    with pytest.raises(BundleError, match=r"was not loaded|protocol 2"):
        mlflow.pyfunc.load_model(str(folder))


@pytest.mark.parametrize(
    "kept",
    [
        pl.from_pandas,
        lambda rows: pl.from_pandas(rows).lazy(),
        lambda rows: pl.from_pandas(rows).with_columns(pl.col("plan").cast(pl.Categorical)),
        pa.Table.from_pandas,
        lambda rows: duckdb.sql("FROM rows"),
        lambda rows: rows.to_dict("records"),
        lambda rows: rows.to_dict("list"),
    ],
    ids=["polars", "lazy", "categorical", "arrow", "duckdb", "records", "columns"],
)
def test_frames_of_every_kind_are_scored_alike(kept, loaded, rows):
    for model in loaded.values():
        pd.testing.assert_frame_equal(
            model.predict(kept(rows)), model.predict(rows).reset_index(drop=True)
        )


def test_a_model_of_operator_tables_takes_whole_numbers_as_they_are(churn, rows, tmp_path):
    """Its signature says double, which MLflow itself would not read whole numbers as."""
    operator = replace(churn, origin=replace(churn.origin, kind="operator", table={}))
    save_mlflow_model(operator, tmp_path / "model")
    model = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    expected = predict(churn, rows)["churn_probability"].tolist()
    for given in (rows.astype({"tenure": int}), rows.astype({"tenure": int}).to_dict("records")):
        assert model.predict(given)["churn_probability"].tolist() == expected


def test_models_of_others_are_checked_by_mlflow_as_before(loaded, tmp_path):
    X = pd.DataFrame({"use": [0.0, 1.0, 2.0]})
    line = LinearRegression().fit(X, [0, 1, 2])
    signature = mlflow.models.infer_signature(X, line.predict(X))
    mlflow.sklearn.save_model(line, tmp_path / "line", signature=signature)
    other = mlflow.pyfunc.load_model(str(tmp_path / "line"))
    with pytest.raises(MlflowException, match="Failed to enforce model input schema"):
        other.predict(pd.DataFrame({"use": [1, 2, 3]}))


def test_mlflows_evaluation_is_answered_in_a_sentence(store, folders, rows, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    data = rows.assign(left=np.arange(len(rows)) % 2)
    told = r"one column of labels.*churnml.evaluate"
    with mlflow.start_run(experiment_id="0"), pytest.raises(MlflowException, match=told):
        mlflow.models.evaluate(str(folders["churn"]), data, targets="left", model_type="classifier")
    told = r"\['satisfaction'\], then .*model_type='regressor'"
    with mlflow.start_run(experiment_id="0"), pytest.raises(MlflowException, match=told):
        mlflow.models.evaluate(
            str(folders["satisfaction"]), data, targets="left", model_type="regressor"
        )
