"""What a record of complaints says of an operator written by hand."""

import datetime as dt
import re
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import churnml
from churnml.errors import DataError, OutputError, UsageError
from churnml.features import build_features
from tests.service.complaints.conftest import at, complaint

AS_OF = "2026-06-01"


@pytest.fixture(scope="module")
def operator(write, rows, tmp_path_factory):
    return write(tmp_path_factory.mktemp("operator") / "tables", rows)


@pytest.fixture(scope="module")
def made(operator, tmp_path_factory):
    place = tmp_path_factory.mktemp("made")
    found = churnml.complaint_record(
        operator, as_of=AS_OF, months=5, out=place / "record", coded=place / "coded.parquet"
    )
    return found, place


def frame(place, name):
    return pq.read_table(place / "record" / f"{name}.parquet").to_pandas()


def test_the_columns_are_those_of_the_contract(made):
    _found, place = made
    columns = {path.stem: pq.read_schema(path).names for path in (place / "record").iterdir()}
    assert columns == {
        "categories": [
            "by", "cell", "month", "category", "count", "per_1000", "low", "high", "coder"],
        "quality": ["by", "cell", "month", "measure", "value", "low", "high", "n"],
        "open": ["by", "cell", "count", "oldest_days", "median_days"],
        "for_a_person": ["complaint_id", "customer_id", "text"],
    }  # fmt: skip
    assert pq.read_schema(place / "coded.parquet").names == [
        "complaint_id", "category", "subcategory", "coder", "confidence", "known_at"]  # fmt: skip


def test_every_complaint_is_coded_by_what_the_operator_says(made, rows):
    _found, place = made
    coded = pq.read_table(place / "coded.parquet").to_pandas().set_index("complaint_id")
    assert len(coded) == len(rows)
    for row in rows:
        got = coded.loc[row["complaint_id"]]
        if row["category"]:
            expected = ("network", "weak_signal", "code")
        elif row["code"] == "TAR-092":
            expected = ("service_window", "wrong_advice", "code")
        elif row["code"]:
            expected = ("tariff", "unclear_charge", "code")
        else:
            expected = (None, None, "none")
        values = [got[name] for name in ("category", "subcategory", "coder")]
        assert tuple(None if pd.isna(one) else one for one in values) == expected
        assert got["known_at"] == row["known_at"]


def test_counts_of_the_whole_are_those_of_the_rows(made, rows):
    found, place = made
    coded = pq.read_table(place / "coded.parquet").to_pandas()
    opened = pd.Series({row["complaint_id"]: row["opened_at"] for row in rows})
    coded["month"] = coded["complaint_id"].map(opened).dt.to_period("M").dt.start_time.dt.date
    coded["category"] = coded["category"].fillna("unclassified")
    expected = coded.groupby(["month", "category", "coder"]).size()
    shown = found.categories.query("by == ''").dropna(subset=["count"])
    assert len(shown) > 0
    for row in shown.to_dict("records"):
        count = expected[row["month"], row["category"], row["coder"]]
        assert row["count"] == count >= 10
        assert row["per_1000"] == pytest.approx(1000 * count / 400)
        assert row["low"] < row["per_1000"] < row["high"]
    assert found.complaints == len(rows)
    assert sum(found.coders.values()) == len(rows)
    assert found.coders["text"] == 0


def test_what_is_for_a_person_has_no_name_and_no_number(made, rows):
    _found, place = made
    shown = frame(place, "for_a_person")
    bare = {row["complaint_id"] for row in rows if row["text"]}
    assert set(shown["complaint_id"]) == bare
    for text in shown["text"]:
        assert not re.search(r"\d", text)
        assert "张伟" not in text
        assert "没有办法说清楚" in text


