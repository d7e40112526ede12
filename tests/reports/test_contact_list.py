"""A list of customers: the riskiest first, flat, in sentences, and nobody else's to read."""

import re
import stat

import openpyxl
import pandas as pd
import pytest

import churnml
from churnml.errors import DataError, ModelError, OutputError, UsageError
from tests.reports.conftest import write_scores


def read(path):
    return pd.read_csv(path, dtype={"customer_id": str}, encoding="utf-8-sig")


def test_one_flat_row_a_customer_the_riskiest_first(scores, tmp_path):
    made = churnml.contact_list(scores, out=tmp_path / "l.csv")
    rows = read(tmp_path / "l.csv")
    assert made.rows == 6
    assert rows.columns.tolist() == made.columns
    # Formulas are escaped; customers of equal risk follow their ids.
    assert rows["customer_id"].tolist() == ["0008", "0011", "'=1+1", "0007", "0009", "0012"]
    first = rows.iloc[0]
    assert first["value_at_risk"] == 0.6 * 700 * 12
    assert first["churn_reason_1"] == (
        "Mean download speed, mean of 3 months: 3.5 Mbit/s; raises the risk of leaving"
    )
    assert first["churn_reason_3"].endswith("lowers the risk of leaving")
    assert first["satisfaction_reason_1"].endswith("lowers satisfaction")
    assert first["driver"] == "network"
    assert first["action"].startswith("Check coverage")
    # Nothing raises this customer's risk: what lowers satisfaction says what to do.
    assert rows["driver"].tolist()[3] == "service_window"
    # A survey's score and its age are one reason.
    assert rows["churn_reason_1"][2].startswith("Last survey score 40 of 100, 63 days ago")
    assert rows["churn_reason_2"][2].startswith("Mean monthly bill")


def test_brands_of_one_s_own_are_called_what_the_settings_say(scores, tmp_path):
    brands = {"names": ["red"], "words": {"red": {"en": "Red Unlimited", "zh": "红卡"}}}
    for lang, said in (("en", "Brand: Red Unlimited;"), ("zh", "品牌：红卡，")):
        out = tmp_path / f"{lang}.parquet"
        made = churnml.contact_list(scores, out=out, lang=lang, config={"brands": brands})
        rows = made.to_pandas().set_index("customer_id")
        assert rows.loc["0009", "churn_reason_2"].startswith(said)


def test_bands_say_what_they_mean(scores, tmp_path):
    made = churnml.contact_list(scores, out=tmp_path / "l.csv", band=["critical"])
    assert made.rows == 2
    assert [(one.name, one.customers) for one in made.bands] == [
        ("critical", 2),
        ("high", 1),
        ("medium", 1),
        ("low", 2),
    ]
    assert made.bands[0].churn_probability == pytest.approx(0.6)
    assert made.to_dict()["bands"][3]["customers"] == 2
    assert "critical" in made._repr_html_()
    assert made.to_pandas()["customer_id"].tolist() == ["0008", "0011"]


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({"top": 2}, ["0008", "0011"]),
        ({"where": "value_at_risk > 500"}, ["0008", "'=1+1"]),
        ({"where": "driver = 'network' or arpu is null"}, ["0008", "0009"]),
        ({"where": "satisfaction < 90", "band": ["low"]}, []),
        ({"where": "group_tier = 'A'", "top": 1}, ["0008"]),
        ({"where": "customer_id like '001%'"}, ["0011", "0012"]),
    ],
)
def test_chosen_customers(scores, tmp_path, given, ids):
    made = churnml.contact_list(scores, out=tmp_path / "l.csv", **given)
    assert made.rows == len(ids)
    assert read(tmp_path / "l.csv")["customer_id"].tolist() == ids


def test_chinese_in_a_workbook_that_can_be_sorted(scores, tmp_path):
    churnml.contact_list(scores, out=tmp_path / "l.xlsx", lang="zh")
    sheet = openpyxl.load_workbook(tmp_path / "l.xlsx").active
    head = [cell.value for cell in sheet[1]]
    assert head[:2] == ["客户编号", "评分日期"]
    assert all(cell.font.bold for cell in sheet[1])
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, len(head)).column_letter}7"
    row = dict(zip(head, [cell.value for cell in sheet[2]], strict=True))
    assert row["客户编号"] == "0008"
    assert row["风险等级"] == "极高"
    assert row["个人客户等级"] == "银卡"
    assert row["离网原因1"] == "近3个月平均下载速率：3.5 Mbit/s，离网风险上升"
    assert row["建议措施"] == "核查客户所在地的网络覆盖和速率，并回访告知结果。"
    widths = [sheet.column_dimensions[cell.column_letter].width for cell in sheet[1]]
    assert min(widths) > 5
    assert max(widths) <= 60


