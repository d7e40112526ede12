"""A draft of ten operators' mappings: nine columns in ten right, and none silently wrong."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

import churnml
from churnml.datasets.drafting.lexicon import parse
from churnml.errors import ContractError, DataError, OutputError
from churnml.tables.contract import KNOWN_AT, TABLES

MONEY = {"bills": ["amount", "voice", "data", "sms", "value_added"], "offers": ["cost"]}
MINUTES = ["voice_minutes", "roaming_minutes", "offnet_minutes"]
UNITS = {"fen": 100, "kb": 1024, "gb": 1 / 1024, "sec": 60}


def operators() -> list[dict[str, Any]]:
    """The ten operators of ``operators.yaml``."""
    text = Path(__file__).with_name("operators.yaml").read_text("utf-8")
    return list(YAML(typ="safe").load(text))


def chinese_codes() -> dict[str, dict[str, dict[str, str]]]:
    """The contract's codes in Chinese, from the Chinese example."""
    text = (Path(__file__).parents[3] / "configs/sources/chinese.yaml").read_text("utf-8")
    tables = YAML(typ="safe").load(text)["tables"]
    return {
        name: {
            column: {
                str(ours).lower() if isinstance(ours, bool) else ours: own
                for own, ours in codes.items()
            }
            for column, codes in entry.get("values", {}).items()
        }
        for name, entry in tables.items()
    }


def write(source: Path, operator: dict[str, Any], folder: Path) -> None:
    """Write the tables of a simulated operator as this one keeps them."""
    folder.mkdir()
    how = operator["format"]
    for table, (file, names) in operator["tables"].items():
        frame = pd.read_parquet(source / f"{table}.parquet")
        spec = TABLES[table]
        own = pd.DataFrame(index=frame.index)
        for column in (*spec.columns, KNOWN_AT):
            if column.name in names:
                own[names[column.name]] = _written(frame[column.name], table, column, how, names)
        if operator.get("extra"):
            own["batch_no"] = 7
            own["remark"] = "none"
            own["operator_staff"] = [f"S{at % 40:03d}" for at in range(len(own))]
        if how.get("kind") == "parquet":
            own.to_parquet(folder / file)
        else:
            own.to_csv(
                folder / file,
                index=False,
                encoding=how.get("encoding", "utf-8"),
                sep=how.get("delimiter", ","),
                na_rep=how.get("nulls", ""),
            )
    if operator.get("extra"):
        (folder / "README.txt").write_text("Extracts of June.\nAsk the data office.\n")
        (folder / "notes.docx").write_bytes(b"PK\x03\x04")
        pd.DataFrame({"store_number": ["0001"], "address": ["x"]}).to_csv(
            folder / "dim_store.csv", index=False
        )


def _written(values: pd.Series, table: str, column: Any, how: dict[str, Any], names: Any) -> Any:
    if column.kind in ("date", "month", "timestamp"):
        return _dates(values, column.kind, how)
    if column.kind == "boolean":
        if how.get("language") == "zh":
            return values.map({True: "是", False: "否"})
        return values.map({True: "Y", False: "N"}) if how.get("kind") != "parquet" else values
    factor = _factor(table, column.name, how, names)
    if factor != 1:
        scaled = values * factor
        return scaled.round().astype("Int64") if factor in (100, 1024) else scaled
    place = f"{table}.{column.name}"
    if how.get("language") == "zh":
        codes = chinese_codes().get(table, {}).get(column.name)
        if codes:
            return values.map(lambda one: codes.get(str(one), one), na_action="ignore")
    if how.get("codes") == "numbered" and (column.codes or place == "groups.sector"):
        known = {code: f"{at:02d}" for at, code in enumerate(sorted(values.dropna().unique()), 1)}
        return values.map(known)
    return values


def _factor(table: str, name: str, how: dict[str, Any], names: Any) -> float:
    if name in MONEY.get(table, []):
        return UNITS.get(how.get("money", ""), 1)
    if name in MINUTES:
        return UNITS.get(how.get("voice", ""), 1)
    if name == "data_mb":
        return UNITS.get(how.get("data", ""), 1)
    return 1 / 60 if names.get(name, "").endswith("_minutes") and "seconds" in name else 1


def _dates(values: pd.Series, kind: str, how: dict[str, Any]) -> Any:
    layout = how["moment" if kind == "timestamp" else kind]
    moments = pd.to_datetime(values)
    if kind == "timestamp":
        moments = moments.dt.floor("min" if layout.endswith("%M") else "s")
    if layout == "typed":
        return moments if kind == "timestamp" else moments.dt.date
    if layout == "int":
        text = moments.dt.strftime("%Y%m%d" if kind == "date" else "%Y%m")
        return pd.to_numeric(text).astype("Int64")
    return moments.dt.strftime(layout).where(moments.notna(), None)


