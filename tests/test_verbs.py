"""The whole job from Python: each verb as the command of its name, on whatever holds the data."""

import inspect
import itertools
import json

import duckdb
import ibis
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import churnml
from churnml.errors import DataError, ModelError, OutputError, SchemaError, UsageError
from churnml.registry.resolve import resolve

QUICK = churnml.Config.model_validate(
    {
        "churn": {"train_months": 2, "folds": 2, "repeats": 1, "max_rounds": 20},
        "promotion": {"draws": 50, "min_positives": 2},
    }
)
AS_OF = "2026-07-01"


@pytest.fixture(scope="module")
def operator(tmp_path_factory):
    folder = tmp_path_factory.mktemp("operator") / "operator"
    churnml.simulate(folder, customers=900, months=18, seed=3)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A working folder with a model store of its own."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="module")
def source(operator):
    return churnml.open_source(operator)


@pytest.fixture(scope="module")
def trained(place, source):
    return churnml.train(source, "churn", until="2026-03-01", config=QUICK)


def frames(table: pd.DataFrame) -> dict[str, object]:
    return {
        "pandas": table,
        "polars": pl.from_pandas(table),
        "polars, lazy": pl.from_pandas(table).lazy(),
        "Arrow": pa.Table.from_pandas(table, preserve_index=False),
        "DuckDB": duckdb.from_arrow(pa.Table.from_pandas(table, preserve_index=False)),
        "Ibis": ibis.memtable(table),
    }


@pytest.fixture(scope="module")
def model(customers, place):
    """A model of a table of one's own, trained from a frame."""
    made = churnml.train(
        customers, "churn", id="id", target="left", config=QUICK, track=False, out=place / "flat"
    )
    assert made.name == "churn-frame"
    return str(place / "flat")


@pytest.mark.parametrize("kind", ["pandas", "polars", "polars, lazy", "Arrow", "DuckDB", "Ibis"])
def test_a_frame_of_any_kind_is_scored_like_its_file(kind, customers, model, tmp_path):
    customers.to_parquet(tmp_path / "t.parquet", index=False)
    asked = {"id": "id", "churn_model": model}
    filed = churnml.score(tmp_path / "t.parquet", out=tmp_path / "filed", **asked)
    framed = churnml.score(frames(customers)[kind], out=tmp_path / "framed", **asked)
    assert [part.sha256 for part in framed.parts] == [part.sha256 for part in filed.parts]
    assert framed.source == "frame"
    assert str(tmp_path) not in str(framed.to_dict() | {"source": ""})


@pytest.mark.parametrize("kind", ["polars", "Arrow", "DuckDB", "Ibis"])
def test_a_frame_of_any_kind_trains_the_model_that_pandas_trains(kind, customers, model, tmp_path):
    churnml.train(
        frames(customers)[kind],
        "churn",
        id="id",
        target="left",
        config=QUICK,
        track=False,
        out=tmp_path / "model",
    )
    assert resolve(str(tmp_path / "model")).model.digest == resolve(model).model.digest


def test_a_frame_is_evaluated(customers, model):
    found = churnml.evaluate(churnml.load_model(model), customers, id="id", target="left")
    assert found.to_dict()["metrics"]["auc"] > 0.6
    assert "trained on these very rows" in found.evaluation.seen
    assert found.evaluation.facts["source"] == "frame"


