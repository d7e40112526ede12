"""Tables whose rows say which date they stand for, from training to promotion."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

import churnml
from churnml.cli import main
from churnml.datasets.flat import Signature, read_evaluation, read_training
from churnml.errors import DataError, LabelWindowError, ModelError, UsageError

QUICK = churnml.Config.model_validate(
    {
        "churn": {"folds": 2, "repeats": 1, "max_rounds": 15, "horizon": "1mo"},
        "promotion": {"draws": 50, "min_positives": 2},
    }
)
OWN = {"id": "id", "target": "left", "time": "month", "config": QUICK}
LED = {"accept_suspects": True, "config": QUICK}


def rows_of(months, customers=150, seed=0):
    """Customers seen month by month; who was seldom active leaves."""
    random = np.random.default_rng(seed)
    lasting, joined = random.normal(size=customers), random.integers(100, 3000, customers)
    parts = []
    for month in pd.date_range("2025-01-15", periods=months, freq="MS") + pd.Timedelta(days=14):
        active = lasting + random.normal(size=customers) / 2
        part = {"id": [f"c{number}" for number in range(customers)], "month": month.date()}
        part |= {"active": active, "joined": (month - pd.to_timedelta(joined, unit="D")).date}
        part["left"] = (random.random(customers) < 1 / (1 + np.exp(1 + 2 * active))).astype(int)
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def table():
    return rows_of(8)


@pytest.fixture(scope="module")
def place(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("place")
    table.to_csv(folder / "months.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="module")
def trained(place):
    return churnml.train("months.csv", "churn", until="2025-06-15", **OWN | LED, name="own")


def test_the_last_months_are_tested_and_what_they_teach_is_known_by_then(trained):
    # Labels look one month ahead: by 2025-06-15 those of 2025-05-15 are known, no later ones.
    assert trained.dates == {
        "train": ["2025-02-15", "2025-03-15"],
        "test": ["2025-04-15", "2025-05-15"],
        "all": ["2025-02-15", "2025-03-15", "2025-04-15", "2025-05-15"],
    }
    assert trained.rows == {"train": 300, "test": 300, "all": 600}
    assert any("Tested forward in time by 'month'" in note for note in trained.notes)
    origin = churnml.load_model(trained.model_uri).origin
    assert origin.as_of == tuple(trained.dates["all"])
    assert origin.window == ("2025-02-15", "2025-06-15")
    assert (origin.label["time"], origin.label["horizon"]) == ("month", "1mo")


def test_a_rows_dates_are_counted_from_its_own(table, tmp_path):
    table.to_csv(tmp_path / "t.csv", index=False)
    read = read_training(tmp_path / "t.csv", task="churn", target="left", id="id", time="month")
    days = (pd.to_datetime(table["month"]) - pd.to_datetime(table["joined"])).dt.days
    assert read.X["joined"].tolist() == days.tolist()
    assert read.times.tolist() == table["month"].tolist()
    assert "month" not in read.X
    again = read_evaluation(tmp_path / "t.csv", Signature.from_dict(read.signature), id="id")
    pd.testing.assert_frame_equal(again.X, read.X)
    assert again.times.tolist() == read.times.tolist()


def test_the_training_file_scores_each_row_at_its_date(trained, table, place):
    manifest = churnml.score("months.csv", out="scores", id="id", churn_model=trained.model_uri)
    scores = manifest.to_pandas()
    assert scores["customer_id"].tolist() == table["id"].tolist()
    assert scores["as_of"].tolist() == pd.to_datetime(table["month"]).tolist()
    assert manifest.ages["by"] == "row"
    alone = table[table["month"] == table["month"].max()].drop(columns="month")
    dated = churnml.score(
        alone, table["month"].max(), out="alone", id="id", churn_model=trained.model_uri
    ).to_pandas()
    at_last = scores[scores["as_of"] == pd.Timestamp(table["month"].max())]
    assert dated["churn_probability"].tolist() == at_last["churn_probability"].tolist()


def test_a_later_model_meets_the_champion_on_months_that_neither_has_seen(trained, place):
    later = churnml.train("months.csv", "churn", until="2025-07-15", **OWN | LED, name="own")
    assert later.alias == "challenger"
    assert later.dates["train"][-1] == "2025-04-15"
    with pytest.raises(LabelWindowError, match="no month that neither model has learned from"):
        churnml.promote("churn", rows_of(3), name="own", config=QUICK)
    outcome = churnml.promote("churn", name="own", config=QUICK)
    assert outcome.verdict is not None
    assert outcome.verdict.rows == 150 * len(outcome.verdict.months)
    # As tested, it had learned what was known by 2025-05-15.
    assert min(outcome.verdict.months) >= "2025-05-15"
    assert max(outcome.verdict.months) == "2025-09-15"
    assert outcome.event.what in ("promoted", "refused")


@pytest.mark.slow
def test_models_without_dates_have_no_gate_and_the_message_says_what_gives_one(place):
    plain = rows_of(1)
    for _ in range(2):
        churnml.train(plain, "churn", id="id", target="left", **LED, name="plain")
    with pytest.raises(ModelError, match="Train both with --time"):
        churnml.promote("churn", plain, name="plain", config=QUICK)


def test_a_backtest_tests_each_month_by_what_was_known(place, table, capsys):
    found = churnml.backtest(pl.from_pandas(table), "churn", months=2, **OWN)
    assert [len(month.trained) for month in found.months] == [6, 7]
    for month in found.months:
        assert max(month.trained) < month.as_of
        assert month.rows == 150
    (place / "quick.yaml").write_text(json.dumps(QUICK.model_dump(exclude_unset=True)))
    asked = "churn months.csv --id id --target left --time month --months 2 --config quick.yaml"
    with pytest.raises(SystemExit) as ended:
        main(["backtest", *asked.split(), "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out) == found.to_dict()


@pytest.mark.parametrize(
    ("change", "options", "kind", "message"),
    [
        (lambda t: t, {"time": "when"}, UsageError, "--time 'when': .* has no such column"),
        (lambda t: t, {"time": "active"}, UsageError, "--time 'active': dates expected"),
        (lambda t: t, {"time": "id"}, UsageError, "also the id or the group"),
        (lambda t: t, {"time": "left"}, UsageError, "is also the id, the group, the time"),
        (lambda t: pd.concat([t, t.iloc[:3]]), {}, DataError, "3 ids .* of the same date"),
        (lambda t: t[t["month"] == t["month"].min()], {}, LabelWindowError, "1 month of rows"),
        (lambda t: t, {"until": "2025-01-02"}, LabelWindowError, "no month whose labels are"),
        (lambda t: t, {"time": None, "until": "2025-06-01"}, UsageError, "and with --time"),
    ],
)
def test_what_has_no_forward_test_is_refused(table, place, change, options, kind, message):
    with pytest.raises(kind, match=message):
        churnml.train(change(table), "churn", **{**OWN, **options}, track=False, out="none")


def test_rows_without_a_date_are_set_aside(table, place):
    holes = table.assign(month=table["month"].where(table.index != 7))
    made = churnml.train(holes, "churn", **OWN, track=False, out="holes")
    assert made.rows["all"] == len(table) - 1
    assert any("1 row without a date" in note for note in made.notes)
    manifest = churnml.score(holes, out="holes_scores", id="id", churn_model="holes")
    assert (manifest.rows.scored, manifest.rows.quarantined) == (len(table) - 1, 1)
    assert "a date" in manifest.quarantined[0]["reason"]


def test_time_is_not_for_operator_tables(place):
    with pytest.raises(UsageError, match="--time"):
        churnml.train("operator", "churn", time="month")
    with pytest.raises(UsageError, match="needs --target and --time"):
        churnml.backtest("months.csv", "churn", id="id", target="left")
