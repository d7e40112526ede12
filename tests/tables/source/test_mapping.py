"""Mappings: an operator's names, codes and units, and what is refused."""

import datetime as dt
import re
from pathlib import Path

import pytest

from churnml.errors import ContractError, UsageError
from churnml.tables.contract import KNOWN_AT, TABLES
from churnml.tables.source import open_source
from churnml.tables.source.mapping import SourceMapping, read_mapping, schema

CONFIGS = Path(__file__).parents[3] / "configs"
BILLS = "customer_id,month,amount\n"


@pytest.fixture
def mapping(tmp_path):
    def write(text):
        path = tmp_path / "mapping.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_names_formats_units_and_lags(csv, mapping, folder, rows):
    csv("账单.csv", "用户,账期,金额（分）\n01,202606,57\n02,202613,1\n")
    path = mapping(
        "tables:\n"
        "  bills:\n"
        "    file: 账单.csv\n"
        "    columns: {用户: customer_id, 账期: month, 金额（分）: amount}\n"
        "    scale: {amount: 0.01}\n"
        "    formats: {账期: '%Y%m'}\n"
        "    known_after: 36h\n"
    )
    source = open_source(folder, mapping=path)
    first, second = rows(source.tables["bills"])
    assert first == {
        "customer_id": "01",
        "month": dt.date(2026, 6, 1),
        # 57 * 0.01 is 0.5700000000000001
        "amount": 0.57,
        "known_at": dt.datetime(2026, 7, 2, 12),
    }
    assert second["month"] is None
    assert source.lags == {"bills": dt.timedelta(hours=36)}


def test_codes_are_taken_as_they_are_written(csv, mapping, folder, rows):
    csv("customers.csv", "customer_id,activated_on,terminated_on,payment,brand\n"
        "a,2020-01-01,,01,NO\nb,2020-01-01,,1,1e3\nc,2020-01-01,,2,gotone\n")  # fmt: skip
    path = mapping(
        "tables: {customers: {values: {payment: {01: prepaid, 1: postpaid}, "
        "brand: {NO: other, 1e3: mzone}}}}"
    )
    found = [(row["payment"], row["brand"]) for row in
             rows(open_source(folder, mapping=path).tables["customers"])]  # fmt: skip
    assert found == [("prepaid", "other"), ("postpaid", "mzone"), ("2", "gotone")]


def test_codes_of_numbers_in_parquet(parquet, mapping, folder, rows):
    parquet(
        "customers",
        customer_id=["a", "b"],
        activated_on=[dt.date(2020, 1, 1)] * 2,
        terminated_on=[None, None],
        payment=[1, 2],
    )
    path = mapping("tables: {customers: {values: {payment: {1: prepaid, 2: postpaid}}}}")
    found = rows(open_source(folder, mapping=path).tables["customers"])
    assert [row["payment"] for row in found] == ["prepaid", "postpaid"]


def test_truth_values_and_numbers_have_codes_too(csv, mapping, folder):
    csv(
        "contacts.csv",
        "contact_id,customer_id,started_at,channel,answered\n"
        "1,a,2026-06-01,app,是\n2,a,2026-06-01,app,否\n3,a,2026-06-01,app,?\n",
    )
    path = mapping("tables: {contacts: {values: {answered: {是: true, 否: false}}}}")
    table = open_source(folder, mapping=path).tables["contacts"].order_by("contact_id")
    assert table.answered.to_pyarrow().to_pylist() == [True, False, None]


@pytest.mark.parametrize(
    ("nulls", "expected"),
    [
        ("", ["NA", "\\N", None]),
        ('nulls: ["", "\\\\N", NA]\n', [None, None, None]),
        ("nulls: [NA]\n", [None, "\\N", ""]),
    ],
)
def test_what_means_a_missing_value(nulls, expected, csv, mapping, folder, rows):
    csv("bills.csv", f"{BILLS}NA,2026-05-01,1\n\\N,2026-06-01,1\n,2026-07-01,1\n")
    table = open_source(folder, mapping=mapping(nulls)).tables["bills"]
    assert [row["customer_id"] for row in rows(table, "month")] == expected


def test_what_means_a_missing_value_in_parquet(parquet, mapping, folder, rows):
    parquet("bills", customer_id=["-", ""], month=["2026-05-01", "2026-06-01"], amount=["-", "1"])
    table = open_source(folder, mapping=mapping('nulls: ["-"]\n')).tables["bills"]
    assert [(row["customer_id"], row["amount"]) for row in rows(table, "month")] == [
        (None, None),
        ("", 1.0),
    ]


@pytest.mark.parametrize(
    ("scale", "amount", "expected"),
    [("0.01", "29", 0.29), ("100", "1.5", 150.0), ("1/60", "90", 1.5), ("1e-2", "29", 0.29)],
)
def test_scales_are_rounded_once(scale, amount, expected, csv, mapping, folder):
    csv("bills.csv", f"{BILLS}a,2026-05-01,{amount}\n")
    path = mapping(f"tables: {{bills: {{scale: {{amount: {scale}}}}}}}")
    table = open_source(folder, mapping=path).tables["bills"]
    assert table.amount.to_pyarrow().to_pylist() == [expected]


def test_a_folder_s_own_mapping_is_used_unless_another_is_named(csv, mapping, folder):
    csv("bills.csv", f"{BILLS}a,2026-05-01,100\n")
    csv("source.yaml", "tables: {bills: {scale: {amount: 0.01}}}")
    assert open_source(folder).tables["bills"].amount.to_pyarrow().to_pylist() == [1.0]
    other = mapping("tables: {bills: {scale: {amount: 10}}}")
    table = open_source(folder, mapping=other).tables["bills"]
    assert table.amount.to_pyarrow().to_pylist() == [1000.0]