def test_parquet_keeps_names_and_the_same_scores_give_the_same_bytes(scores, tmp_path):
    for name in ("a.parquet", "b.parquet", "a.xlsx", "b.xlsx"):
        churnml.contact_list(scores, out=tmp_path / name, lang="zh")
    rows = pd.read_parquet(tmp_path / "a.parquet")
    assert rows["customer_id"].tolist()[2] == "=1+1"
    assert {"churn_probability", "churn_reason_3", "action"} <= set(rows.columns)
    for suffix in (".parquet", ".xlsx"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_only_its_owner_may_read_it_and_nothing_is_replaced_unasked(scores, tmp_path, suffix):
    out = tmp_path / f"l.{suffix}"
    churnml.contact_list(scores, out=out, top=1)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    before = out.read_bytes()
    with pytest.raises(OutputError, match="already exists"):
        churnml.contact_list(scores, out=out)
    assert out.read_bytes() == before
    assert churnml.contact_list(scores, out=out, overwrite=True).rows == 6
    strange = tmp_path / f"mine.{suffix}"
    strange.write_text("mine")
    with pytest.raises(OutputError, match="not a list of customers"):
        churnml.contact_list(scores, out=strange, overwrite=True)
    assert strange.read_text() == "mine"


def test_satisfaction_alone_is_listed_from_the_least_satisfied(tmp_path):
    names = ("customer_id", "as_of", "satisfaction", "reasons", "satisfaction_model")
    folder = write_scores(tmp_path / "s", names=names)
    churnml.contact_list(folder, out=tmp_path / "l.csv")
    rows = read(tmp_path / "l.csv")
    assert rows["satisfaction"].is_monotonic_increasing
    assert "satisfaction_reason_1" in rows
    assert "churn_reason_1" not in rows
    with pytest.raises(ModelError, match="no risk bands"):
        churnml.contact_list(folder, out=tmp_path / "m.csv", band=["low"])


def test_accounts_for_their_managers(operator, tmp_path):
    folder = write_scores(tmp_path / "scores", source=str(operator))
    made = churnml.contact_list(folder, out=tmp_path / "a.csv", accounts=True)
    rows = pd.read_csv(tmp_path / "a.csv", encoding="utf-8-sig")
    assert made.rows == 2
    assert rows["group_id"].tolist() == ["g1", "g2"]
    first = rows.iloc[0]
    assert (first["sector"], first["handsets"], first["members"]) == ("bank", 600, 2)
    assert (first["members_at_risk"], first["leavers_expected"]) == (2, 0.9)
    assert first["arpu"] == 2300
    assert first["value_at_risk"] == pytest.approx(12 * (0.6 * 700 + 0.3 * 1600))
    assert first["satisfaction"] == pytest.approx((55 + 60) / 2)
    assert rows["group_tier"].tolist() == ["A", "B"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"lang": "fr"}, "--lang fr: en or zh expected"),
        ({"top": 0}, "--top 0: 1 or more expected"),
        ({"band": ["severe"]}, "--band severe: no such band"),
        ({"where": "arpu > 'x'"}, "--where"),
        ({"out": "l.txt"}, "one of .parquet, .csv, .xlsx expected"),
        ({"out": "l"}, "no suffix"),
    ],
)
def test_options_that_do_not_fit(scores, tmp_path, given, problem):
    out = tmp_path / given.pop("out", "l.csv")
    with pytest.raises(UsageError, match=re.escape(problem)):
        churnml.contact_list(scores, out=out, **given)
    assert not out.exists()


def test_scores_that_are_no_result_or_were_changed(scores, tmp_path):
    with pytest.raises(OutputError, match="not a result"):
        churnml.contact_list(tmp_path, out=tmp_path / "l.csv")
    part = scores / "part-00000.parquet"
    part.write_bytes(part.read_bytes() + b"x")
    with pytest.raises(OutputError, match="was changed"):
        churnml.contact_list(scores, out=tmp_path / "l.csv")
    assert not (tmp_path / "l.csv").exists()


def test_a_list_never_lands_in_the_scores(scores):
    with pytest.raises(OutputError, match="itself an input"):
        churnml.contact_list(scores, out=scores / "l.csv")


def test_accounts_need_the_tables(scores, operator, tmp_path):
    with pytest.raises(DataError, match="op: there is no such folder"):
        churnml.contact_list(scores, out=tmp_path / "a.csv", accounts=True)
    (operator / "groups.parquet").unlink()
    folder = write_scores(tmp_path / "again", source=str(operator))
    with pytest.raises(DataError, match="no account is known"):
        churnml.contact_list(folder, out=tmp_path / "a.csv", accounts=True)
