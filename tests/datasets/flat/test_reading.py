"""Files that do not tell how they are read: understood, or a message that says what to give."""

import json

import numpy as np
import pandas as pd
import pytest

from churnml.datasets.flat import (
    Reading,
    Signature,
    open_scoring,
    open_table,
    read_evaluation,
    read_training,
)
from churnml.errors import ContractError, DataError, UsageError

ROWS = 60
PLANS = {
    "ko": ["베이직", "플러스", "맥스"],
    "zh": ["基本", "進階", "尊榮"],
    "ja": ["ベーシック", "プラス", "プロ"],
}
TEXT = "id,a,b\n1,2,x\n2,3,y\n"
ROWS_OF_TEXT = [("1", "2", "x"), ("2", "3", "y")]


def frame(language="ko"):
    random = np.random.default_rng(6)
    return pd.DataFrame(
        {
            "id": [f"{at:05d}" for at in range(ROWS)],
            "charge": random.gamma(2, 40, ROWS).round(2).astype(str),
            "plan": random.choice(PLANS[language], ROWS),
            "left": random.choice(["Yes", "No"], ROWS),
        }
    )


def rows(table):
    return [row[:-1] for row in table.query("*")]


@pytest.mark.parametrize(
    ("encoding", "language"), [("cp949", "ko"), ("big5", "zh"), ("cp932", "ja"), ("euc_jp", "ja")]
)
def test_text_that_is_gb18030_by_chance_is_refused_and_read_when_named(write, encoding, language):
    path = write("t.csv", frame(language), encoding=encoding)

    with pytest.raises(DataError) as caught:
        open_table(path)
    assert f"--encoding {encoding}" in str(caught.value)
    assert f"{encoding.upper()} (" in str(caught.value)
    table = open_table(path, reading=Reading(encoding=encoding))
    assert [row[2] for row in rows(table)] == frame(language)["plan"].tolist()


def test_simplified_chinese_is_read_as_such(write):
    plans = frame().assign(plan=["全球通" if at % 2 else "神州行" for at in range(ROWS)])

    assert rows(open_table(write("t.csv", plans, encoding="gb18030")))[1][2] == "全球通"


def test_an_encoding_that_is_not_the_files_is_a_mistake_of_the_command(write):
    path = write("t.csv", frame(), encoding="cp949")

    with pytest.raises(UsageError, match=r"--encoding utf-8: byte \d+ of .* is not that"):
        open_table(path, reading=Reading(encoding="utf8"))
    with pytest.raises(UsageError, match="no such encoding"):
        Reading(encoding="klingon")
    with pytest.raises(UsageError, match="one character expected"):
        Reading(delimiter="||")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_with_or_without_its_mark(write, encoding):
    table = open_table(write("t.csv", TEXT, encoding=encoding))

    assert rows(table) == ROWS_OF_TEXT
    assert table.notes == (f"t.csv: not UTF-8; read as {encoding.upper()}.",)


def test_the_line_that_names_the_delimiter_is_no_row(write):
    text = "sep=;\r\n" + (TEXT + "9,9\n").replace(",", ";").replace("\n", "\r\n")

    table = open_table(write("t.csv", text))

    assert table.names == ("id", "a", "b")
    assert [row[-1] for row in table.query("*")] == [3, 4]
    assert table.rejects[0].row == 5


@pytest.mark.parametrize("mark", ["^", "tab"])
def test_a_delimiter_may_be_named(write, mark):
    text = TEXT.replace(",", "\t" if mark == "tab" else mark)

    assert rows(open_table(write("t.csv", text), reading=Reading(delimiter=mark))) == ROWS_OF_TEXT


TITLES = {
    "t.csv": "Churn report May 2026\nGenerated 01/06/2026\n\n",
    "padded.csv": "Churn report May 2026,,\n,,\n",
    "semicolon.csv": "Churn report May\n",
}


@pytest.mark.parametrize("name", TITLES)
def test_a_title_above_the_column_names_is_told(write, name):
    title = TITLES[name]
    text = TEXT.replace(",", ";") if name.startswith("semi") else TEXT

    with pytest.raises(DataError) as caught:
        open_table(write(name, title + text))

    assert f"line 1 looks like a title ('{title.splitlines()[0].rstrip(',')}" in str(caught.value)
    line = title.count("\n") + 1
    assert f"names seem to be in line {line} ('id', 'a', 'b')" in str(caught.value)


def test_text_that_excel_was_kept_from_changing_comes_without_its_marks(write):
    table = open_table(write("t.csv", 'id,a\n="00100",1\n"=""00200""",="x"\n003,\n'))

    assert rows(table) == [("00100", "1"), ("00200", "x"), ("003", None)]
    assert table.notes == (
        "'id': 2 cells written as =\"…\", read without these marks.",
        "'a': 1 cell written as =\"…\", read without these marks.",
    )


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "t.xlsx"
    with pd.ExcelWriter(path) as writer:
        words = pd.DataFrame({"Variable": ["id", "plan"], "Meaning": ["of the customer", "-"]})
        words.to_excel(writer, sheet_name="Data Dict", index=False)
        frame().to_excel(writer, sheet_name="Customers", index=False)
    return path


