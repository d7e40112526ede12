"""Which file is read how, and which is refused."""

import gzip
import os
import random
import zipfile

import pandas as pd
import pytest

from churnml.datasets.flat import fingerprint, open_table
from churnml.errors import ContractError, DataError

TEXT = "编号,品牌,费用\n007,全球通,30.5\n008,神州行,\n"
ROWS = [("007", "全球通", "30.5", 2), ("008", "神州行", None, 3)]


@pytest.mark.parametrize(
    ("name", "content", "notes"),
    [
        ("t.csv", TEXT.encode(), ()),
        ("t.csv", TEXT.encode("utf-8-sig"), ()),
        ("t.csv", TEXT.replace("\n", "\r\n").encode(), ()),
        ("t.csv", TEXT.encode("gb18030"), ("t.csv: not UTF-8; read as GB18030.",)),
        ("t.csv", TEXT.encode("utf-16"), ("t.csv: not UTF-8; read as UTF-16.",)),
        ("t.csv.gz", gzip.compress(TEXT.encode(), mtime=0), ()),
        ("t.csv", TEXT.replace(",", ";").encode(), ("t.csv: fields separated by semicolons.",)),
        ("t.tsv", TEXT.replace(",", "\t").encode(), ("t.tsv: fields separated by tabs.",)),
        ("t.txt", TEXT.replace(",", "|").encode(), ("t.txt: fields separated by vertical bars.",)),
    ],
)
def test_csv_is_text_character_for_character(write, name, content, notes):
    table = open_table(write(name, content))

    assert table.names == ("编号", "品牌", "费用")
    assert table.query("*") == ROWS
    assert (table.counted, table.notes) == ("line", notes)


def test_names_may_hold_anything(write):
    names = ["4\\5G用户", 'a "b"', "x,y", "[{费用}]:", "line\nbreak", "😀", "drop table t; --"]
    path = write("t.csv", pd.DataFrame([["1"] * len(names)], columns=names))

    table = open_table(path)

    assert table.names == tuple(names)
    assert table.column("line\nbreak", "--id") == "c4"


def test_a_workbook_gives_the_text_of_its_cells(write):
    frame = pd.DataFrame(
        {
            "id": [13800138000, 13800138001],
            "paid": [29.85, None],
            "since": [pd.Timestamp("2024-02-29"), pd.Timestamp("2025-01-01 08:30")],
            "vip": [True, False],
            "plan": ["全球通", " NA"],
        }
    )

    table = open_table(write("t.xlsx", frame))

    assert table.query("*") == [
        ("13800138000", "29.85", "2024-02-29", "True", "全球通", 2),
        ("13800138001", None, "2025-01-01 08:30:00", "False", " NA", 3),
    ]


def test_the_first_of_several_sheets_is_read_and_said(tmp_path):
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="一月", index=False)
        pd.DataFrame({"b": [1]}).to_excel(book, sheet_name="二月", index=False)

    table = open_table(tmp_path / "t.xlsx")

    assert table.names == ("a",)
    assert table.notes == ("t.xlsx: the first of 2 sheets was read, '一月'.",)


def test_parquet_parts_are_one_table(tmp_path):
    for part, values in enumerate([["a", "b"], ["c"]]):
        place = tmp_path / "t" / f"part-{part}.parquet"
        place.parent.mkdir(exist_ok=True)
        pd.DataFrame({"id": values}).to_parquet(place, index=False)

    assert open_table(tmp_path / "t").query("*") == [("a", 1), ("b", 2), ("c", 3)]


def test_partition_keys_are_columns(tmp_path):
    folder = tmp_path / "year=2020" / "t"
    for region, values in (
        ("a%20b", ["1", "2"]),
        ("北", ["3"]),
        ("__HIVE_DEFAULT_PARTITION__", []),
    ):
        place = folder / f"region={region}" / "part.parquet"
        place.parent.mkdir(parents=True)
        pd.DataFrame({"id": pd.Series(values, dtype="str")}).to_parquet(place, index=False)

    table = open_table(folder)

    assert table.names == ("id", "region")
    assert sorted(table.query("*")) == [("1", "a b", 1), ("2", "a b", 2), ("3", "北", 3)]


def test_swapped_partitions_are_another_table(tmp_path):
    parts = [tmp_path / "t" / f"plan={plan}" / "part.parquet" for plan in "ab"]
    for one, value in zip(parts, "12", strict=True):
        one.parent.mkdir(parents=True)
        pd.DataFrame({"id": [value]}).to_parquet(one, index=False)
    before = fingerprint(tmp_path / "t")
    first, second = (one.read_bytes() for one in parts)
    parts[0].write_bytes(second)
    parts[1].write_bytes(first)

    assert fingerprint(tmp_path / "t") != before


@pytest.mark.parametrize("stated", ["A1", "A1:B2"])
def test_the_size_that_a_sheet_states_is_not_believed(write, stated):
    path = write("t.xlsx", pd.DataFrame({"id": ["1", "2", "3"], "fee": [5, 6, 7]}))
    rewrite(path, b'<dimension ref="A1:B4"', f'<dimension ref="{stated}"'.encode())

    assert open_table(path).query("*") == [("1", "5", 2), ("2", "6", 3), ("3", "7", 4)]