def test_files_of_customers_are_their_owners_alone(made):
    _found, place = made
    for path in (place / "coded.parquet", place / "record" / "for_a_person.parquet"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_mapping_joins_what_was_coded(made, operator, tmp_path):
    _found, place = made
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(f"complaints: {{coded: {place / 'coded.parquet'}}}")
    bare, joined = (
        build_features(churnml.open_source(operator, mapping=one), AS_OF).to_pandas()
        for one in (None, mapping)
    )
    columns = ["complaints_network_count_180d", "complaints_tariff_count_180d",
               "complaints_service_window_count_180d"]  # fmt: skip
    assert bare[columns].sum().tolist() == [100, 0, 0]
    assert joined[columns].sum().tolist() == [100, 50, 50]
    source = churnml.open_source(operator, mapping=mapping)
    again = churnml.complaint_record(source, as_of=AS_OF, months=5)
    assert again.coders == made[0].coders


def test_what_came_later_changes_no_category(write, rows, tmp_path):
    """Each is coded by a model of records known before it."""
    texts = {"network": "没有信号", "tariff": "话费多扣"}
    many = [
        complaint(
            1000 + number,
            f"c{number % 400:03d}",
            at(f"2026-{1 + number % 5:02d}-{1 + number % 27:02d}"),
            text=texts[name] + "急" * (number % 3),
            category=name if number % 4 else None,
        )
        for number in range(1200)
        for name in [("network", "tariff")[(number // 7) % 2]]
    ]
    whole = write(tmp_path / "whole", many)
    coded = {}
    for day in ("2026-05-01", "2026-06-01"):
        churnml.complaint_record(whole, as_of=day, months=2, coded=tmp_path / f"{day}.parquet")
        table = pq.read_table(tmp_path / f"{day}.parquet").to_pandas()
        coded[day] = table.set_index("complaint_id").sort_index()
    early, late = coded.values()
    pd.testing.assert_frame_equal(early, late.loc[early.index])
    assert len(late) > len(early)
    by_text = late[late["coder"] == "text"]
    assert len(by_text) > 100
    truth = {row["complaint_id"]: "network" if "信号" in row["text"] else "tariff" for row in many}
    assert (by_text["category"] == by_text.index.map(truth)).all()
    assert (late["coder"] == "none").any()


def test_measures_of_the_record(write, tmp_path):
    """Twenty of everything, so that nothing is hidden, each fault planted in ten."""
    day = "2026-05-04"
    made = []
    for number in range(20):
        bad, who = number < 10, f"c{number:03d}"
        opened = at(day, minute=number)
        made.append(
            complaint(
                number, who, opened, category="network", text="家里没有信号", severity=None
                if bad else 2, subcategory="weak_signal",
                known_at=opened + dt.timedelta(days=3 if bad else 0, hours=1),
                closed_at=opened + dt.timedelta(days=2),
            )
        )  # fmt: skip
        if bad:
            # The same again within a day, and once more a week after it was closed.
            made.append(complaint(100 + number, who, opened + dt.timedelta(hours=20),
                                  category="network", text="家里没有信号", severity=2,
                                  closed_at=None))  # fmt: skip
            made.append(complaint(200 + number, who, opened + dt.timedelta(days=8, hours=12),
                                  category="network", text="还是老样子", severity=2,
                                  subcategory="weak_signal", closed_at=None))  # fmt: skip
    found = churnml.complaint_record(write(tmp_path / "t", made), as_of=AS_OF, months=1)
    whole = found.quality.query("by == ''").set_index("measure")
    expected = {
        "completeness_text": (40, 40),
        "completeness_subcategory": (30, 40),
        "completeness_channel": (40, 40),
        "completeness_severity": (30, 40),
        "timeliness": (30, 40),
        "unclassified": (0, 40),
        "duplicates": (10, 40),
        "closed_without_result": (10, 20),
        "reversed_times": (0, 40),
        "formal_per_1000": (40_000, 400),
    }
    for measure, (share, n) in expected.items():
        assert whole.loc[measure, "value"] == pytest.approx(share / n), measure
        assert whole.loc[measure, "n"] == n, measure
        assert whole.loc[measure, "low"] <= share / n <= whole.loc[measure, "high"]
    low, high = whole.loc["timeliness", ["low", "high"]]
    assert (round(low, 5), round(high, 5)) == (0.59806, 0.85813)


def test_times_that_run_backwards_are_counted_though_set_aside(write, rows, tmp_path):
    config = churnml.Config.model_validate({"validation": {"set_aside_limit": 1.0}})
    turned = [
        row | {"closed_at": row["opened_at"] - dt.timedelta(days=1)} if number < 60 else row
        for number, row in enumerate(sorted(rows, key=lambda row: row["opened_at"]))
    ]
    found = churnml.complaint_record(
        write(tmp_path / "t", turned), as_of=AS_OF, months=5, config=config
    )
    part = found.quality.query("by == '' and measure == 'reversed_times'")
    assert (part["value"] * part["n"]).sum() == pytest.approx(60)


def test_open_complaints(write, rows, tmp_path):
    rows = [row | {"closed_at": None} if number % 2 else row for number, row in enumerate(rows)]
    rows[0] = rows[0] | {"closed_at": at("2026-01-20"), "reopened_at": at("2026-02-01")}
    found = churnml.complaint_record(write(tmp_path / "t", rows), as_of=AS_OF, months=2)
    ages = [
        (dt.date(2026, 6, 1) - row["opened_at"].date()).days
        for number, row in enumerate(rows) if number % 2 or number == 0
    ]  # fmt: skip
    (whole,) = found.open.query("by == ''").to_dict("records")
    assert (whole["count"], whole["oldest_days"]) == (151, 151)
    assert whole["median_days"] == np.median(ages)
    long = [age for age in ages if age >= 30]
    by_region = found.open[found.open["by"] == "age+region"].set_index("cell")["count"]
    assert set(by_region.index) == {
        f"{age}+{place}" for age in ("long_unsolved", "recent") for place in ("north", "south")
    }
    # One of them is in the north: that the others are not would tell it.
    assert by_region[["long_unsolved+north", "long_unsolved+south"]].isna().all()
    hidden = int(by_region.isna().sum())
    lines = [row for row in found.open_rows() if row[0] == "age+region"]
    assert lines[-1][1:3] == (f"{hidden} cells hidden 隐藏", "<10")
    assert len(lines) == len(by_region) - hidden + 1
    assert found.long_unsolved == {
        "days": 30, "count": len(long), "oldest_days": 151, "median_days": np.median(long),
        "since": "2026-01-01",
    }  # fmt: skip


def test_the_wide_sense_is_told_apart(made, write, rows, tmp_path):
    ids = [f"c{number:03d}" for number in range(40)]
    contacts = pa.table(
        {
            "contact_id": ids, "customer_id": ids, "started_at": [at("2026-05-05")] * 40,
            "channel": ["hall"] * 40, "resolved": [False] * 25 + [True] * 15,
        }
    )  # fmt: skip
    surveys = pa.table(
        {
            "survey_id": ids, "customer_id": ids, "sent_at": [at("2026-05-05")] * 40,
            "answered_at": [at("2026-05-06")] * 40, "score": [4.0] * 15 + [9.0] * 25,
            "scale_min": [0.0] * 40, "scale_max": [10.0] * 40,
        }
    )  # fmt: skip
    appealed = [
        row | {"channel": "申诉"} if row["opened_at"].month == 5 and number % 2 else row
        for number, row in enumerate(rows)
    ]
    folder = write(tmp_path / "t", appealed, contacts=contacts, surveys=surveys)
    found = churnml.complaint_record(folder, as_of=AS_OF, months=1)
    whole = found.quality.query("by == ''").set_index("measure")["value"]
    assert whole["unresolved_contacts_per_1000"] == pytest.approx(62.5)
    assert whole["low_scores_per_1000"] == pytest.approx(37.5)
    assert whole["formal_per_1000"] == pytest.approx(150)
    appeals = sum(row["channel"] == "申诉" for row in appealed)
    assert whole["regulator_per_million"] == pytest.approx(appeals / 400 * 1e6)
    assert found.regulator["complaints"] == appeals
    assert found.regulator["per_million"] == pytest.approx(appeals / 400 * 1e6)
    assert found.regulator["low"] < found.regulator["per_million"] < found.regulator["high"]
    bare, _place = made
    assert bare.regulator["complaints"] is None
    measures = set(bare.quality["measure"])
    assert not measures & {"unresolved_contacts_per_1000", "low_scores_per_1000"}
    assert any("contacts.resolved is absent" in note for note in bare.notes)
    assert any("surveys are absent" in note for note in bare.notes)
    assert any("regulator" in note for note in bare.notes)


def test_a_surge_is_found_where_it_was_planted(made, write, rows, tmp_path):
    extra = [
        complaint(5000 + number, f"c{2 * number:03d}", at("2026-05-15"), category="network")
        for number in range(60)
    ]
    found = churnml.complaint_record(write(tmp_path / "t", [*rows, *extra]), as_of=AS_OF, months=3)
    surges = found.surges[found.surges["surge"].fillna(False).astype(bool)]
    assert set(zip(surges["region"], surges["category"], strict=True)) >= {("", "network")}
    assert set(surges["category"]) == {"network"}
    assert (surges["low"] > 1).all()
    assert any("surges" in sentence for sentence in found.sentences)
    calm, _place = made
    assert not calm.surges["surge"].fillna(False).any()


def test_no_hidden_number_can_be_worked_out(made, rows):
    """By adding up: a hidden place's count follows from no total, and is not alone in any sum."""
    found, _place = made
    cells = found.categories
    keys = ["month", "category", "coder"]
    whole = cells[cells["by"] == ""].set_index(keys)["count"]
    for by in ("region", "channel"):
        for key, part in cells[cells["by"] == by].groupby(keys):
            hidden = part["count"].isna()
            if pd.notna(whole[key]) and hidden.any():
                assert hidden.sum() > 1
                assert whole[key] - part["count"].sum() > 8
            elif pd.isna(whole[key]):
                assert hidden.all()
    assert cells["count"].dropna().min() >= 10
    shown = found.quality["n"].dropna()
    assert shown.min() >= 10


def test_plain_data_says_the_same(made):
    found, place = made
    told = found.to_dict()
    assert len(told["categories"]) == len(frame(place, "categories"))
    assert Counter(row["count"] is None for row in told["categories"])[False] == frame(
        place, "categories")["count"].notna().sum()  # fmt: skip
    html = found._repr_html_()
    assert "network 网络" in html
    assert "长期未解决" in html
    assert "张伟" not in html
    assert found.to_pandas().equals(found.categories)


def test_results_are_replaced_only_when_asked(made, operator):
    _found, place = made
    asked = {"as_of": AS_OF, "months": 5}
    for kind, path in (("out", place / "record"), ("coded", place / "coded.parquet")):
        with pytest.raises(OutputError, match="already exists there"):
            churnml.complaint_record(operator, **asked, **{kind: path})
    before = (place / "coded.parquet").read_bytes()
    churnml.complaint_record(operator, **asked, coded=place / "coded.parquet", overwrite=True)
    assert (place / "coded.parquet").read_bytes() == before
    (place / "mine").mkdir()
    (place / "mine" / "notes.txt").write_text("x")
    with pytest.raises(OutputError, match="not a record of complaints"):
        churnml.complaint_record(operator, **asked, out=place / "mine", overwrite=True)
    with pytest.raises(OutputError, match="input"):
        churnml.complaint_record(operator, **asked, coded=operator / "complaints.parquet")


def test_what_cannot_be_done_is_refused(operator, write, rows, tmp_path):
    with pytest.raises(UsageError, match="months is 0"):
        churnml.complaint_record(operator, as_of=AS_OF, months=0)
    with pytest.raises(UsageError, match="not a date"):
        churnml.complaint_record(operator, as_of="soon")
    folder = write(tmp_path / "none", rows)
    (folder / "complaints.parquet").unlink()
    with pytest.raises(DataError, match="complaints: there is no such table"):
        churnml.complaint_record(folder, as_of=AS_OF)


def test_months_without_a_complaint_and_columns_without_a_value(write, rows, tmp_path):
    few = [row for row in rows if row["opened_at"].month == 2]
    folder = write(tmp_path / "t", few)
    table = pq.read_table(folder / "complaints.parquet")
    bare = table.drop_columns(["subcategory", "channel", "severity", "reopened_at", "known_at"])
    pq.write_table(bare, folder / "complaints.parquet")
    found = churnml.complaint_record(folder, as_of="2026-05-10", months=3)
    assert found.months == ("2026-02-01", "2026-03-01", "2026-04-01")
    assert set(found.to_pandas()["month"].map(str)) == {"2026-02-01"}
    notes = " ".join(found.notes)
    for word in ("subcategory", "channel", "severity", "known_at", "no whole month"):
        assert word in notes
    assert not {"timeliness", "completeness_channel"} & set(found.quality["measure"])


def test_months_in_which_nothing_happened(write, rows, tmp_path):
    early = [row for row in rows if row["opened_at"].month == 1]
    found = churnml.complaint_record(write(tmp_path / "t", early), as_of=AS_OF, months=1)
    assert (found.complaints, found.coders["code"]) == (0, 0)
    assert len(found.categories) == 0
    assert found.open.empty
    assert "<" in found._repr_html_()
    assert found.to_dict()["long_unsolved"]["count"] == 0