def same(read: pd.Series, true: pd.Series) -> bool:
    """Whether a column was read as what it is, to the second and the cent."""
    if pd.api.types.is_datetime64_any_dtype(true) or (
        true.dtype == object and "date" in str(read.dtype)
    ):
        gap = (pd.to_datetime(read) - pd.to_datetime(true)).abs().dropna()
        return bool((read.isna() == true.isna()).all() and (gap < pd.Timedelta("1min")).all())
    if pd.api.types.is_numeric_dtype(true) and not pd.api.types.is_bool_dtype(true):
        left, right = (one.astype("float64").to_numpy() for one in (read, true))
        return bool(np.allclose(left, right, rtol=1e-2, atol=0.02, equal_nan=True))
    left, right = (one.map(str, na_action="ignore").fillna("").str.lower() for one in (read, true))
    return bool((left == right).all())


ALL = {operator["name"]: operator for operator in operators()}
QUICK = ("hills", "crowded")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("operator") / "operator"
    churnml.simulate(folder, customers=300, months=14, seed=5)
    return folder


@pytest.fixture(scope="module")
def drafted(simulated, tmp_path_factory):
    made = {}

    def draft(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("named") / name
            write(simulated, ALL[name], folder)
            made[name] = folder, churnml.draft_mapping(folder)
        return made[name]

    return draft


def truth_of(name):
    return {
        (file, own): (table, column)
        for table, (file, names) in ALL[name]["tables"].items()
        for column, own in names.items()
    }


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=() if one in QUICK else pytest.mark.slow) for one in ALL]
)
def test_nine_columns_in_ten_are_right_and_none_is_silently_wrong(name, drafted, simulated):
    folder, draft = drafted(name)
    truth = truth_of(name)
    taken = {(one["file"], one["own"]): one for one in draft.columns}
    right = [key for key, true in truth.items() if _taken_for(taken.get(key)) == true]
    assert len(right) >= 0.9 * len(truth)
    sure = {key: one for key, one in taken.items() if one["status"] == "sure"}
    assert {key: _taken_for(one) for key, one in sure.items()} == {key: truth[key] for key in sure}
    source = churnml.open_source(folder)
    frames = {}
    for table, binding in source.bindings.items():
        if not binding.absent:
            frames[table] = source.tables[table].to_pandas()
    for table, column in (truth[key] for key in sure):
        # Where a row that is not sure says when it was known, the filled-in column follows it.
        if table in frames and column != "known_at":
            true = pd.read_parquet(simulated / f"{table}.parquet")[column]
            assert same(_sorted(frames[table][column]), _sorted(true)), f"{table}.{column}"


def _taken_for(one):
    return (one["table"], one["column"]) if one else None


def _sorted(values):
    return values.sort_values().reset_index(drop=True)


def test_every_line_of_a_draft_says_whether_it_is_sure(drafted):
    folder, draft = drafted("crowded")
    text = (folder / "source.yaml").read_text("utf-8")
    for one in draft.columns:
        (line,) = [
            line
            for line in text.splitlines()
            if line.strip().removeprefix("# ").startswith(f"{one['own']}:")
            and (one["column"] is None or f": {one['column']} " in line)
            and line.startswith("      ")
        ][:1]
        assert ("# sure" in line) == (one["status"] == "sure")
        assert ("# check" in line) == (one["status"] != "sure")
    assert draft.count("not read") >= 27
    assert "dim_store.csv" in text
    assert not draft.validation["refused"]


def test_codes_that_nothing_explains_are_left_to_the_user(tmp_path):
    _write(tmp_path, {"付费方式": ["01", "02"] * 20})
    draft = churnml.draft_mapping(tmp_path)
    (one,) = [one for one in draft.columns if one["column"] == "payment"]
    assert one["status"] == "check"
    assert not one["values"]
    assert "01, 02" in one["check"]
    assert draft.validation["refused"]


@pytest.mark.parametrize(
    ("header", "values", "scale", "status"),
    [
        ("应收金额（分）", [23_456, 1_200, 9_900, 18_050], "0.01", "sure"),
        ("应收金额（元）", [234.56, 12.0, 99.0, 180.5], None, "sure"),
        ("应收金额（元）", [23_456, 1_200, 9_900, 18_050], None, "check"),
        ("应收金额（分）", [234.56, 12.07, 99.01, 180.55], "0.01", "check"),
        ("应收金额", [234.56, 12.07, 99.01, 180.55], None, "sure"),
        ("应收金额", [23_456, 1_200, 9_900, 18_050], "0.01", "check"),
        ("应收金额", [234, 12, 99, 180], None, "check"),
    ],
)
def test_a_unit_is_sure_only_where_name_and_values_agree(tmp_path, header, values, scale, status):
    _write(tmp_path, {})
    rows = {"用户编号": _IDS[:4], "账期": ["202403"] * 4, header: values}
    pd.DataFrame(rows).to_csv(tmp_path / "月账单.csv", index=False)
    (one,) = [one for one in churnml.draft_mapping(tmp_path).columns if one["column"] == "amount"]
    assert (one["scale"], one["status"]) == (scale, status)


