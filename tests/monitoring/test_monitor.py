"""The whole way of a monitoring, from Python and from the command line."""

import json
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import churnml
from churnml.base.dates import add_months
from churnml.cli import main
from churnml.errors import OutputError
from churnml.models.histograms import ScoringRecord
from tests.monitoring.conftest import last_day, learned, learned_satisfaction

SETTINGS = {"scoring": {"batch_rows": 300}}


@pytest.fixture(scope="module")
def operator(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("monitored") / "operator"
    churnml.simulate(folder, customers=900, months=15, seed=4)
    return folder


@pytest.fixture(scope="module")
def end(operator) -> date:
    return last_day(operator)


@pytest.fixture(scope="module")
def model(operator, end, tmp_path_factory) -> str:
    days = [add_months(end, -back) for back in (8, 7, 6)]
    return learned(operator, days, tmp_path_factory.mktemp("model") / "churn")


@pytest.fixture(scope="module")
def satisfaction_model(operator, end, tmp_path_factory) -> str:
    days = [add_months(end, -back) for back in (8, 7, 6)]
    return learned_satisfaction(operator, days, tmp_path_factory.mktemp("asked") / "satisfaction")


@pytest.fixture(scope="module")
def scored(operator, model, end, tmp_path_factory) -> Path:
    """A folder of scorings, with the month before the last."""
    place = tmp_path_factory.mktemp("scorings")
    day = add_months(end, -4)
    churnml.score(operator, day, out=place / "one", churn_model=model, reasons=0, config=SETTINGS)
    return place


@pytest.fixture(scope="module")
def found(operator, model, satisfaction_model, scored, end, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "monitor"
    options = {"churn_model": model, "scores": [scored], "out": out, "config": SETTINGS}
    options["satisfaction_model"] = satisfaction_model
    return churnml.monitor(operator, as_of=end, months=6, **options)


def test_a_scoring_keeps_histograms_beside_its_manifest(scored, end):
    content = (scored / "one" / "_histograms.json").read_bytes()
    record = ScoringRecord.from_bytes(content)
    assert record.as_of == str(add_months(end, -4))
    assert record.models["churn"].learned_until == str(add_months(end, -4))
    ids = pd.read_parquet(scored / "one")["customer_id"]
    assert record.rows == len(ids)
    assert not any(one in content.decode() for one in ids)
    # A reader of the folder sees the scores alone, and the manifest knows of the file.
    churnml.scoring.Manifest.read(scored / "one").verify()


def test_each_month_is_read_or_scored_by_a_model_that_had_not_learned_from_it(found, scored, end):
    months = found.to_dict()["months"]
    assert [one["as_of"] for one in months] == [str(add_months(end, -b)) for b in range(5, -1, -1)]
    # The labels of the last training date reach to four months before the end.
    assert [one["origin"] for one in months] == [None, "scored", *["replayed"] * 4]
    assert months[0]["rows"] is None
    assert months[0]["realised"] is None
    scores = pd.read_parquet(scored / "one")
    assert months[1]["rows"] == len(scores)
    assert months[1]["scored_mean"] == pytest.approx(scores["churn_probability"].mean(), abs=1e-5)


def test_a_replay_gives_what_a_scoring_would(found, operator, model, end, tmp_path):
    day = add_months(end, -3)
    churnml.score(operator, day, out=tmp_path / "s", churn_model=model, reasons=0, config=SETTINGS)
    kept = ScoringRecord.from_bytes((tmp_path / "s" / "_histograms.json").read_bytes())
    again = next(month for month in found.months if month.as_of == day)
    assert again.rows == kept.rows
    assert again.histograms == kept.models["churn"]


def test_realised_figures_are_those_of_the_labels(found, scored, operator, end):
    day = add_months(end, -4)
    fared = next(one for one in found.months if one.as_of == day).realised
    scores = pd.read_parquet(scored / "one")[["customer_id", "churn_probability"]]
    labels = churnml.build_dataset(churnml.open_source(operator), "churn", day)
    left = pd.DataFrame({"customer_id": labels.groups, "left": labels.y})
    offers = pd.read_parquet(operator / "offers.parquet")
    made = offers[
        (offers["arm"] == "treatment")
        & (offers["offered_at"] >= pd.Timestamp(day))
        & (offers["offered_at"] < pd.Timestamp(add_months(day, 2)))
    ]
    both = scores.merge(left, on="customer_id")
    kept = both[~both["customer_id"].isin(made["customer_id"])]
    assert (fared.rows, fared.left) == (len(kept), kept["left"].sum())
    assert fared.predicted == pytest.approx(kept["churn_probability"].mean())
    pairs = kept.loc[kept["left"] == 1, "churn_probability"].to_numpy()[:, None]
    others = kept.loc[kept["left"] == 0, "churn_probability"].to_numpy()[None]
    assert fared.auc == pytest.approx(((pairs > others) + 0.5 * (pairs == others)).mean())


def test_satisfaction_is_held_against_the_answers_that_came_after(found, operator, end):
    months = [one["satisfaction"] for one in found.to_dict()["months"]]
    # Scored with churn alone, or not at all: the satisfaction model scores them again.
    assert [one["origin"] for one in months] == [None, *["replayed"] * 5]
    day = add_months(end, -4)
    month = next(one for one in found.months if one.as_of == day).satisfaction
    fared = month.answered
    labels = churnml.build_dataset(churnml.open_source(operator), "satisfaction", day)
    assert fared.answers == len(labels) >= 10
    assert fared.mean == pytest.approx(labels.y.mean())
    assert fared.off == pytest.approx(fared.mean - fared.predicted)
    assert fared.low < fared.off < fared.high
    assert 0 < fared.error < 40
    last = months[-1]
    assert last["realised"] is None
    assert date.fromisoformat(last["known_from"]) >= add_months(end, 2)
    (told,) = [note for note in found.to_dict()["notes"] if "of answers are reported" in note]
    assert f"cannot be known before {last['known_from']}" in told
    for lang, word in (("en", "answers, mean"), ("zh", "份答卷，平均")):
        page = (Path(found.folder) / f"monitor{'.zh' * (lang == 'zh')}.html").read_text()
        assert word in found.last_answers(lang)
        assert found.last_answers(lang) in page


def test_answers_that_are_not_as_predicted_are_told_of(
    planted, operator, model, satisfaction_model, end
):
    """Whoever answers gives two points of ten fewer, from seven months before the end on."""

    def lower(surveys: pd.DataFrame, late: pd.Series) -> None:
        least = surveys.loc[late, "scale_min"]
        surveys.loc[late, "score"] = (surveys.loc[late, "score"] - 3).clip(lower=least)

    worse = planted(operator, "surveys", lower, add_months(end, -6), time="sent_at")
    options = {"churn_model": model, "satisfaction_model": satisfaction_model}
    found = churnml.monitor(worse, as_of=end, months=6, config=SETTINGS, **options)
    told = [one for month in found.months for one in month.alarms if "level" in one.measure]
    assert told
    assert "was predicted" in told[-1].what_to_do("en")
    assert "重新训练满意度模型" in "".join(one.what_to_do("zh") for one in told)


def test_what_cannot_be_known_yet_is_said_with_its_date(found, end):
    last = found.to_dict()["months"][-1]
    assert last["realised"] is None
    assert date.fromisoformat(last["known_from"]) >= add_months(end, 2)
    assert f"cannot be known before {last['known_from']}" in found.verdict()
    assert f"{last['known_from']} 之前无法知道" in found.verdict("zh")


def test_the_folder_has_two_pages_and_the_numbers(found, operator):
    folder = Path(found.folder)
    assert {path.name for path in folder.iterdir()} == {
        "monitor.html",
        "monitor.zh.html",
        "monitor.json",
        "months.parquet",
        "inputs.parquet",
        "alarms.parquet",
    }
    assert json.loads((folder / "monitor.json").read_text())["months"] == found.to_dict()["months"]
    assert len(pd.read_parquet(folder / "months.parquet")) == 6
    english, chinese = ((folder / n).read_text() for n in ("monitor.html", "monitor.zh.html"))
    for page in (english, chinese):
        assert "http" not in page.replace("http://www.w3.org", "")
        assert "<script" not in page
    assert found.verdict("zh") in chinese
    customers = pd.read_parquet(operator / "customers.parquet")["customer_id"]
    assert not any(one in english for one in customers.unique()[:200])
    with pytest.raises(OutputError, match="already exists"):
        churnml.monitor(operator, as_of=found.as_of, out=folder, churn_model=found.model)


def test_a_changed_unit_is_told_of_to_act_on_and_somebody_is_told(
    planted, operator, model, end, tmp_path, capfd
):
    """Fen instead of yuan, from two months of bills on."""

    def fen(bills: pd.DataFrame, late: pd.Series) -> None:
        for name in ("amount", "voice", "data", "sms", "value_added"):
            bills.loc[late, name] *= 100

    broken = planted(operator, "bills", fen, add_months(end, -3))
    heard = tmp_path / "heard.json"
    writes = (
        f"import sys, pathlib; pathlib.Path({str(heard)!r}).write_bytes(sys.stdin.buffer.read())"
    )
    config = tmp_path / "config.yaml"
    command = json.dumps([sys.executable, "-c", writes])
    config.write_text(f"monitor: {{command: {command}}}\n")
    options = ["--months", "4", "--churn-model", model, "--config", str(config), "--json"]
    with pytest.raises(SystemExit) as left:
        main(["monitor", str(broken), "--as-of", str(end), *options])
    assert left.value.code == 6
    printed = capfd.readouterr()
    (line,) = printed.out.splitlines()
    told = json.loads(line)
    assert told["error"]["status"] == 6
    alarms = told["months"][-1]["alarms"]
    (bills,) = [one for one in alarms if one["measure"] == "inputs.bills"]
    assert bills["level"] == "act"
    assert "unit" in bills["what_to_do"]
    assert not [one for one in told["months"][0]["alarms"] if one["measure"] == "inputs.bills"]
    assert json.loads(heard.read_text())["alarms"] == alarms