def test_a_column_of_another_sheet_is_found_there(book):
    options = {"task": "churn", "id": "id", "target": "left"}

    with pytest.raises(UsageError, match=r"Sheet 'Customers' has it: --sheet 'Customers'"):
        read_training(book, **options)
    data = read_training(book, reading=Reading(sheet="Customers"), **options)
    assert len(data) == ROWS
    with pytest.raises(UsageError, match=r"no such sheet. It has 'Data Dict', 'Customers'"):
        open_table(book, reading=Reading(sheet="customer"))

    # What was said in training holds for a file of the same kind, and for others is no hindrance.
    signature = Signature.from_dict(json.loads(json.dumps(data.signature)))
    assert open_scoring(book, signature, id="id").total == ROWS
    frame().to_csv(book.with_name("t.csv"), index=False)
    assert len(read_evaluation(book.with_name("t.csv"), signature, id="id")) == ROWS


def test_a_header_above_the_header_is_told(tmp_path):
    top = pd.DataFrame([["Customer", None, None, "Outcome"], [*frame().columns]])
    both = pd.concat([top, frame().set_axis(range(4), axis=1)])
    both.loc[0, 3] = None
    both.to_excel(tmp_path / "t.xlsx", index=False, header=False)

    with pytest.raises(DataError, match=r"row 1 looks like a title .* be in row 2 \('id', "):
        open_table(tmp_path / "t.xlsx")


def test_the_encoding_of_training_is_remembered(write):
    path = write("t.csv", frame(), encoding="cp949")
    options = {"task": "churn", "id": "id", "target": "left"}
    data = read_training(path, reading=Reading(encoding="cp949"), **options)
    signature = Signature.from_dict(data.signature)

    again = open_scoring(path, signature, id="id")
    other = open_scoring(write("u.csv", frame()), signature, id="id")

    for scorable in (again, other):
        (batch,) = scorable.batches(1_000)
        assert batch.X["plan"].tolist() == frame()["plan"].tolist()


def test_ids_that_a_number_cell_rounds_are_told(write):
    ids = [86_010_000_000_000_000 + 37_001 * at for at in range(ROWS)]

    table = open_table(write("t.xlsx", frame().assign(id=np.array(ids, dtype=float))))

    (note,) = table.notes
    assert "'id': 60 numbers of more than 15 digits; a number cell keeps 15" in note


def test_what_a_file_has_no_use_for_is_a_mistake_of_the_command(write):
    with pytest.raises(UsageError, match="not a workbook"):
        open_table(write("t.csv", frame()), reading=Reading(sheet="a"))
    with pytest.raises(UsageError, match="for CSV files"):
        open_table(write("t.xlsx", frame()), reading=Reading(delimiter=";"))
    with pytest.raises(UsageError, match="Parquet"):
        open_table(write("t.parquet", frame()), reading=Reading(encoding="big5"))


def test_a_file_of_one_column_is_no_title(write):
    assert open_table(write("t.csv", "id\n1\n2\n")).names == ("id",)
    with pytest.raises(ContractError, match="line 1 is blank"):
        open_table(write("t.csv", "\nid,a,b\n1,2,3\n"))


def test_a_row_of_totals_is_left_out_of_training_and_told_in_scoring(write):
    table = frame().assign(calls=[str(at % 9) for at in range(ROWS)])
    plain = read_training(write("t.csv", table), task="churn", id="id", target="left")
    sums = table[["charge", "calls"]].astype(float).sum().round(2).astype(str)
    last = pd.DataFrame([{"id": "Total", "left": "", **sums}])
    path = write("total.csv", pd.concat([table, last]))

    data = read_training(path, task="churn", id="id", target="left")
    scorable = open_scoring(path, Signature.from_dict(plain.signature), id="id")

    total = "the last row (line 62) is the sum of the others in 'charge', 'calls'"
    assert f"Left out: {total}." in data.notes
    assert (len(data), data.rows) == (ROWS, ROWS + 1)
    assert data.signature == plain.signature
    assert scorable.taken == (f"total.csv: {total}; it was scored, but is it a customer?",)
    assert not open_scoring(
        write("t.csv", table), Signature.from_dict(plain.signature), id="id"
    ).taken


def test_ids_in_scientific_notation_are_told(write):
    ids = [f"8.6{at:04d}E+10" for at in range(ROWS)]
    options = {"task": "churn", "id": "id", "target": "left"}

    data = read_training(write("t.csv", frame().assign(id=ids)), **options)
    assert any("'id': 60 ids are in scientific notation, such as '8.6" in one for one in data.notes)
    with pytest.raises(DataError, match=r"more than one row.*60 ids are in scientific notation"):
        read_training(write("t.csv", frame().assign(id="8.60130E+10")), **options)