def test_day_and_month_that_cannot_be_told_apart_are_to_be_checked(tmp_path):
    _write(tmp_path, {"入网日期": ["03/04/2020", "05/06/2021"] * 20})
    columns = churnml.draft_mapping(tmp_path).columns
    (one,) = [one for one in columns if one["column"] == "activated_on"]
    assert one["status"] == "check"
    assert "%d/%m/%Y or %m/%d/%Y" in one["check"]


def test_rows_that_were_all_loaded_at_once_are_to_be_checked(tmp_path):
    _write(tmp_path, {"入库时间": ["2024-06-01 02:00:00"] * 40})
    columns = churnml.draft_mapping(tmp_path).columns
    (one,) = [one for one in columns if one["column"] == "known_at"]
    assert one["status"] == "check"


_IDS = [f"{at:011d}" for at in range(40)]


def _write(folder, columns):
    """Customers with columns of one's own choice."""
    plain = {"用户编号": _IDS, "入网日期": ["2020/1/5", "2021/12/25"] * 20}
    plain |= {"离网日期": [None] * 39 + ["2024/2/9"], "付费方式": ["预付费", "后付费"] * 20}
    pd.DataFrame(plain | columns).to_csv(folder / "用户.csv", index=False)
    bills = {"用户编号": _IDS, "账期": ["202403"] * 40, "应收金额(元)": [88.8, 120.5] * 20}
    pd.DataFrame(bills).to_csv(folder / "月账单.csv", index=False, encoding="gb18030")


def test_files_in_several_encodings_are_read_together(tmp_path):
    _write(tmp_path, {})
    draft = churnml.draft_mapping(tmp_path)
    assert not draft.validation["refused"], draft.validation
    assert {one["encoding"] for one in draft.tables} == {"utf-8", "gb18030"}
    assert [one["own"] for one in draft.columns if one["status"] != "sure"] == []
    bills = churnml.open_source(tmp_path).tables["bills"].to_pandas()
    assert sorted(bills.amount.unique()) == [88.8, 120.5]


def test_a_mapping_that_is_no_draft_is_never_replaced(tmp_path):
    _write(tmp_path, {})
    (tmp_path / "source.yaml").write_text("encoding: utf-8\n")
    with pytest.raises(OutputError):
        churnml.draft_mapping(tmp_path, overwrite=True)
    out = tmp_path / "mine.yaml"
    churnml.draft_mapping(tmp_path, out=out)
    with pytest.raises(OutputError, match="already exists"):
        churnml.draft_mapping(tmp_path, out=out)
    churnml.draft_mapping(tmp_path, out=out, overwrite=True)


def test_a_folder_without_tables_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("colour,taste\nred,sweet\n")
    with pytest.raises(ContractError, match="no file looks like a table"):
        churnml.draft_mapping(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        churnml.draft_mapping(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "concepts"),
    [
        ("CUST_NO", {"customer", "id"}),
        ("入网日期", {"activate", "moment"}),
        ("custid", {"customer", "id"}),
        ("是否一次解决", {"flag", "resolve"}),
    ],
)
def test_names_are_taken_apart(name, concepts):
    assert parse(name).concepts == concepts


def _as_one_table(folder):
    """The bills that a source reads, as plain rows."""
    bills = churnml.open_source(folder).tables["bills"].to_pandas()
    return bills.sort_values(["month", "customer_id"])[["customer_id", "amount"]].values.tolist()


def _of_month(month):
    rows = {"用户编号": _IDS, "账期": [month] * 40, "应收金额(元)": [88.8, 120.5] * 20}
    return pd.DataFrame(rows)