def rewrite(path, old, new):
    """Put other text into a workbook's first sheet."""
    with zipfile.ZipFile(path) as book:
        members = {name: book.read(name) for name in book.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert old in members[sheet]
    members[sheet] = members[sheet].replace(old, new)
    with zipfile.ZipFile(path, "w") as book:
        for name, content in members.items():
            book.writestr(name, content)


def test_formulas_without_a_stored_value_are_refused(write):
    table = pd.DataFrame({"id": ["1", "2"], "fee": ["=1+1", "=2+2"], "size": ["=1", 2]})

    with pytest.raises(DataError) as caught:
        open_table(write("t.xlsx", table))

    assert "3 cells are formulas without a stored value" in str(caught.value)
    assert "'fee', 'size'; the first is B2" in str(caught.value)
    assert "Open and save it in Excel" in str(caught.value)


def test_formulas_with_a_stored_value_are_read(write):
    path = write("t.xlsx", pd.DataFrame({"id": ["1"], "fee": ["=1+1"], "name": ["=T(1)"]}))
    rewrite(path, b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>")
    rewrite(path, b'<c r="C2"><f>', b'<c r="C2" t="str"><f>')

    assert open_table(path).query("*") == [("1", "2", None, 2)]


def test_lines_with_too_few_or_too_many_fields_are_told_by_line(write):
    table = open_table(write("t.csv", "id,a,b\n1,2,3\n2,3\n3,4,5,6\n4,5,6\n"))

    assert table.query("*") == [("1", "2", "3", 2), ("4", "5", "6", 5)]
    assert [one.row for one in table.rejects] == [3, 4]
    assert table.rejected == 2


REFUSED = [
    ("t.csv", b"", "0 bytes"),
    ("t.parquet", b"", "0 bytes"),
    ("t.xlsx", b"", "0 bytes"),
    ("t.csv", "id,caf\xe9\n1,d\xe9pens\xe9\n".encode("latin-1"), "byte 6 is not UTF-8"),
    ("t.csv", "编号\n1,全".encode()[:-1], "cut off within its last character"),
    ("t.csv", b"PAR1 and more", "the content is Parquet"),
    ("t.csv", b"PK\x03\x04 and more", "the content is XLSX"),
    ("t.csv", gzip.compress(b"id\n1\n", mtime=0), "the content is gzip"),
    ("t.csv.gz", gzip.compress(TEXT.encode(), mtime=0)[:20], "not a complete gzip"),
    ("t.parquet", b"id,a\n1,2\n", "not a complete Parquet"),
    ("t.xlsx", b"id,a\n1,2\n", "not an XLSX workbook"),
    ("t.xlsx", b"PK\x03\x04 and more", "not a complete XLSX"),
    ("t.xlsx", b"\xd0\xcf\x11\xe0 and more", "password"),
    ("t.xls", b"id,a\n1,2\n", "unknown ending"),
    ("t.csv", b"\nid,a\n1,2\n", "line 1 is blank"),
    ("t.csv", b"id,a,b,a\n1,2,3,4\n", "'a' stands at positions 2 and 4"),
    ("t.csv", b"id,Fee, fee \n1,2,3\n", "'Fee' and ' fee ' stands at positions 2 and 3"),
    ("t.csv", b'id,a\n1,"x\n2,3\n4,5\n', "a quote is opened in line 2"),
]


@pytest.mark.parametrize(("name", "content", "says"), REFUSED)
def test_refuses_what_is_not_what_it_claims(write, name, content, says):
    with pytest.raises(DataError) as caught:
        open_table(write(name, content))

    assert says in str(caught.value)
    assert caught.value.details["file"].endswith(name)


def test_refuses_what_is_no_file_without_hanging(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "broken.csv").symlink_to(tmp_path / "nowhere.csv")

    for name in ("pipe.csv", "broken.csv", "none.csv"):
        with pytest.raises(DataError):
            open_table(tmp_path / name)


def test_a_row_beyond_the_header_of_a_sheet_is_refused(tmp_path):
    frame = pd.DataFrame([["id", "a", None], ["1", "2", "3"]])
    frame.to_excel(tmp_path / "t.xlsx", header=False, index=False)

    with pytest.raises(ContractError, match="row 2 has 3 cells, the header 2"):
        open_table(tmp_path / "t.xlsx")


def test_a_file_that_changes_meanwhile_is_noticed(write):
    path = write("t.csv", TEXT)
    table = open_table(path)
    table.ensure_unchanged()

    path.write_text(TEXT + "009,大众卡,3\n", encoding="utf-8")

    with pytest.raises(DataError, match="changed while it was read"):
        table.ensure_unchanged()


def test_a_fingerprint_depends_on_the_content(write):
    one = fingerprint(write("t.csv", TEXT))

    assert one == fingerprint(write("t.csv", TEXT))
    assert one != fingerprint(write("t.csv", TEXT + "009,大众卡,3\n"))


def test_a_workbook_with_a_changed_bit_is_read_as_it_was_or_refused(write):
    frame = pd.DataFrame({"id": range(40), "fee": range(40), "left": ["yes", "no"] * 20})
    path = write("t.xlsx", frame)
    whole = path.read_bytes()
    chance = random.Random(0)
    refused = 0
    for _ in range(40):
        damaged = bytearray(whole)
        damaged[chance.randrange(4, len(damaged))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            open_table(path)
        except DataError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("content", [b"", b"<workbook", b"<a/>", bytes(range(256))])
def test_a_workbook_whose_parts_are_damaged_is_refused(write, content):
    path = write("t.xlsx", pd.DataFrame({"id": ["1"], "fee": [5]}))
    with zipfile.ZipFile(path) as book:
        held = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w") as book:
        for name, text in held.items():
            book.writestr(name, content if name.endswith("sheet1.xml") else text)
    with pytest.raises(DataError, match=r"XLSX|empty"):
        open_table(path)