def test_errors_about_a_frame_speak_of_the_frame(customers, model, tmp_path):
    with pytest.raises(UsageError, match="frame has no such column") as refused:
        churnml.score(customers, id="nobody", out=tmp_path / "out", churn_model=model)
    assert "parquet" not in str(refused.value)
    mixed = customers.assign(tenure=[1, "two"] * (len(customers) // 2))
    with pytest.raises(DataError, match=r"frame: cannot be read as a table .*tenure"):
        churnml.score(mixed, id="id", out=tmp_path / "out", churn_model=model)
    twice = pd.concat([customers, customers[["tenure"]]], axis=1)
    with pytest.raises(DataError, match="frame: cannot be read as a table"):
        churnml.score(twice, id="id", out=tmp_path / "out", churn_model=model)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("data", [5, None, ["customers.csv"], {"a": [1]}])
def test_what_is_no_table_is_refused(data, tmp_path):
    with pytest.raises(UsageError, match="expected, found a"):
        churnml.score(data, AS_OF, out=tmp_path / "out")
    with pytest.raises(UsageError, match="A table expected, found a"):
        churnml.train(data, "churn", id="id", target="left")


def test_the_whole_job_in_one_go(trained, source, place):
    assert trained.model_uri == "models:/churn/1"
    assert trained.alias == "champion"
    asked = {"as_of": "2026-04-01", "config": QUICK, "out": place / "report"}
    found = churnml.evaluate("models:/churn@champion", source, **asked)
    assert found.to_dict()["model"] == "churn/1"
    assert (place / "report" / "report.html").is_file()
    with pytest.raises(OutputError, match="already exists"):
        churnml.evaluate("models:/churn@champion", source, **asked)
    second = churnml.train(source, "churn", until="2026-04-01", config=QUICK)
    assert second.alias == "challenger"
    outcome = churnml.promote("churn", source, config=QUICK, force="a test")
    assert outcome.moved
    manifest = churnml.score(source, AS_OF, out=place / "scores", config=QUICK)
    assert manifest.models["churn"]["version"] == "churn/2"
    scores = manifest.to_pandas()
    assert len(scores) == manifest.rows.scored > 600
    assert scores["churn_model"].unique().tolist() == ["churn/2"]
    assert churnml.rollback("churn").aliases["champion"] == "1"
    events = churnml.history("churn").to_pandas()["what"].tolist()
    assert events == ["registered", "registered", "forced", "rolled back"]
    pair = churnml.compare("models:/churn/1", churnml.load_model("models:/churn/2"))
    assert pair.models == ("churn/1", "churn/2")
    for shown in (trained, found, outcome, manifest, churnml.history("churn"), pair):
        assert "<" in shown._repr_html_()
        assert shown.to_dict()
    for shown in (trained, found):
        figures = shown.to_pandas().set_index(["model", "measure"])
        whose = next(iter(figures.index))[0]
        flat = shown.to_dict()["metrics"]
        for name, end in (("auc", ""), ("auc", "_low"), ("auc", "_high")):
            assert figures.loc[(whose, name), end.strip("_") or "value"] == flat[f"{name}{end}"]
        assert set(shown.to_dict()["baselines"]) <= {one for one, _ in figures.index}


def test_rows_models_and_exports_show_themselves(trained, source, place):
    data = churnml.build_dataset(source, "churn", as_of=["2026-02-01", "2026-03-01"])
    assert "mean of churned" in data._repr_html_()
    told = data.to_dict()
    assert told["rows"] == len(data) == sum(one["rows"] for one in told["dates"])
    known = data.y[data.times.astype(str) == "2026-03-01"]
    assert told["dates"][1] == {"as_of": "2026-03-01", "rows": len(known), "mean": known.mean()}
    features = churnml.build_features(source, as_of=["2026-02-01", "2026-03-01"]).to_pandas()
    merged = data.keys.merge(features, on=["customer_id", "as_of"])
    assert len(merged) == len(data)
    pd.testing.assert_series_equal(
        merged["arpu_mean_3m_yuan"].reset_index(drop=True),
        data.X["arpu_mean_3m_yuan"],
        check_dtype=False,
        rtol=1e-6,
    )
    model = churnml.load_model(trained.model_uri)
    assert "churn/1" in model._repr_html_()
    assert model.to_dict()["columns"] == model.names
    exported = churnml.export(model, place / "shown")
    assert "MODEL_CARD.md" in exported._repr_html_()
    for one in (data, model, exported):
        assert json.loads(json.dumps(one.to_dict(), allow_nan=False))


# MLflow compares a frame's columns with a range.
@pytest.mark.filterwarnings("ignore:Operation with range")
def test_an_estimator_of_own_features_is_logged_and_scored(operator, place):
    customers = pd.read_parquet(operator / "customers.parquet")["customer_id"]
    days = pd.date_range("2025-12-05", periods=7, freq="30D")
    crm = pd.DataFrame(itertools.product(customers, days), columns=["customer_id", "at"]).assign(
        balance=lambda rows: rows["customer_id"].str[-2:].astype(int)
    )
    own = churnml.Extra(crm, time="at", columns={"balance": {"aggregate": ["last"]}})
    source = churnml.open_source(operator, extra={"crm": own})
    data = churnml.build_dataset(source, "churn", as_of="2026-03-01")
    columns = ["arpu_mean_3m_yuan", *(name for name in data.X if name.startswith("crm_"))]
    assert len(columns) > 1
    quick = {"repeats": 1, "folds": 2, "max_rounds": 5, "n_jobs": 1}
    churn = churnml.ChurnClassifier(**quick).fit(data.X[columns], data.y)
    logged = churnml.log_model(churn, data.X, source=source, name="mine", times=data.times)
    assert churnml.load_model(logged.model_uri).origin.kind == "operator"
    manifest = churnml.score(source, AS_OF, out=place / "own", churn_model=logged.model_uri)
    scores = manifest.to_pandas().set_index("customer_id")["churn_probability"]
    rows = churnml.build_features(source, as_of=AS_OF).to_pandas().set_index("customer_id")
    assert scores.tolist() == churn.predict_proba(rows.loc[scores.index])[:, 1].tolist()
    with pytest.raises(SchemaError, match="needs crm, which"):
        churnml.score(operator, AS_OF, out=place / "bare", churn_model=logged.model_uri)
    with pytest.warns(UserWarning, match=r"other: \d of \d columns are no features .*give source"):
        logged = churnml.log_model(churn, data.X, name="other")
    assert churnml.load_model(logged.model_uri).origin.kind == "table"
    with pytest.raises(ModelError, match="as a column of a table, not as a feature of tables"):
        churnml.score(source, AS_OF, out=place / "other", churn_model=logged.model_uri)


def test_keys_of_the_frames_of_all_verbs_merge(trained, source, place):
    """Whichever two are taken; ``as_of`` has one type in all of them."""
    day = "2026-06-01"
    scores = churnml.score(source, day, out=place / "merged", churn_model=trained.model_uri)
    frames = {
        "features": churnml.build_features(source, as_of=day).to_pandas(),
        "scores": scores.to_pandas(),
        "data": churnml.build_dataset(source, "churn", as_of="2026-03-01").to_pandas(),
        "labels": churnml.label_sensitivity(source, as_of="2026-03-01"),
        "list": churnml.contact_list(scores, out=place / "merged.parquet").to_pandas(),
    }
    for one, other in itertools.combinations(frames, 2):
        left, right = frames[one], frames[other]
        keys = [name for name in ("customer_id", "as_of") if name in left and name in right]
        if "as_of" in keys:
            assert left["as_of"].dtype == right["as_of"].dtype, (one, other)
        found = left.merge(right, on=keys) if keys else left
        known = {"features", "scores", "list"}
        assert not {one, other} <= known or len(found) == min(len(left), len(right)), (one, other)


def test_a_loaded_model_scores_as_its_uri_does(trained, source, place):
    loaded = churnml.load_model("models:/churn/1")
    assert (loaded.task, loaded.version) == ("churn", "churn/1")
    both = [
        churnml.score(source, AS_OF, out=place / f"by_{number}", churn_model=one)
        for number, one in enumerate((loaded, "models:/churn/1"))
    ]
    assert both[0].parts == both[1].parts


def test_a_model_of_memory_is_exported_with_its_version(trained, place):
    done = churnml.export(churnml.load_model("models:/churn/1"), place / "copy", note=["a test"])
    assert done.to_dict()["model"] == "churn/1"
    assert churnml.load_model(place / "copy").version == "churn/1"


@pytest.mark.slow
def test_tables_are_checked_once_and_a_path_is_taken_like_a_source(operator, place):
    fresh = churnml.open_source(operator)
    first = churnml.validate(fresh)
    assert churnml.validate(fresh) is first
    churnml.train(fresh, "churn", config=QUICK, track=False, out=place / "once")
    churnml.evaluate(str(place / "once"), fresh, as_of="2026-04-01")
    assert list(fresh.checks.values()) == [first]
    churnml.train(operator, "churn", config=QUICK, track=False, out=place / "by_path")
    digests = {churnml.load_model(place / one).digest for one in ("by_path", "once")}
    assert len(digests) == 1
    rates = [churnml.label_sensitivity(one) for one in (operator, fresh)]
    pd.testing.assert_frame_equal(*rates)


def test_a_mapping_goes_with_a_location(source, tmp_path):
    with pytest.raises(UsageError, match="this one is open"):
        churnml.validate(source, mapping=tmp_path / "source.yaml")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda at: churnml.train(at, "churn", scale="1:5"), "are for a table of your own"),
        (lambda at: churnml.train(at, "churn", id="id"), "needs --target"),
        (lambda at: churnml.train(at, "hazard", id="id", target="y"), "not from a table"),
        (lambda at: churnml.train(at, "leaving"), "Unknown task 'leaving'"),
        (lambda at: churnml.train(at, "churn", track=False), "keeps no model"),
        (lambda at: churnml.evaluate(at, at), "need --as-of"),
        (lambda at: churnml.score(at, out="out"), "need --as-of"),
        (lambda at: churnml.score(at, "soon", out="out"), "not a date"),
        (lambda at: churnml.score(at, AS_OF, out="out", sheet="a"), "are for a table"),
        (lambda at: churnml.backtest(at, "hazard"), "No backtest of 'hazard'"),
    ],
)
def test_options_that_do_not_belong_together_are_told(operator, call, message):
    with pytest.raises(UsageError, match=message) as refused:
        call(operator)
    assert refused.value.status == 2