REFUSED = {
    "tables:\n  bils: {}\n": ("line 2, column 3: unknown key 'tables.bils'. Did you mean 'bills'?"),
    "encodin: gbk\n": "line 1, column 1: unknown key 'encodin'. Did you mean 'encoding'?",
    "encoding: gbk\n": (
        "line 1, column 1: encoding: 'utf-8', 'utf-8-sig' or 'gb18030' expected, got 'gbk'."
    ),
    "nulls: ['']\nnulls: []\n": "line 2, column 1: .*duplicate key",
    "tables:\n  bills:\n    known_after: 3 days\n": (
        "line 3, column 5: tables.bills.known_after: "
    ),
    "tables:\n  bills:\n    colums: {}\n": (
        "line 3, column 5: unknown key 'tables.bills.colums'. Did you mean 'columns'?"
    ),
    "tables:\n  bills:\n    columns:\n      金额: amont\n": (
        "line 4, column 7: tables.bills.columns.金额: 'amont' is not in the contract. "
        "Did you mean 'amount'?"
    ),
    "tables:\n  bills:\n    columns: {a: amount, b: amount}\n": (
        "line 3, column 15: tables.bills.columns.a: a and b both become 'amount'"
    ),
    "tables: {bills: {scale: {monht: 2}}}": (
        "'monht' is not in the contract. Did you mean 'month'?"
    ),
    "tables: {bills: {scale: {month: 2}}}": "tables.bills.scale.month: a month takes no scale",
    "tables: {bills: {scale: {amount: 0}}}": "a positive number expected, got 0",
    "tables: {bills: {scale: {amount: -1}}}": "tables.bills.scale.amount: ",
    "tables: {bills: {formats: {amount: '%Y'}}}": "a number takes no formats",
    "tables: {customers: {values: {payment: {A: pre-paid}}}}": (
        "tables.customers.values.payment.A: 'pre-paid' is not in the contract. "
        "Did you mean 'prepaid'?"
    ),
    "tables: {contacts: {values: {answered: {A: yes}}}}": "Known: true, false.",
    "timezone: Asia/Peking\n": (
        "line 1, column 1: timezone: 'Asia/Peking' is not a time zone. Did you mean"
    ),
    "tables: [bills]\n": "line 1, column 1: tables: ",
    "- a\n": "a mapping of sections expected",
    "a: !!python/object:os.system x\n": (
        "tags (tag:yaml.org,2002:python/object:os.system) are not allowed"
    ),
    "a: &x [1]\nb: *x\n": "aliases",
    "a: [\n": "line 2, column 1",
    "[" * 2000: "nested too deeply",
    "a: " + "x" * 1_000_001: "1000004 bytes; at most 1000000 expected",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:40].replace("\n", " "))
def test_what_no_mapping_says_is_refused(text, csv, mapping, folder):
    csv("bills.csv", BILLS)
    with pytest.raises(UsageError, match=_escaped(REFUSED[text])) as caught:
        open_source(folder, mapping=mapping(text))
    assert caught.value.details["file"].endswith("mapping.yaml")


def _escaped(text):
    return re.escape(text).replace(r"\.\*", ".*")


def test_a_mapping_that_is_not_there(folder, tmp_path):
    with pytest.raises(UsageError, match=r"gone\.yaml: cannot be read"):
        open_source(folder, mapping=tmp_path / "gone.yaml")


def test_a_file_that_the_mapping_names_and_is_not_there(csv, mapping, folder):
    csv("bills.csv", BILLS)
    path = mapping("tables: {usage: {file: 用量.csv}}")
    with pytest.raises(
        ContractError, match=r"usage: .*用量\.csv does not exist, though the mapping"
    ):
        open_source(folder, mapping=path)


def test_a_column_that_the_mapping_names_and_is_not_there(csv, mapping, folder):
    csv("bills.csv", f"{BILLS}a,2026-05-01,1\n")
    source = open_source(folder, mapping=mapping("tables: {bills: {columns: {话费: voice}}}"))
    with pytest.raises(ContractError, match=r"bills: .*bills\.csv has no column voice\. \[C02\]"):
        source.tables["bills"]


@pytest.mark.parametrize("path", sorted((CONFIGS / "sources").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_mappings_are_read(path):
    assert read_mapping(path) != SourceMapping()


def test_the_shipped_chinese_mapping_names_every_column_and_code(tmp_path):
    text = (CONFIGS / "sources" / "chinese.yaml").read_text(encoding="utf-8")
    assert read_mapping(CONFIGS / "sources" / "chinese.yaml").table("ties").file is None
    (tmp_path / "chinese.yaml").write_text(with_ties(text), encoding="utf-8")
    mapping = read_mapping(tmp_path / "chinese.yaml")
    assert (mapping.encoding, mapping.timezone) == ("gb18030", "Asia/Shanghai")
    for name, spec in TABLES.items():
        entry = mapping.table(name)
        assert entry.file is not None
        named = set(entry.columns.values()) - {KNOWN_AT.name}
        assert named == {column.name for column in spec.columns}, name
        for column in spec.columns:
            if column.codes:
                codes = mapping.table(name).rule(column.name, mapping).values
                assert set(codes.values()) == set(column.codes), column.name


def with_ties(text):
    """The shipped mapping where its owner has taken the marks before ties away."""
    head, mark, block = text.partition("  # ties:\n")
    assert mark
    return head + (mark + block).replace("  # ", "  ")


def test_the_schema_file_is_current():
    assert (CONFIGS / "schema" / "source.json").read_text(encoding="utf-8") == schema()