def test_a_table_split_by_month_is_one_table(tmp_path):
    _write(tmp_path, {})
    whole = churnml.draft_mapping(tmp_path)
    (tmp_path / "月账单.csv").unlink()
    for month in ("202403", "202404", "202405"):
        _of_month(month).to_csv(tmp_path / f"月账单_{month}.csv", index=False, encoding="gb18030")
    draft = churnml.draft_mapping(tmp_path, overwrite=True)
    assert [one["file"] for one in draft.tables] == ["用户.csv", "月账单_*.csv"]
    assert [one["rows"] for one in draft.tables] == [40, 120]
    assert draft.count("sure") == whole.count("sure")
    assert not draft.validation["refused"]
    in_files = _as_one_table(tmp_path)
    assert len(in_files) == 120
    (tmp_path / "月账单").mkdir()
    for path in tmp_path.glob("月账单_*.csv"):
        path.rename(tmp_path / "月账单" / path.name)
    draft = churnml.draft_mapping(tmp_path, overwrite=True)
    assert [one["file"] for one in draft.tables] == ["用户.csv", "月账单"]
    assert _as_one_table(tmp_path) == in_files
    _of_month("202406").rename(columns={"账期": "期"}).to_csv(
        tmp_path / "月账单" / "月账单_202406.csv", index=False, encoding="gb18030"
    )
    with pytest.raises(ContractError, match="its columns are not those of 月账单_202403"):
        churnml.open_source(tmp_path)


def test_sheets_of_a_workbook_are_tables(tmp_path):
    _write(tmp_path, {})
    churnml.draft_mapping(tmp_path)
    expected = _as_one_table(tmp_path)
    customers = pd.read_csv(tmp_path / "用户.csv", dtype=str)
    bills = pd.read_csv(tmp_path / "月账单.csv", encoding="gb18030", dtype={"用户编号": str})
    with pd.ExcelWriter(tmp_path / "提取.xlsx") as book:
        customers.to_excel(book, sheet_name="用户资料", index=False)
        bills.to_excel(book, sheet_name="月账单", index=False)
    (tmp_path / "用户.csv").unlink()
    (tmp_path / "月账单.csv").unlink()
    draft = churnml.draft_mapping(tmp_path, overwrite=True)
    assert [(one["file"], one["sheet"]) for one in draft.tables] == [
        ("提取.xlsx", "用户资料"),
        ("提取.xlsx", "月账单"),
    ]
    assert not draft.validation["refused"], draft.validation
    assert _as_one_table(tmp_path) == expected


def test_a_database_is_drafted_beside_it(tmp_path):
    import duckdb

    _write(tmp_path, {})
    place = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(place)) as con:
        con.register("customers", pd.read_csv(tmp_path / "用户.csv", dtype=str))
        con.register("bills", _of_month("202403"))
        con.execute("CREATE SCHEMA dwd")
        con.execute("CREATE TABLE dwd.用户资料 AS FROM customers")
        con.execute("CREATE TABLE 月账单 AS FROM bills")
    draft = churnml.draft_mapping(place)
    assert draft.mapping == str(tmp_path / "warehouse.yaml")
    assert [one["file"] for one in draft.tables] == ["dwd.用户资料", "月账单"]
    assert not draft.validation["refused"], draft.validation
    source = churnml.open_source(place, mapping=draft.mapping)
    assert len(source.tables["bills"].to_pandas()) == 40


def test_a_word_for_the_bill_and_for_calls_is_never_sure(tmp_path):
    _write(tmp_path, {})
    rows = {"用户编号": _IDS, "账期": ["202403"] * 40}
    rows |= {"话费(元)": [8.8, 12.5] * 20, "流量费(元)": [18.8, 20.5] * 20}
    pd.DataFrame(rows).to_csv(tmp_path / "月账单.csv", index=False)
    columns = {one["own"]: one for one in churnml.draft_mapping(tmp_path).columns}
    assert columns["流量费(元)"]["status"] == "sure"
    assert columns["话费(元)"]["status"] != "sure"


def test_commas_between_thousands_are_told_and_read(tmp_path):
    _write(tmp_path, {})
    rows = {"用户编号": _IDS, "账期": ["202403"] * 40}
    fees = {"应收金额(元)": ["1,234.50", "88.80"] * 20, "语音费(元)": ["1,234", "12"] * 20}
    pd.DataFrame(rows | fees).to_csv(tmp_path / "月账单.csv", index=False)
    draft = churnml.draft_mapping(tmp_path)
    status = {one["own"]: one["status"] for one in draft.columns}
    # A comma may be a decimal one, unless a point stands behind it.
    assert (status["应收金额(元)"], status["语音费(元)"]) == ("sure", "check")
    assert not draft.validation["refused"], draft.validation
    bills = churnml.open_source(tmp_path).tables["bills"].to_pandas()
    assert sorted(bills["amount"].unique()) == [88.8, 1234.5]
    assert sorted(bills["voice"].unique()) == [12, 1234]
    text = (tmp_path / "source.yaml").read_text("utf-8")
    (tmp_path / "source.yaml").write_text(text.replace('thousands: ","', "# "), "utf-8")
    assert churnml.validate(tmp_path).report.refused