def test_where_no_store_is_none_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for ask in (churnml.promote, churnml.rollback, churnml.history):
        with pytest.raises(ModelError, match="no model store"):
            ask("churn")
    assert list(tmp_path.iterdir()) == []


def test_scores_of_a_frame_bear_its_ids(customers, model, tmp_path):
    made = churnml.score(customers, id="id", out=tmp_path / "out", churn_model=model)
    ids = pq.read_table(tmp_path / "out" / made.parts[0].name)["customer_id"].to_pylist()
    assert ids == customers["id"].astype(str).tolist()


@pytest.mark.parametrize("inside", ["bills/x", "usage/deep/x", "Bills.parquet/x"])
def test_no_output_takes_the_name_of_a_table_however_deep(operator, model, inside):
    with pytest.raises(OutputError, match="lies in what has the name of a table"):
        churnml.validate(operator, quarantine=operator / inside)
    assert not (operator / inside).parent.is_dir()


def test_no_scores_land_in_the_model(customers, model):
    with pytest.raises(OutputError, match="itself an input"):
        churnml.score(customers, id="id", out=f"{model}/scores", churn_model=model)
    assert churnml.load_model(model).task == "churn"


@pytest.mark.parametrize(
    ("scale", "problem"),
    [
        ({"good": 100, "fair": 50, "bad": 150}, "'bad=150' is not a word with a score"),
        ({"good": 500, "bad": 0}, "'good=500'"),
        ({"good": None, "bad": 0}, "'good=None'"),
        ({"good": 1, "bad": 1}, "two different scores"),
        ((1,), "the worst and the best score expected"),
        (5, "the worst and the best score expected"),
    ],
)
def test_a_scale_given_as_python_is_held_to_the_same_rules(customers, scale, problem):
    rows = customers.assign(word=["good", "bad"] * (len(customers) // 2))
    with pytest.raises(UsageError, match=problem):
        churnml.train(
            rows, "satisfaction", id="id", target="word", scale=scale, track=False, out="m"
        )


def test_words_with_scores_as_python_mean_what_the_text_means(customers, place):
    rows = customers.assign(word=["good", "bad"] * (len(customers) // 2)).drop(columns="left")
    digests = []
    for at, scale in enumerate(({"Good": 100, "bad": 0.0}, "good=100,bad=0")):
        out = place / f"words{at}"
        config = {"satisfaction": {"folds": 2, "repeats": 1, "max_rounds": 5}}
        churnml.train(
            rows,
            "satisfaction",
            id="id",
            target="word",
            scale=scale,
            config=config,
            track=False,
            out=out,
        )
        digests.append([path.read_bytes() for path in sorted((out / "boosters").iterdir())])
    assert digests[0] == digests[1]


def test_one_text_is_one_name_and_one_note(customers, model, place):
    with pytest.raises(UsageError, match="--drop 'tenure and fee'"):
        churnml.train(
            customers, "churn", id="id", target="left", drop="tenure and fee", track=False, out="m"
        )
    churnml.export(model, place / "noted", note="Only for tests.")
    assert "\n- Only for tests.\n" in (place / "noted" / "MODEL_CARD.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("task", "option", "problem"),
    [
        ("churn", {"scale": "1:10"}, "--scale is for satisfaction"),
        ("satisfaction", {"positive": "1"}, "--positive is for churn"),
        ("churn", {"name": "churn"}, "what models of operator tables are called"),
    ],
)
def test_options_of_the_other_task_are_refused(customers, task, option, problem):
    with pytest.raises(UsageError, match=problem):
        churnml.train(customers, task, id="id", target="left", track=False, out="m", **option)


@pytest.mark.parametrize("reasons", [True, 1.5, "3", -1])
def test_reasons_are_counted(customers, model, reasons):
    with pytest.raises(UsageError, match="a whole number"):
        churnml.score(customers, id="id", out="o", churn_model=model, reasons=reasons)


@pytest.mark.parametrize("months", [0, "2", 1.5, True])
def test_months_of_a_backtest_are_counted(source, months):
    with pytest.raises(UsageError, match="a whole number"):
        churnml.backtest(source, "churn", months=months)


def test_settings_may_be_a_file_or_a_mapping(customers, model, place):
    (place / "s.yaml").write_text("scoring: {reasons: 1}\n")
    for at, config in enumerate((str(place / "s.yaml"), {"scoring": {"reasons": 1}})):
        out = place / f"config{at}"
        made = churnml.score(customers, id="id", out=out, churn_model=model, config=config)
        assert made.to_pandas()["reasons"].map(len).eq(1).all()
    with pytest.raises(UsageError, match=r"scoring.reason\b"):
        churnml.validate(customers, {"scoring": {"reason": 1}})
    with pytest.raises(UsageError, match="config is a int"):
        churnml.score(customers, id="id", out="o", churn_model=model, config=5)


def test_categories_of_polars_are_texts(customers, model, tmp_path):
    coded = pl.from_pandas(customers).with_columns(pl.col("plan").cast(pl.Categorical))
    plain = churnml.score(customers, id="id", out=tmp_path / "a", churn_model=model)
    made = churnml.score(coded, id="id", out=tmp_path / "b", churn_model=model)
    assert [part.sha256 for part in made.parts] == [part.sha256 for part in plain.parts]


def test_an_evaluation_prints_what_the_training_has_seen(customers, model):
    found = churnml.evaluate(model, customers, id="id", target="left")
    assert "trained on these very rows" in repr(found)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "+08:00", "America/New_York", "UTC"])
def test_midnight_of_a_zone_is_that_day(customers, place, zone):
    days = pd.to_datetime("2024-03-10") + pd.to_timedelta(customers["tenure"] * 11, unit="D")
    made = {}
    for kind, joined in (("plain", days.dt.date), ("zoned", days.dt.tz_localize(zone))):
        out = place / f"{kind}{zone[:3].strip('+')}"
        rows = customers.assign(joined=joined)
        churnml.train(rows, "churn", id="id", target="left", config=QUICK, track=False, out=out)
        made[kind] = [path.read_bytes() for path in sorted((out / "boosters").iterdir())]
    assert made["plain"] == made["zoned"]


def test_features_more_than_a_month_old_are_refused(source):
    with pytest.raises(DataError, match=r"the last bill before 2030-06-01 is of 2026-"):
        churnml.build_features(source, "2030-06-01")


DATED = sorted(
    name
    for name in churnml.__all__
    if inspect.isfunction(verb := getattr(churnml, name))
    and "as_of" in inspect.signature(verb).parameters
)
_MORE = {
    "build_dataset": {"task": "churn"},
    "evaluate": {"model": "models:/churn/1"},
    "plan_retention": {"budget": 100.0, "out": "plan"},
    "report": {"out": "late.html"},
    "run": {"out": "late"},
    "score": {"out": "late-scores", "churn_model": "models:/churn/1"},
}


@pytest.mark.parametrize("name", DATED)
def test_every_verb_takes_dates_of_every_kind_and_means_the_same_day(name, trained, source):
    """Each refuses a day long after the data, in words that name the day."""
    verb = getattr(churnml, name)
    first = "data" if "data" in inspect.signature(verb).parameters else "source"
    given = _MORE.get(name, {}) | {first: source}
    said = set()
    zoned = pd.Timestamp("2030-06-01", tz="Asia/Shanghai")
    for day in ("2030-06-01", np.datetime64("2030-06-01", "ns"), zoned):
        try:
            said.add(f"{verb(as_of=day, **given).as_of}")
        except DataError as error:
            said.add(str(error))
    assert len(said) == 1
    assert "2030-06-01" in said.pop()
    for strange in (pd.Period("2026-06", "M"), np.datetime64("NaT"), 20260601):
        with pytest.raises(UsageError, match=r"as_of is an? \w+.*; a date or text"):
            verb(as_of=strange, **given)
