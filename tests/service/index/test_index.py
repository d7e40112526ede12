"""The verb and its command on a simulated operator: what counts, and what is said."""

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

import churnml
from churnml.cli import main
from churnml.config.settings import Config
from churnml.errors import ChurnmlError, DataError, ModelError, OutputError, UsageError
from churnml.registry.resolve import as_resolved
from churnml.registry.tracking import Data, TrainingRecord, log_training
from churnml.service.index.answers import collect, history
from churnml.service.index.table import COLUMNS
from churnml.service.index.wave import take
from churnml.tables.checked import check

AS_OF = "2026-06-01"
QUICK = Config.model_validate(
    {
        "index": {"fewest_learned": 40, "silent_rows": 1000, "folds": 2},
        "engine": {"threads": 1},
    }
)

PLAIN = QUICK.model_copy(
    update={"index": QUICK.index.model_copy(update={"fewest_learned": 10_000})}
)


@pytest.fixture(scope="module")
def operator(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index") / "operator"
    churnml.simulate(folder, customers=4_500, months=16, seed=5)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """So few months that there is no year before."""
    folder = tmp_path_factory.mktemp("index") / "small"
    churnml.simulate(folder, customers=2_000, months=5, seed=6)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A working folder without a model store."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="module")
def found(operator, place):
    return churnml.satisfaction_index(
        operator, as_of=AS_OF, by=["brand", "tenure_band"], config=QUICK, out=place / "index.csv"
    )


@pytest.fixture(scope="module")
def model():
    """A model that had learned from nothing since March."""
    made = churnml.load_model(Path(__file__).parents[3] / "models" / "satisfaction")
    window = (made.origin.window[0], "2026-03-01")
    return replace(made, origin=replace(made.origin, window=window))


def changed(operator, folder, **tables):
    """The operator with tables changed: each a function of its frame, or None for absent."""
    shutil.copytree(operator, folder, ignore=shutil.ignore_patterns("truth"))
    for name, change in tables.items():
        path = folder / f"{name}.parquet"
        frame = None if change is None else change(pd.read_parquet(path))
        path.unlink()
        if frame is not None:
            frame.to_parquet(path, index=False)
    return folder


def surveys(operator):
    """An oracle: the answers of the window, by hand."""
    rows = pd.read_parquet(operator / "surveys.parquet")
    people = pd.read_parquet(operator / "customers.parquet").sort_values("valid_from")
    people = people[people["valid_from"].astype(str) < AS_OF].groupby("customer_id").tail(1)
    ended = pd.to_datetime(people["terminated_on"])
    there = people[ended.isna() | (ended >= AS_OF)]["customer_id"]
    rows = rows[rows["customer_id"].isin(there) & (rows["known_at"] <= AS_OF)]
    since, until = pd.Timestamp("2026-04-01"), pd.Timestamp(AS_OF)
    given = rows["answered_at"].between(since, until, inclusive="left") & rows["score"].notna()
    return rows[given], len(there)


def test_the_table_is_as_promised(found, place, operator):
    table = found.to_pandas()
    assert tuple(table.columns) == COLUMNS
    whole = table.iloc[0]
    rows, customers = surveys(operator)
    rows = rows[rows["touchpoint"] == "overall"]
    assert whole["customers"] == customers
    assert whole["answers"] == len(rows)
    assert whole["invited"] > whole["answers"] > whole["effective_answers"] > 20
    score = 100 * (rows["score"] - rows["scale_min"]) / (rows["scale_max"] - rows["scale_min"])
    assert whole["survey"] == pytest.approx(score.mean(), abs=5)
    assert whole["index_low"] < whole["index"] < whole["index_high"]
    assert whole["change_month_low"] < whole["change_month_high"]
    assert np.isfinite(whole["change_year"])
    assert whole["answers_needed"] > 300
    assert whole["how"] == "direct"
    brands = table[table["by"] == "brand"]
    assert brands["customers"].sum() <= customers
    assert set(table["how"]) <= {"direct", "pooled", "prediction", "hidden"}
    back = pd.read_csv(place / "index.csv", encoding="utf-8-sig")
    assert tuple(back.columns) == COLUMNS
    assert back["index"].iloc[0] == pytest.approx(whole["index"])


def test_it_shows_itself_and_says_how_it_was_made(found):
    told = found.to_dict()
    assert json.loads(json.dumps(told)) == told
    assert list(told["cells"][0]) == list(COLUMNS)
    assert told["predictions"]["how"] == "cross-fitted"
    sentences = " ".join(told["notes"])
    for said in ("cross-fitted in 2 folds", "no satisfaction model", "touchpoint overall"):
        assert said in sentences
    assert "Weights correct only what columns show" in sentences
    assert "instead of" in sentences
    assert len(told["notes"]) == len(told["notes_zh"])
    assert "<table>" in found._repr_html_()
    assert "answers" in repr(found)
    assert "份" in found.headline("zh")
    assert found.plot("brand").axes
    assert set(told["what_changed"]) == {"month", "year"}
    for one in told["what_changed"].values():
        assert one["mix_low"] < one["mix"] < one["mix_high"]
    assert told["worth"][0]["by"] == ""


@pytest.mark.slow
def test_another_order_of_rows_and_what_became_known_later_change_no_byte(
    operator, place, found, tmp_path
):
    def shuffle(frame):
        return frame.sample(frac=1, random_state=0)

    def late(frame):
        again = frame[frame["answered_at"] >= "2026-04-01"]
        again = again.assign(
            survey_id=again["survey_id"] + "x", known_at=pd.Timestamp("2026-06-02")
        )
        return shuffle(pd.concat([frame, again]))

    other = changed(operator, tmp_path / "other", customers=shuffle, surveys=late)
    churnml.satisfaction_index(
        other, as_of=AS_OF, by=["brand", "tenure_band"], config=QUICK, out=tmp_path / "b.csv"
    )
    assert (tmp_path / "b.csv").read_bytes() == (place / "index.csv").read_bytes()


def wave(folder, day=date(2026, 6, 1), levels=("brand",), model=None):
    """One survey of an operator, without those before it."""
    clean = check(churnml.open_source(folder).until(day), QUICK).accepted()
    loaded = None if model is None else as_resolved(model)
    return take(clean, day, list(levels), loaded, QUICK)


def test_a_model_of_before_the_window_is_used_as_it_is(operator, place, model):
    taken = wave(operator, model=model)
    assert taken.predictions["how"] == "model"
    assert "no answer given since 2026-04-01" in " ".join(note.en for note in taken.notes)


@pytest.mark.slow
def test_a_model_that_may_have_seen_the_answers_is_not(operator, place, model):
    before = wave(operator, date(2026, 4, 1), model=model)
    assert before.predictions["how"] == "cross-fitted"
    assert "may have seen these answers" in " ".join(note.en for note in before.notes)


@pytest.mark.slow
def test_predictions_know_nothing_of_the_answers(operator, place, model, tmp_path):
    """Turned upside down, the window's answers leave everybody's predictions as they were."""

    def turned(frame):
        late = frame["answered_at"] >= pd.Timestamp("2026-04-01")
        other = frame["scale_min"] + frame["scale_max"] - frame["score"]
        return frame.assign(score=frame["score"].where(~late, other))

    other = changed(operator, tmp_path / "other", surveys=turned)
    one, two = (wave(folder, model=model).survey for folder in (operator, other))
    assert one.score.tolist() != two.score.tolist()
    assert np.ptp(one.predictions) > 1
    assert np.array_equal(one.predictions, two.predictions)
    assert np.array_equal(one.held_out, one.predictions[one.place])
    assert np.array_equal(one.weight, two.weight)


def test_an_empty_month_and_another_scale_are_said(operator, place, tmp_path):
    def mend(frame):
        answered = frame["answered_at"]
        gone = answered.between(pd.Timestamp("2026-04-01"), pd.Timestamp("2026-05-01"))
        frame = frame[~gone]
        early = (frame["answered_at"] < "2026-01-01") & (frame["scale_max"] == 10)
        return frame.assign(
            scale_max=frame["scale_max"].where(~early, 5.0),
            score=frame["score"].where(~early, ((frame["score"] + 1) // 2)),
        )

    other = changed(operator, tmp_path / "other", surveys=mend)
    tables = churnml.open_source(other).tables
    day, start = date(2026, 6, 1), date(2026, 4, 1)
    said = collect(tables, day, start, fewest_overall=30).notes + history(tables, day, start)
    told = " ".join(note.en for note in said)
    assert "2026-04: not one answer" in told
    assert "1-5" in told
    assert "before 2026-01" in told
    # Nothing of the kind is said of the operator as it was.
    tables = churnml.open_source(operator).tables
    told = " ".join(
        note.en
        for note in collect(tables, day, start, fewest_overall=30).notes
        + history(tables, day, start)
    )
    assert "not one answer" not in told
    assert "before 2026-01" not in told


def test_answers_dated_before_their_question_are_left_out_and_said(operator, tmp_path):
    def wrong(frame):
        some = frame.index[frame["answered_at"] >= pd.Timestamp("2026-04-10")][:7]
        answered = frame["answered_at"].copy()
        answered[some] = frame.loc[some, "sent_at"] - pd.Timedelta("1h")
        return frame.assign(answered_at=answered)

    other = changed(operator, tmp_path / "other", surveys=wrong)
    day, start = date(2026, 6, 1), date(2026, 4, 1)
    before, after = (
        collect(churnml.open_source(folder).tables, day, start, fewest_overall=10_000)
        for folder in (operator, other)
    )
    assert len(before.rows) - len(after.rows) == 7
    assert any("7 answers are dated before" in note.en for note in after.notes)


def test_other_touchpoints_count_only_where_overall_is_rare(operator):
    tables = churnml.open_source(operator).tables
    day, start = date(2026, 6, 1), date(2026, 4, 1)
    alone, every = (collect(tables, day, start, fewest_overall=fewest) for fewest in (30, 10_000))
    rows, _ = surveys(operator)
    assert len(every.rows) == len(rows)
    assert len(alone.rows) == (rows["touchpoint"] == "overall").sum() >= 30
    assert any("left out" in note.en for note in alone.notes)
    assert any("all touchpoints count" in note.en for note in every.notes)


@pytest.mark.slow
def test_a_hall_renamed_has_no_change_and_it_is_said(small, place, tmp_path):
    def rename(frame):
        last = frame.sort_values("valid_from").groupby("customer_id").tail(1)
        moved = last[last["hall_id"] == last["hall_id"].mode()[0]]
        moved = moved.assign(valid_from=pd.Timestamp("2026-05-10").date(), hall_id="NEW")
        if "known_at" in moved:
            moved = moved.assign(known_at=pd.Timestamp("2026-05-10"))
        return pd.concat([frame, moved])

    other = changed(small, tmp_path / "other", customers=rename)
    found = churnml.satisfaction_index(other, as_of=AS_OF, by="hall_id", config=PLAIN)
    table = found.to_pandas().set_index("cell")
    assert table.loc["NEW", "customers"] > 20
    assert pd.isna(table.loc["NEW", "change_month"])
    assert any("NEW" in note.en and "renamed" in note.en for note in found.notes)
    (year,) = [note for note in found.notes if "No change to the year before" in note.en]
    assert year.en == "No change to the year before: no bills of the month before 2025-06-01."
    assert year.zh == "无法与去年同期比较：2025-06-01之前没有相应账单。"


def run(capfd, *arguments):
    capfd.readouterr()
    with pytest.raises(SystemExit) as left:
        main([str(one) for one in arguments])
    printed = capfd.readouterr()
    assert "Traceback" not in printed.err
    return int(left.value.code or 0), printed.out, printed.err


@pytest.fixture(scope="module")
def short(place):
    path = place / "short.yaml"
    path.write_text("index: {fewest_learned: 10000}\n")
    return path


def test_the_command(small, place, short, capfd):
    asked = ("index", small, "--as-of", AS_OF, "--config", short)
    status, out, _ = run(capfd, *asked, "--by", "brand", "--by", "brand+payment", "--json")
    assert status == 0
    told = json.loads(out)
    assert told["cells"][0]["by"] == ""
    assert {row["by"] for row in told["cells"]} == {"", "brand", "brand+payment"}
    status, out, _ = run(capfd, *asked, "--out", place / "index.xlsx")
    assert status == 0
    assert "all customers" in out
    assert "note: " in out
    status, _, err = run(capfd, *asked, "--out", place / "index.xlsx")
    assert status == 5
    assert "already exists" in err
    book = openpyxl.load_workbook(place / "index.xlsx").worksheets[0]
    assert [cell.value for cell in next(iter(book.rows))] == list(COLUMNS)


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--by", "brandt"), 2, "did you mean brand"),
        (("--by", "brand+colour"), 2, "'colour': customers have no such column"),
        (("--by", "customer_id"), 2, "no such column"),
        (("--out", "index.txt"), 2, "one of .parquet, .csv, .xlsx expected"),
        (("--as-of", "2030-01-01"), 3, "bills.month"),
        (("--satisfaction-model", "models:/nothing@champion"), 4, "no model"),
        (("--satisfaction-model", "nowhere"), 4, "no such model folder"),
    ],
)
def test_what_cannot_be_is_refused_with_its_status(
    small, place, short, capfd, options, status, message
):
    asked = ["index", small, "--as-of", AS_OF, "--config", short, *options]
    found, out, err = run(capfd, *asked)
    assert found == status
    assert message in err
    assert out == ""


def test_without_surveys_or_answers_there_is_no_index(small, place, tmp_path):
    without = changed(small, tmp_path / "without", surveys=None)
    with pytest.raises(DataError, match="surveys: the table is absent"):
        churnml.satisfaction_index(without, as_of=AS_OF, config=QUICK)
    early = changed(
        small,
        tmp_path / "early",
        surveys=lambda frame: frame[frame["sent_at"] < pd.Timestamp("2026-03-10")],
    )
    with pytest.raises(DataError, match="no answer of a customer still there from 2026-04-01"):
        churnml.satisfaction_index(early, as_of=AS_OF, config=QUICK)


def test_a_model_of_something_else_and_a_place_of_the_input_are_refused(
    operator, place, model, tmp_path
):
    with pytest.raises(UsageError, match="no such column"):
        churnml.satisfaction_index(operator, as_of=AS_OF, by="group", config=QUICK)
    with pytest.raises(OutputError, match="input"):
        churnml.satisfaction_index(
            operator, as_of=AS_OF, out=operator / "surveys.parquet", config=QUICK, overwrite=True
        )
    assert len(pd.read_parquet(operator / "surveys.parquet")) > 100
    less = changed(operator, tmp_path / "less", contacts=None)
    with pytest.raises(DataError, match="needs contacts"):
        churnml.satisfaction_index(less, as_of=AS_OF, satisfaction_model=model, config=QUICK)
    with pytest.raises(ModelError):
        churnml.satisfaction_index(operator, as_of=AS_OF, satisfaction_model="none", config=QUICK)


def test_who_pays_is_told_apart_where_it_is_recorded(small, place, tmp_path):
    def paid(frame):
        ids = frame["customer_id"]
        payer = ids.where(ids.rank(method="dense") % 3 > 0, ids.iloc[0])
        return frame.assign(payer_id=payer)

    other = changed(small, tmp_path / "other", customers=paid)
    found = churnml.satisfaction_index(other, as_of=AS_OF, config=PLAIN)
    told = found.to_dict()["payers"]
    assert [group["what"] for group in told] == [
        "Customers who pay for themselves",
        "Customers for whom somebody else pays",
        "Each payer counted once, whatever number of customers it pays for",
        "Each household counted once, whatever its size",
    ]
    assert all(group["index_low"] < group["index"] < group["index_high"] for group in told)
    assert any("pay for themselves" in note.en for note in found.notes)


def test_nothing_is_told_of_fewer_than_ten_people(place, tmp_path):
    churnml.simulate(tmp_path / "tiny", customers=150, months=5, seed=6)
    found = churnml.satisfaction_index(tmp_path / "tiny", as_of=AS_OF, config=PLAIN)
    told = found.to_dict()
    (whole,) = told["cells"]
    assert whole["customers"] > 50
    assert {name for name, value in whole.items() if value is not None} == {
        "by",
        "cell",
        "customers",
        "how",
    }
    assert (told["weights"], told["payers"], told["worth"]) == ({}, [], [])
    assert told["notes"][0] == "Fewer than 10 customers answered: nothing is told of them."
    assert len(told["notes"]) == 2
    assert "hidden" in found.headline()


def test_a_champion_of_another_operator_is_not_taken_unasked(store, satisfaction):
    origin = replace(
        satisfaction.origin, name="satisfaction", kind="operator", places={"region": ("Elsewhere",)}
    )
    model = replace(satisfaction, origin=origin)
    data = Data(name="operator", source="elsewhere", digest="ab" * 32, rows=600, target="score")
    log_training(TrainingRecord(model=model, title="theirs", data=data))
    tables = {
        "customers": pd.DataFrame(
            {
                "customer_id": ["1", "2"],
                "activated_on": ["2020-01-01"] * 2,
                "terminated_on": [None, None],
                "payment": ["prepaid"] * 2,
                "region": ["Here"] * 2,
            }
        ),
        "bills": pd.DataFrame(
            {"customer_id": ["1", "2"], "month": ["2026-05-01"] * 2, "amount": [50.0, 60.0]}
        ),
    }
    with pytest.raises(ModelError, match="knows the regions or halls of only 0%"):
        churnml.satisfaction_index(tables, as_of=AS_OF)
    with pytest.raises(ChurnmlError) as refused:
        churnml.satisfaction_index(tables, as_of=AS_OF, any_source=True)
    assert "regions or halls" not in refused.value.message
